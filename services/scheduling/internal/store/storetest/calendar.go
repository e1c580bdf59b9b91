package storetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// calendar are the tests of app.CalendarStore and app.CalendarUnit.
func calendar() map[string]func(*testing.T, Opened) {
	return map[string]func(*testing.T, Opened){
		"a template is planned until it is, and again when an exception concerns it": planned,
		"sessions that somebody uses are not taken back":                             removed,
		"a hold moves to a free slot and to no other":                                moves,
		"slots that suit come best first":                                            suitable,
		"the narrowest policy holds":                                                 policies,
		"what is of another county is not there":                                     otherCounty,
	}
}

// in runs fn in a change that must succeed.
func in(t testing.TB, o Opened, fn func(ctx context.Context, u app.Unit) error) {
	t.Helper()
	if err := o.Store.Change(t.Context(), app.Command{Caller: Caller()}, func(u app.Unit) error { return fn(t.Context(), u) }); err != nil {
		t.Fatal(err)
	}
}

func aTemplate(o Opened) domain.Template {
	return domain.Template{ID: id.New(), OrganizationID: "o", DepartmentCode: "0304", Kind: domain.KindClinic, PractitionerID: "p",
		Pattern:  domain.Pattern{Code: domain.Interval, Every: 3, Anchor: o.Clock.Now().Truncate(24 * time.Hour), Digits: []int{}, Weekdays: nil},
		FirstDay: o.Clock.Now().Truncate(24 * time.Hour), Starts: 480, Ends: 600, SlotMinutes: 30, OnHolidays: true}
}

