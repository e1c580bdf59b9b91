package storetest

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func numbers(t *testing.T, f Fixture) {
	var mu sync.Mutex
	taken := map[int64]bool{}
	won := race(func(int) error {
		first, err := f.Store.ReserveNumbers(t.Context(), County, 2026, 100)
		mu.Lock()
		defer mu.Unlock()
		if taken[first] || first < 1 || first%100 != 1 {
			t.Errorf("block %d", first)
		}
		taken[first] = true
		return err
	})
	if won != workers {
		t.Errorf("%d of %d got a block", won, workers)
	}
	if first, err := f.Store.ReserveNumbers(t.Context(), County, 2027, 100); err != nil || first != 1 {
		t.Errorf("a new year begins at %d, %v", first, err)
	}
}

func list(t *testing.T, f Fixture, q app.Query) []string {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 100
	}
	views, err := f.Store.List(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, v := range views {
		out = append(out, v.PatientID)
	}
	return out
}

func pages(t *testing.T, f Fixture) {
	urgent := Draft("urgent", domain.KindOutpatient)
	urgent.Urgency = domain.UrgencyUrgent
	for _, d := range []domain.Draft{Draft("routine-1", domain.KindOutpatient), urgent, Draft("routine-2", domain.KindOutpatient), Draft("emergency", domain.KindEmergency)} {
		submitted(t, f, d)
		f.Clock.Advance(time.Minute)
	}
	late := submitted(t, f, Draft("closed", domain.KindOutpatient))
	must(t, f, desk(), late, domain.Command{Action: domain.ActionDecline, Carry: domain.Carry{Reason: "NO_BED"}})

	for byDue, want := range map[bool][]string{
		true:  {"emergency", "urgent", "routine-1", "routine-2", "closed"},
		false: {"closed", "emergency", "routine-2", "urgent", "routine-1"},
	} {
		for _, side := range []app.Query{{Inbox: true, Caller: desk()}, {Outbox: true, Caller: Doctor()}, {Inbox: true, Outbox: true, Caller: Doctor()}} {
			side.ByDue = byDue
			expectList(t, "whole list", list(t, f, side), want...)
			var got []string
			side.Limit = 2
			for {
				page, err := f.Store.List(t.Context(), side)
				if err != nil {
					t.Fatal(err)
				}
				if len(page) == 0 {
					break
				}
				for _, v := range page {
					got = append(got, v.PatientID)
				}
				place := app.Place(page[len(page)-1].Snapshot, byDue)
				side.After = &place
			}
			expectList(t, "page by page", got, want...)
		}
	}
	// What is newer than the place of a page does not move it.
	first, err := f.Store.List(t.Context(), app.Query{Inbox: true, Caller: desk(), Limit: 2})
	if err != nil {
		t.Fatal(err)
	}
	place := app.Place(first[1].Snapshot, false)
	f.Clock.Advance(time.Minute)
	submitted(t, f, Draft("newest", domain.KindOutpatient))
	expectList(t, "after an insert", list(t, f, app.Query{Inbox: true, Caller: desk(), After: &place}), "routine-2", "urgent", "routine-1")
}

