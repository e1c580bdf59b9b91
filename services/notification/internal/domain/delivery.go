package domain

import "time"

// States of a delivery.
const (
	StatePending   = "PENDING"   // waits for its time, its turn or its next attempt
	StateSending   = "SENDING"   // somebody holds its lease
	StateSent      = "SENT"      // the provider took it
	StateDead      = "DEAD"      // refused for good, or given up
	StateCancelled = "CANCELLED" // no longer needed
	StateSkipped   = "SKIPPED"   // not to be sent; Reason says why
)

// Outcomes of an attempt.
const (
	OutcomeOpen    = "OPEN"    // under way
	OutcomeTaken   = "SENT"    // the provider took it
	OutcomeRefused = "REFUSED" // for good
	OutcomeLimited = "LIMITED" // not now: the provider names a pause, or the usual one is made
	OutcomeAway    = "AWAY"    // certainly not sent
	OutcomeUnknown = "UNKNOWN" // perhaps sent
)

// Reasons for which a message is skipped.
const (
	NoAddress     = "NO_ADDRESS"
	NoConsent     = "NO_CONSENT"
	NotWanted     = "NOT_WANTED"
	NotConfigured = "NOT_CONFIGURED"
)

// Delivery is a message that leaves the house, as it is kept.
type Delivery struct {
	Dispatch
	State, Reason, AddressMasked string
	AttemptCount                 int
	EarlierAttempts              int  // before it was last replayed
	Again                        bool // it may have gone out before
	Unneeded                     bool // cancelled while it was under way
	CreateTime, SentTime         time.Time
	Attempts                     []Attempt // by number; only where asked for
}

// Attempt is one call of a provider.
type Attempt struct {
	Number                          int
	StartTime, EndTime              time.Time
	Outcome                         string
	ProviderCode, ProviderMessageID string
	Again                           bool
}
