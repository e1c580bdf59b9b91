package domain_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

const local = "2006-01-02 15:04"

func inZone(t *testing.T, text string) time.Time {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation(local, text, zone)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestAnswerIsDueByUrgencyAndWorkingHours(t *testing.T) {
	t.Parallel()
	cal := calendar(t)
	for _, c := range []struct {
		urgency domain.Urgency
		at, due string
	}{
		{domain.UrgencyEmergency, "2026-03-21 23:58", "2026-03-22 00:08"},
		{domain.UrgencyUrgent, "2026-03-21 23:00", "2026-03-22 01:00"},
		{domain.UrgencyRoutine, "2026-03-18 09:30", "2026-03-19 09:30"},
		{domain.UrgencyRoutine, "2026-03-20 17:59", "2026-03-23 17:59"}, // Friday → Monday
		{domain.UrgencyRoutine, "2026-03-18 18:00", "2026-03-20 08:00"}, // after hours: the clock starts on Thursday
		{domain.UrgencyRoutine, "2026-03-18 06:00", "2026-03-19 08:00"},
		{domain.UrgencyRoutine, "2026-03-21 12:00", "2026-03-24 08:00"}, // Saturday: the clock starts on Monday
		{domain.UrgencyRoutine, "2026-03-20 20:00", "2026-03-24 08:00"},
	} {
		got := cal.AnswerDue(domain.Up, c.urgency, inZone(t, c.at))
		if want := inZone(t, c.due); !got.Equal(want) {
			t.Errorf("%s at %s: due %s, want %s", c.urgency, c.at, got.In(want.Location()).Format(local), c.due)
		}
	}
}

func TestEachStepHasItsLimit(t *testing.T) {
	t.Parallel()
	day := func(text string) time.Time { return inZone(t, text) }
	for _, c := range []struct {
		name   string
		s      domain.Snapshot
		action domain.Action
		side   domain.Side
		step   domain.Step
		due    time.Time
		shown  bool
	}{
		{"missing information", inState(domain.KindOutpatient, domain.StateSubmitted), domain.ActionReturn, domain.Receiver, domain.StepMissingInformation, day("2026-03-23 09:30"), true},
		{"missing information, emergency", inState(domain.KindEmergency, domain.StateSubmitted), domain.ActionReturn, domain.Receiver, domain.StepMissingInformation, now.Add(10 * time.Minute), true},
		{"arrival: the end of the booked day", inState(domain.KindOutpatient, domain.StateSubmitted), domain.ActionAccept, domain.Receiver, domain.StepArrival, day("2026-03-19 00:00"), true},
		{"arrival, emergency", inState(domain.KindEmergency, domain.StateSubmitted), domain.ActionAccept, domain.Receiver, domain.StepArrival, now.Add(4 * time.Hour), true},
		{"answer after resubmission", inState(domain.KindOutpatient, domain.StateReturned), domain.ActionResubmit, domain.Originator, domain.StepAnswer, day("2026-03-19 09:30"), true},
		{"answer anew after a redirect", inState(domain.KindOutpatient, domain.StateSubmitted), domain.ActionRedirect, domain.Receiver, domain.StepAnswer, day("2026-03-19 09:30"), true},
		{"reply: a day after the visit's day", inState(domain.KindOutpatient, domain.StateAccepted), domain.ActionArrive, domain.Receiver, domain.StepReply, day("2026-03-20 00:00"), false},
		{"reply: a reminder during a stay", inState(domain.KindInpatient, domain.StateArrived), domain.ActionAdmit, domain.Receiver, domain.StepReply, now.Add(14 * 24 * time.Hour), false},
		{"nothing after a decline", inState(domain.KindOutpatient, domain.StateSubmitted), domain.ActionDecline, domain.Receiver, domain.StepNone, time.Time{}, false},
		{"nothing after a no-show", inState(domain.KindOutpatient, domain.StateAccepted), domain.ActionNoShow, domain.Receiver, domain.StepNone, time.Time{}, false},
	} {
		r := domain.Restore(c.s)
		if err := r.Decide(command(r, c.action, c.side), calendar(t)); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got := r.Changes()[0].Deadline
		if got.Step != c.step || !got.Due.Equal(c.due) {
			t.Errorf("%s: got %s at %v, want %s at %v", c.name, got.Step, got.Due, c.step, c.due.UTC())
		}
		if shown := !r.Snapshot().DueTime.IsZero(); shown != c.shown {
			t.Errorf("%s: shown %v", c.name, shown)
		}
	}
}

func TestAnEditLeavesTheClockRunning(t *testing.T) {
	t.Parallel()
	s := inState(domain.KindOutpatient, domain.StateReturned)
	s.DueTime = now.Add(time.Hour)
	r := domain.Restore(s)
	if err := r.Decide(command(r, domain.ActionEdit, domain.Originator), calendar(t)); err != nil {
		t.Fatal(err)
	}
	if !r.Snapshot().DueTime.Equal(s.DueTime) || !r.Changes()[0].KeepDeadline {
		t.Error("an edit moved the limit")
	}
}

func TestALocalDateIsTheCountysDay(t *testing.T) {
	t.Parallel()
	w, ok := calendar(t).Day("2026-03-18")
	if !ok || !w.From.Equal(inZone(t, "2026-03-18 00:00")) || !w.To.Equal(inZone(t, "2026-03-19 00:00")) {
		t.Errorf("got %v, %v", w, ok)
	}
	for _, bad := range []string{"", "18.3.2026", "2026-02-30"} {
		if _, ok := calendar(t).Day(bad); ok {
			t.Errorf("%q is a date", bad)
		}
	}
}
