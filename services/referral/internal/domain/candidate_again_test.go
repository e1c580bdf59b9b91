package domain_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// Of a stay that the hospital's system told: the emergency that is written while the patient is in the ward already is that of the stay. What is written
// after the discharge, or long after the admission, brings the patient again.
func TestAnEmergencyWrittenForTheAdmissionDoesNotLetItsCandidateRest(t *testing.T) {
	t.Parallel()
	m := match()
	m.ReferralID, m.Number, m.EncounterID, m.Start, m.End = "", "", "encounter-1", now, time.Time{}
	for name, one := range map[string]struct {
		kind  domain.Kind
		sent  time.Duration
		end   time.Duration // of the stay; zero while it goes on
		rests bool
	}{
		"before the admission":           {domain.KindEmergency, -time.Hour, 0, false},
		"two hours after it":             {domain.KindEmergency, 2 * time.Hour, 0, false},
		"a day after it":                 {domain.KindEmergency, 24 * time.Hour, 0, false},
		"in a stay that is over":         {domain.KindEmergency, 2 * time.Hour, 72 * time.Hour, false},
		"after a discharge the same day": {domain.KindEmergency, 9 * time.Hour, 8 * time.Hour, true},
		"many days after it":             {domain.KindEmergency, 480 * time.Hour, 0, true},
		"no emergency":                   {domain.KindInpatient, 2 * time.Hour, 0, true},
	} {
		m := m
		if one.end != 0 {
			m.End = now.Add(one.end)
		}
		c := reloaded(candidate(t, m))
		up := inState(one.kind, domain.StateSubmitted)
		up.PatientID, up.Receiver.OrganizationID, up.SubmitTime, up.ArriveTime = m.PatientID, m.OrganizationID, now.Add(one.sent), time.Time{}
		c.UpAgain([]domain.Snapshot{up}, now, doctor(), now)
		if got := c.Snapshot().UpAgainBy != ""; got != one.rests {
			t.Errorf("written %s: rests %v", name, got)
		}
		if told := len(c.Changes()) > 0 && c.Changes()[0].Told(); told != one.rests {
			t.Errorf("written %s: told %v", name, told)
		}
	}
}

// After a merge the stay may stand in the one record and the referral that brought the patient to it in the other: that is no second stay.
func TestACandidateDoesNotRestOnItsOwnStayInAnotherRecordOfThePerson(t *testing.T) {
	t.Parallel()
	m := match()
	m.ReferralID, m.Number, m.EncounterID, m.Start, m.End = "", "", "encounter-1", now, time.Time{}
	for name, one := range map[string]struct {
		arrived time.Duration
		rests   bool
	}{"its own": {-time.Hour, false}, "a later one": {240 * time.Hour, true}} {
		m := m
		if one.rests {
			m.End = now.Add(72 * time.Hour)
		}
		c := reloaded(candidate(t, m))
		up := inState(domain.KindInpatient, domain.StateArrived)
		up.PatientID, up.Receiver.OrganizationID = "another record", m.OrganizationID
		up.SubmitTime, up.ArriveTime, up.ConcludeTime = now.Add(one.arrived-time.Hour), now.Add(one.arrived), time.Time{}
		c.UpAgain([]domain.Snapshot{up}, now, doctor(), now)
		if got := c.Snapshot().UpAgainBy != ""; got != one.rests {
			t.Errorf("%s: rests %v", name, got)
		}
	}
}
