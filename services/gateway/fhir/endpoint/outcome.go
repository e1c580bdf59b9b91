package endpoint

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"

	"github.com/tongzhen/tongzhen/services/gateway/fhir"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// The thin structs of what is answered, in the names of FHIR R4.

type codeable struct {
	Text string `json:"text,omitempty"`
}

type issue struct {
	Severity    string    `json:"severity"`
	Code        string    `json:"code"`
	Details     *codeable `json:"details,omitempty"`
	Diagnostics string    `json:"diagnostics,omitempty"`
	Expression  []string  `json:"expression,omitempty"`
}

type operationOutcome struct {
	ResourceType string  `json:"resourceType"`
	Issue        []issue `json:"issue"`
}

func outcome(issues ...issue) *operationOutcome {
	return &operationOutcome{ResourceType: "OperationOutcome", Issue: issues}
}

// codes are the issue types of FHIR by kind of error.
func codeOf(kind errs.Kind) string {
	switch kind {
	case errs.KindInvalid:
		return "invalid"
	case errs.KindUnauthenticated:
		return "login"
	case errs.KindDenied:
		return "forbidden"
	case errs.KindNotFound:
		return "not-found"
	case errs.KindStale, errs.KindConflict, errs.KindWrongState:
		return "conflict"
	case errs.KindLimited:
		return "throttled"
	case errs.KindUnavailable:
		return "transient"
	case errs.KindInternal:
	}
	return "exception"
}

// status is that of errs, but for what /fhir has of its own: a stale version is 412, a wrong state 409.
func status(err error) int {
	switch errs.KindOf(err) {
	case errs.KindStale:
		return http.StatusPreconditionFailed
	case errs.KindWrongState:
		return http.StatusConflict
	default:
		return errs.HTTPStatus(err)
	}
}

// issuesOf words an error; places turns the names of fields into expressions.
func issuesOf(err error, place func(string) string) []issue {
	e, ok := errs.As(err)
	if !ok || e.Kind == errs.KindInternal {
		return []issue{{Severity: "fatal", Code: "exception", Details: &codeable{errs.ReasonInternal}}}
	}
	if len(e.Fields) == 0 {
		return []issue{{Severity: "error", Code: codeOf(e.Kind), Details: &codeable{e.Reason}, Diagnostics: e.Message}}
	}
	var out []issue
	for _, f := range e.Fields {
		code := "value"
		if f.Reason == errs.ReasonFieldRequired {
			code = "required"
		}
		one := issue{Severity: "error", Code: code, Details: &codeable{f.Reason}}
		if at := place(f.Name); at != "" {
			one.Expression = []string{at}
		}
		out = append(out, one)
	}
	return out
}

// wrong words what is wrong with a bundle.
func wrong(e *fhir.Error) issue {
	return issue{Severity: "error", Code: "invalid", Diagnostics: e.Reason, Expression: []string{e.Path}}
}

// fail answers an error.
func (e *endpoint) fail(w http.ResponseWriter, r *http.Request, err error) {
	code := status(err)
	known, _ := errs.As(err)
	if code >= http.StatusInternalServerError && errs.KindOf(err) == errs.KindInternal {
		e.Logger.ErrorContext(r.Context(), "FHIR request failed", "error", err)
	}
	if code == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	if known != nil && known.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(known.RetryAfter.Seconds()))))
	}
	answer(w, code, outcome(issuesOf(err, func(name string) string { return name })...))
}

// answer writes a resource.
func answer(w http.ResponseWriter, code int, resource any) {
	w.Header().Set("Content-Type", "application/fhir+json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	// The connection is gone if this fails.
	_ = json.NewEncoder(w).Encode(resource)
}