func planned(t *testing.T, o Opened) {
	x := aTemplate(o)
	in(t, o, func(ctx context.Context, u app.Unit) error { return u.PutTemplate(ctx, x) })
	due := func() int {
		t.Helper()
		list, err := o.Store.ToPlan(t.Context(), "2026-05-01", 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	if due() != 1 {
		t.Error("a new template is not to be planned")
	}
	in(t, o, func(ctx context.Context, u app.Unit) error {
		got, err := u.Template(ctx, x.ID)
		if err != nil || got.Version != 1 || got.Pattern.Every != 3 || !got.Pattern.Anchor.Equal(x.Pattern.Anchor) || !got.OnHolidays || !got.LastDay.IsZero() {
			t.Errorf("%+v, %v", got, err)
		}
		return u.PlannedThrough(ctx, x.ID, "2026-05-01")
	})
	if due() != 0 {
		t.Error("it is to be planned though it is")
	}
	e := domain.Exception{ID: id.New(), OrganizationID: "o", PractitionerID: "q", FirstDay: x.FirstDay, LastDay: x.FirstDay, Effect: domain.Closed, ReasonCode: "LEAVE"}
	in(t, o, func(ctx context.Context, u app.Unit) error {
		other, err := u.Replan(ctx, e)
		if err != nil || len(other) != 0 {
			t.Errorf("another practitioner's exception: %v, %v", other, err)
		}
		e.PractitionerID = "p"
		if err := u.PutException(ctx, e); err != nil {
			return err
		}
		own, err := u.Replan(ctx, e)
		if err != nil || !slices.Equal(own, []string{x.ID}) {
			t.Errorf("%v, %v", own, err)
		}
		found, err := u.ExceptionsFor(ctx, x, x.FirstDay, x.FirstDay)
		if err != nil || len(found) != 1 || found[0].Version != 1 || !found[0].LastDay.Equal(e.LastDay) {
			t.Errorf("%+v, %v", found, err)
		}
		return nil
	})
	if due() != 1 {
		t.Error("the exception does not have it planned anew")
	}
	x.Version, x.LastDay = 1, x.FirstDay
	in(t, o, func(ctx context.Context, u app.Unit) error { return u.PutTemplate(ctx, x) })
	in(t, o, func(ctx context.Context, u app.Unit) error {
		return u.PlannedThrough(ctx, x.ID, domain.Date(x.LastDay))
	})
	if due() != 0 {
		t.Error("it is planned beyond its end")
	}
	err := o.Store.Change(t.Context(), app.Command{Caller: Caller()}, func(u app.Unit) error { return u.PutTemplate(t.Context(), x) })
	if errs.ReasonOf(err) != errs.ReasonStaleVersion {
		t.Errorf("an old version: %v", err)
	}
}

func removed(t *testing.T, o Opened) {
	free, held, blocked := Slots(t, o, "o", 2), Slots(t, o, "o", 2), Slots(t, o, "o", 2)
	take(t, o, held[1].Place())
	ids := []string{free[0].Session.ID, held[0].Session.ID, blocked[0].Session.ID}
	in(t, o, func(ctx context.Context, u app.Unit) error { return u.Close(ctx, []string{blocked[0].ID}, "BREAK") })
	in(t, o, func(ctx context.Context, u app.Unit) error {
		used, err := u.RemoveSessions(ctx, ids)
		slices.Sort(used)
		want := []string{ids[1], ids[2]}
		slices.Sort(want)
		if err != nil || !slices.Equal(used, want) {
			t.Errorf("%v, %v, want %v", used, err, want)
		}
		known, err := u.Known(ctx, ids)
		if err != nil || len(known) != 2 || known[ids[0]] {
			t.Errorf("%v, %v", known, err)
		}
		return nil
	})
	if v, err := o.Store.Session(t.Context(), County, ids[2]); err != nil || v.Slots != 2 || v.Blocked != 1 || v.Free != 1 || v.Taken != 0 {
		t.Errorf("%+v, %v", v, err)
	}
	if v, err := o.Store.Session(t.Context(), County, ids[1]); err != nil || v.Taken != 1 || v.Free != 1 {
		t.Errorf("%+v, %v", v, err)
	}
	// Once its time is over a hold is in nobody's way.
	o.Clock.Advance(domain.HoldFor)
	in(t, o, func(ctx context.Context, u app.Unit) error {
		if used, err := u.RemoveSessions(ctx, ids[1:2]); err != nil || len(used) != 0 {
			t.Errorf("%v, %v", used, err)
		}
		return nil
	})
}

func moves(t *testing.T, o Opened) {
	slots := Slots(t, o, "o", 4)
	booked, other := take(t, o, slots[0].Place()), take(t, o, slots[1].Place())
	change(t, o, booked, func(h *domain.Hold, now time.Time) error { return h.Confirm("r", "b", now) })
	in(t, o, func(ctx context.Context, u app.Unit) error { return u.Close(ctx, []string{slots[2].ID}, "BREAK") })
	move := func(to domain.Slot) (moved bool) {
		t.Helper()
		in(t, o, func(ctx context.Context, u app.Unit) error {
			h, err := u.Hold(ctx, booked)
			if err != nil {
				return err
			}
			moved, err = u.Move(ctx, h, to, "")
			return err
		})
		return moved
	}
	if move(slots[1]) || move(slots[2]) || move(domain.Slot{ID: "nowhere", Session: slots[0].Session, Start: slots[0].Start}) {
		t.Error("it moved to a taken, a blocked or no slot")
	}
	o.Clock.Advance(domain.HoldFor) // the other's time is over
	if !move(slots[1]) {
		t.Fatal("it did not move to a free slot")
	}
	if got := state(t, o, other); got != domain.Expired {
		t.Errorf("the hold before is %s", got)
	}
	v, err := o.Store.Booking(t.Context(), County, "b")
	if err != nil || v.Place.SlotID != slots[1].ID || !v.Place.Start.Equal(slots[1].Start) || v.Version != 3 {
		t.Errorf("%+v, %v", v, err)
	}
	if take(t, o, slots[1].Place()) != "" || take(t, o, slots[0].Place()) == "" {
		t.Error("the new slot can be taken, or the old one not")
	}
}

func suitable(t *testing.T, o Opened) {
	make := func(hours int, change func(*domain.Session)) domain.Slot {
		t.Helper()
		start := o.Clock.Now().Add(time.Duration(hours) * time.Hour)
		s := domain.Session{ID: id.New(), OrganizationID: "o", DepartmentCode: "0304", Kind: domain.KindClinic, PractitionerID: "p", Start: start,
			End: start.Add(10 * time.Minute), SlotMinutes: 10, Grade: domain.General, Day: domain.Date(start)}
		change(&s)
		slots, err := s.Cut(func(int) string { return id.New() })
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := o.Store.AddCapacity(t.Context(), app.Command{Caller: Caller()}, app.Capacity{Sessions: [][]domain.Slot{slots}}); err != nil {
			t.Fatal(err)
		}
		return slots[0]
	}
	like := make(1, func(*domain.Session) {})
	general := make(2, func(s *domain.Session) { s.PractitionerID = "q" })
	same := make(9, func(s *domain.Session) { s.Grade = domain.Expert })
	make(3, func(s *domain.Session) { s.PractitionerID, s.Grade = "q", domain.Expert })
	make(3, func(s *domain.Session) { s.OrganizationID = "another" })
	make(90, func(*domain.Session) {})
	take(t, o, like.Place())
	in(t, o, func(ctx context.Context, u app.Unit) error {
		s, slot, err := u.SessionOfSlot(ctx, like.ID)
		if err != nil || s.ID != like.Session.ID || slot.Free {
			t.Errorf("%+v, %+v, %v", s, slot, err)
		}
		now, until := o.Clock.Now(), o.Clock.Now().Add(48*time.Hour)
		q := app.Like{Between: app.Between{After: now, Before: until}, Bounds: app.Bounds{Common: until, Reserved: until, Expert: until}, Limit: 10}
		free, err := u.FreeLike(ctx, s, q)
		if err != nil || len(free) != 2 || free[0].ID != same.ID || free[1].ID != general.ID {
			t.Errorf("%+v, %v", free, err)
		}
		return nil
	})
}

func policies(t *testing.T, o Opened) {
	set := func(organization string, percent int) {
		t.Helper()
		p := app.BookingPolicy{Policy: domain.DefaultPolicy(), OrganizationID: organization}
		p.ReservePercent = percent
		in(t, o, func(ctx context.Context, u app.Unit) error { return u.PutPolicy(ctx, p) })
	}
	want := func(percent int) {
		t.Helper()
		if p, err := o.Store.Policy(t.Context(), County, "o"); err != nil || p.ReservePercent != percent {
			t.Errorf("%+v, %v, want %d %%", p, err, percent)
		}
	}
	Slots(t, o, "o", 2)
	want(30)
	set("", 40)
	want(40)
	if due, err := o.Store.ToSpread(t.Context(), 10); err != nil || len(due) != 1 || due[0].Code != "0304" {
		t.Errorf("%v, %v", due, err)
	}
	in(t, o, func(ctx context.Context, u app.Unit) error { return u.Spread(ctx, "o", "0304", "") })
	set("o", 50)
	want(50)
	in(t, o, func(ctx context.Context, u app.Unit) error { return u.Spread(ctx, "o", "0304", "") })
	in(t, o, func(ctx context.Context, u app.Unit) error {
		own, err := u.OwnPolicy(ctx, "")
		if err != nil || own.Version != 1 || own.ReservePercent != 40 {
			t.Errorf("%+v, %v", own, err)
		}
		return u.PutPolicy(ctx, own)
	})
	if due, err := o.Store.ToSpread(t.Context(), 10); err != nil || len(due) != 0 {
		t.Errorf("the county's policy concerns who has an own: %v, %v", due, err)
	}
}

func otherCounty(t *testing.T, o Opened) {
	x := aTemplate(o)
	s := Slots(t, o, "o", 1)[0]
	in(t, o, func(ctx context.Context, u app.Unit) error { return u.PutTemplate(ctx, x) })
	elsewhere := app.Command{Caller: app.Caller{County: "450322", AccountID: "a"}}
	err := o.Store.Change(t.Context(), elsewhere, func(u app.Unit) error {
		for what, load := range map[string]func() error{
			"template": func() error { _, err := u.Template(t.Context(), x.ID); return err },
			"session":  func() error { _, err := u.LockSession(t.Context(), s.Session.ID); return err },
			"slot":     func() error { _, _, err := u.SessionOfSlot(t.Context(), s.ID); return err },
		} {
			if err := load(); errs.KindOf(err) != errs.KindNotFound {
				t.Errorf("%s: %v", what, err)
			}
		}
		uses, err := u.LockSlots(t.Context(), []string{s.ID})
		if err != nil || len(uses) != 0 {
			t.Errorf("%v, %v", uses, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if list, err := o.Store.Templates(t.Context(), app.Department{County: "450322", OrganizationID: "o"}, time.Time{}); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
}
