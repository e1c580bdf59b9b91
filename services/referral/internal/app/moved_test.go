package app_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// moved is that scheduling moved the booking of a hold to an hour of a day of March 2026.
func moved(referral, hold string, version int32, day int) app.BookingMove {
	from := time.Date(2026, 3, day, 1, 0, 0, 0, time.UTC)
	return app.BookingMove{County: county, FactID: id.New(), ReferralID: referral, Version: version, Moving: domain.Moving{
		HoldID: hold, BookingID: "booking of " + hold, Expected: domain.Window{From: from, To: from.Add(time.Hour)}, Reason: "LEAVE",
		By: domain.Actor{AccountID: "planner", OrganizationID: hospital},
	}}
}

func (h house) move(t *testing.T, m app.BookingMove) {
	t.Helper()
	if err := h.BookingMoved(t.Context(), m); err != nil {
		t.Fatal(err)
	}
}

func TestAReferralFollowsItsBooking(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := submitted(t, h, "hold-1")
		v, err := h.Accept(t.Context(), by(desk()), acceptance(v, "hold-1"))
		if err != nil {
			t.Fatal(err)
		}
		m := moved(v.ID, "hold-1", 5, 25)
		for range 2 { // a fact that comes twice acts once
			h.move(t, m)
		}
		now := h.now(t, desk(), v.ID)
		// The limit of the arrival is the end of the local day.
		if now.Version != v.Version || !now.Expected.From.Equal(m.Expected.From) || !now.Expected.To.Equal(m.Expected.To) ||
			!now.DueTime.Equal(time.Date(2026, 3, 25, 16, 0, 0, 0, time.UTC)) || h.limit(t, v.ID, domain.StepArrival) != "OPEN" {
			t.Fatalf("expected %v, due %s, version %d after %d", now.Expected, now.DueTime, now.Version, v.Version)
		}
		h.move(t, moved(v.ID, "hold-1", 4, 20)) // an older one comes late
		h.move(t, moved(v.ID, "hold-2", 9, 21)) // not its booking
		h.move(t, moved(id.New(), "hold-3", 1, 21))
		same := moved(v.ID, "hold-1", 6, 25)
		same.Same = true
		h.move(t, same)
		if again := h.now(t, desk(), v.ID); !again.Expected.From.Equal(m.Expected.From) || again.Version != v.Version {
			t.Errorf("expected %v", again.Expected)
		}
		rows, err := h.History(t.Context(), doctor(), v.ID)
		if err != nil {
			t.Fatal(err)
		}
		var marks []app.HistoryRow
		for _, r := range rows {
			if r.Action == domain.MarkMoved || r.Action == domain.MarkSubstituted {
				marks = append(marks, r)
			}
		}
		if len(marks) != 2 || marks[0].Action != domain.MarkMoved || marks[1].Action != domain.MarkSubstituted {
			t.Fatalf("%+v", marks)
		}
		if got := marks[0]; !got.Mark || got.Reason != "LEAVE" || got.By.AccountID != "planner" || got.By.OrganizationID != hospital ||
			got.Detail["expectedFrom"] != "2026-03-25T01:00:00Z" || got.Detail["fromExpectedFrom"] != "2026-03-19T01:00:00Z" {
			t.Errorf("%+v", got)
		}
		// A person who saw the version before is not refused.
		v = h.arrive(t, desk(), v)
		h.move(t, moved(v.ID, "hold-1", 7, 30))
		if after := h.now(t, desk(), v.ID); !after.Expected.From.Equal(m.Expected.From) || slices.Contains(h.timeline(t, desk(), v.ID)[len(rows):], "moved") {
			t.Errorf("it followed after the arrival: %v", after.Expected)
		}
	})
}

// The no-show comes at the end of the new day, not of the old one.
func TestTheLimitOfTheArrivalIsThatOfTheNewDay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := submitted(t, h, "hold-1")
		v, err := h.Accept(t.Context(), by(desk()), acceptance(v, "hold-1"))
		if err != nil {
			t.Fatal(err)
		}
		h.move(t, moved(v.ID, "hold-1", 5, 25))
		h.clock.Advance(2 * 24 * time.Hour) // over the 19th
		if err := h.FireDeadlines(t.Context(), "owner"); err != nil {
			t.Fatal(err)
		}
		if now := h.now(t, desk(), v.ID); now.State != domain.StateAccepted {
			t.Fatalf("%s on the old day", now.State)
		}
		h.clock.Advance(6 * 24 * time.Hour)
		if err := h.FireDeadlines(t.Context(), "owner"); err != nil {
			t.Fatal(err)
		}
		if now := h.now(t, desk(), v.ID); now.State != domain.StateNoShow {
			t.Errorf("%s after the new day", now.State)
		}
	})
}

func TestABookingThatMovedBeforeItsAcceptanceIsAcceptedWhereItIs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := submitted(t, h, "hold-1")
		attached := moved(v.ID, "hold-1", 3, 22)
		attached.BookingID = ""
		h.move(t, attached)
		if !slices.Contains(h.timeline(t, doctor(), v.ID), "moved") {
			t.Error("the sender does not see that the place it holds was moved")
		}
		m := moved(v.ID, "hold-1", 5, 25)
		h.peers.confirmed = func() error { return h.BookingMoved(t.Context(), m) }
		v, err := h.Accept(t.Context(), by(desk()), acceptance(v, "hold-1"))
		if err != nil || !v.Expected.From.Equal(m.Expected.From) {
			t.Errorf("accepted for %v, %v", v.Expected, err)
		}
	})
}

func TestNoLimitRunsForSomebodyWhoseSessionWasCancelled(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := submitted(t, h, "hold-1")
		v, err := h.Accept(t.Context(), by(desk()), acceptance(v, "hold-1"))
		if err != nil {
			t.Fatal(err)
		}
		m := moved(v.ID, "hold-1", 4, 19)
		m.Displaced = true
		h.move(t, m)
		if now := h.now(t, desk(), v.ID); !now.DueTime.IsZero() || now.Version != v.Version || h.limit(t, v.ID, domain.StepArrival) != "STOPPED" {
			t.Fatalf("due %s, version %d", now.DueTime, now.Version)
		}
		h.clock.Advance(2 * 24 * time.Hour)
		if err := h.FireDeadlines(t.Context(), "owner"); err != nil {
			t.Fatal(err)
		}
		h.move(t, moved(v.ID, "hold-1", 5, 25))
		if now := h.now(t, desk(), v.ID); now.State != domain.StateAccepted || now.DueTime.IsZero() || h.limit(t, v.ID, domain.StepArrival) != "OPEN" {
			t.Errorf("%s, due %s", now.State, now.DueTime)
		}
		got := h.timeline(t, doctor(), v.ID)
		if slices.Index(got, "displaced") < 0 || slices.Index(got, "moved") < slices.Index(got, "displaced") {
			t.Errorf("timeline %v", got)
		}
	})
}
