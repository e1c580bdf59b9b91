package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// foldHeaders writes Idempotency-Key and If-Match: W/"n" into the JSON body as requestId and version, where the body
// does not name them itself, so that services know one way only.
func foldHeaders(r *http.Request) error {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return tooLarge(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(raw))
	key, match := r.Header.Get("Idempotency-Key"), r.Header.Get("If-Match")
	if (key == "" && match == "") || (r.Method != http.MethodPost && r.Method != http.MethodPatch) {
		return nil
	}
	fields := map[string]json.RawMessage{}
	if len(bytes.TrimSpace(raw)) > 0 {
		if json.Unmarshal(raw, &fields) != nil {
			return nil //nolint:nilerr // grpc-gateway says where the JSON is wrong
		}
		if fields == nil { // the body was "null"
			fields = map[string]json.RawMessage{}
		}
	}
	if _, named := fields["requestId"]; key != "" && !named {
		quoted, err := json.Marshal(key)
		if err != nil {
			return errs.Invalid(errs.Bad("requestId", errs.ReasonFieldInvalid))
		}
		fields["requestId"] = quoted
	}
	if _, named := fields["version"]; match != "" && !named {
		version, err := strconv.Atoi(strings.Trim(strings.TrimPrefix(match, "W/"), `"`))
		if err != nil {
			return errs.Invalid(errs.Bad("version", errs.ReasonFieldInvalid))
		}
		fields["version"] = json.RawMessage(strconv.Itoa(version))
	}
	body, err := json.Marshal(fields)
	if err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	return nil
}

func tooLarge(err error) error {
	var limit *http.MaxBytesError
	if errors.As(err, &limit) {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldTooLong, "max", strconv.FormatInt(limit.Limit, 10)))
	}
	return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
}
