// Package storetest is the contract of app.Store as tests, for every engine.
package storetest

import (
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// County of everything that the suite makes.
const County = "450321"

// Opened is a fresh store and the clock that its transactions go by.
type Opened struct {
	Store      app.Store
	Deliveries app.Deliveries
	Addresses  app.Addresses
	Links      app.Links
	Retention  app.Retention
	Clock      *clock.Fixed
}

// Suite holds a store to the contract. open gives each test a store of its own.
func Suite(t *testing.T, open func(t *testing.T) Opened) {
	for name, test := range map[string]func(*testing.T, Opened){
		"a fact is handled once":                 handledOnce,
		"an error leaves no trace":               noTrace,
		"lists go newest first and by pages":     pages,
		"an entry is its account's alone":        alone,
		"acknowledged entries leave the open":    acknowledged,
		"an older account is ignored":            olderAccount,
		"recipients are found by role":           byRole,
		"an account is meant only where it is":   byAccount,
		"the latest reading counts":              reading,
		"delivered entries are listed by id":     delivered,
		"counties do not see each other's rows":  counties,
		"a limit's entry keeps what it is about": aboutLimit,
		"the latest end of a wait counts":        settledOnce,
		"open limits of a referral are found":    openLimits,
		"who was told is listed by organisation": whoWasTold,
		"somebody anywhere in the county":        anywhere,
		"a name that came later is taken":        nameTaken,
		"a message is dispatched once":           dispatchedOnce,
		"a message with a gap is refused":        dispatchWhole,
		"what nobody needs is cancelled":         cancelled,
		"what nobody needs is not sent again":    notReplayed,
		"what is due is claimed once":            claimedOnce,
		"emergencies find room":                  claimedWithRoom,
		"digests are claimed together":           claimedTogether,
		"an attempt is begun and finished":       begunAndFinished,
		"who is gone is not sent to":             goneIsNotBegun,
		"a link of who is gone opens nothing":    linkOfWhoIsGone,
		"deliveries are listed by scope":         listedByScope,
		"addresses are kept and removed":         addressesKept,
		"the directory's address is in force":    directorysAddress,
		"what is over goes, what waits stays":    pruned,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func command() app.Command {
	return app.Command{Caller: app.Caller{County: County, AccountID: app.Self}}
}

// add writes an entry of the account about the referral.
func add(t testing.TB, o Opened, account, referral string) domain.EntryData {
	t.Helper()
	f := domain.Fact{ID: id.New(), Event: "accepted", ReferralID: referral, ReferralNumber: "450321260000123", Urgency: "URGENT",
		ReasonCode: "OTHER", ActorOrganizationID: "hospital"}
	e, err := domain.NewEntry(County, id.FromFact(f.ID, account), account, f, o.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Store.Change(t.Context(), command(), func(u app.Unit) error { u.Add(e); return nil }); err != nil {
		t.Fatal(err)
	}
	return e.Data()
}

func entries(t testing.TB, o Opened, q app.EntryQuery) ([]domain.EntryData, int) {
	t.Helper()
	q.County = County
	got, open, err := o.Store.Entries(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return got, open
}

func handledOnce(t *testing.T, o Opened) {
	cmd := command()
	cmd.Consumer, cmd.FactID = "c", id.New()
	n := 0
	for range 3 {
		if err := o.Store.Change(t.Context(), cmd, func(app.Unit) error { n++; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if n != 1 {
		t.Errorf("handled %d times", n)
	}
}

func noTrace(t *testing.T, o Opened) {
	boom := errors.New("boom")
	cmd := command()
	cmd.Consumer, cmd.FactID = "c", id.New()
	f := domain.Fact{ID: cmd.FactID, Event: "accepted", ReferralID: "r"}
	e, err := domain.NewEntry(County, id.New(), "a", f, o.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Store.Change(t.Context(), cmd, func(u app.Unit) error { u.Add(e); return boom }); !errors.Is(err, boom) {
		t.Fatal(err)
	}
	if got, open := entries(t, o, app.EntryQuery{AccountID: "a", State: "ALL", Limit: 10}); len(got) != 0 || open != 0 {
		t.Errorf("%d entries stayed", len(got))
	}
	again := false
	if err := o.Store.Change(t.Context(), cmd, func(app.Unit) error { again = true; return nil }); err != nil || !again {
		t.Errorf("the fact counts as handled: %v", err)
	}
}

func pages(t *testing.T, o Opened) {
	var want []string
	for i := range 7 {
		if i%3 != 0 {
			o.Clock.Advance(time.Second) // some share their instant
		}
		want = append(want, add(t, o, "a", "r"+strconv.Itoa(i)).ID)
	}
	add(t, o, "b", "r")
	q := app.EntryQuery{AccountID: "a", State: "OPEN", Limit: 3}
	var got []domain.EntryData
	for {
		page, open := entries(t, o, q)
		if open != 7 {
			t.Errorf("%d open", open)
		}
		got = append(got, page...)
		if len(page) < q.Limit {
			break
		}
		q.BeforeTime, q.BeforeID = page[len(page)-1].CreateTime, page[len(page)-1].ID
	}
	var ids []string
	for i, d := range got {
		if i > 0 && got[i-1].CreateTime.Before(d.CreateTime) {
			t.Error("not newest first")
		}
		ids = append(ids, d.ID)
	}
	slices.Sort(ids)
	slices.Sort(want)
	if !slices.Equal(ids, want) {
		t.Errorf("%d entries in all pages, want %d", len(slices.Compact(ids)), len(want))
	}
}

func alone(t *testing.T, o Opened) {
	d := add(t, o, "a", "r")
	err := o.Store.Change(t.Context(), command(), func(u app.Unit) error {
		_, err := u.Entry(t.Context(), "b", d.ID)
		return err
	})
	if errs.KindOf(err) != errs.KindNotFound {
		t.Errorf("another account's entry: %v", err)
	}
}

func acknowledged(t *testing.T, o Opened) {
	first, second := add(t, o, "a", "r"), add(t, o, "a", "r")
	add(t, o, "a", "other")
	err := o.Store.Change(t.Context(), command(), func(u app.Unit) error {
		e, err := u.Entry(t.Context(), "a", first.ID)
		if err != nil {
			return err
		}
		e.Acknowledge(u.Now())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, open := entries(t, o, app.EntryQuery{AccountID: "a", State: "ACKNOWLEDGED", Limit: 9}); len(got) != 1 || open != 2 ||
		got[0].ID != first.ID || !got[0].AcknowledgeTime.Equal(o.Clock.Now()) || got[0].ReasonCode != "OTHER" {
		t.Errorf("acknowledged %+v, %d open", got, open)
	}
	if got, _ := entries(t, o, app.EntryQuery{AccountID: "a", State: "OPEN", Limit: 9}); len(got) != 2 {
		t.Errorf("%d open", len(got))
	}
	err = o.Store.Change(t.Context(), command(), func(u app.Unit) error {
		found, err := u.OpenEntries(t.Context(), "a", "r")
		if err != nil {
			return err
		}
		if len(found) != 1 || found[0].Data().ID != second.ID {
			t.Errorf("open for the referral: %v", found)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func account(accountID, organization string, version int32, roles ...string) domain.Account {
	return domain.Account{County: County, ID: accountID, Version: version, OrganizationID: organization, DepartmentCode: "0304", Roles: roles}
}

func save(t testing.TB, o Opened, accounts ...domain.Account) {
	t.Helper()
	if err := o.Store.SaveAccounts(t.Context(), command(), accounts); err != nil {
		t.Fatal(err)
	}
}

func resolve(t testing.TB, o Opened, r domain.Recipient) (accounts []string, known bool) {
	t.Helper()
	err := o.Store.Change(t.Context(), command(), func(u app.Unit) (err error) {
		accounts, known, err = u.Resolve(t.Context(), r)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return accounts, known
}

func olderAccount(t *testing.T, o Opened) {
	save(t, o, account("a", "hospital", 3, "INTAKE_DESK"))
	save(t, o, account("a", "elsewhere", 2, "INTAKE_DESK"))
	if got, _ := resolve(t, o, domain.Recipient{OrganizationID: "hospital", Roles: []string{"INTAKE_DESK"}}); !slices.Equal(got, []string{"a"}) {
		t.Errorf("after an older version: %v", got)
	}
	newer := account("a", "hospital", 4, "INTAKE_DESK")
	newer.Disabled = true
	save(t, o, newer)
	if got, known := resolve(t, o, domain.Recipient{OrganizationID: "hospital", Roles: []string{"INTAKE_DESK"}}); len(got) != 0 || !known {
		t.Errorf("a disabled account: %v, known %v", got, known)
	}
}

func byRole(t *testing.T, o Opened) {
	save(t, o, account("a", "hospital", 1, "INTAKE_DESK", "BED_MANAGER"), account("b", "hospital", 1, "SPECIALIST"),
		account("c", "hospital", 1, "DEPARTMENT_HEAD"), account("d", "centre", 1, "INTAKE_DESK"))
	for _, c := range []struct {
		r     domain.Recipient
		want  []string
		known bool
	}{
		{domain.Recipient{OrganizationID: "hospital", Roles: []string{"INTAKE_DESK"}}, []string{"a"}, true},
		{domain.Recipient{OrganizationID: "hospital", DepartmentCode: "0304", Roles: []string{"SPECIALIST", "DEPARTMENT_HEAD"}}, []string{"b", "c"}, true},
		{domain.Recipient{OrganizationID: "hospital", DepartmentCode: "05", Roles: []string{"SPECIALIST"}}, nil, true},
		{domain.Recipient{OrganizationID: "hospital", Roles: []string{"DESK"}}, nil, true},
		{domain.Recipient{OrganizationID: "nowhere", Roles: []string{"INTAKE_DESK"}}, nil, false},
	} {
		if got, known := resolve(t, o, c.r); !slices.Equal(got, c.want) || known != c.known {
			t.Errorf("%+v: %v, known %v", c.r, got, known)
		}
	}
}

func byAccount(t *testing.T, o Opened) {
	gone := account("gone", "centre", 1, "TOWNSHIP_DOCTOR")
	gone.Disabled = true
	save(t, o, account("doctor", "centre", 1, "TOWNSHIP_DOCTOR"), account("other", "centre", 1, "TOWNSHIP_DOCTOR"),
		account("moved", "hospital", 1, "SPECIALIST"), gone)
	for accountID, want := range map[string][]string{
		"doctor": {"doctor"}, "gone": {"doctor", "other"}, "moved": {"doctor", "other"}, "unknown": {"doctor", "other"},
	} {
		got, known := resolve(t, o, domain.Recipient{AccountID: accountID, OrganizationID: "centre", Roles: []string{"TOWNSHIP_DOCTOR"}})
		if !slices.Equal(got, want) || known != (accountID != "unknown") {
			t.Errorf("%s: %v, known %v", accountID, got, known)
		}
	}
}

func reading(t *testing.T, o Opened) {
	if at, err := o.Store.ReadTime(t.Context(), County); err != nil || !at.IsZero() {
		t.Errorf("before any: %s, %v", at, err)
	}
	now := o.Clock.Now()
	for _, at := range []time.Time{now, now.Add(-time.Hour)} {
		if err := o.Store.SaveRead(t.Context(), County, at); err != nil {
			t.Fatal(err)
		}
	}
	if at, err := o.Store.ReadTime(t.Context(), County); err != nil || !at.Equal(now) {
		t.Errorf("read at %s, want %s, %v", at, now, err)
	}
	save(t, o, account("a", "hospital", 1))
	if got, err := o.Store.Counties(t.Context()); err != nil || !slices.Equal(got, []string{County}) {
		t.Errorf("counties %v, %v", got, err)
	}
}

func delivered(t *testing.T, o Opened) {
	for range 3 {
		add(t, o, "a", "r")
		add(t, o, "b", "other")
	}
	var got []domain.EntryData
	for p := (app.Page{Limit: 2}); ; p.After = got[len(got)-1].ID {
		page, err := o.Store.Delivered(t.Context(), County, "", p)
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, page...); len(page) < p.Limit {
			break
		}
	}
	if len(got) != 6 {
		t.Errorf("%d entries", len(got))
	}
	if got, err := o.Store.Delivered(t.Context(), County, "r", app.Page{Limit: 10}); err != nil || len(got) != 3 {
		t.Errorf("%d entries of the referral, %v", len(got), err)
	}
}

func counties(t *testing.T, o Opened) {
	d := add(t, o, "a", "r")
	if got, open, err := o.Store.Entries(t.Context(), app.EntryQuery{County: "450322", AccountID: "a", State: "ALL", Limit: 9}); err != nil || len(got)+open != 0 {
		t.Errorf("%d entries, %v", len(got), err)
	}
	elsewhere := app.Command{Caller: app.Caller{County: "450322", AccountID: "a"}}
	err := o.Store.Change(t.Context(), elsewhere, func(u app.Unit) error {
		_, err := u.Entry(t.Context(), "a", d.ID)
		return err
	})
	if errs.KindOf(err) != errs.KindNotFound {
		t.Errorf("an entry of another county: %v", err)
	}
}