func filters(t *testing.T, f Fixture) {
	plain := submitted(t, f, Draft("plain", domain.KindOutpatient))
	f.Clock.Advance(time.Second)
	accepted := submitted(t, f, Draft("accepted", domain.KindInpatient))
	must(t, f, desk(), accepted, domain.Command{Action: domain.ActionAccept, Carry: walkIn(f)})
	f.Clock.Advance(time.Second)
	draft, err := tryCreate(t, f, command(Doctor(), "", ""), Draft("draft", domain.KindOutpatient), "")
	if err != nil {
		t.Fatal(err)
	}
	must(t, f, Doctor(), draft, domain.Command{Action: domain.ActionCancel, Carry: domain.Carry{Reason: "DUPLICATE"}})
	f.Clock.Advance(time.Second)
	if _, err := tryCreate(t, f, command(Doctor(), "", ""), Draft("draft-2", domain.KindOutpatient), ""); err != nil {
		t.Fatal(err)
	}
	inbox := app.Query{Inbox: true, Caller: desk()}
	expectList(t, "inbox", list(t, f, inbox), "accepted", "plain")
	expectList(t, "outbox", list(t, f, app.Query{Outbox: true, Caller: Doctor()}), "draft-2", "draft", "accepted", "plain")
	expectList(t, "either", list(t, f, app.Query{Inbox: true, Outbox: true, Caller: desk()}), "accepted", "plain")

	q := inbox
	q.States = []domain.State{domain.StateSubmitted}
	expectList(t, "one state", list(t, f, q), "plain")
	q.States = []domain.State{domain.StateSubmitted, domain.StateAccepted}
	expectList(t, "two states", list(t, f, q), "accepted", "plain")
	q = inbox
	q.PatientID = "plain"
	expectList(t, "patient", list(t, f, q), "plain")
	q = inbox
	q.Urgency = domain.UrgencyUrgent
	expectList(t, "urgency", list(t, f, q))
	q = inbox
	q.Direction = domain.Down
	expectList(t, "direction", list(t, f, q))
	q = inbox
	q.Department, q.Sender = plain.Receiver.DepartmentCode, Doctor().Organization
	expectList(t, "department and sender", list(t, f, q), "accepted", "plain")
	if n, err := f.Store.Count(t.Context(), app.Query{Inbox: true, Caller: desk(), Department: q.Department, States: domain.Open()}); err != nil || n[domain.StateSubmitted].N != 1 || n[domain.StateAccepted].N != 1 || len(n) != 2 {
		t.Errorf("%v, %v", n, err)
	}
	if n, err := f.Store.Count(t.Context(), app.Query{Outbox: true, Caller: Doctor(), States: domain.Open()}); err != nil || n[domain.StateDraft].N != 1 {
		t.Errorf("%v, %v", n, err)
	}
	q.Department = "none"
	expectList(t, "another department", list(t, f, q))
	q.Department, q.Sender = "", desk().Organization
	expectList(t, "another sender", list(t, f, q))
	q = inbox
	day, _ := calendar().Day("2026-03-18")
	q.Expected = day
	expectList(t, "expected today", list(t, f, q), "accepted")
	q.Expected, _ = calendar().Day("2026-03-19")
	expectList(t, "expected tomorrow", list(t, f, q))

	sought(t, f, plain, accepted)

	batch, err := f.Store.Batch(t.Context(), desk(), []string{plain.ID, "unknown", accepted.ID})
	if err != nil || len(batch) != 2 {
		t.Errorf("batch: %d, %v", len(batch), err)
	}
}

// sought looks for some patients, for a number, and for a time of sending, which a draft has not; then for what is late, and by place.
func sought(t *testing.T, f Fixture, plain, accepted app.View) {
	t.Helper()
	q := app.Query{Outbox: true, Caller: Doctor(), PatientIDs: []string{"plain", "draft"}}
	expectList(t, "two patients", list(t, f, q), "draft", "plain")
	digits := strings.ReplaceAll(string(accepted.Number), "-", "")
	expectList(t, "a number", list(t, f, app.Query{Outbox: true, Caller: Doctor(), Number: digits}), "accepted")
	q = app.Query{Outbox: true, Caller: Doctor(), Sent: domain.Window{From: plain.SubmitTime, To: accepted.SubmitTime}}
	expectList(t, "sent until then", list(t, f, q), "plain")
	q.Sent = domain.Window{From: accepted.SubmitTime}
	expectList(t, "sent from then on", list(t, f, q), "accepted")

	lateOnes(t, f)
	places(t, f, accepted)
}

