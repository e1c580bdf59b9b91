package domain

import (
	"slices"
	"time"
)

// Admission is a stay in a hospital's ward that is not over.
type Admission struct {
	OrganizationID string
	Start          time.Time
}

// UnderWay is what a hospital has of a patient already, or may expect. Who sends another referral there is asked whether that is meant.
type UnderWay struct {
	OrganizationID string
	// Admitted is when the stay began; zero for none.
	Admitted time.Time
	// Referrals are those that are not answered and bring the patient there, in the order in which they came.
	Referrals []Snapshot
}

// StatesUnderWay are those in which a hospital has a patient, or may expect them.
func StatesUnderWay() []State { return guarded() }

// UnderWayAt sorts up-referrals and stays of one patient by hospital, as they come. An advice brings nobody anywhere.
func UnderWayAt(referrals []Snapshot, stays []Admission) []UnderWay {
	var out []UnderWay
	at := func(organization string) *UnderWay {
		i := slices.IndexFunc(out, func(u UnderWay) bool { return u.OrganizationID == organization })
		if i < 0 {
			i = len(out)
			out = append(out, UnderWay{OrganizationID: organization})
		}
		return &out[i]
	}
	for _, s := range stays {
		if s.OrganizationID != "" {
			at(s.OrganizationID).Admitted = s.Start
		}
	}
	for _, r := range referrals {
		if r.Direction == Up && r.Kind != KindAdvice && slices.Contains(StatesUnderWay(), r.State) {
			one := at(r.Receiver.OrganizationID)
			one.Referrals = append(one.Referrals, r)
		}
	}
	return out
}

// Asks are the kinds of a new referral there that are to be asked about. A second one of the same kind is refused by its guard, which names the first.
func (u UnderWay) Asks() []Kind {
	var out []Kind
	for _, k := range KindsOf(Up) {
		other := slices.ContainsFunc(u.Referrals, func(r Snapshot) bool { return r.Kind != k })
		if k != KindAdvice && (!u.Admitted.IsZero() || other) {
			out = append(out, k)
		}
	}
	return out
}

// declinedDays is how long a declined referral waits for its sender: sending anew or ringing leaves no mark on it.
const declinedDays = 7

// DeclinedSince is from when on a declined referral still waits for its sender at an instant.
func DeclinedSince(at time.Time) time.Time { return at.AddDate(0, 0, -declinedDays) }
