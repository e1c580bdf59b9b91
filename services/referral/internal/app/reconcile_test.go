package app_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func TestDischargesToACentreAreHeldAgainstDownReferrals(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		h.clock.Advance(100 * time.Hour)
		report := func(caller string) app.Reconciliation {
			t.Helper()
			q := app.ReconcileQuery{FigureQuery: march(admin())}
			if caller == "centre" {
				q.Caller = family()
			}
			got, err := h.Reconcile(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		expect := func(why, want string) {
			t.Helper()
			r := report("")
			if got := fmt.Sprintf("%d/%d %d/%d", r.Unsent, r.ToCentre, r.Otherwise, r.SentDown); got != want || len(r.Cases) != r.Unsent+r.Otherwise {
				t.Errorf("%s: %s with %d cases, want %s", why, got, len(r.Cases), want)
			}
		}
		expect("nothing", "0/0 0/0")
		stay := ended(h, id.New())
		h.closed(t, stay)
		expect("by advice, home", "0/0 0/0")
		stay = next(stay, func(e *app.Encounter) { e.DischargeWay = "3" })
		h.closed(t, stay)
		expect("to a centre, without a down-referral", "1/1 0/0")
		if c := report("centre").Cases; len(c) != 1 || c[0].Discharge.EncounterID != stay.ID || c[0].Discharge.Way != "3" || c[0].Referral.ID != "" {
			t.Errorf("the centre sees %v", c)
		}
		down := h.make(t, specialist(), back(stay.PatientID))
		expect("sent down afterwards", "0/1 0/1")
		h.make(t, specialist(), back(id.New()))
		expect("another, whose discharge nobody reported", "0/1 1/2")
		stay = next(stay, func(e *app.Encounter) { e.DischargeWay = "1" })
		h.closed(t, stay)
		expect("the way is corrected", "0/0 2/2")
		cases := report("").Cases
		if len(cases) != 2 || cases[0].Referral.ID != down.ID || cases[0].Discharge.Way != "1" || cases[1].Discharge.EncounterID != "" {
			t.Errorf("%v", cases)
		}
		h.do(t, specialist(), down, domain.ActionCancel)
		expect("one is taken back", "0/0 1/1")
	})
}

func TestTheReconciliationIsReadByPagesAndByOwnOrganisation(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		h.clock.Advance(100 * time.Hour)
		for range 3 {
			e := ended(h, id.New())
			e.DischargeWay = "3"
			h.closed(t, e)
			h.make(t, specialist(), back(id.New()))
		}
		seen, q := map[string]bool{}, app.ReconcileQuery{FigureQuery: march(desk()), PageSize: 2}
		for pages := 1; ; pages++ {
			got, err := h.Reconcile(t.Context(), q)
			if err != nil || got.Unsent != 3 || got.Otherwise != 3 {
				t.Fatalf("%+v, %v", got, err)
			}
			for _, c := range got.Cases {
				seen[c.Referral.ID+c.Discharge.EncounterID] = true
			}
			if q.PageToken = got.Next; q.PageToken == "" {
				if pages != 3 || len(seen) != 6 {
					t.Errorf("%d pages with %d cases", pages, len(seen))
				}
				break
			}
		}
		other := app.ReconcileQuery{FigureQuery: march(family())}
		other.OrganizationID = hospital
		_, err := h.Reconcile(t.Context(), other)
		expectReason(t, err, errs.ReasonRole)
		wrong := app.ReconcileQuery{FigureQuery: march(admin())}
		wrong.To = wrong.From
		_, err = h.Reconcile(t.Context(), wrong)
		expectReason(t, err, errs.ReasonFieldOutOfRange)
		before := app.ReconcileQuery{FigureQuery: march(admin())}
		before.From, before.To = "2026-02-01", "2026-03-01"
		if got, err := h.Reconcile(t.Context(), before); err != nil || got.ToCentre+got.SentDown+len(got.Cases) != 0 {
			t.Errorf("the month before: %+v, %v", got, err)
		}
	})
}
