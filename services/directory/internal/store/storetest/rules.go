package storetest

import (
	"sync"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/directory/internal/app"
	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

func pages(t *testing.T, f Fixture) {
	ctx := t.Context()
	codes := []string{"450321100", "450321101", "450321102"}
	change(t, f, func(u app.Unit) {
		u.NameCounty(County, "阳朔县")
		u.NameCounty("450322", "临桂")
		for _, code := range []string{codes[2], codes[0], codes[1]} {
			o := Organization(t, County, code)
			u.CreateOrganization(o)
			u.CreateAccount(Account(t, o, "doctor"+code), app.Credential{})
		}
		u.CreateOrganization(Organization(t, "450322", "450322100"))
	})
	var seen []string
	after := app.Position{}
	for {
		page, err := f.Store.Organizations(ctx, app.OrganizationQuery{County: County, Type: domain.TownshipCentre, After: after, Limit: 2})
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, o := range page {
			seen = append(seen, o.Data().Code)
		}
		last := page[len(page)-1].Data()
		after = app.Position{County: last.County, Key: last.Code}
	}
	expectList(t, seen, codes...)
	all, err := f.Store.Organizations(ctx, app.OrganizationQuery{})
	if err != nil || len(all) != 4 || all[3].Data().County != "450322" || len(all[3].Departments()) != 2 {
		t.Errorf("all counties: %v, %v", all, err)
	}
	none, err := f.Store.Organizations(ctx, app.OrganizationQuery{Type: domain.CountyHospital})
	if err != nil || len(none) != 0 {
		t.Errorf("hospitals: %v, %v", none, err)
	}
	one := Organization(t, County, codes[1]).Data().ID
	accounts, err := f.Store.Accounts(ctx, app.AccountQuery{County: County, OrganizationID: one, Limit: 10})
	if err != nil || len(accounts) != 1 || accounts[0].Account.Data().Login != "doctor"+codes[1] {
		t.Errorf("accounts of one organisation: %v, %v", accounts, err)
	}
	rest, err := f.Store.Accounts(ctx, app.AccountQuery{After: app.Position{County: County, Key: "doctor" + codes[0]}, Limit: 1})
	if err != nil || len(rest) != 1 || rest[0].Account.Data().Login != "doctor"+codes[1] {
		t.Errorf("second page of accounts: %v, %v", rest, err)
	}
}

func departments(t *testing.T, f Fixture) {
	o, _ := saved(t, f, "township")
	next, _, err := o.Update(o.Data(), []domain.Department{{Code: "02", Name: "全科", Location: "2层"}, {Code: "21", Name: "康复医学科"}})
	if err != nil {
		t.Fatal(err)
	}
	change(t, f, func(u app.Unit) {
		got, err := u.OrganizationsByCode(t.Context(), County, []string{o.Data().Code})
		if err != nil || got[o.Data().Code].Version() != 1 {
			t.Errorf("got %v, %v", got, err)
		}
		u.UpdateOrganization(next)
	})
	change(t, f, func(u app.Unit) {
		got, err := u.OrganizationsByID(t.Context(), County, []string{o.Data().ID})
		deps := got[o.Data().ID].Departments()
		if err != nil || len(deps) != 3 || deps[0].Name != "全科" || deps[0].HasBeds || deps[1].Code != "21" || deps[2].Code != "50" {
			t.Errorf("got %v, %v", deps, err)
		}
	})
}

func countedOnce(t *testing.T, f Fixture) {
	const tries = 12
	var wg sync.WaitGroup
	for range tries {
		wg.Go(func() {
			err := f.Store.Change(t.Context(), app.Command{County: "000000"}, func(u app.Unit) error {
				g, err := u.OpenGuard(t.Context(), "key")
				if err != nil {
					return err
				}
				u.FailSignIn(app.Failure{GuardKey: "key", Guard: domain.RestoreGuard(g.Failures()+1, u.Now(), time.Time{})})
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	state, err := f.Store.SignInState(t.Context(), "nobody", "key")
	if err != nil || state.Guard.Failures() != tries || !state.Guard.LastFailure().Equal(f.Clock.Now()) {
		t.Errorf("got %+v, %v", state.Guard, err)
	}
}

func forgets(t *testing.T, f Fixture) {
	_, v := saved(t, f, "township")
	now := f.Clock.Now()
	until := now.Add(time.Minute)
	change(t, f, func(u app.Unit) {
		u.FailSignIn(app.Failure{GuardKey: "key", Guard: domain.RestoreGuard(5, now, until), Locks: true, Account: &v})
	})
	state, err := f.Store.SignInState(t.Context(), "township", "key")
	if got, locked := state.Guard.Locked(now); err != nil || !locked || !got.Equal(until) {
		t.Errorf("got %+v, %v", state.Guard, err)
	}
	change(t, f, func(u app.Unit) { u.StartSession(domain.NewSession("s", v.Account, now), v, "key") })
	state, err = f.Store.SignInState(t.Context(), "township", "key")
	if err != nil || !state.Guard.Clean() {
		t.Errorf("got %+v, %v", state.Guard, err)
	}
	expectList(t, f.Entries(t), "organization.create", "account.create", "sign_in.fail", "sign_in.lock", "sign_in")
}

func notRevived(t *testing.T, f Fixture) {
	_, v := saved(t, f, "township")
	now := f.Clock.Now()
	s := domain.NewSession("s", v.Account, now)
	change(t, f, func(u app.Unit) { u.StartSession(s, v, "") })
	used, _ := s.Touch(now.Add(5 * time.Minute))
	change(t, f, func(u app.Unit) { u.TouchSession(used) })
	earlier, _ := s.Touch(now.Add(2 * time.Minute))
	change(t, f, func(u app.Unit) { u.TouchSession(earlier) })
	state := session(t.Context(), t, f, "s")
	if !state.Session.Times().LastSeen.Equal(now.Add(5*time.Minute)) || state.View.Account.Data().ID != v.Account.Data().ID {
		t.Errorf("got %+v", state)
	}
	change(t, f, func(u app.Unit) { u.EndSession(ended(state.Session, now.Add(6*time.Minute))) })
	late, _ := s.Touch(now.Add(7 * time.Minute))
	change(t, f, func(u app.Unit) { u.TouchSession(late) })
	if got := session(t.Context(), t, f, "s").Session.Times(); !got.Ended.Equal(now.Add(6*time.Minute)) || !got.LastSeen.Equal(now.Add(5*time.Minute)) {
		t.Errorf("got %+v", got)
	}
	expectKind(t, try(t, f, func(u app.Unit) { u.EndSession(ended(s, now)) }), errs.KindStale)
}

func purging(t *testing.T, f Fixture) {
	_, v := saved(t, f, "township")
	now := f.Clock.Now()
	change(t, f, func(u app.Unit) {
		u.StartSession(domain.NewSession("old", v.Account, now.Add(-time.Hour)), v, "")
		u.StartSession(domain.NewSession("new", v.Account, now), v, "")
		u.FailSignIn(app.Failure{GuardKey: "old", Guard: domain.RestoreGuard(3, now.Add(-time.Hour), time.Time{})})
		u.FailSignIn(app.Failure{GuardKey: "locked", Guard: domain.RestoreGuard(5, now.Add(-time.Hour), now)})
		u.FailSignIn(app.Failure{GuardKey: "new", Guard: domain.RestoreGuard(3, now, time.Time{})})
	})
	if err := f.Store.Purge(t.Context(), now.Add(-time.Minute), now.Add(-time.Minute)); err != nil {
		t.Fatal(err)
	}
	_, err := f.Store.SessionState(t.Context(), "old")
	expectKind(t, err, errs.KindNotFound)
	session(t.Context(), t, f, "new")
	for key, want := range map[string]int{"old": 0, "locked": 5, "new": 3} {
		state, err := f.Store.SignInState(t.Context(), "nobody", key)
		if err != nil || state.Guard.Failures() != want {
			t.Errorf("%s: %+v, %v", key, state.Guard, err)
		}
	}
}

func noSession(t *testing.T, f Fixture) {
	_, err := f.Store.SessionState(t.Context(), "s")
	expectKind(t, err, errs.KindNotFound)
	err = f.Store.Change(t.Context(), app.Command{County: County}, func(u app.Unit) error {
		_, err := u.Session(t.Context(), "s")
		return err
	})
	expectKind(t, err, errs.KindNotFound)
}
