package app_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func TestTheStagesCountWhatTheirMeasuresCount(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		there(t, h)
		up, down, err := h.Stages(t.Context(), march(admin()))
		if err != nil || len(up) != 6 || len(down) != 4 {
			t.Fatalf("%+v %+v %v", up, down, err)
		}
		figures := h.shares(t, march(admin()))
		for _, list := range [][]app.CountedStage{up, down} {
			for i, one := range list {
				want := fmt.Sprintf("%d/%d", one.N, list[0].N)
				if i == 0 && one.Measure != list[1].Measure || i > 0 && figures[one.Measure] != want {
					t.Errorf("%s is %s, the stage says %s", one.Measure, figures[one.Measure], want)
				}
			}
		}
		if up[0].N != 2 || up[3].Lost != 1 || !up[3].Worst {
			t.Errorf("one of two came to no end: %+v", up)
		}
		nothing := march(admin())
		nothing.Department = "9999"
		if up, down, err = h.Stages(t.Context(), nothing); err != nil || len(up)+len(down) != 0 {
			t.Errorf("nothing sent has stages: %v %v %v", up, down, err)
		}
		if _, _, err = h.Stages(t.Context(), app.FigureQuery{Caller: doctor(), From: "2026-03-01", To: "2026-04-01", OrganizationID: hospital}); errs.ReasonOf(err) != errs.ReasonRole {
			t.Errorf("somebody else's: %v", err)
		}
	})
}

func TestQuietCentresAreThoseOfTheCountyThatDoNotSend(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		for _, id := range []string{township, centre, hospital} {
			kind := "TOWNSHIP_CENTRE"
			if id == hospital {
				kind = "COUNTY_HOSPITAL"
			}
			if err := h.ports.Organizations.PutOrganization(t.Context(), "", app.Organization{County: county, ID: id, Version: 99, Type: kind, Name: id}); err != nil {
				t.Fatal(err)
			}
		}
		there(t, h)
		found, from, to, err := h.QuietCentres(t.Context(), admin())
		if err != nil || len(found) != 1 || found[0].ID != township || found[0].Days != domain.QuietDays || from >= to {
			t.Errorf("%+v, %s to %s, %v", found, from, to, err)
		}
		if _, _, _, err = h.QuietCentres(t.Context(), doctor()); errs.ReasonOf(err) != errs.ReasonRole {
			t.Errorf("a doctor sees the county: %v", err)
		}
	})
}

func TestAFigureIsHeldAgainstTheTargetOfItsPlaceAndMonth(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		there(t, h)
		_, err := h.UpdateTargets(t.Context(), by(admin()), domain.Targets{Targets: []domain.Target{
			{Measure: "IND-CLS", FromMonth: "2026-01", Value: 70}, {Measure: "IND-CLS", OrganizationID: hospital, Value: 40}, {Measure: "UP-N", Value: 2},
		}})
		if err != nil {
			t.Fatal(err)
		}
		aims := func(edit func(*app.FigureQuery)) string {
			t.Helper()
			q := march(admin(), "IND-CLS", "UP-N")
			q.WithTargets, q.Denominator = true, "ARRIVED"
			edit(&q)
			rows, err := h.Figures(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			out := ""
			for _, r := range rows {
				if r.Aim != nil {
					out += fmt.Sprintf("%s %v %v %v; ", r.Measure, r.Aim.Target, r.Aim.Apart, r.Aim.Reached)
				}
			}
			return out
		}
		for name, c := range map[string]struct {
			edit func(*app.FigureQuery)
			want string
		}{
			"the county":            {func(*app.FigureQuery) {}, "IND-CLS 70 -3.3 false; UP-N 2 0 true; "},
			"the hospital":          {func(q *app.FigureQuery) { q.OrganizationID = hospital }, "IND-CLS 40 26.7 true; UP-N 2 0 true; "},
			"by hospital":           {func(q *app.FigureQuery) { q.GroupBy = []string{"hospital"} }, "IND-CLS 40 26.7 true; UP-N 2 0 true; "},
			"by month":              {func(q *app.FigureQuery) { q.GroupBy = []string{"month"} }, "IND-CLS 70 -3.3 false; UP-N 2 0 true; "},
			"the own one":           {func(q *app.FigureQuery) { q.Caller = specialist() }, "IND-CLS 40 26.7 true; UP-N 2 0 true; "},
			"counts only by months": {func(q *app.FigureQuery) { q.From = "2026-02-01" }, "IND-CLS 70 -3.3 false; "},
			"not asked for":         {func(q *app.FigureQuery) { q.WithTargets = false }, ""},
		} {
			if got := aims(c.edit); got != c.want {
				t.Errorf("%s: %q, not %q", name, got, c.want)
			}
		}
	})
}

