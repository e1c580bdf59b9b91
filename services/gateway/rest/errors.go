package rest

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"regexp"
	"strconv"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// body is an error as clients read it.
type body struct {
	Code    int               `json:"code"`
	Message string            `json:"message"`
	Details []json.RawMessage `json:"details"`
}

func (a *api) onError(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, err error) {
	if _, ours := errs.As(err); !ours {
		err = fromGateway(err)
	}
	a.fail(w, r, err)
}

// fromGateway classifies what grpc-gateway itself refuses: malformed JSON, an unknown field, an unknown route.
func fromGateway(err error) error {
	switch status.Code(err) {
	case codes.InvalidArgument:
		return malformed(status.Convert(err).Message(), err)
	case codes.Unimplemented, codes.NotFound:
		return errs.NotFound("route")
	default:
		return errs.FromStatus(err)
	}
}

var (
	unknownField = regexp.MustCompile(`unknown field "([A-Za-z0-9_.]{1,60})"`)
	jsonPosition = regexp.MustCompile(`\(line (\d+:\d+)\)`)
)

// malformed tells where the body is wrong and which field nobody knows. The parser's own text stays inside: it quotes
// what was sent.
func malformed(text string, cause error) error {
	field := errs.Bad("body", errs.ReasonFieldInvalid)
	if found := unknownField.FindStringSubmatch(text); found != nil {
		field = errs.Bad(found[1], errs.ReasonFieldUnknown)
	}
	e := errs.New(errs.KindInvalid, field.Reason, "the request body or a parameter is malformed", cause)
	if found := jsonPosition.FindStringSubmatch(text); found != nil {
		e = e.With("position", found[1])
	}
	e.Fields = []errs.Field{field}
	return e
}

// fail answers with the error in the caller's language.
func (a *api) fail(w http.ResponseWriter, r *http.Request, err error) {
	code := errs.HTTPStatus(err)
	if errs.KindOf(err) == errs.KindStale && r.Header.Get("If-Match") != "" {
		code = http.StatusPreconditionFailed
	}
	if errs.KindOf(err) == errs.KindInternal {
		a.deps.Logger.ErrorContext(r.Context(), "REST call failed", "route", r.Pattern, "error", err)
	}
	language := a.deps.Text.Language("", r.Header.Get("Accept-Language"))
	st := errs.ToStatus(err)
	out := body{Code: int(st.Code()), Message: a.deps.Text.Error(language, err), Details: a.details(language, err, st)}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Language", language)
	if code == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	if e, ok := errs.As(err); ok {
		if e.RetryAfter > 0 {
			h.Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds()))))
		} else if e.Kind == errs.KindUnavailable || e.Kind == errs.KindLimited {
			h.Set("Retry-After", "5")
		}
	}
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(out)
}

// details are ErrorInfo as it came and BadRequest with its descriptions worded.
func (a *api) details(language string, err error, st *status.Status) []json.RawMessage {
	out := []json.RawMessage{}
	for _, detail := range st.Proto().GetDetails() {
		message, uerr := detail.UnmarshalNew()
		if uerr != nil {
			continue
		}
		if bad, ok := message.(*errdetails.BadRequest); ok {
			e, _ := errs.As(err)
			for i, violation := range bad.GetFieldViolations() {
				if e != nil && i < len(e.Fields) {
					violation.Description = a.deps.Text.Field(language, e.Fields[i])
				}
			}
		}
		raw, merr := protojson.Marshal(message)
		if merr != nil {
			continue
		}
		typed := map[string]json.RawMessage{}
		if json.Unmarshal(raw, &typed) != nil {
			continue
		}
		typed["@type"], _ = json.Marshal(detail.GetTypeUrl())
		if raw, merr = json.Marshal(typed); merr == nil {
			out = append(out, raw)
		}
	}
	return out
}
