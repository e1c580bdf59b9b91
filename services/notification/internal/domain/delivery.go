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
	OutcomeAway    = "AWAY"    // certainly not sent: not reached
	OutcomeSetup   = "SETUP"   // certainly not sent: an address, a key or the account has to be mended
	OutcomeUnknown = "UNKNOWN" // perhaps sent
)

// Reasons for which a message is skipped, dropped or waits.
const (
	NoAddress     = "NO_ADDRESS"
	NoPhone       = "NO_PHONE" // of the patient
	NoConsent     = "NO_CONSENT"
	Deceased      = "DECEASED"
	NotWanted     = "NOT_WANTED"
	NotConfigured = "NOT_CONFIGURED"
	NoText        = "NO_TEXT"
	NotTrue       = "NOT_TRUE_ANY_MORE"
	Gone          = "RECIPIENT_GONE" // disabled, or works elsewhere or as something else
	Waits         = "WAITS"          // for a service that is away
	Night         = "NIGHT"          // a reminder, for the day
)

// Reasons are all that a delivery may have, before the blank of a provider's code.
func Reasons() []string {
	return []string{
		NoAddress, NoPhone, NoConsent, Deceased, NotWanted, NotConfigured, NoText, NotTrue, Gone, Waits, Night,
		OutcomeTaken, OutcomeRefused, OutcomeLimited, OutcomeAway, OutcomeUnknown, OutcomeOpen, OutcomeSetup,
	}
}

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

// Patience is how long a message is tried: the most attempts, and the pause after the first, which doubles up to the longest.
type Patience struct {
	Most           int
	First, Longest time.Duration
}

// limitedFor is how long attempts do not count that the provider put off: it is there, and says when.
const limitedFor = 24 * time.Hour

// Ended is how an attempt ended.
type Ended struct {
	Outcome                         string
	ProviderCode, ProviderMessageID string
	After                           time.Duration // of Limited, the provider's own pause
	Whole                           bool          // of Setup, the channel's account, not one address
}

// Step is what follows for a delivery.
type Step struct {
	State, Reason string
	Due           time.Time
	Again         bool // the next attempt says that it may be a repeat
	Counts        bool // against the most attempts
}

// Next is what follows from an attempt that ended now. chance is from 0 up to 1: it spreads the pauses.
func (d Delivery) Next(e Ended, p Patience, now time.Time, chance float64) Step {
	s := Step{State: StatePending, Reason: e.Reason(), Due: now, Again: d.Again || e.Outcome == OutcomeUnknown, Counts: true}
	switch e.Outcome {
	case OutcomeTaken:
		return Step{State: StateSent, Due: d.DueTime, Again: d.Again, Counts: true}
	case OutcomeRefused:
		s.State, s.Due = StateDead, d.DueTime
		return s
	case OutcomeLimited:
		s.Counts = now.Sub(d.CreateTime) >= limitedFor
	}
	tried := d.AttemptCount - d.EarlierAttempts
	if s.Counts && tried >= p.Most {
		s.State, s.Due = StateDead, d.DueTime
		return s
	}
	if !s.Counts {
		tried = d.AttemptCount // it does not grow otherwise, and a full mailbox would be tried twice a minute for a day
	}
	s.Due = now.Add(max(p.Pause(tried, chance), e.After))
	return s
}

// Pause after so many attempts: at least half of what has doubled.
func (p Patience) Pause(tried int, chance float64) time.Duration {
	pause := p.First
	for range tried - 1 {
		if pause *= 2; pause >= p.Longest {
			pause = p.Longest
			break
		}
	}
	return pause/2 + time.Duration(chance*float64(pause/2))
}

// Reason is the outcome with the provider's code.
func (e Ended) Reason() string {
	if e.ProviderCode == "" {
		return e.Outcome
	}
	return e.Outcome + " " + e.ProviderCode
}

// Replayable tells whether a delivery may be sent again by command: it was given up.
func (d Delivery) Replayable() bool { return d.State == StateDead }

// Recipient names whom a delivery is for: those with the same go together.
func (d Dispatch) Recipient() [6]string {
	return [6]string{d.County, d.Channel, d.AccountID, d.OrganizationID, d.DepartmentCode, d.Language}
}
