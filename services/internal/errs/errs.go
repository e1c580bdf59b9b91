// Package errs is the one error vocabulary. It owns the kinds, their tables to gRPC and HTTP, and the form in which
// an error crosses gRPC. It refuses to carry what people read: the gateway renders that from Reason, Meta and Fields.
//
// Invariants:
//  1. Kind, Reason, Meta, Fields and RetryAfter survive ToStatus and FromStatus, except of an internal error.
//  2. The text of an unclassified error, of an internal one and of any cause never leaves the process.
//  3. An *Error is not changed after it was made; With answers a copy.
//
// No patient data belongs in any part of an error.
package errs

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

	"google.golang.org/grpc/status"
)

// Kind says who must act. The zero Kind is that of no error.
type Kind uint8

// The kinds. They carry the prefix because most constructors bear the bare names.
const (
	KindInvalid         Kind = iota + 1 // the caller must change what was sent
	KindUnauthenticated                 // the caller must sign in
	KindDenied                          // the role may not call this
	KindNotFound                        // no such id or, told alike, no relation to it
	KindStale                           // somebody changed it in between
	KindConflict                        // it exists or is taken already
	KindWrongState                      // the state does not allow the action
	KindLimited                         // too many at once
	KindUnavailable                     // a peer is away, or the time ran out
	KindInternal                        // everything unclassified
)

// String is a word for logs and metrics.
func (k Kind) String() string {
	if int(k) >= len(kinds) {
		return "internal"
	}
	return kinds[k].word
}

// Field is one field that was refused.
type Field struct {
	Name   string            // the proto's JSON path, e.g. "form.presentIllness" or "diagnoses[0].code"
	Reason string            // one of the Reason… constants
	Meta   map[string]string // what the text for people needs, e.g. "max": "4000"
}

// Error is a classified error. Message is a short English sentence for developers; it is sent to the caller unless
// the kind is internal.
type Error struct {
	Kind       Kind
	Reason     string
	Message    string
	Fields     []Field
	Meta       map[string]string
	RetryAfter time.Duration // zero: not said
	cause      error
}

// Error is for the operator: kind, reason and message, without the cause.
func (e *Error) Error() string {
	s := e.Kind.String() + " " + e.Reason
	if e.Message != "" {
		s += ": " + e.Message
	}
	for _, f := range e.Fields {
		s += " [" + f.Name + " " + f.Reason + "]"
	}
	return s
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.cause }

// With is a copy that carries one more pair of metadata. Keys that begin with "field." belong to ToStatus.
func (e *Error) With(key, value string) *Error {
	c := *e
	c.Fields = slices.Clone(e.Fields)
	c.Meta = maps.Clone(e.Meta)
	if c.Meta == nil {
		c.Meta = make(map[string]string, 1)
	}
	c.Meta[key] = value
	return &c
}

// New makes an error of any kind. The cause may be nil; it stays inside the process.
func New(kind Kind, reason, message string, cause error) *Error {
	return &Error{Kind: kind, Reason: reason, Message: message, cause: cause}
}

// Invalid refuses fields. Its reason is that of the first.
func Invalid(fields ...Field) *Error {
	reason := ReasonFieldInvalid
	if len(fields) > 0 {
		reason = fields[0].Reason
	}
	return &Error{Kind: KindInvalid, Reason: reason, Message: "the request is not valid", Fields: fields}
}

// Required is a field that is missing.
func Required(name string) Field { return Field{Name: name, Reason: ReasonFieldRequired} }

// Bad is a field refused for a reason, with pairs of metadata; a key without a value gets "".
func Bad(name, reason string, kv ...string) Field {
	f := Field{Name: name, Reason: reason}
	if len(kv) > 0 {
		f.Meta = make(map[string]string, len(kv)/2+1)
	}
	for pair := range slices.Chunk(kv, 2) {
		f.Meta[pair[0]] = ""
		if len(pair) == 2 {
			f.Meta[pair[0]] = pair[1]
		}
	}
	return f
}

// NotFound says that there is no such thing, and identically that the caller has no relation to it.
// What is a kind of thing, e.g. "referral".
func NotFound(what string) *Error {
	return New(KindNotFound, ReasonNotFound, what+" not found", nil).With("what", what)
}

// Stale says that the version the caller saw is gone; it carries the present one.
func Stale(version int32, state string) *Error {
	return New(KindStale, ReasonStaleVersion, "the version is not the present one", nil).
		With("version", strconv.Itoa(int(version))).With("state", state)
}

// WrongState says that the state does not offer the action.
func WrongState(action, state string) *Error {
	return New(KindWrongState, ReasonActionNotAvailable, "the state does not offer the action", nil).
		With("action", action).With("state", state)
}

// Conflict says that something exists or is taken already.
func Conflict(reason, msg string) *Error { return New(KindConflict, reason, msg, nil) }

// Denied says that the caller may not.
func Denied(reason string) *Error {
	return New(KindDenied, reason, "the caller may not do this", nil)
}

// peerRetry is how long a caller is asked to wait for a peer that is away: longer than a restart takes.
const peerRetry = 2 * time.Second

// Unavailable says that a peer is away or did not answer in time.
func Unavailable(peer string, cause error) *Error {
	e := New(KindUnavailable, ReasonPeerAway, "a part of the system does not answer", cause)
	e.RetryAfter = peerRetry
	if peer != "" {
		e = e.With("peer", peer)
	}
	return e
}

// As finds the *Error in the chain of err.
func As(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

// KindOf is the kind of err: that of the *Error in its chain, Unavailable for a context that ended,
// Internal for the rest, zero for nil.
func KindOf(err error) Kind {
	if err == nil {
		return 0
	}
	return classify(err).Kind
}

// ReasonOf is the reason that goes with KindOf; "" for nil.
func ReasonOf(err error) string {
	if err == nil {
		return ""
	}
	return classify(err).Reason
}

// classify gives every error but nil its place in the vocabulary.
func classify(err error) *Error {
	if e, ok := As(err); ok {
		if e.Kind == 0 || int(e.Kind) >= len(kinds) {
			return New(KindInternal, ReasonInternal, "", err)
		}
		return e
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return Unavailable("", err)
	}
	if s, ok := status.FromError(err); ok {
		return fromStatus(s, err)
	}
	return New(KindInternal, ReasonInternal, "", err)
}