func TestBothSidesOfAFigureCanBeAskedFor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		there(t, h)
		for name, c := range map[string]struct {
			caller                authn.Identity
			organization, partner string
			want                  int
		}{
			"a hospital":            {admin(), hospital, "", 2},
			"and a centre":          {admin(), hospital, centre, 2},
			"a centre and hospital": {admin(), centre, hospital, 2},
			"and another centre":    {admin(), hospital, township, 0},
			"the own and a centre":  {specialist(), "", centre, 2},
		} {
			q := march(c.caller, "UP-N")
			q.OrganizationID, q.PartnerID = c.organization, c.partner
			cases, _, err := h.Cases(t.Context(), app.CaseQuery{FigureQuery: q})
			rows, err2 := h.Figures(t.Context(), q)
			n := 0
			for _, r := range rows {
				n += int(r.Numerator)
			}
			if err != nil || err2 != nil || len(cases) != c.want || n != c.want {
				t.Errorf("%s: %d cases, figure %d, %v %v", name, len(cases), n, err, err2)
			}
		}
		q := march(admin(), "UP-N")
		q.OrganizationID, q.PartnerID = hospital, second
		_, err := h.Figures(t.Context(), q)
		expectFields(t, err, "partnerOrganizationId FIELD_COMBINATION")
	})
}

func TestACaseSaysHowFarItHasComeAndNothingOfThePatient(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := h.make(t, doctor(), green("patient"))
		v = h.step(t, desk(), v, domain.ActionReturn, domain.Carry{Reason: "MISSING_RESULTS", Note: "请补心电图"})
		got, err := h.CaseCourse(t.Context(), admin(), v.ID)
		if err != nil || len(got.Steps) != 3 || got.Steps[2].Reason != "MISSING_RESULTS" || len(got.Waits) != 1 || got.Waits[0].Step != domain.StepMissingInformation {
			t.Fatalf("%+v, %v", got, err)
		}
		if whose, role := got.Waits[0].Referral.WaitsFor(got.Waits[0].Step); whose.OrganizationID != township || role != "TOWNSHIP_DOCTOR" {
			t.Errorf("it waits for %v %s", whose, role)
		}
		for who, caller := range map[string]struct {
			sees bool
		}{"sender": {true}, "stranger": {false}} {
			as := doctor()
			if who == "stranger" {
				as = family()
			}
			if _, err := h.CaseCourse(t.Context(), as, v.ID); (err == nil) != caller.sees || err != nil && errs.KindOf(err) != errs.KindNotFound {
				t.Errorf("%s: %v", who, err)
			}
		}
		if _, err := h.CaseCourse(t.Context(), admin(), "0192f0c1-0000-7000-8000-00000000dead"); errs.KindOf(err) != errs.KindNotFound {
			t.Errorf("nothing: %v", err)
		}
	})
}

