package app_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func stranger() authn.Identity {
	return authn.Identity{Subject: "desk-9", Name: "路人", Organization: "township-9", County: county}
}

func TestWithoutARelationThereIsNothingWhateverElseIsWrong(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := submitted(t, h, "")
		for _, version := range []int32{0, 1, v.Version} {
			_, err := h.Transition(t.Context(), by(stranger()), app.Step{ID: v.ID, Version: version, Action: domain.ActionDecline})
			expectReason(t, err, errs.ReasonNotFound)
		}
		calls := map[string]error{}
		_, calls["get"] = h.Get(t.Context(), stranger(), v.ID)
		_, calls["find"] = h.Find(t.Context(), stranger(), v.Number.Printed())
		_, calls["history"] = h.History(t.Context(), stranger(), v.ID)
		_, _, calls["actions"] = h.Actions(t.Context(), stranger(), v.ID)
		_, calls["seen"] = h.MarkSeen(t.Context(), by(stranger()), v.ID)
		_, calls["submit"] = h.Submit(t.Context(), by(stranger()), app.Submission{ID: v.ID, Version: 1})
		_, calls["accept"] = h.Accept(t.Context(), by(stranger()), acceptance(v, "hold-1"))
		_, calls["redirect"] = h.Redirect(t.Context(), by(stranger()), app.Step{ID: v.ID, Version: 1})
		_, calls["unknown"] = h.Get(t.Context(), doctor(), "no such id")
		for name, err := range calls {
			t.Run(name, func(t *testing.T) { expectReason(t, err, errs.ReasonNotFound) })
		}
		if got, err := h.BatchGet(t.Context(), stranger(), []string{v.ID}); err != nil || len(got) > 0 {
			t.Errorf("batch: %d, %v", len(got), err)
		}
	})
}

func TestVersionThenStateThenContent(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := h.do(t, desk(), submitted(t, h, ""), domain.ActionReturn)
		try := func(version int32, action domain.Action) error {
			_, err := h.Transition(t.Context(), by(desk()), app.Step{ID: v.ID, Version: version, Action: action})
			return err
		}
		expectReason(t, try(0, domain.ActionDecline), errs.ReasonVersionRequired)
		if e := refused(t, try(1, domain.ActionDecline), errs.ReasonStaleVersion); e.Meta["version"] != "3" || e.Meta["state"] != "RETURNED" {
			t.Errorf("metadata %v", e.Meta)
		}
		expectReason(t, try(3, domain.ActionDecline), errs.ReasonActionNotAvailable)
		v = h.do(t, doctor(), v, domain.ActionResubmit)
		expectReason(t, try(v.Version, domain.ActionDecline), errs.ReasonFieldRequired)
	})
}

func TestARedirectMovesTheReferralAndLeavesAReader(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := submitted(t, h, "hold-1")
		step := app.Step{ID: v.ID, Version: v.Version, Carry: domain.Carry{Reason: "NO_BED", Receiver: domain.Party{OrganizationID: "nowhere", DepartmentCode: "0304"}}}
		_, err := h.Redirect(t.Context(), by(desk()), step)
		expectReason(t, err, errs.ReasonFieldUnknown)
		step.Carry.Receiver.OrganizationID = second
		if v, err = h.Redirect(t.Context(), command(desk(), "r1", "a"), step); err != nil || v.HoldID != "" {
			t.Fatalf("hold %q, %v", v.HoldID, err)
		}
		if again, err := h.Redirect(t.Context(), command(desk(), "r1", "a"), step); err != nil || again.Version != v.Version {
			t.Errorf("the same request again: %v", err)
		}
		if _, err := h.Get(t.Context(), desk(), v.ID); err != nil {
			t.Errorf("the former receiver cannot read: %v", err)
		}
		if rows, marks, err := h.Actions(t.Context(), desk(), v.ID); err != nil || len(rows)+len(marks) > 0 {
			t.Errorf("the former receiver may do %d things, %v", len(rows)+len(marks), err)
		}
		_, err = h.Transition(t.Context(), by(desk()), app.Step{ID: v.ID, Version: v.Version, Action: domain.ActionDecline})
		expectReason(t, err, errs.ReasonNotFound)
		rows, err := h.History(t.Context(), desk(), v.ID)
		if err != nil || rows[2].Detail["fromOrganizationId"] != hospital || rows[2].Detail["toOrganizationId"] != second ||
			rows[2].Detail["receiver"] != "阳朔县人民医院 心血管内科" {
			t.Errorf("history %+v, %v", rows, err)
		}
	})
}

func TestActionsAreThoseOfTheSide(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := submitted(t, h, "")
		for caller, want := range map[string][]domain.Action{
			township: {domain.ActionCancel},
			hospital: {domain.ActionAccept, domain.ActionReturn, domain.ActionRedirect, domain.ActionDecline},
		} {
			who := doctor()
			if caller == hospital {
				who = desk()
			}
			rows, _, err := h.Actions(t.Context(), who, v.ID)
			if err != nil {
				t.Fatal(err)
			}
			var got []domain.Action
			for _, r := range rows {
				got = append(got, r.Action)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s may %q, want %q", caller, got, want)
			}
		}
	})
}

