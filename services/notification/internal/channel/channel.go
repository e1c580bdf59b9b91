// Package channel is the contract by which a message leaves the house, whatever the provider.
//
// An Adapter makes exactly one call of its provider a Send (fetching or renewing a credential besides is allowed, since it carries no message), and tells
// what became of it in one of six ways, never guessing in its own favour:
//
//   - nil: the provider said that it took the message.
//   - Refused: the provider said that it will never take this message, or for this address. Nothing else may be answered so.
//   - Limited: the provider said that it did not take the message now because there were too many; After is its own pause, or zero.
//   - Away: it is certain that the message was not taken: the provider was not reached, or said with a code of its own that it is not at work.
//   - Setup: it is certain that the message was not taken, and somebody has to mend a setting: the address of a group that the provider does not know or
//     whose secret it does not take (401, 403, 404), or the whole account (a credential that ran out, an account without money). The message is as good as before.
//   - Unknown: the message may have been taken: the answer did not come, was none, or came from something on the way (any 5xx: a gateway that has passed the
//     message on says so too). Whoever sends it again has to say so in it.
//
// The deadline of the context is kept. No error carries an address, a text, a credential or a provider's free text: the provider's code only. An
// adapter keeps nothing of a message, is safe for concurrent use and needs no closing.
//
// The conformance suite of channeltest holds every adapter to this.
package channel

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Message is one message to one address, in its final words.
type Message struct {
	ID        string // the same on a repeat, and given to a provider that takes one, so that the other end can tell repeats
	To        Address
	Subject   string // of an e-mail; the text's first words elsewhere
	Text      string
	Again     bool // the text says so already
	Emergency bool
	// Template and Values are for providers that hold the texts themselves and take only what is filled in.
	Template string
	Values   map[string]string
	// Event, Number and Link are for machines; the text has them in words.
	Event, Number, Link string
	Time                time.Time
}

// String is the id: a message never formats as more.
func (m Message) String() string { return "message " + m.ID }

// Address is where a message goes: the value is a number, a mailbox, an id, a robot's key or an https address; the secret signs what goes there.
type Address struct{ Value, Secret string }

// String tells nothing.
func (Address) String() string { return "address" }

// Receipt is what the provider said when it took the message.
type Receipt struct{ Code, MessageID string }

// Class is what is known of a message that was not taken.
type Class string

// The classes.
const (
	Refused Class = "REFUSED"
	Limited Class = "LIMITED"
	Away    Class = "AWAY"
	Setup   Class = "SETUP"
	Unknown Class = "UNKNOWN"
)

// Error is why a message was not taken, or not certainly.
type Error struct {
	Class Class
	Code  string        // the provider's own, or a short word for what happened on the way
	After time.Duration // of Limited
	Whole bool          // of Setup: the channel's account, not one address
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("%s (%s)", e.Class, e.Code) }

// Fail is an error without a pause.
func Fail(class Class, code string) error { return &Error{Class: class, Code: code} }

// FailWhole is Setup of the channel's account.
func FailWhole(code string) error { return &Error{Class: Setup, Code: code, Whole: true} }

// ClassOf classifies any error; one that is no *Error may mean anything.
func ClassOf(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Class: Unknown, Code: "error"}
}

// Adapter sends on one channel.
type Adapter interface {
	// Send makes one attempt.
	Send(ctx context.Context, m Message) (Receipt, error)
	// Provider names who takes what goes to this address: when it fails, only what goes to it rests. It tells nothing of a person.
	Provider(to Address) string
	// Check tells why an address cannot be used at all: it is malformed, or nobody may send there. The field is "value" or "secret".
	Check(to Address) []Problem
}

// Holder is an adapter whose provider holds the texts, in Chinese: it has those of a template, or has not.
type Holder interface {
	Holds(template string) bool
}

// Problem is what is wrong with an address. Remedy is a short code: HTTPS, HOST, PRIVATE, FORMAT, REQUIRED.
type Problem struct{ Field, Remedy string }