func TestAnOwnReasonIsChosenKeptAndCountedUnderTheShippedOne(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		own := domain.ReasonSetting{Action: domain.ActionDecline, CountsAs: "NO_BED", Text: "ICU 满床"}
		first := command(admin(), "0192f0c1-0000-7000-8000-0000000000e4", "own")
		set, err := h.UpdateReasonSettings(t.Context(), first, domain.ReasonSettings{Reasons: []domain.ReasonSetting{own}})
		if err != nil || len(set.Reasons) != 1 || set.Reasons[0].Code != "NO_BED.1" {
			t.Fatalf("%+v, %v", set, err)
		}
		again, err := h.UpdateReasonSettings(t.Context(), first, domain.ReasonSettings{Reasons: []domain.ReasonSetting{own}})
		if err != nil || again.Version != 1 || len(again.Reasons) != 1 || again.Reasons[0].Code != "NO_BED.1" {
			t.Errorf("the same request makes another: %+v, %v", again, err)
		}
		h.clock.Advance(time.Minute)
		offered, err := h.Reasons(t.Context(), county, domain.ActionDecline, domain.Up)
		i := slices.IndexFunc(offered, func(r domain.SetReason) bool { return r.Code == "NO_BED.1" })
		if err != nil || i < 1 || offered[i-1].Code != "NO_BED" || offered[i].Text != "ICU 满床" || offered[len(offered)-1].Code != "OTHER" {
			t.Errorf("offered: %+v, %v", offered, err)
		}
		for _, code := range []string{"NO_BED.1", "NO_BED"} {
			v := h.make(t, doctor(), green("patient "+code))
			h.step(t, desk(), v, domain.ActionDecline, domain.Carry{Reason: code})
		}
		v := h.make(t, doctor(), green("a third"))
		_, err = h.Transition(t.Context(), by(desk()), app.Step{ID: v.ID, Version: v.Version, Action: domain.ActionDecline, Carry: domain.Carry{Reason: "NO_BED.7"}})
		expectFields(t, err, "reasonCode FIELD_UNKNOWN")
		q := march(admin(), "DECLINED-N")
		q.GroupBy = []string{"reason"}
		if got := h.shares(t, q); got["DECLINED-N NO_BED"] != "2" || len(got) != 1 {
			t.Errorf("by shipped reason: %v", got)
		}
		q.GroupBy = []string{"ownReason"}
		if got := h.shares(t, q); got["DECLINED-N NO_BED"] != "1" || got["DECLINED-N NO_BED.1"] != "1" {
			t.Errorf("by own reason: %v", got)
		}
		for reason, want := range map[string]int{"NO_BED": 2, "NO_BED.1": 1, "OTHER": 0} {
			q := march(admin(), "DECLINED-N")
			q.Reason, q.OrganizationID, q.Department, q.Urgency = reason, hospital, "0304", domain.UrgencyEmergency
			cases, _, err := h.Cases(t.Context(), app.CaseQuery{FigureQuery: q})
			if got := h.shares(t, q); err != nil || len(cases) != want || want > 0 && got["DECLINED-N"] != fmt.Sprint(want) {
				t.Errorf("%s: %v, %d cases, %v", reason, got, len(cases), err)
			}
		}
		q.GroupBy = []string{"reason", "ownReason"}
		if _, err := h.Figures(t.Context(), q); errs.KindOf(err) != errs.KindInvalid {
			t.Errorf("by both: %v", err)
		}
		// Left out, as when an older version is written again: hidden, and what was chosen stands.
		set, err = h.UpdateReasonSettings(t.Context(), by(admin()), domain.ReasonSettings{Version: 1})
		if err != nil || len(set.Reasons) != 1 || !set.Reasons[0].Hidden {
			t.Errorf("%+v, %v", set, err)
		}
		set, err = h.UpdateReasonSettings(t.Context(), by(admin()), domain.ReasonSettings{Version: 2, Reasons: []domain.ReasonSetting{own}})
		if err != nil || len(set.Reasons) != 2 || set.Reasons[0].Code != "NO_BED.2" {
			t.Errorf("a code is given twice: %+v, %v", set, err)
		}
	})
}