// places narrows a list with a plain one and an accepted inpatient to a kind, to who is on the way, and to who has no place.
func places(t *testing.T, f Fixture, accepted app.View) {
	t.Helper()
	inbox := app.Query{Inbox: true, Caller: desk()}
	q := inbox
	q.Kinds = []domain.Kind{domain.KindInpatient}
	expectList(t, "one kind", list(t, f, q), "accepted")
	q.Kinds = []domain.Kind{domain.KindInpatient, domain.KindOutpatient}
	expectList(t, "two kinds", list(t, f, q), "accepted", "plain")
	q = inbox
	q.OnTheWay = true
	expectList(t, "nobody has set out", list(t, f, q))
	if _, err := mark(t, f, command(Doctor(), "", ""), accepted.ID, domain.MarkCommand{
		Action: domain.MarkDepart, Transport: "AMBULANCE", Expected: f.Clock.Now().Add(time.Hour),
	}); err != nil {
		t.Fatal(err)
	}
	expectList(t, "on the way", list(t, f, q), "accepted")
	f.Clock.Advance(time.Second)
	held, err := tryCreate(t, f, command(Doctor(), "", ""), Draft("held", domain.KindOutpatient), "")
	if err != nil {
		t.Fatal(err)
	}
	must(t, f, Doctor(), held, domain.Command{Action: domain.ActionSubmit, Carry: domain.Carry{Number: number(t, f), HoldID: "hold"}})
	q = inbox
	q.WithoutHold, q.States = true, []domain.State{domain.StateSubmitted}
	expectList(t, "without a hold", list(t, f, q), "plain")
}

func organizations(t *testing.T, f Fixture) {
	put := func(fact string, o app.Organization) {
		t.Helper()
		if err := f.Store.PutOrganization(t.Context(), fact, o); err != nil {
			t.Fatal(err)
		}
	}
	o := app.Organization{
		County: County, ID: hospital, Version: 2, Name: "阳朔县人民医院", Type: "COUNTY_HOSPITAL",
		Departments: []app.Department{{Code: "0304", Name: "心血管内科"}, {Code: "20", Name: "急诊医学科"}},
	}
	put("fact-1", o)
	older := o
	older.Version, older.Name = 1, "旧名"
	put("fact-2", older)
	same := o
	same.Departments = []app.Department{{Code: "0304", Name: "心内科"}}
	put("", same)
	put("fact-1", o) // taken already
	got, found, err := f.Store.Organization(t.Context(), County, hospital)
	if err != nil || !found || got.Name != o.Name || !slices.Equal(got.Departments, same.Departments) {
		t.Errorf("got %+v, %v, %v", got, found, err)
	}
	if _, found, err := f.Store.Organization(t.Context(), "450322", hospital); found || err != nil {
		t.Errorf("another county has it: %v", err)
	}
}

func standings(t *testing.T, f Fixture) {
	v := submitted(t, f, Draft("patient-1", domain.KindOutpatient))
	if _, err := tryCreate(t, f, command(Doctor(), "", ""), Draft("patient-1", domain.KindInpatient), ""); err != nil {
		t.Fatal(err)
	}
	redirected := must(t, f, desk(), v, domain.Command{Action: domain.ActionRedirect, Carry: domain.Carry{
		Receiver: domain.Party{OrganizationID: "hospital-2", DepartmentCode: "0304"}, Reason: "NO_BED",
	}})
	for org, side := range map[string]domain.Side{township: domain.Originator, "hospital-2": domain.Receiver, hospital: ""} {
		got, err := f.Store.Standings(t.Context(), County, "patient-1", org)
		switch {
		case err != nil:
			t.Fatal(err)
		case side == "" && len(got) > 0, side != "" && (len(got) != 1 || got[0].Side != side || got[0].ReferralID != v.ID):
			t.Errorf("%s: %+v", org, got)
		}
	}
	for org, want := range map[string]bool{hospital: true, "hospital-2": false, township: false} {
		if was, err := f.Store.WasReceiver(t.Context(), County, redirected.ID, org); err != nil || was != want {
			t.Errorf("%s was the receiver: %v, %v", org, was, err)
		}
	}
}

