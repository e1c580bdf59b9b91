package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

func find(t testing.TB, o Opened, limit int, before time.Time, organizations ...string) []app.SlotView {
	t.Helper()
	found, err := o.Store.FindSlots(t.Context(), app.FindQuery{County: County, OrganizationIDs: organizations, From: o.Clock.Now(), To: o.Clock.Now().AddDate(0, 0, 9),
		Before: func(string) app.Bounds { return app.Bounds{Common: before, Reserved: before, Expert: before} }, Limit: limit})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func searchOpen(t *testing.T, o Opened) {
	slots := Slots(t, o, "o", 3)
	if found := find(t, o, 5, slots[0].Start, "o"); len(found) != 0 {
		t.Errorf("%d slots that start when nothing is open any more", len(found))
	}
	if found := find(t, o, 5, slots[0].Start.Add(time.Microsecond), "o"); len(found) != 1 || found[0].ID != slots[0].ID || !found[0].Free {
		t.Errorf("%+v", found)
	}
	take(t, o, slots[0].Place())
	if found := find(t, o, 5, slots[1].Start, "o"); len(found) != 0 {
		t.Errorf("a slot that somebody has: %+v", found)
	}
}

func searchSessions(t *testing.T, o Opened) {
	one, other := Slots(t, o, "o", 100), Slots(t, o, "p", 1)
	late := o.Clock.Now().AddDate(0, 0, 9)
	for name, organizations := range map[string][]string{"both": {"o", "p"}, "the county": nil} {
		found := find(t, o, 5, late, organizations...)
		got := map[string]bool{}
		for _, s := range found {
			got[s.ID] = true
		}
		if len(found) != 2 || !got[one[0].ID] || !got[other[0].ID] {
			t.Errorf("%s: %d slots", name, len(found))
		}
	}
}

func aCase() domain.Case {
	return domain.Case{County: County, ReferralID: id.New(), Version: 2, PatientID: "patient", State: "SUBMITTED", Direction: "UP", Urgency: "URGENT",
		SenderOrganizationID: "sender", ReceiverOrganizationID: "o", ReceiverDepartment: "0304"}
}

// add puts the referral on the list.
func add(t testing.TB, o Opened, c domain.Case) (string, error) {
	t.Helper()
	w := domain.Wish{Kind: domain.KindClinic, FirstDay: "2026-03-18", LastDay: "2026-03-20"}
	entryID := id.New()
	return entryID, o.Store.Change(t.Context(), app.Command{Caller: Caller()}, func(u app.Unit) error {
		e, err := domain.NewEntry(entryID, "account", c, w, u.Now())
		if err == nil {
			u.AddEntry(e)
		}
		return err
	})
}

func entryOnce(t *testing.T, o Opened) {
	c := aCase()
	first, err := add(t, o, c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := add(t, o, c); !errors.Is(err, app.ErrOnList) {
		t.Errorf("the same referral again: %v", err)
	}
	read := func() domain.EntryData {
		t.Helper()
		found, err := o.Store.Entries(t.Context(), app.EntryQuery{County: County, EntryID: first, Ended: true, Limit: 1})
		if err != nil || len(found) != 1 {
			t.Fatalf("%v, %v", found, err)
		}
		return found[0]
	}
	if e := read(); e.Version != 1 || e.State != domain.Waiting || e.Position != 1 || e.Urgency != "URGENT" || e.Wish.LastDay != "2026-03-20" {
		t.Errorf("%+v", e)
	}
	err = o.Store.Change(t.Context(), app.Command{Caller: Caller()}, func(u app.Unit) error {
		e, err := u.EntryOf(t.Context(), c.ReferralID)
		if err != nil {
			return err
		}
		return e.Leave()
	})
	if e := read(); err != nil || e.Version != 2 || e.State != domain.Left || e.Position != 0 {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := add(t, o, c); err != nil {
		t.Errorf("again after it left: %v", err)
	}
	if over, err := o.Store.ToEnd(t.Context(), "2026-03-21", 10); err != nil || len(over) != 1 || over[0].Entry.ReferralID != c.ReferralID || over[0].Hold != "" {
		t.Errorf("after the last day: %+v, %v", over, err)
	}
}

func changeSeen(t *testing.T, o Opened) {
	slots := Slots(t, o, "o", 4)
	d := app.Department{County: County, OrganizationID: "o", Code: "0304"}
	changed := func() []string {
		t.Helper()
		list, err := o.Store.Changed(t.Context(), 10)
		if err != nil || len(list) > 1 || len(list) == 1 && list[0].Department != d {
			t.Fatalf("%+v, %v", list, err)
		}
		if len(list) == 0 {
			return nil
		}
		return list[0].Rows
	}
	before := changed()
	take(t, o, slots[0].Place())
	late := o.Clock.Now().AddDate(0, 0, 9)
	err := o.Store.Change(t.Context(), app.Command{Caller: Caller()}, func(u app.Unit) error {
		return u.ComputeWaiting(t.Context(), d, app.WaitingBounds{Bounds: app.Bounds{Common: late, Reserved: late, Expert: late}, Until: slots[2].Start}, before)
	})
	if rest := changed(); err != nil || len(before) != 1 || len(rest) != 1 || rest[0] == before[0] {
		t.Errorf("changes %v, then %v, %v", before, rest, err)
	}
	times, err := o.Store.WaitingTimes(t.Context(), d)
	if err != nil || len(times) != 1 || times[0].Kind != "CLINIC" || times[0].Free != 1 || !times[0].NextStart.Equal(slots[1].Start) || !times[0].ThirdStart.Equal(slots[3].Start) {
		t.Errorf("%+v, %v", times, err)
	}
}
