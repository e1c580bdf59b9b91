package domain_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

func standing(version int32, state, previous domain.State) domain.Standing {
	return domain.Standing{
		ReferralID: "r-1", PatientID: "p-1", Version: version, State: state, Previous: previous,
		Originator: "township", Receiver: "county", At: moment.Add(time.Duration(version) * time.Hour),
	}
}

func levels(rows []domain.Relation, at time.Time) map[string]domain.Level {
	by := map[string][]domain.Relation{}
	for _, r := range rows {
		by[r.Organization] = append(by[r.Organization], r)
	}
	out := map[string]domain.Level{}
	for org, rs := range by {
		if l := domain.LevelOf(rs, at); l != domain.LevelNone {
			out[org] = l
		}
	}
	return out
}

func TestReferralStateDecidesLevels(t *testing.T) {
	t.Parallel()
	cases := []struct {
		state, previous domain.State
		sender          domain.Level
		receiver        domain.Level
		ends            bool
	}{
		{domain.Draft, "", domain.LevelNone, domain.LevelNone, false},
		{domain.Submitted, domain.Draft, domain.LevelFull, domain.LevelPackage, false},
		{domain.Returned, domain.Submitted, domain.LevelFull, domain.LevelPackage, false},
		{domain.Accepted, domain.Submitted, domain.LevelFull, domain.LevelPackage, false},
		{domain.NoShow, domain.Accepted, domain.LevelFull, domain.LevelPackage, false},
		{domain.Arrived, domain.Accepted, domain.LevelFull, domain.LevelFull, false},
		{domain.Admitted, domain.Arrived, domain.LevelFull, domain.LevelFull, false},
		{domain.Concluded, domain.Admitted, domain.LevelFull, domain.LevelFull, false},
		{domain.FollowUp, domain.Arrived, domain.LevelFull, domain.LevelFull, false},
		{domain.Closed, domain.FollowUp, domain.LevelFull, domain.LevelFull, true},
		{domain.Closed, domain.Concluded, domain.LevelFull, domain.LevelFull, true},
		{domain.Declined, domain.Submitted, domain.LevelFull, domain.LevelPackage, true},
		{domain.Cancelled, domain.Accepted, domain.LevelFull, domain.LevelPackage, true},
		{domain.Cancelled, domain.Draft, domain.LevelNone, domain.LevelNone, false},
	}
	for _, c := range cases {
		s := standing(3, c.state, c.previous)
		rows := s.Grants(domain.AfterClosing)
		got := levels(rows, s.At)
		if got["township"] != c.sender || got["county"] != c.receiver {
			t.Errorf("%s: sender %d receiver %d", c.state, got["township"], got["county"])
		}
		after := levels(rows, s.At.Add(domain.AfterClosing))
		if c.ends && len(after) != 0 {
			t.Errorf("%s: still held 30 days after closing", c.state)
		}
		if before := levels(rows, s.At.Add(domain.AfterClosing-time.Second)); len(before) != len(got) {
			t.Errorf("%s: ended early", c.state)
		}
	}
}

// The other way, each side has what the other had: the county that sends down looks on, the centre reads what it follows up.
func TestADownReferralOpensTheRecordToTheCentreOnArrival(t *testing.T) {
	t.Parallel()
	for state, want := range map[domain.State]domain.Level{
		domain.Submitted: domain.LevelPackage, domain.Accepted: domain.LevelPackage, domain.Arrived: domain.LevelFull, domain.FollowUp: domain.LevelFull,
	} {
		s := standing(3, state, domain.Submitted)
		s.Originator, s.Receiver = "county", "township"
		if got := levels(s.Grants(domain.AfterClosing), s.At); got["county"] != domain.LevelFull || got["township"] != want {
			t.Errorf("%s: %v", state, got)
		}
	}
}

func TestWrittenAdviceNeverOpensTheWholeRecord(t *testing.T) {
	t.Parallel()
	s := standing(4, domain.Concluded, domain.Submitted)
	s.Written = true
	if got := levels(s.Grants(domain.AfterClosing), s.At); got["county"] != domain.LevelPackage {
		t.Errorf("level %d", got["county"])
	}
}

func TestRedirectEndsTheFormerReceiver(t *testing.T) {
	t.Parallel()
	first := standing(2, domain.Submitted, domain.Draft)
	held := domain.Settle(nil, first, domain.AfterClosing)
	second := standing(3, domain.Submitted, domain.Submitted)
	second.Receiver = "other"
	rows := domain.Settle(held, second, domain.AfterClosing)
	got := levels(rows, second.At)
	if got["township"] != domain.LevelFull || got["other"] != domain.LevelPackage || got["county"] != domain.LevelNone {
		t.Errorf("levels %v", got)
	}
	for _, r := range rows {
		if r.Organization == "township" && !r.From.Equal(first.At) {
			t.Error("the sender's relation began when the referral was submitted")
		}
		if r.Organization == "county" && !r.To.Equal(second.At) {
			t.Error("the former receiver's relation ends with the redirect")
		}
	}
}

func TestUndoneArrivalTakesTheRecordBack(t *testing.T) {
	t.Parallel()
	arrived := domain.Settle(nil, standing(4, domain.Arrived, domain.Accepted), domain.AfterClosing)
	undone := standing(5, domain.Accepted, domain.Arrived)
	if got := levels(domain.Settle(arrived, undone, domain.AfterClosing), undone.At); got["county"] != domain.LevelPackage {
		t.Errorf("level %d", got["county"])
	}
}

func TestLevelIsTheHighestThatHolds(t *testing.T) {
	t.Parallel()
	rs := []domain.Relation{
		{Level: domain.LevelPackage, From: moment},
		{Level: domain.LevelFull, From: moment, To: moment.Add(time.Hour)},
		{Level: domain.LevelSensitive, From: moment.Add(time.Hour * 2)},
	}
	for at, want := range map[time.Time]domain.Level{
		moment.Add(-time.Second): domain.LevelNone, moment: domain.LevelFull,
		moment.Add(time.Hour): domain.LevelPackage, moment.Add(3 * time.Hour): domain.LevelSensitive,
	} {
		if got := domain.LevelOf(rs, at); got != want {
			t.Errorf("at %s level %d, want %d", at, got, want)
		}
	}
}
