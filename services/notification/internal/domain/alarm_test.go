package domain_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

func emergency() domain.Fact {
	return domain.Fact{ID: "f", Event: "submitted", ReferralID: "r", Urgency: domain.UrgencyEmergency, ReceiverOrganizationID: "hospital"}
}

func TestOnlyAnEmergencyThatWaitsRings(t *testing.T) {
	t.Parallel()
	for _, event := range []string{"submitted", "resubmitted", "redirected", "returned", "accepted", "deadline_passed"} {
		for _, urgency := range []string{"EMERGENCY", "URGENT", "ROUTINE"} {
			f := emergency()
			f.Event, f.Urgency = event, urgency
			_, err := domain.NewAlarm("450321", "a", f, domain.DefaultCountyRules(), time.Unix(0, 0))
			want := urgency == "EMERGENCY" && (event == "submitted" || event == "resubmitted" || event == "redirected")
			if got := err == nil; got != want {
				t.Errorf("%s %s rings: %v", urgency, event, got)
			}
		}
	}
}

func TestAnAlarmRingsUntilTheFirstAcknowledgement(t *testing.T) {
	t.Parallel()
	rules, now := domain.DefaultCountyRules(), time.Date(2026, 3, 18, 9, 0, 0, 0, time.UTC)
	a, err := domain.NewAlarm("450321", "a", emergency(), rules, now)
	if err != nil {
		t.Fatal(err)
	}
	a.Climb(2)
	a.Climb(1)
	f := a.Ring(rules, now)
	if f.Event != domain.AlarmRang || f.Ring != (domain.Ring{AlarmID: "a", Number: 1, Level: 2}) || !a.Data().NextRing.Equal(now.Add(time.Minute)) {
		t.Errorf("%+v, next %v", f.Ring, a.Data().NextRing)
	}
	// An hour later there is one ring, not sixty.
	if f = a.Ring(rules, now.Add(time.Hour)); f.Ring.Number != 2 || !a.Data().NextRing.Equal(now.Add(time.Hour+time.Minute)) {
		t.Errorf("%+v, next %v", f.Ring, a.Data().NextRing)
	}
	if a.CallIsDue(now.Add(4*time.Minute)) || !a.CallIsDue(now.Add(5*time.Minute)) {
		t.Error("the telephone is not next after five minutes")
	}
	a.Called("c")
	if a.CallIsDue(now.Add(time.Hour)) {
		t.Error("a second call")
	}
	if !a.Acknowledge("desk", domain.InInbox, now) || a.Acknowledge("head", domain.ByLink, now) || a.End(now) || a.Ringing() {
		t.Error("it was stopped twice, or not")
	}
	if d := a.Data(); d.AcknowledgeAccount != "desk" || d.AcknowledgeChannel != domain.InInbox {
		t.Errorf("%+v", d)
	}
}

func TestACallEndsWhenSomebodyIsReached(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	c := domain.NewCall("c", domain.AlarmData{ID: "a", About: emergency()}, []domain.Callee{{AccountID: "desk", As: domain.AsOnDuty}}, now)
	if callees := c.Data().Callees; len(callees) != 2 || callees[1].As != domain.AsSwitchboard {
		t.Errorf("%+v", callees)
	}
	if err := c.Record(domain.CallRecord{Outcome: "BUSY"}); err != nil || c.Data().State != domain.CallOpen {
		t.Errorf("busy: %v, %s", err, c.Data().State)
	}
	var v domain.Violations
	if err := c.Record(domain.CallRecord{Outcome: domain.Reached}); !errors.As(err, &v) {
		t.Errorf("reached nobody: %v", err)
	}
	if err := c.Record(domain.CallRecord{Outcome: domain.Reached, ReachedName: "总机"}); err != nil || c.Data().State != domain.CallDone || c.Data().Version != 3 {
		t.Errorf("reached: %v, %+v", err, c.Data())
	}
	if err := c.Record(domain.CallRecord{Outcome: "BUSY"}); !errors.Is(err, domain.ErrCallOver) {
		t.Errorf("after the end: %v", err)
	}
}

func TestAPatientIsRemindedOnTheEveningBefore(t *testing.T) {
	t.Parallel()
	z := zone(t)
	start := time.Date(2026, 3, 20, 0, 30, 0, 0, z)
	evening := time.Date(2026, 3, 19, 18, 0, 0, 0, z)
	if due := domain.ReminderTime(start.UTC(), evening.Add(-time.Second), z); !due.Equal(evening) {
		t.Errorf("due at %v", due)
	}
	if due := domain.ReminderTime(start, evening, z); !due.IsZero() {
		t.Errorf("who was told in the evening is told again at %v", due)
	}
}
