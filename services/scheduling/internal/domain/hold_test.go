package domain_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

var now = time.Date(2026, time.March, 18, 1, 30, 0, 0, time.UTC)

func slotHold(t *testing.T) *domain.Hold {
	t.Helper()
	h, err := domain.NewHold(domain.Claim{County: "450321", ID: "h", AccountID: "a", PatientID: "p",
		Place: domain.Place{SlotID: "s", Start: now.Add(3 * time.Hour), End: now.Add(4 * time.Hour)}}, now)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestTheTableNamesEveryWayOutOfALiveState(t *testing.T) {
	t.Parallel()
	states := []domain.State{domain.Held, domain.Attached, domain.Unsettled, domain.Live, domain.Released, domain.Expired}
	for _, row := range domain.Lifecycle() {
		if row.From != "" && !slices.Contains(states, row.From) || !slices.Contains(states, row.To) {
			t.Errorf("%v names an unknown state", row)
		}
		if row.From != "" && !row.From.Takes() {
			t.Errorf("%v leaves a final state", row)
		}
	}
	for _, s := range states {
		_, out := domain.Next(s, domain.Free)
		_, back := domain.Next(s, domain.Release)
		if s.Takes() != (out || back) {
			t.Errorf("%s takes its place: %v, can be given back: %v", s, s.Takes(), out || back)
		}
	}
}

func TestAHoldWithAGapIsNotMade(t *testing.T) {
	t.Parallel()
	whole := domain.Claim{County: "450321", ID: "h", AccountID: "a", PatientID: "p", Place: domain.Place{BedID: "b"}}
	for name, spoil := range map[string]func(*domain.Claim){
		"county": func(c *domain.Claim) { c.County = "" }, "owner": func(c *domain.Claim) { c.AccountID = "" },
		"patient": func(c *domain.Claim) { c.PatientID = "" }, "no place": func(c *domain.Claim) { c.Place = domain.Place{} },
		"two places": func(c *domain.Claim) { c.Place.SlotID = "s" },
	} {
		c := whole
		spoil(&c)
		if _, err := domain.NewHold(c, now); !errors.Is(err, domain.ErrIncomplete) {
			t.Errorf("%s: %v", name, err)
		}
	}
	past := whole
	past.Place = domain.Place{SlotID: "s", Start: now}
	if _, err := domain.NewHold(past, now); !errors.Is(err, domain.ErrPast) {
		t.Errorf("a slot that begins now: %v", err)
	}
}

func TestAHeldPlaceIsTakenForTenMinutes(t *testing.T) {
	t.Parallel()
	h := slotHold(t)
	if !h.Data().LiveAt(now.Add(10*time.Minute - 1)) {
		t.Error("it ended early")
	}
	if h.Data().LiveAt(now.Add(10 * time.Minute)) {
		t.Error("it did not end")
	}
	late := now.Add(10 * time.Minute)
	if err := h.Attach("r", late.Add(time.Hour), late); !errors.Is(err, domain.ErrGone) {
		t.Errorf("attach: %v", err)
	}
	if err := h.Confirm("r", "b", late); !errors.Is(err, domain.ErrGone) {
		t.Errorf("confirm: %v", err)
	}
}

func TestAnAttachedSlotIsKeptAtMostUntilItBegins(t *testing.T) {
	t.Parallel()
	h := slotHold(t)
	if err := h.Attach("r", now.Add(48*time.Hour), now); err != nil {
		t.Fatal(err)
	}
	if got, want := h.Data().KeepUntil, now.Add(3*time.Hour); !got.Equal(want) {
		t.Errorf("kept until %s, want %s", got, want)
	}
	if err := h.Attach("r", now.Add(time.Hour), now); err != nil || !h.Data().KeepUntil.Equal(now.Add(3*time.Hour)) {
		t.Errorf("the same referral again: %v, until %s", err, h.Data().KeepUntil)
	}
	if err := h.Attach("other", now.Add(time.Hour), now); !errors.Is(err, domain.ErrOther) {
		t.Errorf("another referral: %v", err)
	}
	if err := h.Confirm("other", "b", now); !errors.Is(err, domain.ErrOther) {
		t.Errorf("another referral confirms: %v", err)
	}
	if err := h.Release(); !errors.Is(err, domain.ErrNotAllowed) {
		t.Errorf("its owner gives it back: %v", err)
	}
}

func TestAnAttachedHoldIsKeptLongerNeverShorter(t *testing.T) {
	t.Parallel()
	bed, err := domain.NewHold(domain.Claim{County: "450321", ID: "h", AccountID: "a", PatientID: "p", Place: domain.Place{BedID: "b"}}, now)
	if err != nil {
		t.Fatal(err)
	}
	bed.Keep(now.Add(time.Hour), now)
	if d := bed.Data(); d.State != domain.Held || !d.KeepUntil.IsZero() {
		t.Errorf("a hold that nobody has attached: %s until %s", d.State, d.KeepUntil)
	}
	if err := bed.Attach("r", now.Add(2*time.Hour), now); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ until, at, want time.Duration }{
		{time.Hour, 0, 2 * time.Hour},
		{3 * time.Hour, time.Hour, 3 * time.Hour},
		{9 * time.Hour, 3 * time.Hour, 3 * time.Hour}, // its time is over
	} {
		bed.Keep(now.Add(c.until), now.Add(c.at))
		if got := bed.Data().KeepUntil; !got.Equal(now.Add(c.want)) {
			t.Errorf("keep for %s: until %s", c.until, got)
		}
	}
	slot := slotHold(t)
	if err := slot.Attach("r", now.Add(time.Hour), now); err != nil {
		t.Fatal(err)
	}
	slot.Keep(now.Add(48*time.Hour), now)
	if got := slot.Data().KeepUntil; !got.Equal(now.Add(3 * time.Hour)) {
		t.Errorf("a slot is kept until %s, it begins before", got)
	}
}

