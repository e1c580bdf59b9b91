// Package bus owns the way of facts between services: the streams, what a message looks like on the wire, delivery
// at least once, dead letters, and the server that runs inside the process when there is no other. It refuses to know
// what a fact means, and it keeps no truth: the outbox of the publisher does, and can fill an empty stream again.
//
// There is one implementation, on JetStream; OpenEmbedded and Connect differ in where the server is.
//
// Invariants:
//  1. A message for which Publish reports no failure is stored on disk by the server (on most of them in a cluster).
//  2. Every consumer gets every message of its subjects at least once, in no promised order: until its handler
//     returned nil once, or the message became a dead letter.
//  3. A message is handled at most MaxDeliveries times; the next delivery goes to the stream DEADLETTER before anything
//     looks at it, so that a message that kills the process is caught too.
//  4. One trace leads from the context of Publish (or the traceparent that the outbox kept) to the handler.
//  5. Subjects and headers carry ids and kinds only; payloads and errors of handlers are never logged here beyond what
//     the logger's allow-list lets through.
//
// A Bus is safe for concurrent use.
package bus

import (
	"context"
	"errors"
	"time"
)

// Msg is one fact on its way.
type Msg struct {
	Subject string            // <root>.<version>.<county>.<event>, e.g. referral.v1.450321.submitted
	ID      string            // fact id; a repeat within two minutes is stored once
	Type    string            // full name of the protobuf message
	Payload []byte            // that message
	Header  map[string]string // when publishing: a "traceparent" to use instead of the context's; when received: all
	// Sequence is the place in the stream: greater than zero, ascending, the same for every reader. Only when received.
	Sequence uint64
	// Time is when the fact occurred; when it was not said, a received message has the time at which it was stored.
	Time time.Time
}

// Bus carries messages.
type Bus interface {
	// Publish sends all messages without waiting for one another and waits until each is stored or refused, at most
	// until ctx ends. failed holds, by ID, each message that is not known to be stored, and is nil if all are; err is
	// not nil exactly when failed holds something: Unavailable when sending again may help. Sending again with the
	// same ID is always right.
	Publish(ctx context.Context, msgs ...Msg) (failed map[string]error, err error)

	// Consume hands the messages of a durable consumer to the handler until ctx ends or the bus is closed; then it
	// returns nil, after giving running handlers a few seconds. Any number of processes may run the same consumer and
	// share its messages. A new consumer begins with the oldest message there is. An error or panic of the handler
	// brings the message again after a growing delay; after MaxDeliveries it becomes a dead letter. The handler's
	// context ends after HandlerLimit and carries the trace. While the server is away Consume waits; a consumer that
	// somebody deleted is made again. It returns an error only for a Consumer that can never work.
	Consume(ctx context.Context, c Consumer, handler func(ctx context.Context, m Msg) error) error

	// Tail hands every message of the subjects to fn, one at a time, in the order of the stream, until ctx ends or the
	// bus is closed; then it returns nil. It begins with the message at fromSeq, or with the next one to be published
	// when fromSeq is 0. Nothing is acknowledged and nothing remembered. ErrTooOld: the message at fromSeq is not there
	// any more, never was, or is older than TailAge.
	Tail(ctx context.Context, fromSeq uint64, subjects []string, fn func(m Msg)) error

	// LastSequence is that of the last message stored, 0 if there was never one.
	LastSequence(ctx context.Context) (uint64, error)

	// Ready answers nil when messages can be published now.
	Ready(ctx context.Context) error

	// Close ends Consume and Tail, then the connection, then the embedded server; bounded, and harmless when repeated.
	Close() error
}

// Consumer names one purpose for which a service reads facts.
type Consumer struct {
	Name     string   // "<service>-<purpose>": letters, digits, hyphens
	Subjects []string // may hold * and >; no two may overlap
	Workers  int      // handlers at the same time; 0 is 1
}

const (
	// MaxDeliveries is how often a message is handled before it becomes a dead letter.
	MaxDeliveries = 8
	// HandlerLimit is when the context of a handler ends.
	HandlerLimit = 5 * time.Minute
	// TailAge is how far back Tail goes: who was away longer reads the state, not the changes.
	TailAge = 10 * time.Minute
)

// ErrTooOld is what Tail answers when it cannot begin where it was asked to.
var ErrTooOld = errors.New("bus: the position is too old")