func sealed(t *testing.T, f Fixture) {
	cmd := command(Doctor(), "r1", "a")
	v, err := tryCreate(t, f, cmd, Draft("patient-1", domain.KindEmergency), number(t, f))
	if err != nil {
		t.Fatal(err)
	}
	v = must(t, f, desk(), v, domain.Command{Action: domain.ActionReturn, Carry: domain.Carry{Reason: "OTHER", Note: Secret}})
	v = must(t, f, Doctor(), v, domain.Command{Action: domain.ActionResubmit, Carry: domain.Carry{Note: Secret}})
	v = must(t, f, desk(), v, domain.Command{Action: domain.ActionArrive})
	must(t, f, desk(), v, domain.Command{Action: domain.ActionConclude, Carry: domain.Carry{
		Outcome: "DIED", Reply: domain.Reply{Diagnosis: Secret, Treatment: Secret},
	}})
	if err := f.Store.NoteRead(t.Context(), desk(), v.Snapshot); err != nil {
		t.Fatal(err)
	}
	found(t, f, match(f, "encounter-1"))
	lives(t, f)
	checks(t, f)
	dump := f.Dump(t)
	if strings.Contains(dump, string(cmd.BodyHash)) {
		t.Error("the hash of a request is kept as it is: whoever guesses the text can prove it")
	}
	if !strings.Contains(dump, v.ID) {
		t.Fatal("the dump shows nothing")
	}
	if strings.Contains(dump, Secret) {
		t.Error("the database can be read")
	}
}

func counties(t *testing.T, f Fixture) {
	v := submitted(t, f, Draft("patient-1", domain.KindOutpatient))
	stranger := authn.Identity{Subject: "desk-1", Organization: hospital, County: "450322"}
	_, err := f.Store.Get(t.Context(), stranger, v.ID)
	expectReason(t, err, errs.ReasonNotFound)
	_, err = f.Store.ByNumber(t.Context(), stranger, v.Number)
	expectReason(t, err, errs.ReasonNotFound)
	_, err = f.Store.ByNumber(t.Context(), desk(), "")
	expectReason(t, err, errs.ReasonNotFound)
	expectList(t, "list", list(t, f, app.Query{Inbox: true, Caller: stranger}))
	_, err = f.Store.Change(t.Context(), command(stranger, "", ""), func(u app.Unit) error {
		_, err := u.Referral(t.Context(), v.ID)
		return err
	})
	expectReason(t, err, errs.ReasonNotFound)
}

func instants(t *testing.T, f Fixture) {
	f.Clock.Advance(123456*time.Microsecond + 789)
	d := Draft("patient-1", domain.KindOutpatient)
	d.Consent.At = time.Date(2026, 3, 17, 23, 59, 59, 999999000, time.FixedZone("CST", 8*3600)).UTC()
	v := submitted(t, f, d)
	got, err := f.Store.Get(t.Context(), Doctor(), v.ID)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got.Snapshot, v.Snapshot)
	if got.CreateTime.Location() != time.UTC || !got.Consent.At.Equal(d.Consent.At) {
		t.Errorf("created %v, consent %v", got.CreateTime, got.Consent.At)
	}
}

// lateOnes: the filter of what is late, and its count, by state.
func lateOnes(t *testing.T, f Fixture) {
	t.Helper()
	q := app.Query{Inbox: true, Caller: desk(), States: domain.Open(), Late: true}
	expectList(t, "late before any limit", list(t, f, q))
	f.Clock.Advance(30 * 24 * time.Hour)
	late := list(t, f, q)
	q.Late = false
	counts, err := f.Store.Count(t.Context(), q)
	if err != nil || len(late) == 0 {
		t.Fatalf("late after a month: %v, %v", late, err)
	}
	counted := 0
	for _, c := range counts {
		counted += c.Late
	}
	if counted != len(late) || counts[domain.StateSubmitted].Late != 1 {
		t.Errorf("%v are late, counted %v", late, counts)
	}
}
