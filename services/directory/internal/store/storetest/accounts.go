package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/directory/internal/app"
	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// accountsHaveAHistory: each change of an account, and of its password, is a version with who made it; nothing of it is the password.
func accountsHaveAHistory(t *testing.T, f Fixture) {
	_, v := saved(t, f, "township")
	d := v.Account.Data()
	rekeyed := v
	rekeyed.Account = v.Account.Rekeyed()
	off := rekeyed
	off.Account, _ = rekeyed.Account.Switch(true)
	change(t, f, func(u app.Unit) {
		u.SetPassword(rekeyed, app.Credential{Hash: "other", OneTime: true}, "", "account.reset_password")
	})
	change(t, f, func(u app.Unit) { u.UpdateAccount(off, "account.disable") })
	expectKind(t, try(t, f, func(u app.Unit) { u.SetPassword(rekeyed, app.Credential{Hash: "late"}, "", "account.reset_password") }), errs.KindStale)
	list, err := f.Store.AccountChanges(t.Context(), County, d.ID, 10)
	var actions []string
	for _, c := range list {
		actions = append(actions, c.Action)
		if c.By != "service:cli" || c.OrganizationName != v.OrganizationName || !c.Time.Equal(f.Clock.Now()) {
			t.Errorf("%+v", c)
		}
	}
	if err != nil || !slices.Equal(actions, []string{"account.disable", "account.reset_password", "account.create"}) || !list[0].Account.Data().Disabled || list[2].Account.Version() != 1 {
		t.Errorf("%v, %v", actions, err)
	}
	if short, err := f.Store.AccountChanges(t.Context(), County, d.ID, 1); err != nil || len(short) != 1 || short[0].Account.Version() != 3 {
		t.Errorf("%+v, %v", short, err)
	}
	state, err := f.Store.SignInState(t.Context(), "township", "key")
	if err != nil || state.Credential != (app.Credential{Hash: "other", OneTime: true, Set: f.Clock.Now()}) {
		t.Errorf("%+v, %v", state.Credential, err)
	}
	kept, err := f.Store.KeptAccount(t.Context(), County, d.ID)
	if err != nil || !kept.New || kept.State() != app.StateDisabled || !kept.Issued.Equal(f.Clock.Now()) {
		t.Errorf("%+v, %v", kept, err)
	}
	_, err = f.Store.KeptAccount(t.Context(), "450322", d.ID)
	expectKind(t, err, errs.KindNotFound)
	_, err = f.Store.AccountByLogin(t.Context(), "450322", "township")
	expectKind(t, err, errs.KindNotFound)
	expectList(t, f.Entries(t), "organization.create", "account.create", "account.reset_password", "account.disable")
}

// sessionsEndWithTheAccess: a new password ends all sessions but the one that is named, disabling ends all.
func sessionsEndWithTheAccess(t *testing.T, f Fixture) {
	_, v := saved(t, f, "township")
	now := f.Clock.Now()
	for _, id := range []string{"own", "other"} {
		change(t, f, func(u app.Unit) { u.StartSession(domain.NewSession(id, v.Account, now), v, "") })
	}
	f.Clock.Advance(time.Minute)
	v.Account = v.Account.Rekeyed()
	change(t, f, func(u app.Unit) { u.SetPassword(v, app.Credential{Hash: "new"}, "own", "account.change_password") })
	if own := session(t.Context(), t, f, "own"); !own.Session.Live(f.Clock.Now()) || own.OneTime {
		t.Errorf("%+v", own)
	}
	if other := session(t.Context(), t, f, "other"); other.Session.Live(f.Clock.Now()) {
		t.Error("the other session goes on")
	}
	v.Account, _ = v.Account.Switch(true)
	change(t, f, func(u app.Unit) { u.UpdateAccount(v, "account.disable") })
	if own := session(t.Context(), t, f, "own"); own.Session.Live(f.Clock.Now()) {
		t.Error("the session of a disabled account goes on")
	}
}

// administratorsAreCounted: those who are enabled, by each role, of their county.
func administratorsAreCounted(t *testing.T, f Fixture) {
	o, _ := saved(t, f, "township")
	ids := map[string]string{}
	for login, roles := range map[string][]domain.Role{
		"a": {domain.CountyAdmin}, "b": {domain.TownshipDoctor, domain.CountyAdmin}, "c": {domain.SystemAdmin}, "d": {domain.Auditor}, "gone": {domain.CountyAdmin},
	} {
		d := Account(t, o, login).Account.Data()
		d.Roles, d.Disabled = roles, login == "gone"
		a, err := domain.NewAccount(d, o)
		if err != nil {
			t.Fatal(err)
		}
		ids[login] = d.ID
		change(t, f, func(u app.Unit) {
			u.CreateAccount(app.AccountView{Account: a, OrganizationName: o.Data().Name}, app.Credential{})
		})
	}
	change(t, f, func(u app.Unit) {
		got, err := u.Administrators(t.Context(), County)
		county := got[domain.CountyAdmin]
		if err != nil || len(county) != 2 || !slices.Contains(county, ids["a"]) || !slices.Contains(county, ids["b"]) || !slices.Equal(got[domain.SystemAdmin], []string{ids["c"]}) {
			t.Errorf("%v, %v", got, err)
		}
		if none, err := u.Administrators(t.Context(), "450322"); err != nil || len(none[domain.CountyAdmin]) != 0 {
			t.Errorf("%v, %v", none, err)
		}
		one, err := u.Account(t.Context(), County, ids["b"])
		if err != nil || one.Account.Data().Login != "b" || one.OrganizationName != o.Data().Name {
			t.Errorf("%+v, %v", one, err)
		}
		_, err = u.Account(t.Context(), "450322", ids["b"])
		expectKind(t, err, errs.KindNotFound)
	})
}