func TestUnreadIsTheReceiversUntilSeen(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := submitted(t, h, "")
		read := func(caller authn.Identity) bool {
			t.Helper()
			list, _, err := h.List(t.Context(), app.Filter{Query: app.Query{Caller: caller, Inbox: true, Outbox: true}})
			if err != nil || len(list) != 1 {
				t.Fatalf("%d, %v", len(list), err)
			}
			got, err := h.Get(t.Context(), caller, v.ID)
			if err != nil || got.Unread != list[0].Unread {
				t.Fatalf("list and referral differ, %v", err)
			}
			return !got.Unread
		}
		if !read(doctor()) || read(desk()) {
			t.Error("unread is wrong before anybody looked")
		}
		for range 2 {
			if got, err := h.MarkSeen(t.Context(), by(desk()), v.ID); err != nil || got.Unread || got.Version != v.Version {
				t.Fatalf("unread %v, %v", got.Unread, err)
			}
		}
		if !read(desk()) {
			t.Error("seen, and still unread")
		}
		if f := h.facts(t); !slices.Equal(f[2:], []string{"referral.v1.450321.seen"}) {
			t.Errorf("facts %q", f)
		}
	})
}

func TestFindTakesTheNumberAsPrinted(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := submitted(t, h, "")
		got, err := h.Find(t.Context(), desk(), " "+v.Number.Printed()+" ")
		if err != nil || got.ID != v.ID {
			t.Errorf("got %s, %v", got.ID, err)
		}
		_, err = h.Find(t.Context(), desk(), "450321-26-0000123-0")
		expectReason(t, err, errs.ReasonFieldInvalid)
	})
}

func TestListsGoOnByTheirToken(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		for range 5 {
			submitted(t, h, "")
		}
		for _, byDue := range []bool{true, false} {
			f := app.Filter{Query: app.Query{Caller: desk(), Inbox: true, ByDue: byDue, Limit: 2}}
			seen := map[string]bool{}
			for {
				page, next, err := h.List(t.Context(), f)
				if err != nil {
					t.Fatal(err)
				}
				for _, v := range page {
					seen[v.ID] = true
				}
				if f.PageToken = next; next == "" {
					break
				}
			}
			if len(seen) != 5 {
				t.Errorf("%d of 5", len(seen))
			}
		}
		over := h.do(t, desk(), submitted(t, h, ""), domain.ActionDecline)
		for states, want := range map[domain.State]int{"": 5, over.State: 1} {
			f := app.Filter{Query: app.Query{Caller: desk(), Inbox: true, ByDue: true}}
			if states != "" {
				f.States = []domain.State{states}
			}
			if due, _, err := h.List(t.Context(), f); err != nil || len(due) != want {
				t.Errorf("by due, state %q: %d, want %d, %v", states, len(due), want, err)
			}
		}
		_, next, err := h.List(t.Context(), app.Filter{Query: app.Query{Caller: desk(), Inbox: true, Limit: 2}})
		if err != nil {
			t.Fatal(err)
		}
		for _, token := range []string{"x", "e30x!", next} {
			_, _, err := h.List(t.Context(), app.Filter{Query: app.Query{Caller: desk(), Inbox: true, ByDue: true}, PageToken: token})
			expectReason(t, err, errs.ReasonFieldInvalid)
		}
		_, _, err = h.List(t.Context(), app.Filter{Query: app.Query{Caller: desk(), Inbox: true}, ExpectedOn: "tomorrow"})
		expectReason(t, err, errs.ReasonFieldInvalid)
	})
}

func TestTheRelationFollowsTheReferral(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		level := func(v app.View, organization string) string {
			t.Helper()
			r, err := h.Relation(t.Context(), county, v.PatientID, organization)
			if err != nil {
				t.Fatal(err)
			}
			return r.Level
		}
		expect := func(v app.View, sender, receiver string) {
			t.Helper()
			if s, r := level(v, township), level(v, hospital); s != sender || r != receiver {
				t.Errorf("in %s: sender %s, receiver %s; want %s, %s", v.State, s, r, sender, receiver)
			}
		}
		in := creation("p1")
		in.Submit = false
		draft, err := h.Create(t.Context(), by(doctor()), in)
		if err != nil {
			t.Fatal(err)
		}
		expect(draft, "NONE", "NONE")
		v := submitted(t, h, "hold-1")
		expect(v, "FULL", "PACKAGE")
		if v, err = h.Accept(t.Context(), by(desk()), acceptance(v, "hold-1")); err != nil {
			t.Fatal(err)
		}
		v = h.do(t, desk(), v, domain.ActionArrive)
		expect(v, "FULL", "FULL")
		declined := h.do(t, desk(), submitted(t, h, ""), domain.ActionDecline)
		expect(declined, "FULL", "PACKAGE")
		h.clock.Advance(31 * 24 * time.Hour)
		expect(declined, "NONE", "NONE")
		expect(v, "FULL", "FULL")
		if got := level(v, "township-9"); got != "NONE" {
			t.Errorf("a stranger has %s", got)
		}
	})
}

// Invariant 5.
func TestWhoRedirectsToAnOpenReferralLearnsOnlyThatThereIsOne(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		patient := id.New()
		here, there := creation(patient), creation(patient)
		there.Draft.Receiver.OrganizationID = second
		v, err := h.Create(t.Context(), by(doctor()), here)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = h.Create(t.Context(), by(doctor()), there); err != nil {
			t.Fatal(err)
		}
		_, err = h.Create(t.Context(), by(doctor()), there)
		if e := refused(t, err, errs.ReasonOpenReferralExists); e.Meta["number"] == "" {
			t.Error("the originator is not told which one")
		}
		_, err = h.Redirect(t.Context(), by(desk()), app.Step{ID: v.ID, Version: v.Version, Carry: domain.Carry{
			Receiver: there.Draft.Receiver, Reason: "OTHER", Note: "说明",
		}})
		if e := refused(t, err, errs.ReasonOpenReferralExists); len(e.Meta) > 0 {
			t.Errorf("the desk is told %v", e.Meta)
		}
	})
}
