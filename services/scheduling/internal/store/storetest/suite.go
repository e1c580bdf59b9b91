// Package storetest is the contract of app.Store as tests, for every engine.
package storetest

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// County of everything that the suite makes.
const County = "450321"

// Opened is a fresh store and the clock that its transactions go by.
type Opened struct {
	Store app.Store
	Clock *clock.Fixed
}

// Suite holds a store to the contract. open gives each test a store of its own.
func Suite(t *testing.T, open func(t *testing.T) Opened) {
	tests := map[string]func(*testing.T, Opened){
		"a place is taken once":                             takenOnce,
		"a place is free again when its time ends":          freeAgain,
		"an error leaves no trace":                          noTrace,
		"a request is answered once":                        answeredOnce,
		"a fact is handled once":                            handledOnce,
		"capacity is added once":                            addedOnce,
		"slots come in order and by pages":                  slotPages,
		"beds are counted":                                  bedCounts,
		"what is due is found":                              due,
		"counties do not see each other":                    counties,
		"a search stops at what is open":                    searchOpen,
		"a search goes one session at a time":               searchSessions,
		"an entry is written once and by version":           entryOnce,
		"a change of capacity is seen until it is computed": changeSeen,
	}
	maps.Copy(tests, calendar())
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// Caller of the suite.
func Caller() app.Caller {
	return app.Caller{County: County, AccountID: "account", OrganizationID: "organization"}
}

// Slots adds a session of n slots of ten minutes that begins an hour from now.
func Slots(t testing.TB, o Opened, organization string, n int) []domain.Slot {
	t.Helper()
	start := o.Clock.Now().Add(time.Hour)
	s := domain.Session{ID: id.New(), OrganizationID: organization, DepartmentCode: "0304", Kind: "CLINIC", PractitionerName: "甲",
		Location: "2F", Start: start, End: start.Add(time.Duration(n) * 10 * time.Minute), SlotMinutes: 10}
	slots, err := s.Cut(func(n int) string { return id.FromFact(s.ID, strconv.Itoa(n)) })
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := o.Store.AddCapacity(t.Context(), app.Command{Caller: Caller()}, app.Capacity{Sessions: [][]domain.Slot{slots}}); err != nil {
		t.Fatal(err)
	}
	return slots
}

func ward(t testing.TB, o Opened, organization string, n int) app.Furnished {
	t.Helper()
	w := domain.Ward{ID: id.New(), OrganizationID: organization, DepartmentCode: "0304", Name: "心内一病区", Beds: n}
	beds, err := w.Furnish(func(n int) string { return id.FromFact(w.ID, strconv.Itoa(n)) })
	if err != nil {
		t.Fatal(err)
	}
	f := app.Furnished{Ward: w, Beds: beds}
	if _, _, err := o.Store.AddCapacity(t.Context(), app.Command{Caller: Caller()}, app.Capacity{Wards: []app.Furnished{f}}); err != nil {
		t.Fatal(err)
	}
	return f
}

// take answers the id of the new hold, or "".
func take(t testing.TB, o Opened, p domain.Place) string {
	t.Helper()
	holdID := id.New()
	var ok bool
	err := o.Store.Change(t.Context(), app.Command{Caller: Caller()}, func(u app.Unit) (err error) {
		ok, err = u.Take(t.Context(), domain.Claim{County: County, ID: holdID, AccountID: "account", PatientID: "patient", Place: p})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		return ""
	}
	return holdID
}

func change(t testing.TB, o Opened, holdID string, do func(h *domain.Hold, now time.Time) error) {
	t.Helper()
	err := o.Store.Change(t.Context(), app.Command{Caller: Caller()}, func(u app.Unit) error {
		h, err := u.Hold(t.Context(), holdID)
		if err != nil {
			return err
		}
		return do(h, u.Now())
	})
	if err != nil {
		t.Fatal(err)
	}
}

func state(t testing.TB, o Opened, holdID string) domain.State {
	t.Helper()
	v, err := o.Store.Hold(t.Context(), County, holdID)
	if err != nil {
		t.Fatal(err)
	}
	return v.State
}

func takenOnce(t *testing.T, o Opened) {
	slots := Slots(t, o, "o", 1)
	first := take(t, o, slots[0].Place())
	if first == "" {
		t.Fatal("a free slot was refused")
	}
	if take(t, o, slots[0].Place()) != "" {
		t.Fatal("a taken slot was given again")
	}
	v, err := o.Store.Hold(t.Context(), County, first)
	if err != nil || v.Location != "2F" || v.PractitionerName != "甲" || v.Version != 1 || !v.Place.Start.Equal(slots[0].Start) {
		t.Fatalf("%+v, %v", v, err)
	}
	change(t, o, first, func(h *domain.Hold, _ time.Time) error { return h.Release() })
	if take(t, o, slots[0].Place()) == "" {
		t.Fatal("a released slot was refused")
	}
}

func freeAgain(t *testing.T, o Opened) {
	slot := Slots(t, o, "o", 1)[0]
	first := take(t, o, slot.Place())
	o.Clock.Advance(domain.HoldFor - time.Microsecond)
	if take(t, o, slot.Place()) != "" {
		t.Fatal("given before its time was over")
	}
	o.Clock.Advance(time.Microsecond)
	second := take(t, o, slot.Place())
	if second == "" {
		t.Fatal("refused after its time was over")
	}
	if got := state(t, o, first); got != domain.Expired {
		t.Errorf("the first hold is %s", got)
	}
	change(t, o, first, func(h *domain.Hold, now time.Time) error { h.Expire(now); return nil })
	if got := state(t, o, second); got != domain.Held || take(t, o, slot.Place()) != "" {
		t.Errorf("the end of the first hold touched the second (%s)", got)
	}
}

func noTrace(t *testing.T, o Opened) {
	slot := Slots(t, o, "o", 1)[0]
	boom := errors.New("boom")
	cmd := app.Command{Caller: Caller(), Consumer: "c", FactID: "f"}
	err := o.Store.Change(t.Context(), cmd, func(u app.Unit) error {
		ok, err := u.Take(t.Context(), domain.Claim{County: County, ID: id.New(), AccountID: "a", PatientID: "p", Place: slot.Place()})
		if !ok || err != nil {
			t.Errorf("take: %v, %v", ok, err)
		}
		return boom
	})
	if !errors.Is(err, boom) {
		t.Fatal(err)
	}
	if take(t, o, slot.Place()) == "" {
		t.Error("the slot stayed taken")
	}
	again := false
	if err := o.Store.Change(t.Context(), cmd, func(app.Unit) error { again = true; return nil }); err != nil || !again {
		t.Errorf("the fact counts as handled: %v", err)
	}
}

func answeredOnce(t *testing.T, o Opened) {
	slots := Slots(t, o, "o", 2)
	cmd := app.Command{Caller: Caller(), Request: app.Request{Method: "m", ID: id.New(), BodyHash: []byte("one")}}
	ask := func(cmd app.Command, holdID string) (got string, err error) {
		err = o.Store.Change(t.Context(), cmd, func(u app.Unit) error {
			answer, found, err := u.Answered(t.Context())
			if err != nil || found {
				got = answer
				return err
			}
			_, err = u.Take(t.Context(), domain.Claim{County: County, ID: holdID, AccountID: "a", PatientID: "p", Place: slots[0].Place()})
			u.Answer(holdID)
			got = holdID
			return err
		})
		return got, err
	}
	first, err := ask(cmd, id.New())
	if err != nil {
		t.Fatal(err)
	}
	if again, err := ask(cmd, id.New()); err != nil || again != first {
		t.Errorf("again: %s, %v; want %s", again, err, first)
	}
	cmd.Request.BodyHash = []byte("two")
	if _, err := ask(cmd, id.New()); errs.ReasonOf(err) != errs.ReasonRequestIDReused {
		t.Errorf("another body: %v", err)
	}
}

func handledOnce(t *testing.T, o Opened) {
	n := 0
	for range 3 {
		err := o.Store.Change(t.Context(), app.Command{Caller: Caller(), Consumer: "c", FactID: "f"}, func(app.Unit) error { n++; return nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	if n != 1 {
		t.Errorf("handled %d times", n)
	}
}

func addedOnce(t *testing.T, o Opened) {
	slots := Slots(t, o, "o", 3)
	f := ward(t, o, "o", 2)
	n, beds, err := o.Store.AddCapacity(t.Context(), app.Command{Caller: Caller()},
		app.Capacity{Sessions: [][]domain.Slot{slots}, Wards: []app.Furnished{f}})
	if err != nil || n != 0 || beds != 0 {
		t.Errorf("added again: %d slots, %d beds, %v", n, beds, err)
	}
}

func slotPages(t *testing.T, o Opened) {
	slots := Slots(t, o, "o", 7)
	Slots(t, o, "another", 2)
	take(t, o, slots[2].Place())
	q := app.SlotQuery{County: County, OrganizationID: "o", From: o.Clock.Now().Add(-time.Hour), To: o.Clock.Now().AddDate(0, 0, 1), Limit: 3}
	var got []app.SlotView
	for {
		page, err := o.Store.Slots(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, page...)
		if len(page) < q.Limit {
			break
		}
		q.AfterStart, q.AfterID = page[len(page)-1].Start, page[len(page)-1].ID
	}
	if len(got) != 7 {
		t.Fatalf("%d slots in all pages", len(got))
	}
	for i, s := range got {
		if s.ID != slots[i].ID || s.Free != (i != 2) {
			t.Errorf("slot %d: %s, free %v", i, s.ID, s.Free)
		}
	}
	q = app.SlotQuery{County: County, OrganizationID: "o", Department: "0304", Kind: "CLINIC", From: q.From, To: q.To, Limit: 10, FreeOnly: true,
		Before: app.Bounds{Common: q.To, Reserved: q.To, Expert: q.To}}
	if free, err := o.Store.Slots(t.Context(), q); err != nil || len(free) != 6 {
		t.Errorf("%d free slots, %v", len(free), err)
	}
	// The slots begin at 60, 70, 80, … minutes; one that begins now is over.
	o.Clock.Advance(80 * time.Minute)
	if rest, err := o.Store.Slots(t.Context(), q); err != nil || len(rest) != 4 {
		t.Errorf("%d slots to come, %v", len(rest), err)
	}
	q.Department = "03"
	if none, err := o.Store.Slots(t.Context(), q); err != nil || len(none) != 0 {
		t.Errorf("%d slots of another department, %v", len(none), err)
	}
}

func bedCounts(t *testing.T, o Opened) {
	f := ward(t, o, "o", 3)
	take(t, o, f.Beds[0].Place(o.Clock.Now()))
	counts, err := o.Store.Wards(t.Context(), County, "o", "")
	if err != nil || len(counts) != 1 || counts[0].Total != 3 || counts[0].Free != 2 || counts[0].Ward != "心内一病区" {
		t.Fatalf("%+v, %v", counts, err)
	}
	err = o.Store.Change(t.Context(), app.Command{Caller: Caller()}, func(u app.Unit) error {
		free, err := u.FreeBeds(t.Context(), domain.BedWish{OrganizationID: "o", DepartmentCode: "0304", From: u.Now()}, f.Beds[1].ID)
		if err != nil {
			return err
		}
		if len(free) != 2 || free[0].ID == f.Beds[0].ID || free[1].ID == f.Beds[0].ID {
			t.Errorf("free beds %+v", free)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	o.Clock.Advance(domain.HoldFor)
	if counts, err = o.Store.Wards(t.Context(), County, "o", "0304"); err != nil || counts[0].Free != 3 {
		t.Errorf("after the hold: %+v, %v", counts, err)
	}
}

func due(t *testing.T, o Opened) {
	slots := Slots(t, o, "o", 3)
	held, attached, booked := take(t, o, slots[0].Place()), take(t, o, slots[1].Place()), take(t, o, slots[2].Place())
	change(t, o, attached, func(h *domain.Hold, now time.Time) error { return h.Attach("r1", now.AddDate(0, 0, 1), now) })
	change(t, o, booked, func(h *domain.Hold, now time.Time) error { return h.Confirm("r2", "booking", now) })
	ids := func(holds []domain.HoldData, err error) map[string]bool {
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]bool{}
		for _, d := range holds {
			out[d.ID] = true
		}
		return out
	}
	ctx := context.WithoutCancel(t.Context())
	if got := ids(o.Store.ToSettle(ctx, 10)); len(got) != 0 {
		t.Errorf("to settle at once: %v", got)
	}
	o.Clock.Advance(domain.SettleAfter)
	if got := ids(o.Store.ToSettle(ctx, 10)); len(got) != 2 || !got[attached] || !got[booked] {
		t.Errorf("to settle: %v", got)
	}
	o.Clock.Advance(domain.HoldFor)
	if got := ids(o.Store.Overdue(ctx, 10)); len(got) != 1 || !got[held] {
		t.Errorf("overdue: %v", got)
	}
	live, err := o.Store.Live(ctx, County, "", 10)
	if err != nil || len(live) != 2 {
		t.Errorf("live: %v, %v", live, err)
	}
	v, err := o.Store.Booking(ctx, County, "booking")
	if err != nil || v.ID != booked || v.Version != 2 {
		t.Errorf("booking: %+v, %v", v, err)
	}
	err = o.Store.Change(ctx, app.Command{Caller: Caller()}, func(u app.Unit) error {
		holds, err := u.AttachedTo(ctx, "r1")
		if err != nil {
			return err
		}
		if len(holds) != 1 || holds[0].Data().ID != attached {
			t.Errorf("attached: %v", holds)
		}
		_, err = u.HoldOfBooking(ctx, "another")
		return err
	})
	if errs.KindOf(err) != errs.KindNotFound {
		t.Errorf("an unknown booking: %v", err)
	}
}

func counties(t *testing.T, o Opened) {
	slot := Slots(t, o, "o", 1)[0]
	holdID := take(t, o, slot.Place())
	if _, err := o.Store.Hold(t.Context(), "450322", holdID); errs.KindOf(err) != errs.KindNotFound {
		t.Errorf("a hold of another county: %v", err)
	}
	elsewhere := app.Command{Caller: app.Caller{County: "450322", AccountID: "a"}}
	err := o.Store.Change(t.Context(), elsewhere, func(u app.Unit) error {
		_, err := u.Slot(t.Context(), slot.ID)
		return err
	})
	if errs.KindOf(err) != errs.KindNotFound {
		t.Errorf("a slot of another county: %v", err)
	}
}
