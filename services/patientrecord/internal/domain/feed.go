package domain

import (
	"fmt"
	"slices"
	"time"
)

// FeedState is what became of a message of another system.
type FeedState string

// States of a message.
const (
	FeedStored      FeedState = "STORED"
	FeedQuarantined FeedState = "QUARANTINED"
	FeedSettled     FeedState = "SETTLED"
)

// FeedProblem is why a message is in quarantine: a code and a place in it. Never what stands there.
type FeedProblem struct{ Reason, Position string }

// ReasonControlID: the sender used the control id before, for another content.
const ReasonControlID = "CONTROL_ID_REUSED"

// FeedMessage is one message of another system, as it was taken.
type FeedMessage struct {
	ID      string
	Version int32
	// Organization whose system sent it; Account is the feed's.
	Organization, Account string
	// Sender and Control together name it at its sender; First is false for one whose name another content had before.
	Sender, Control string
	First           bool
	Type            string
	State           FeedState
	Problem         FeedProblem
	Received        time.Time
	Settled         time.Time
	SettleReason    string
	// Raw is kept only in quarantine.
	Raw []byte
}

// Format prints the id in every verb.
func (m FeedMessage) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "message %s", m.ID) }

// Open tells whether somebody has still to look at it.
func (m FeedMessage) Open() bool { return m.State == FeedQuarantined }

// Store is the message after what it says was stored.
func (m FeedMessage) Store(now time.Time) FeedMessage {
	if m.Open() {
		m.Settled = now
	}
	m.State, m.Problem, m.Raw = FeedStored, FeedProblem{}, nil
	m.Version++
	return m
}

// Quarantine is the message with what is wrong with it.
func (m FeedMessage) Quarantine(p FeedProblem) FeedMessage {
	m.State, m.Problem = FeedQuarantined, p
	m.Version++
	return m
}

// Settle is the message that will not be stored, for a reason of SettleReasons.
func (m FeedMessage) Settle(reason string, now time.Time) FeedMessage {
	m.State, m.SettleReason, m.Settled, m.Raw = FeedSettled, reason, now, nil
	m.Version++
	return m
}

// SettleReasons are why a message needs no storing: the sender sent it right meanwhile, somebody entered it by hand, it was a test, or it
// is about nobody here.
func SettleReasons() []string { return []string{"RESENT", "ENTERED_BY_HAND", "TEST", "NOT_OURS"} }

// Told is what is known of a person after another system told its part: what it left out stays. A document comes whole.
func (d Demographics) Told(by Details) Details {
	out := d.Details()
	by = tidy(by)
	if by.IdentityNumber != "" {
		out.DocumentType, out.IdentityNumber, out.NoDocumentReason = by.DocumentType, by.IdentityNumber, ""
	}
	if !slices.Contains([]Sex{SexUnset, SexUnknown, SexNotStated}, by.Sex) {
		out.Sex = by.Sex
	}
	if !by.BirthDate.IsZero() {
		out.BirthDate = by.BirthDate
	}
	for _, field := range []struct {
		to   *string
		told string
	}{
		{&out.Name, by.Name}, {&out.Phone, by.Phone}, {&out.Address, by.Address}, {&out.Village, by.Village},
		{&out.HealthRecordNumber, by.HealthRecordNumber}, {&out.GuardianName, by.GuardianName}, {&out.GuardianPhone, by.GuardianPhone},
	} {
		if field.told != "" {
			*field.to = field.told
		}
	}
	return out
}
