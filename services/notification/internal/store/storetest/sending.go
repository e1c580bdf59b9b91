package storetest

import (
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

func claim(t testing.TB, o Opened, c app.Claim) []domain.Delivery {
	t.Helper()
	if c.Channel == "" {
		c.Channel = domain.Email
	}
	c.Until = o.Clock.Now().Add(time.Minute)
	got, err := o.Deliveries.Claim(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func claimedOnce(t *testing.T, o Opened) {
	emergency, first, later, elsewhere := dispatch(o), dispatch(o), dispatch(o), dispatch(o)
	emergency.Urgency, emergency.DueTime = "EMERGENCY", o.Clock.Now()
	first.DueTime = o.Clock.Now().Add(-time.Hour)
	later.DueTime = o.Clock.Now().Add(time.Second)
	elsewhere.Channel = domain.SMS
	send(t, o, first, emergency, later, elsewhere)
	one := claim(t, o, app.Claim{Lease: "one", Limit: 1})
	two := claim(t, o, app.Claim{Lease: "two", Limit: 10})
	if len(one) != 1 || one[0].ID != emergency.ID || len(two) != 1 || two[0].ID != first.ID {
		t.Fatalf("%v, then %v", one, two)
	}
	if due, err := o.Deliveries.Due(t.Context(), domain.Email, false); err != nil || due {
		t.Errorf("something is due: %v", err)
	}
	o.Clock.Advance(time.Second)
	if due, err := o.Deliveries.Due(t.Context(), domain.Email, false); err != nil || !due {
		t.Errorf("nothing is due: %v", err)
	}
	// What is done under another lease changes nothing.
	if err := o.Deliveries.SetAside(t.Context(), "two", []app.Aside{{County: County, ID: emergency.ID, State: domain.StateSkipped}}); err != nil {
		t.Fatal(err)
	}
	if got := delivery(t, o, emergency.ID); got.State != domain.StateSending {
		t.Errorf("%s", got.State)
	}
}

// An emergency is claimed where no hand is free for the rest; what is for a group that is left out is not.
func claimedWithRoom(t *testing.T, o Opened) {
	routine, emergency, group := dispatch(o), dispatch(o), dispatch(o)
	emergency.Urgency = "EMERGENCY"
	group.AccountID, group.EntryID, group.OrganizationID, group.DepartmentCode, group.Urgency = "", "", "hospital", "0304", "EMERGENCY"
	send(t, o, routine, emergency, group)
	except := []app.Owner{{County: County, OrganizationID: "hospital", DepartmentCode: "0304"}, {County: County, OrganizationID: "centre"}}
	if due, err := o.Deliveries.Due(t.Context(), domain.Email, true); err != nil || !due {
		t.Errorf("no emergency is due: %v", err)
	}
	if got := claim(t, o, app.Claim{Lease: "one", Urgent: 5, Except: except}); len(got) != 1 || got[0].ID != emergency.ID {
		t.Errorf("%v", got)
	}
	if got := claim(t, o, app.Claim{Lease: "two", Limit: 5, Except: except}); len(got) != 1 || got[0].ID != routine.ID {
		t.Errorf("%v", got)
	}
	if got := claim(t, o, app.Claim{Lease: "three", Limit: 5}); len(got) != 1 || got[0].ID != group.ID {
		t.Errorf("%v", got)
	}
	many := make([]app.Owner, 5000)
	for i := range many {
		many[i] = app.Owner{County: County, OrganizationID: "hospital", DepartmentCode: strconv.Itoa(i)}
	}
	last := dispatch(o)
	send(t, o, last)
	if got := claim(t, o, app.Claim{Lease: "four", Limit: 5, Except: many}); len(got) != 1 || got[0].ID != last.ID {
		t.Errorf("with all groups left out that are remembered: %v", got)
	}
	send(t, o, dispatch(o))
	if due, err := o.Deliveries.Due(t.Context(), domain.Email, true); err != nil || due {
		t.Errorf("an emergency is due: %v", err)
	}
}

func claimedTogether(t *testing.T, o Opened) {
	var all []domain.Dispatch
	for range 5 {
		d := dispatch(o)
		d.Digest = true
		all = append(all, d)
	}
	all[3].AccountID, all[4].Language = "head", "en"
	alone := dispatch(o)
	alone.DueTime = o.Clock.Now().Add(time.Minute)
	send(t, o, append(all, alone)...)
	got := claim(t, o, app.Claim{Lease: "one", Limit: 1, With: 20})
	recipients := map[[6]string]int{}
	for _, d := range got {
		recipients[d.Recipient()]++
	}
	if len(recipients) != 1 {
		t.Errorf("one message for %v", recipients)
	}
	if rest := claim(t, o, app.Claim{Lease: "two", Limit: 10, With: 20}); len(got)+len(rest) != 5 {
		t.Errorf("%d and %d", len(got), len(rest))
	}
}

func begunAndFinished(t *testing.T, o Opened) {
	sent, unneeded := dispatch(o), dispatch(o)
	send(t, o, sent, unneeded)
	if got := claim(t, o, app.Claim{Lease: "one", Limit: 10}); len(got) != 2 {
		t.Fatalf("%v", got)
	}
	if err := o.Store.Change(t.Context(), command(), func(u app.Unit) error { u.CancelDeliveries(unneeded.EntryID, ""); return nil }); err != nil {
		t.Fatal(err)
	}
	begin := app.Begin{Lease: "one", Until: o.Clock.Now().Add(time.Minute), Tries: []app.Try{
		{County: County, ID: sent.ID, AddressMasked: "d***", Link: &app.Link{Hash: []byte("hash"), DeliveryID: sent.ID, EntryID: sent.EntryID, AccountID: "desk", Until: o.Clock.Now().Add(time.Hour)}},
		{County: County, ID: unneeded.ID},
	}}
	begun, _, err := o.Deliveries.Begin(t.Context(), begin)
	if err != nil || len(begun) != 1 || begun[0].ID != sent.ID || begun[0].AttemptCount != 1 {
		t.Fatalf("%v, %v", begun, err)
	}
	if got := delivery(t, o, unneeded.ID); got.State != domain.StateCancelled || len(got.Attempts) != 0 {
		t.Errorf("%+v", got)
	}
	if got := delivery(t, o, sent.ID); got.State != domain.StateSending || len(got.Attempts) != 1 || got.Attempts[0].Outcome != domain.OutcomeOpen || got.AddressMasked != "d***" {
		t.Errorf("%+v", got)
	}
	county, link, err := o.Links.Link(t.Context(), []byte("hash"), o.Clock.Now())
	if err != nil || county != County || link.DeliveryID != sent.ID || link.AccountID != "desk" {
		t.Errorf("%+v, %v", link, err)
	}
	if _, _, err := o.Links.Link(t.Context(), []byte("hash"), o.Clock.Now().Add(time.Hour)); errs.KindOf(err) != errs.KindNotFound {
		t.Errorf("an old link: %v", err)
	}
	if err := o.Links.ForgetLinks(t.Context(), o.Clock.Now().Add(2*time.Hour), 10); err != nil {
		t.Fatal(err)
	}
	if _, _, err := o.Links.Link(t.Context(), []byte("hash"), o.Clock.Now()); errs.KindOf(err) != errs.KindNotFound {
		t.Errorf("a forgotten link: %v", err)
	}
	ended := domain.Ended{Outcome: domain.OutcomeTaken, ProviderCode: "250", ProviderMessageID: "m"}
	done := []app.Done{{Delivery: begun[0], Ended: ended, Step: domain.Step{State: domain.StateSent, Due: o.Clock.Now(), Counts: true}}}
	for range 2 {
		if err := o.Deliveries.Finish(t.Context(), "one", done); err != nil {
			t.Fatal(err)
		}
	}
	got := delivery(t, o, sent.ID)
	if got.State != domain.StateSent || !got.SentTime.Equal(o.Clock.Now()) || got.Attempts[0].ProviderMessageID != "m" || !got.Attempts[0].EndTime.Equal(o.Clock.Now()) {
		t.Errorf("%+v", got)
	}
	load, err := o.Deliveries.Load(t.Context(), County)
	if l := load[domain.Email]; err != nil || l.Pending != 0 || !l.LastSent.Equal(o.Clock.Now()) {
		t.Errorf("%+v, %v", load, err)
	}
}

func notReplayed(t *testing.T, o Opened) {
	known, needed := dispatch(o), dispatch(o)
	send(t, o, known, needed)
	claimed := claim(t, o, app.Claim{Lease: "one", Limit: 10})
	begin := app.Begin{Lease: "one", Until: o.Clock.Now().Add(time.Minute)}
	for _, d := range claimed {
		begin.Tries = append(begin.Tries, app.Try{County: County, ID: d.ID})
	}
	begun, _, err := o.Deliveries.Begin(t.Context(), begin)
	if err != nil || len(begun) != 2 {
		t.Fatalf("%v, %v", begun, err)
	}
	var done []app.Done
	for _, d := range begun {
		done = append(done, app.Done{Delivery: d, Ended: domain.Ended{Outcome: domain.OutcomeRefused}, Step: domain.Step{State: domain.StateDead, Due: o.Clock.Now()}})
	}
	if err := o.Deliveries.Finish(t.Context(), "one", done); err != nil {
		t.Fatal(err)
	}
	if err := o.Store.Change(t.Context(), command(), func(u app.Unit) error { u.CancelDeliveries(known.EntryID, ""); return nil }); err != nil {
		t.Fatal(err)
	}
	list, err := o.Deliveries.List(t.Context(), app.DeliveryQuery{County: County, State: domain.StateDead, Needed: true, Limit: 10})
	if err != nil || len(list) != 1 || list[0].ID != needed.ID {
		t.Errorf("%v, %v", list, err)
	}
	for _, c := range []struct {
		id, state string
		replayed  bool
	}{{known.ID, domain.StateDead, false}, {needed.ID, domain.StatePending, true}} {
		ok, err := o.Deliveries.Replay(t.Context(), command().Caller, c.id)
		if err != nil || ok != c.replayed || delivery(t, o, c.id).State != c.state {
			t.Errorf("replayed %v, %v; it is %s, want %s", ok, err, delivery(t, o, c.id).State, c.state)
		}
	}
}

func listedByScope(t *testing.T, o Opened) {
	if err := o.Store.SaveAccounts(t.Context(), command(), []domain.Account{{County: County, ID: "desk", Version: 1, OrganizationID: "hospital"}}); err != nil {
		t.Fatal(err)
	}
	person, group, patient := dispatch(o), dispatch(o), dispatch(o)
	group.AccountID, group.OrganizationID, group.Channel = "", "centre", domain.Webhook
	patient.AccountID, patient.PatientID, patient.Channel = "", id.New(), domain.SMS
	for _, d := range []domain.Dispatch{person, group, patient} {
		send(t, o, d)
		o.Clock.Advance(time.Second)
	}
	list := func(q app.DeliveryQuery) (ids []string) {
		t.Helper()
		q.County, q.Limit = County, max(q.Limit, 10)
		got, err := o.Deliveries.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range got {
			ids = append(ids, d.ID)
		}
		return ids
	}
	newest, err := o.Deliveries.List(t.Context(), app.DeliveryQuery{County: County, Limit: 1})
	if err != nil || len(newest) != 1 {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		q    app.DeliveryQuery
		want []string
	}{
		"all, newest first": {app.DeliveryQuery{}, []string{patient.ID, group.ID, person.ID}},
		"the next page":     {app.DeliveryQuery{BeforeTime: newest[0].CreateTime, BeforeID: newest[0].ID}, []string{group.ID, person.ID}},
		"a hospital's":      {app.DeliveryQuery{OrganizationID: "hospital"}, []string{person.ID}},
		"a centre's":        {app.DeliveryQuery{OrganizationID: "centre"}, []string{group.ID}},
		"of a channel":      {app.DeliveryQuery{Channel: domain.SMS}, []string{patient.ID}},
		"of a referral":     {app.DeliveryQuery{ReferralID: person.ReferralID}, []string{person.ID}},
		"in a state":        {app.DeliveryQuery{State: domain.StateDead}, nil},
		"since":             {app.DeliveryQuery{Since: newest[0].CreateTime}, []string{patient.ID}},
	} {
		if got := list(c.q); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if n, err := o.Deliveries.CountDead(t.Context(), app.DeliveryQuery{County: County}); err != nil || n != 0 {
		t.Errorf("%d, %v", n, err)
	}
	if ok, err := o.Deliveries.Replay(t.Context(), command().Caller, person.ID); err != nil || ok {
		t.Errorf("one that is not dead is replayed: %v", err)
	}
}

func addressesKept(t *testing.T, o Opened) {
	own := app.Owner{County: County, AccountID: "desk"}
	a := app.Address{Owner: own, Channel: domain.Webhook, Value: "https://hospital.example/x", Secret: "whsec_x", Masked: "https://hospital.example/…"}
	if _, err := o.Addresses.SetAddress(t.Context(), command().Caller, a); err != nil {
		t.Fatal(err)
	}
	got, known, err := o.Addresses.Address(t.Context(), own, domain.Webhook)
	if err != nil || !known || got.Value != a.Value || got.Secret != a.Secret || got.Masked != a.Masked {
		t.Errorf("%+v, %v", got, err)
	}
	if err := o.Addresses.Tested(t.Context(), own, domain.Webhook, o.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	list, err := o.Addresses.Addresses(t.Context(), own)
	if err != nil || len(list) != 1 || list[0].Value != "" || list[0].Secret != "*" || !list[0].TestTime.Equal(o.Clock.Now()) {
		t.Errorf("%+v, %v", list, err)
	}
	if _, known, err := o.Addresses.Address(t.Context(), app.Owner{County: "another", AccountID: "desk"}, domain.Webhook); err != nil || known {
		t.Errorf("of another county: %v", err)
	}
	a.Value, a.Secret = "", ""
	if _, err := o.Addresses.SetAddress(t.Context(), command().Caller, a); err != nil {
		t.Fatal(err)
	}
	if _, known, err := o.Addresses.Address(t.Context(), own, domain.Webhook); err != nil || known {
		t.Errorf("removed: %v", err)
	}
}

// Until a person sets another, and again when that is removed.
func directorysAddress(t *testing.T, o Opened) {
	own := app.Owner{County: County, AccountID: "person"}
	in := func(value string, fromDirectory bool) {
		t.Helper()
		a, known, err := o.Addresses.Address(t.Context(), own, domain.SMS)
		if err != nil || known != (value != "") || a.Value != value || a.FromDirectory != fromDirectory {
			t.Errorf("in force is %q (directory: %v), %v; want %q", a.Value, a.FromDirectory, err, value)
		}
		list, err := o.Addresses.Addresses(t.Context(), own)
		if err != nil || len(list) != len(value)/len("13800138000") || len(list) > 0 && (list[0].FromDirectory != fromDirectory || list[0].Masked == "") {
			t.Errorf("listed is %+v, %v", list, err)
		}
	}
	person := account("person", "hospital", 2, "INTAKE_DESK")
	in("", false)
	person.Name, person.Phone = "张医生", "13800138000"
	save(t, o, person)
	in("13800138000", true)
	contacts, err := o.Store.Contacts(t.Context(), County, []string{"person", "nobody"})
	if err != nil || len(contacts) != 1 || len(contacts["person"].Channels) != 1 {
		t.Errorf("%v, %v", contacts, err)
	}
	older := person
	older.Version, older.Phone = 1, "13900139000"
	save(t, o, older)
	in("13800138000", true)
	mine := app.Address{Owner: own, Channel: domain.SMS, Value: "13700137000", Masked: "137****7000"}
	if _, err := o.Addresses.SetAddress(t.Context(), command().Caller, mine); err != nil {
		t.Fatal(err)
	}
	in("13700137000", false)
	mine.Value = ""
	if _, err := o.Addresses.SetAddress(t.Context(), command().Caller, mine); err != nil {
		t.Fatal(err)
	}
	in("13800138000", true)
	// While a release that knows no addresses runs beside, it writes versions without them: reading the directory again mends that.
	person.Phone = "13600136000"
	save(t, o, person)
	in("13600136000", true)
	person.Version, person.Phone = 3, "0773-8820120"
	save(t, o, person)
	in("", false)
}

// Who is gone is not sent to; the message stays held until it is withdrawn, which happens under its lease alone.
func goneIsNotBegun(t *testing.T, o Opened) {
	gone, stays := dispatch(o), dispatch(o)
	stays.AccountID = "unknown" // nothing speaks against it
	send(t, o, gone, stays)
	person := account("desk", "hospital", 1, "INTAKE_DESK")
	person.Disabled = true
	save(t, o, person)
	if got := claim(t, o, app.Claim{Lease: "one", Limit: 9}); len(got) != 2 {
		t.Fatal(got)
	}
	begun, left, err := o.Deliveries.Begin(t.Context(), app.Begin{Lease: "one", Until: o.Clock.Now().Add(time.Minute), Tries: []app.Try{{County: County, ID: gone.ID}, {County: County, ID: stays.ID}}})
	if err != nil || len(begun) != 1 || begun[0].ID != stays.ID || len(left) != 1 || left[0].ID != gone.ID || !reflect.DeepEqual(left[0].Meant, gone.Meant) {
		t.Fatalf("begun %v, gone %v, %v", begun, left, err)
	}
	if d := delivery(t, o, gone.ID); d.State != domain.StateSending || d.AttemptCount != 0 {
		t.Errorf("%+v", d)
	}
	withdraw := func(lease string) error {
		return o.Store.Change(t.Context(), command(), func(u app.Unit) error { u.Withdraw(lease, left[0]); return nil })
	}
	if err := withdraw("another"); errs.KindOf(err) != errs.KindStale {
		t.Errorf("under another lease: %v", err)
	}
	if err := withdraw("one"); err != nil {
		t.Error(err)
	}
	if d := delivery(t, o, gone.ID); d.State != domain.StateCancelled || d.Reason != domain.Gone {
		t.Errorf("%+v", d)
	}
}

// The link that went to somebody who is gone opens nothing.
func linkOfWhoIsGone(t *testing.T, o Opened) {
	d := dispatch(o)
	send(t, o, d)
	save(t, o, account("desk", "hospital", 1, "INTAKE_DESK"))
	claim(t, o, app.Claim{Lease: "one", Limit: 9})
	link := &app.Link{Hash: []byte("hash"), DeliveryID: d.ID, EntryID: d.EntryID, AccountID: "desk", Until: o.Clock.Now().Add(time.Hour)}
	if _, _, err := o.Deliveries.Begin(t.Context(), app.Begin{Lease: "one", Until: o.Clock.Now().Add(time.Minute), Tries: []app.Try{{County: County, ID: d.ID, Link: link}}}); err != nil {
		t.Fatal(err)
	}
	if _, got, err := o.Links.Link(t.Context(), link.Hash, o.Clock.Now()); err != nil || got.DeliveryID != d.ID {
		t.Errorf("%+v, %v", got, err)
	}
	gone := account("desk", "hospital", 2, "INTAKE_DESK")
	gone.Disabled = true
	save(t, o, gone)
	if _, _, err := o.Links.Link(t.Context(), link.Hash, o.Clock.Now()); errs.KindOf(err) != errs.KindNotFound {
		t.Errorf("of who is gone: %v", err)
	}
}
