package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// fold is where a request carries what its headers may say: Idempotency-Key is its requestId, and If-Match: W/"n" the version that was seen. Both
// are in JSON names.
type fold struct {
	requestID bool
	// version is the path to it: "version" of the request itself, or else of the one thing that it carries ("settings", "version"). nil where
	// nothing has a version.
	version []string
}

// folds are those of all annotated methods, by method and pattern as [runtime.Pattern] writes it.
func folds() map[string]fold {
	out := map[string]fold{}
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			methods := file.Services().Get(i).Methods()
			for j := range methods.Len() {
				method := methods.Get(j)
				rule, ok := proto.GetExtension(method.Options(), annotations.E_Http).(*annotations.HttpRule)
				if !ok || rule == nil {
					continue
				}
				for _, one := range append([]*annotations.HttpRule{rule}, rule.GetAdditionalBindings()...) {
					if verb, pattern := routeOf(one); verb != "" {
						out[verb+" "+pattern] = foldOf(method.Input())
					}
				}
			}
		}
		return true
	})
	return out
}

var variable = regexp.MustCompile(`\{([\w.]+)\}`)

// routeOf a rule that writes; "" for one that reads.
func routeOf(rule *annotations.HttpRule) (verb, pattern string) {
	switch {
	case rule.GetPost() != "":
		verb, pattern = http.MethodPost, rule.GetPost()
	case rule.GetPut() != "":
		verb, pattern = http.MethodPut, rule.GetPut()
	case rule.GetPatch() != "":
		verb, pattern = http.MethodPatch, rule.GetPatch()
	case rule.GetDelete() != "":
		verb, pattern = http.MethodDelete, rule.GetDelete()
	}
	return verb, variable.ReplaceAllString(pattern, "{$1=*}")
}

func foldOf(request protoreflect.MessageDescriptor) fold {
	fields := request.Fields()
	out := fold{requestID: fields.ByName("request_id") != nil}
	if fields.ByName("version") != nil {
		out.version = []string{"version"}
		return out
	}
	var carried []string
	for i := range fields.Len() {
		field := fields.Get(i)
		if field.Kind() == protoreflect.MessageKind && !field.IsList() && !field.IsMap() && field.Message().Fields().ByName("version") != nil {
			carried = append(carried, field.JSONName())
		}
	}
	if len(carried) == 1 {
		out.version = []string{carried[0], "version"}
	}
	return out
}

// foldHeaders writes what the headers say into the request, where that does not say it itself, so that services know one way only. A header for
// which a request has no place says nothing: such a write is harmless to repeat, or stands on no version.
func (a *api) foldHeaders(next runtime.HandlerFunc) runtime.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request, params map[string]string) {
		pattern, _ := runtime.HTTPPattern(r.Context())
		if err := folded(r, a.folds[r.Method+" "+pattern.String()]); err != nil {
			a.fail(w, r, err)
			return
		}
		next(w, r, params)
	}
}

func folded(r *http.Request, at fold) error {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return tooLarge(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(raw))
	key, match := r.Header.Get("Idempotency-Key"), r.Header.Get("If-Match")
	if !at.requestID {
		key = ""
	}
	version := 0
	switch {
	case len(at.version) == 0:
		match = ""
	case match != "":
		if version, err = strconv.Atoi(strings.Trim(strings.TrimPrefix(match, "W/"), `"`)); err != nil {
			return errs.Invalid(errs.Bad(strings.Join(at.version, "."), errs.ReasonFieldInvalid))
		}
	}
	if key == "" && match == "" {
		return nil
	}
	if r.Method == http.MethodDelete {
		query := r.URL.Query()
		if match != "" && !query.Has("version") {
			query.Set("version", strconv.Itoa(version))
			r.URL.RawQuery = query.Encode()
		}
		return nil
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		raw = []byte("{}")
	}
	body := raw
	if key != "" {
		body = with(body, []string{"requestId"}, key)
	}
	if match != "" {
		body = with(body, at.version, version)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	return nil
}

// with is a JSON object with a value at a path, unless it has one there. What is no object stays: grpc-gateway says what is wrong with it.
func with(object []byte, path []string, value any) []byte {
	fields := map[string]json.RawMessage{}
	if json.Unmarshal(object, &fields) != nil {
		return object
	}
	if fields == nil { // it was "null"
		fields = map[string]json.RawMessage{}
	}
	there, named := fields[path[0]]
	switch {
	case len(path) > 1 && !named: // a request that carries nothing is refused for that
		return object
	case len(path) > 1:
		fields[path[0]] = with(there, path[1:], value)
	case named:
		return object
	default:
		raw, err := json.Marshal(value)
		if err != nil {
			return object
		}
		fields[path[0]] = raw
	}
	out, err := json.Marshal(fields)
	if err != nil {
		return object
	}
	return out
}

func tooLarge(err error) error {
	var limit *http.MaxBytesError
	if errors.As(err, &limit) {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldTooLong, "max", strconv.FormatInt(limit.Limit, 10)))
	}
	return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
}