func TestConfirmingAgainIsTheSameBooking(t *testing.T) {
	t.Parallel()
	h := slotHold(t)
	for _, booking := range []string{"first", "second"} {
		if err := h.Confirm("r", booking, now); err != nil {
			t.Fatal(err)
		}
		if h.Data().BookingID != "first" || h.Data().State != domain.Unsettled {
			t.Fatalf("%+v", h.Data())
		}
	}
	h.Settle()
	if err := h.Confirm("r", "third", now); err != nil || h.Data().State != domain.Live || h.Data().BookingID != "first" {
		t.Errorf("%v, %s of %s", err, h.Data().State, h.Data().BookingID)
	}
	_, _, events := h.Changes()
	var actions []domain.Action
	for _, e := range events {
		actions = append(actions, e.Action)
	}
	if want := []domain.Action{domain.Take, domain.Confirm, domain.Settle}; !slices.Equal(actions, want) {
		t.Errorf("events %v, want %v", actions, want)
	}
}

func TestWhatEndedStaysEnded(t *testing.T) {
	t.Parallel()
	h := slotHold(t)
	if err := h.Release(); err != nil {
		t.Fatal(err)
	}
	h.Free()
	h.Settle()
	h.Expire(now.Add(time.Hour))
	h.AskAgain(now)
	if err := h.Release(); err != nil || h.Data().State != domain.Released {
		t.Errorf("%v, %s", err, h.Data().State)
	}
}

func TestASessionIsCutIntoWholeSlots(t *testing.T) {
	t.Parallel()
	s := domain.Session{ID: "s", OrganizationID: "o", DepartmentCode: "03", Kind: "CLINIC", Start: now,
		End: now.Add(65 * time.Minute), SlotMinutes: 20}
	slots, err := s.Cut(func(n int) string { return string(rune('a' + n)) })
	if err != nil || len(slots) != 3 {
		t.Fatalf("%d slots, %v", len(slots), err)
	}
	if last := slots[2]; last.ID != "c" || !last.Start.Equal(now.Add(40*time.Minute)) || !last.End.Equal(now.Add(time.Hour)) {
		t.Errorf("last slot %+v", last)
	}
	for name, spoil := range map[string]func(*domain.Session){
		"kind": func(s *domain.Session) { s.Kind = "PARTY" }, "length": func(s *domain.Session) { s.SlotMinutes = 0 },
		"end before start": func(s *domain.Session) { s.End = s.Start.Add(-time.Hour) },
		"too long":         func(s *domain.Session) { s.End = s.Start.AddDate(1, 0, 0) },
	} {
		bad := s
		spoil(&bad)
		if _, err := bad.Cut(func(int) string { return "" }); !errors.Is(err, domain.ErrSession) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
