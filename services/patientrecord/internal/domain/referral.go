package domain

import (
	"slices"
	"time"
)

// AfterClosing is how long a relation outlives its referral where nothing else is set.
const AfterClosing = 30 * 24 * time.Hour

// State of a referral, as its facts carry it.
type State string

// States that matter here; the life of a referral belongs to the referral service.
const (
	Draft     State = "DRAFT"
	Submitted State = "SUBMITTED"
	Returned  State = "RETURNED"
	Accepted  State = "ACCEPTED"
	NoShow    State = "NO_SHOW"
	Arrived   State = "ARRIVED"
	Admitted  State = "ADMITTED"
	Concluded State = "CONCLUDED"
	FollowUp  State = "FOLLOW_UP"
	Declined  State = "DECLINED"
	Cancelled State = "CANCELLED"
	Closed    State = "CLOSED"
)

// Standing is a referral after a fact: all that decides who may see its patient.
type Standing struct {
	ReferralID string
	PatientID  string
	// Version of the referral; an older standing never replaces a newer one.
	Version    int32
	State      State
	Previous   State
	Originator string
	Receiver   string
	// Written: an ADVICE, where nobody travels, so that nobody arrives.
	Written bool
	At      time.Time
	// Withheld: the consent was withdrawn (Consent.Withheld). Not kept with the standing.
	Withheld bool
}

// arrived reports whether the receiver has, or had, the patient there.
func (s Standing) arrived() bool {
	switch s.State {
	case Arrived, Admitted, FollowUp, Concluded, Closed:
		return !s.Written
	}
	return false
}

// Ended reports whether the referral is over, so that nobody waits for the patient any more.
func (s Standing) Ended() bool {
	return s.State == Declined || s.State == Cancelled || s.State == Closed
}

// Away reports whether the receiver has not, or no longer, the patient of a referral there.
func (s Standing) Away() bool {
	return slices.Contains([]State{Submitted, Returned, Accepted, NoShow, Declined, Cancelled}, s.State)
}

// Answered reports whether the other side has answered, so that something comes back: a referral that is closed was, unless nobody came.
func (s Standing) Answered() bool {
	return s.State == Concluded || s.State == Closed && s.Previous == Concluded
}

// Grants are the relations that a standing gives, To still open unless the referral is final, which they outlive by afterClosing: the sender, up
// or down, sees everything while it is open, the receiver the package from submission and everything from arrival on, so also in a follow-up.
// Once the consent was withdrawn the receiver sees what was handed over if the patient is there, else nothing.
func (s Standing) Grants(afterClosing time.Duration) []Relation {
	if s.State == Draft || s.Previous == Draft && s.State == Cancelled {
		return nil
	}
	receiver := LevelPackage
	var until time.Time
	if s.arrived() && !s.Withheld {
		receiver = LevelFull
	}
	switch s.State {
	case Declined, Cancelled, Closed:
		until = s.At.Add(afterClosing)
	}
	grant := func(org string, level Level) Relation {
		return Relation{
			PatientID: s.PatientID, Organization: org, Kind: Referral, Source: s.ReferralID,
			Level: level, From: s.At, To: until,
		}
	}
	grants := []Relation{grant(s.Originator, LevelFull)}
	if s.Receiver != "" && s.Receiver != s.Originator && (s.arrived() || !s.Withheld) {
		grants = append(grants, grant(s.Receiver, receiver))
	}
	return grants
}

// Settle holds the relations that a referral already gave against its new standing and answers with the rows to write: what the
// standing grants, beginning when it first did, and an end for every organisation that it no longer names.
func Settle(held []Relation, s Standing, afterClosing time.Duration) []Relation {
	rows := s.Grants(afterClosing)
	granted := make(map[string]int, len(rows))
	for i, r := range rows {
		granted[r.Organization] = i
		if len(held) > 0 {
			// A merge moved the referral to the survivor; its relations stay with the record that they were given for.
			rows[i].PatientID = held[0].PatientID
		}
	}
	for _, old := range held {
		if i, still := granted[old.Organization]; still {
			if old.From.Before(rows[i].From) && old.Holds(s.At) {
				rows[i].From = old.From
			}
			continue
		}
		if old.Holds(s.At) {
			old.To = s.At
			rows = append(rows, old)
		}
	}
	return rows
}

// Resettle is Settle when nothing happened to the referral itself, but its consent was withdrawn or given anew: what ends, ends now.
func Resettle(held []Relation, s Standing, now time.Time, afterClosing time.Duration) []Relation {
	rows := Settle(held, s, afterClosing)
	for i := range rows {
		if rows[i].To.Equal(s.At) {
			rows[i].To = now
		}
	}
	return rows
}
