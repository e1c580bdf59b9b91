package errs

import (
	"net/http"
	"strconv"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"
)

// domain is ErrorInfo.domain: by it our own details are told from those of others.
const domain = "tongzhen"

// internalText is all that a caller learns of an internal error.
const internalText = "internal error"

// kinds is the table of interfaces.md, by Kind. reason is what a status without our ErrorInfo gets.
var kinds = [...]struct {
	word   string
	code   codes.Code
	http   int
	reason string
}{
	0:                   {"none", codes.OK, http.StatusOK, ""},
	KindInvalid:         {"invalid", codes.InvalidArgument, http.StatusBadRequest, ReasonFieldInvalid},
	KindUnauthenticated: {"unauthenticated", codes.Unauthenticated, http.StatusUnauthorized, ReasonSessionExpired},
	KindDenied:          {"denied", codes.PermissionDenied, http.StatusForbidden, ReasonRole},
	KindNotFound:        {"not_found", codes.NotFound, http.StatusNotFound, ReasonNotFound},
	KindStale:           {"stale", codes.Aborted, http.StatusConflict, ReasonStaleVersion},
	KindConflict:        {"conflict", codes.AlreadyExists, http.StatusConflict, ReasonAlreadyRegistered},
	KindWrongState:      {"wrong_state", codes.FailedPrecondition, http.StatusPreconditionFailed, ReasonActionNotAvailable},
	KindLimited:         {"limited", codes.ResourceExhausted, http.StatusTooManyRequests, ReasonRateLimited},
	KindUnavailable:     {"unavailable", codes.Unavailable, http.StatusServiceUnavailable, ReasonPeerAway},
	KindInternal:        {"internal", codes.Internal, http.StatusInternalServerError, ReasonInternal},
}

// HTTPStatus is the HTTP status of err on pages and /api; 200 for nil. A stale version asked for by If-Match, and
// /fhir, have rules of their own in the gateway.
func HTTPStatus(err error) int {
	if err == nil {
		return http.StatusOK
	}
	e := classify(err)
	if e.Kind == KindInvalid && e.Reason == ReasonVersionRequired {
		return http.StatusPreconditionRequired
	}
	return kinds[e.Kind].http
}

// ToStatus is the form of err on the wire: ErrorInfo always, BadRequest when there are fields, RetryInfo when
// RetryAfter is set. The metadata of the n-th field travels in ErrorInfo as "field.<n>.<key>".
func ToStatus(err error) *status.Status {
	if err == nil {
		return status.New(codes.OK, "")
	}
	e := classify(err)
	if e.Kind == KindInternal {
		// Of an internal error nothing but the fact leaves: what its author wrote may hold a driver's text.
		e = New(KindInternal, ReasonInternal, internalText, nil)
	}
	info := &errdetails.ErrorInfo{Reason: e.Reason, Domain: domain, Metadata: make(map[string]string, len(e.Meta))}
	for k, v := range e.Meta {
		info.Metadata[k] = v
	}
	details := []protoadapt.MessageV1{info}
	if len(e.Fields) > 0 {
		bad := &errdetails.BadRequest{}
		for i, f := range e.Fields {
			bad.FieldViolations = append(bad.FieldViolations,
				&errdetails.BadRequest_FieldViolation{Field: f.Name, Reason: f.Reason})
			for k, v := range f.Meta {
				info.Metadata["field."+strconv.Itoa(i)+"."+k] = v
			}
		}
		details = append(details, bad)
	}
	if e.RetryAfter > 0 {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(e.RetryAfter)})
	}
	s := status.New(kinds[e.Kind].code, e.Message)
	full, err := s.WithDetails(details...)
	if err != nil { // a text that is not UTF-8: better without details than not at all
		return status.New(kinds[e.Kind].code, "")
	}
	return full
}

// FromStatus is the other end of ToStatus: err is what a gRPC call answered, the answer is an *Error, or nil for
// nil. A status that is not ours keeps its kind only; its text becomes the cause.
func FromStatus(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := As(err); ok {
		return err
	}
	return fromStatus(status.Convert(err), err)
}

func fromStatus(s *status.Status, cause error) *Error {
	e := New(kindOfCode(s.Code()), "", "", cause)
	ours := false
	for _, d := range s.Details() {
		switch d := d.(type) {
		case *errdetails.ErrorInfo:
			if d.GetDomain() == domain {
				ours = true
				e.Reason = d.GetReason()
				e.Meta = d.GetMetadata()
			}
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				e.Fields = append(e.Fields, Field{Name: v.GetField(), Reason: v.GetReason()})
			}
		case *errdetails.RetryInfo:
			e.RetryAfter = d.GetRetryDelay().AsDuration()
		}
	}
	if !ours {
		foreign := New(e.Kind, kinds[e.Kind].reason, "", cause)
		if e.Kind == KindUnavailable {
			foreign.RetryAfter = peerRetry
		}
		return foreign
	}
	e.Message = s.Message()
	e.spreadMeta()
	return e
}

// spreadMeta gives the fields their metadata back. It is called on an error that nobody else holds yet.
func (e *Error) spreadMeta() {
	own := make(map[string]string, len(e.Meta))
	for k, v := range e.Meta {
		n, key, ok := strings.Cut(strings.TrimPrefix(k, "field."), ".")
		i, err := strconv.Atoi(n)
		if !ok || err != nil || !strings.HasPrefix(k, "field.") || i < 0 || i >= len(e.Fields) {
			own[k] = v
			continue
		}
		if e.Fields[i].Meta == nil {
			e.Fields[i].Meta = map[string]string{}
		}
		e.Fields[i].Meta[key] = v
	}
	e.Meta = own
	if len(own) == 0 {
		e.Meta = nil
	}
}

func kindOfCode(c codes.Code) Kind {
	switch c {
	case codes.DeadlineExceeded, codes.Canceled:
		return KindUnavailable
	case codes.OK:
		return KindInternal // an error that says OK is a mistake of its author
	}
	for k, row := range kinds {
		if row.code == c {
			return Kind(k)
		}
	}
	return KindInternal
}
