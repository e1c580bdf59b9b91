package domain_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

func another(start time.Time) domain.Place {
	return domain.Place{SlotID: "t", Start: start, End: start.Add(time.Hour)}
}

func TestABookingMovesAndKeepsWhatItIs(t *testing.T) {
	t.Parallel()
	h := slotHold(t)
	if err := h.Move(another(now.Add(time.Hour)), "", now); !errors.Is(err, domain.ErrNotAllowed) {
		t.Errorf("a hold of no referral: %v", err)
	}
	if err := h.Confirm("r", "b", now); err != nil {
		t.Fatal(err)
	}
	was := h.Data()
	if err := h.Displace("session", "LEAVE", now); err != nil {
		t.Fatal(err)
	}
	if err := h.Displace("session", "LEAVE", now.Add(time.Hour)); err != nil || !h.Data().Displaced.Equal(now) || h.Data().State != domain.Unsettled {
		t.Errorf("displaced: %+v, %v", h.Data(), err)
	}
	if err := h.Move(another(now.AddDate(0, 0, 1)), "LEAVE", now); err != nil {
		t.Fatal(err)
	}
	d := h.Data()
	if d.State != domain.Unsettled || d.BookingID != "b" || d.Place.SlotID != "t" || !d.Displaced.IsZero() {
		t.Errorf("moved: %+v", d)
	}
	_, _, events := h.Changes()
	if e := events[len(events)-1]; e.Action != domain.Move || e.OldSlotID != was.Place.SlotID || !e.OldStart.Equal(was.Place.Start) || e.ReasonCode != "LEAVE" ||
		e.Hold.Place != d.Place {
		t.Errorf("event %+v", e)
	}
	h.Free()
	if err := h.Move(another(now.AddDate(0, 0, 2)), "", now); !errors.Is(err, domain.ErrGone) {
		t.Errorf("a freed one: %v", err)
	}
}

func TestABookingDoesNotMoveAwayOrIntoThePast(t *testing.T) {
	t.Parallel()
	h := slotHold(t)
	if err := h.Confirm("r", "b", now); err != nil {
		t.Fatal(err)
	}
	elsewhere := another(now.AddDate(0, 0, 1))
	elsewhere.DepartmentCode = "03"
	for name, c := range map[string]struct {
		to   domain.Place
		want error
	}{
		"another department": {elsewhere, domain.ErrElsewhere}, "a bed": {domain.Place{BedID: "b"}, domain.ErrElsewhere}, "the past": {another(now), domain.ErrPast},
	} {
		if err := h.Move(c.to, "", now); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	same := h.Data().Place
	if err := h.Move(same, "", same.Start.Add(time.Minute)); err != nil {
		t.Errorf("its own slot, which has begun, with another doctor: %v", err)
	}
}

func TestAnAttachedHoldThatMovesLastsForItsNewSlot(t *testing.T) {
	t.Parallel()
	h := slotHold(t)
	if err := h.Attach("r", now.AddDate(0, 0, 2), now); err != nil {
		t.Fatal(err)
	}
	if err := h.Move(another(now.AddDate(0, 0, 1)), "", now); err != nil || !h.Data().KeepUntil.Equal(now.AddDate(0, 0, 1)) {
		t.Errorf("later: until %s, %v", h.Data().KeepUntil, err)
	}
	if err := h.Move(another(now.Add(time.Hour)), "", now); err != nil || !h.Data().KeepUntil.Equal(now.Add(time.Hour)) {
		t.Errorf("earlier: until %s, %v", h.Data().KeepUntil, err)
	}
}

func TestWhatSuitsSomebodyWhoseSessionWasCancelled(t *testing.T) {
	t.Parallel()
	w := domain.Want{PractitionerID: "p", Grade: domain.Expert}
	for _, c := range []struct {
		name string
		s    domain.Session
		want int
	}{
		{"the same practitioner", domain.Session{PractitionerID: "p"}, 1}, {"the same grade", domain.Session{PractitionerID: "q", Grade: domain.Expert}, 2},
		{"neither", domain.Session{PractitionerID: "q"}, 0},
	} {
		if got := w.Suits(c.s); got != c.want {
			t.Errorf("%s: %d", c.name, got)
		}
	}
	if (domain.Want{}).Suits(domain.Session{PractitionerID: "", Grade: domain.General}) != 2 {
		t.Error("nobody's name is no practitioner")
	}
}

func TestFromWhenOnSomebodyCanBeMoved(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ old, want time.Duration }{
		"in a week: with a day's notice": {7 * 24 * time.Hour, domain.MoveNotice}, "in a day": {domain.MoveNotice, domain.MoveNotice},
		"in two hours: not before": {2 * time.Hour, 2 * time.Hour}, "now": {0, domain.OfferNotice}, "an hour ago": {-time.Hour, domain.OfferNotice},
	} {
		if got := domain.MoveFrom(now.Add(c.old), now); !got.Equal(now.Add(c.want)) {
			t.Errorf("%s: from %s on", name, got.Sub(now))
		}
	}
}
