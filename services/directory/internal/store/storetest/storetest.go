// Package storetest is the conformance suite of app.Store: whatever keeps the directory passes it, on every engine.
package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/directory/internal/app"
	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// Fixture is an empty store on a fixed clock. Facts and Entries tell the types of the facts in the outbox and the
// actions in the audit, in the order in which they were written; Woken counts the calls of wake. Forget drops all versions of places, as if what
// stands had been written before versions were kept.
type Fixture struct {
	Store   app.Store
	Clock   *clock.Fixed
	Facts   func(t *testing.T) []string
	Entries func(t *testing.T) []string
	Woken   func() int
	Forget  func(t *testing.T)
}

// County of the suite.
const County = "450321"

// Suite runs every rule of the contract, each on a store of its own.
func Suite(t *testing.T, open func(t *testing.T) Fixture) {
	rules := []struct {
		name string
		rule func(t *testing.T, f Fixture)
	}{
		{"what a change saved is read again", savedIsRead},
		{"a change whose function fails leaves nothing", nothingIsLeft},
		{"row, audit entry and fact are written together", together},
		{"a change without a fact wakes nobody", wakesNobody},
		{"a code or login that exists is stale", existing},
		{"an update of an old version is stale", oldVersion},
		{"a login belongs to one account of all counties", oneLogin},
		{"lists go page by page in order, within a county or over all", pages},
		{"departments are added and changed, never removed", departments},
		{"failures at the same moment are all counted", countedOnce},
		{"a sign-in forgets the wrong passwords", forgets},
		{"a use does not take back the end of a session", notRevived},
		{"purging forgets what is old and keeps locks", purging},
		{"a session that does not exist is not found", noSession},
		{"row, audit entry and fact of a medicine are written together", medicinesAreKept},
		{"a medicine made or changed by two is stale for the second", medicineMadeTwice},
		{"facts carry at most 200 medicines", factsAreBounded},
		{"medicines are listed by name for people and whole for copies", medicinesByName},
		{"medicines are found by name, pinyin initials and class", medicinesAreFound},
		{"capabilities are replaced all at once", capabilitiesAreReplaced},
		{"a roster is kept whole, under its version", rostersAreKept},
		{"accounts have a history", accountsHaveAHistory},
		{"sessions end with the access", sessionsEndWithTheAccess},
		{"administrators are counted", administratorsAreCounted},
		{"every version of a place is kept, with who made it", placeVersionsAreKept},
		{"the version before the first change is kept too", firstVersionsAreKept},
		{"what hangs on organisations is counted", hangingIsCounted},
		{"a line of a list tells since when its stock is so", stockSince},
	}
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			r.rule(t, open(t))
		})
	}
}

