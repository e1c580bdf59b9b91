package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/directory/internal/app"
	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// rostersAreKept: a week and a hand-over are read again as they were saved, and an older version is stale.
func rostersAreKept(t *testing.T, f Fixture) {
	home := Organization(t, County, "101")
	view := Account(t, home, "doctor")
	person := view.Account.Data().ID
	now := f.Clock.Now()
	post := domain.Post{County: County, OrganizationID: home.Data().ID}
	shifts := []domain.Shift{{Weekday: 1, From: "18:00", To: "08:00", AccountID: person, Line: 1}, {Weekday: 7, From: "08:00", To: "18:00", AccountID: person, LastDay: "2026-04-05"},
		{Weekday: 7, From: "08:00", To: "18:00", AccountID: person, FirstDay: "2026-05-01"}}
	roster, changed, err := domain.RestoreRoster(post, 0, nil, nil).Replace(shifts, map[string]bool{person: true}, "")
	if err != nil || !changed {
		t.Fatal(err)
	}
	roster, over, err := roster.HandOver(domain.HandOver{ID: "h1", From: person, To: "other", End: now.Add(time.Hour), Note: "门诊"}, map[string]bool{"other": true}, now)
	if err != nil {
		t.Fatal(err)
	}
	none := domain.RestoreRoster(post, 0, nil, nil)
	first := domain.RestoreRoster(post, 1, roster.Shifts(), roster.HandOvers())
	save := func(was, r domain.Roster, c app.RosterAction) error {
		return f.Store.Change(t.Context(), app.Command{County: County, AccountID: "a", AccountName: "王主任"}, func(u app.Unit) error {
			u.SaveRoster(was, r, c)
			return nil
		})
	}
	settle(t, f, home, view)
	if err := save(none, first, app.RosterAction{Code: app.RosterSet}); err != nil {
		t.Fatal(err)
	}
	read := func(since time.Time) domain.Roster {
		list, err := f.Store.Rosters(t.Context(), app.RosterQuery{County: County, Department: &post.Department, Since: since})
		if err != nil || len(list) != 1 {
			t.Fatalf("%d rosters, %v", len(list), err)
		}
		return list[0]
	}
	got := read(now)
	if got.Version() != 1 || !slices.Equal(got.Shifts(), shifts) || !slices.Equal(got.HandOvers(), []domain.HandOver{over}) {
		t.Errorf("read %+v", got)
	}
	if got := read(now.Add(time.Hour)); len(got.HandOvers()) != 0 {
		t.Error("a hand-over that has ended is read")
	}
	if p, err := f.Store.PostOfHandOver(t.Context(), County, "h1"); err != nil || p != post {
		t.Errorf("post of the hand-over: %+v, %v", p, err)
	}
	if err := save(none, first, app.RosterAction{Code: app.RosterSet}); errs.KindOf(err) != errs.KindStale {
		t.Errorf("the same version again: %v", err)
	}
	other := "02"
	if list, err := f.Store.Rosters(t.Context(), app.RosterQuery{County: County, Department: &other}); err != nil || len(list) != 0 {
		t.Errorf("another post: %d, %v", len(list), err)
	}
	if facts := f.Facts(t); facts[len(facts)-1] != "tongzhen.directory.v1.RosterChanged" {
		t.Errorf("facts %v", facts)
	}
	versionsAreKept(t, f, first, over, save)
}

// settle makes an organisation with an account.
func settle(t *testing.T, f Fixture, home domain.Organization, view app.AccountView) {
	t.Helper()
	err := f.Store.Change(t.Context(), app.Command{County: County}, func(u app.Unit) error {
		u.NameCounty(County, "阳朔县")
		u.CreateOrganization(home)
		u.CreateAccount(view, app.Credential{})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// versionsAreKept: each change leaves the week as it was after it, and what stood before the first that is known has no author.
func versionsAreKept(t *testing.T, f Fixture, first domain.Roster, over domain.HandOver, save func(was, r domain.Roster, c app.RosterAction) error) {
	read := func() []app.RosterVersion {
		list, err := f.Store.RosterVersions(t.Context(), first.Post(), 10)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	list := read()
	if len(list) != 1 || list[0].Version != 1 || list[0].AccountName != "王主任" || !slices.Equal(list[0].Shifts, first.Shifts()) || !list[0].Time.Equal(f.Clock.Now()) {
		t.Fatalf("%+v", list)
	}
	next := domain.RestoreRoster(first.Post(), 2, nil, first.HandOvers())
	if err := save(first, next, app.RosterAction{Code: app.RosterTakeBack, HandOver: over}); err != nil {
		t.Fatal(err)
	}
	list = read()
	if len(list) != 2 || list[0].Version != 2 || len(list[0].Shifts) != 0 || list[0].Action.HandOver != over || list[1].Action.Code != app.RosterSet {
		t.Errorf("%+v", list)
	}
}