// Organization is one of the code in the county.
func Organization(t *testing.T, county, code string) domain.Organization {
	t.Helper()
	o, err := domain.NewOrganization(domain.OrganizationData{
		ID: id.FromFact(county, code), County: county, Code: code, Name: "卫生院" + code, NameEn: "Centre", Type: domain.TownshipCentre,
		Address: "白沙镇", Phone: "1",
	}, []domain.Department{{Code: "02", Name: "全科医疗科", NameEn: "GP", Location: "1层", Phone: "2", HasBeds: true}, {Code: "50", Name: "中医科"}})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// Account is one of the organisation.
func Account(t *testing.T, home domain.Organization, login string) app.AccountView {
	t.Helper()
	a, err := domain.NewAccount(domain.AccountData{
		ID: id.FromFact(home.Data().County, login), County: home.Data().County, Login: login, Name: "莫秀英",
		OrganizationID: home.Data().ID, DepartmentCode: "02", Phone: "3", PractitionerID: "p",
		Roles: []domain.Role{domain.TownshipDoctor, domain.CentreHead},
	}, home)
	if err != nil {
		t.Fatal(err)
	}
	return app.AccountView{Account: a, OrganizationName: home.Data().Name}
}

func change(t *testing.T, f Fixture, fn func(u app.Unit)) {
	t.Helper()
	if err := try(t, f, fn); err != nil {
		t.Fatal(err)
	}
}

func try(t *testing.T, f Fixture, fn func(u app.Unit)) error {
	t.Helper()
	return f.Store.Change(t.Context(), app.Command{County: County, AccountID: "service:cli"}, func(u app.Unit) error {
		fn(u)
		return nil
	})
}

// saved makes a county, an organisation and an account with the password hash "hash".
func saved(t *testing.T, f Fixture, login string) (domain.Organization, app.AccountView) {
	t.Helper()
	o := Organization(t, County, "450321101")
	v := Account(t, o, login)
	change(t, f, func(u app.Unit) {
		u.NameCounty(County, "阳朔县")
		u.CreateOrganization(o)
		u.CreateAccount(v, app.Credential{Hash: "hash"})
	})
	return o, v
}

func expectKind(t *testing.T, err error, want errs.Kind) {
	t.Helper()
	if errs.KindOf(err) != want {
		t.Errorf("got %v, want kind %v", err, want)
	}
}

func savedIsRead(t *testing.T, f Fixture) {
	o, v := saved(t, f, "township")
	for county, want := range map[string]string{County: "阳朔县", "450322": ""} {
		if name, err := f.Store.CountyName(t.Context(), county); err != nil || name != want {
			t.Errorf("county %s is called %q, %v", county, name, err)
		}
	}
	got, err := f.Store.Organization(t.Context(), County, o.Data().ID)
	if err != nil || got.Data() != o.Data() || got.Version() != 1 || len(got.Departments()) != 2 || got.Departments()[0] != o.Departments()[0] {
		t.Errorf("got %+v %v, %v", got.Data(), got.Departments(), err)
	}
	_, err = f.Store.Organization(t.Context(), "450322", o.Data().ID)
	expectKind(t, err, errs.KindNotFound)
	state, err := f.Store.SignInState(t.Context(), "township", "key")
	if err != nil || !state.Found || state.Credential.Hash != "hash" || !state.Guard.Clean() || state.View.OrganizationName != v.OrganizationName {
		t.Errorf("got %+v, %v", state, err)
	}
	if _, changed, err := state.View.Account.Update(v.Account.Data(), o); changed || err != nil {
		t.Errorf("the account came back as %+v", state.View.Account.Data())
	}
	if state, err = f.Store.SignInState(t.Context(), "nobody", "key"); err != nil || state.Found || state.Credential.Hash != "" {
		t.Errorf("nobody: %+v, %v", state, err)
	}
	known, err := f.Store.Logins(t.Context(), []string{"township", "nobody"})
	if err != nil || known["township"] == "" || len(known) != 1 {
		t.Errorf("logins %v, %v", known, err)
	}
}

func nothingIsLeft(t *testing.T, f Fixture) {
	wrong := errors.New("changed its mind")
	err := f.Store.Change(t.Context(), app.Command{County: County}, func(u app.Unit) error {
		u.NameCounty(County, "阳朔县")
		u.CreateOrganization(Organization(t, County, "450321101"))
		return wrong
	})
	if !errors.Is(err, wrong) {
		t.Errorf("got %v", err)
	}
	list, err := f.Store.Organizations(t.Context(), app.OrganizationQuery{})
	if err != nil || len(list) != 0 || len(f.Facts(t)) != 0 || len(f.Entries(t)) != 0 || f.Woken() != 0 {
		t.Errorf("%d organisations, facts %v, entries %v, %v", len(list), f.Facts(t), f.Entries(t), err)
	}
}

func together(t *testing.T, f Fixture) {
	saved(t, f, "township")
	expectList(t, f.Facts(t), "tongzhen.directory.v1.OrganisationChanged", "tongzhen.directory.v1.AccountChanged")
	expectList(t, f.Entries(t), "organization.create", "account.create")
	if f.Woken() != 1 {
		t.Errorf("woken %d times", f.Woken())
	}
}

func wakesNobody(t *testing.T, f Fixture) {
	change(t, f, func(u app.Unit) { u.NameCounty(County, "") })
	change(t, f, func(u app.Unit) { u.NameCounty(County, "阳朔县") })
	if f.Woken() != 0 {
		t.Errorf("woken %d times", f.Woken())
	}
}

func existing(t *testing.T, f Fixture) {
	o, v := saved(t, f, "township")
	d := o.Data()
	d.ID = id.New()
	other, err := domain.NewOrganization(d, nil)
	if err != nil {
		t.Fatal(err)
	}
	expectKind(t, try(t, f, func(u app.Unit) { u.CreateOrganization(other) }), errs.KindStale)
	a := v.Account.Data()
	a.ID = id.New()
	double, err := domain.NewAccount(a, o)
	if err != nil {
		t.Fatal(err)
	}
	expectKind(t, try(t, f, func(u app.Unit) { u.CreateAccount(app.AccountView{Account: double}, app.Credential{}) }), errs.KindStale)
}

func oldVersion(t *testing.T, f Fixture) {
	o, v := saved(t, f, "township")
	d := o.Data()
	d.Name = "新名"
	next, _, err := o.Update(d, nil)
	if err != nil {
		t.Fatal(err)
	}
	change(t, f, func(u app.Unit) { u.UpdateOrganization(next) })
	expectKind(t, try(t, f, func(u app.Unit) { u.UpdateOrganization(next) }), errs.KindStale)
	a := v.Account.Data()
	a.Disabled = true
	later, _, err := v.Account.Update(a, next)
	if err != nil {
		t.Fatal(err)
	}
	change(t, f, func(u app.Unit) {
		u.UpdateAccount(app.AccountView{Account: later, OrganizationName: "新名"}, "account.update")
	})
	expectKind(t, try(t, f, func(u app.Unit) { u.UpdateAccount(app.AccountView{Account: later}, "account.update") }), errs.KindStale)
	list, err := f.Store.Accounts(t.Context(), app.AccountQuery{County: County, Limit: 10})
	if err != nil || len(list) != 1 || !list[0].Account.Data().Disabled || list[0].Account.Version() != 2 || list[0].OrganizationName != "新名" {
		t.Errorf("got %+v, %v", list, err)
	}
}

func oneLogin(t *testing.T, f Fixture) {
	_, v := saved(t, f, "township")
	change(t, f, func(u app.Unit) {
		found, err := u.AccountsByLogin(t.Context(), []string{"township", "nobody"})
		if err != nil || len(found) != 1 || found["township"].Data().ID != v.Account.Data().ID {
			t.Errorf("got %v, %v", found, err)
		}
	})
	elsewhere := Organization(t, "450322", "450322100")
	double := Account(t, elsewhere, "township")
	err := try(t, f, func(u app.Unit) {
		u.NameCounty("450322", "")
		u.CreateOrganization(elsewhere)
		u.CreateAccount(double, app.Credential{})
	})
	expectKind(t, err, errs.KindStale)
}

func expectList(t *testing.T, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("got %v, want %v", got, want)
		return
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %v, want %v", got, want)
			return
		}
	}
}

func ended(s domain.Session, at time.Time) domain.Session {
	s, _ = s.End(at)
	return s
}

func session(ctx context.Context, t *testing.T, f Fixture, sessionID string) app.SessionState {
	t.Helper()
	state, err := f.Store.SessionState(ctx, sessionID)
	if err != nil {
		t.Fatal(err)
	}
	return state
}
