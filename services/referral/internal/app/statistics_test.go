package app_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/internal/stats"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/figures"
)

func admin() authn.Identity {
	return authn.Identity{Subject: "admin-1", County: county, Organization: "authority", Roles: []string{"COUNTY_ADMIN"}}
}

// march asks for the month of the tests' clock.
func march(caller authn.Identity, measures ...string) app.FigureQuery {
	return app.FigureQuery{Caller: caller, Measures: measures, From: "2026-03-01", To: "2026-04-01"}
}

// there is down, followed up, worse, and up again: the whole way of a patient. It answers the first up-referral.
func there(t *testing.T, h house) app.View {
	t.Helper()
	up := admitted(t, h)
	h.clock.Advance(48 * time.Hour)
	up = h.conclude(t, up, "IMPROVED")
	in := back(up.PatientID)
	in.Draft.ReplyTo = up.ID
	down := h.accept(t, family(), h.make(t, specialist(), in))
	h.clock.Advance(time.Hour)
	down = h.arrive(t, family(), down)
	day := func(n int) string { return h.clock.Now().AddDate(0, 0, n).Format(time.DateOnly) }
	plan := domain.FollowUpPlan{Condition: domain.ConditionStroke, Visits: []domain.PlannedVisit{
		{Number: 1, Due: day(1), Mode: "CLINIC"}, {Number: 2, Due: day(2), Mode: "HOME"}, {Number: 3, Due: day(9), Mode: "HOME"},
	}}
	down = h.step(t, family(), down, domain.ActionBeginFollowUp, domain.Carry{Plan: &plan, FamilyDoctor: family().Subject})
	for visit, result := range []string{"STABLE", "WORSE"} {
		h.clock.Advance(36 * time.Hour)
		down = h.step(t, family(), down, domain.ActionRecordVisit, domain.Carry{Visit: visit + 1, Findings: domain.Findings{Result: result}})
	}
	down, err := h.Escalate(t.Context(), by(family()), app.Escalation{ID: down.ID, Version: down.Version, Draft: green(up.PatientID).Draft})
	if err != nil {
		t.Fatal(err)
	}
	again, err := h.Get(t.Context(), desk(), down.Escalated)
	if err != nil {
		t.Fatal(err)
	}
	h.arrive(t, desk(), again)
	return up
}

// shares are the figures as "2/3", or the number of a count.
func (h house) shares(t *testing.T, q app.FigureQuery) map[string]string {
	t.Helper()
	rows, err := h.Figures(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, r := range rows {
		m, _ := h.Definitions().Measure(r.Measure)
		key := strings.Join(append([]string{r.Measure}, r.Key...), " ")
		if out[key] = fmt.Sprint(r.Numerator); len(m.Denominators) > 0 {
			out[key] += "/" + fmt.Sprint(r.Denominator)
		}
	}
	return out
}

func TestTheWayOfAPatientIsInTheFigures(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		up := there(t, h)
		got := h.shares(t, march(admin()))
		for measure, want := range map[string]string{
			"IND-DN-A": "1/1", "IND-DN-B": "1/1", "DN-SENT": "1/1", "IND-DN-C": "1/2", "BOUNCE": "1/1", "BOUNCE-N": "1", "DN-CANCELLED": "0/1",
			"IND-T3-2": "1", "IND-T3-2-INP": "1", "IND-SUC": "2/2", "IND-CLS": "2/2", "IND-ACK": "3/3", "IND-REJ": "0/3", "CAND-FOUND": "1",
			"CAND-SENT": "1/1", "FU-BEGUN": "1/1", "FU-KEPT": "1/2", "FU-DONE": "2/2", "UP-N": "2", "DN-N": "1", "ARRIVED-N": "3", "RETRO": "0/2",
			"TIME-ANSWER": "3", "TIME-REPLY": "1", "TIME-RETURN": "1", "TIME-CONTACT": "1",
		} {
			if got[measure] != want {
				t.Errorf("%s is %s, want %s", measure, got[measure], want)
			}
		}
		q := march(admin(), "IND-DN-A", "UP-N", "DN-N")
		q.GroupBy = []string{"month", "hospital"}
		rows, err := h.Figures(t.Context(), q)
		if err != nil || len(rows) != 3 {
			t.Fatalf("%v, %v", rows, err)
		}
		for _, r := range rows {
			if r.Period != "2026-03-01" || !slices.Equal(r.Key, []string{hospital}) || !r.Filling {
				t.Errorf("%+v", r)
			}
		}
		if rows[0].Value != 100 || !rows[0].Known {
			t.Errorf("IND-DN-A: %+v", rows[0])
		}
		if took := h.minutes(t, march(admin(), "TIME-REPLY")); took < 24*60 || took > 4*24*60 {
			t.Errorf("the reply took %v minutes in the median", took)
		}
		cases, next, err := h.Cases(t.Context(), app.CaseQuery{FigureQuery: march(admin(), "IND-DN-A")})
		if err != nil || next != "" || len(cases) != 1 || cases[0].Referral.ID != up.ID || cases[0].Referral.Patient.Name != "" {
			t.Errorf("the cases behind the figure: %v, %q, %v", cases, next, err)
		}
	})
}

func (h house) minutes(t *testing.T, q app.FigureQuery) float64 {
	t.Helper()
	rows, err := h.Figures(t.Context(), q)
	if err != nil || len(rows) != 1 {
		t.Fatalf("%v, %v", rows, err)
	}
	return rows[0].Value
}

// What the referring doctor learns from: verdicts by month, doctor and condition.
func TestVerdictsAreReadByDoctorAndCondition(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := admitted(t, h)
		for _, verdict := range []domain.Verdict{domain.VerdictTooLate, domain.VerdictNecessary} {
			if _, err := h.Mark(t.Context(), by(desk()), v.ID, domain.MarkCommand{Action: domain.MarkAssess, Verdict: verdict, Note: "说明"}); err != nil {
				t.Fatal(err)
			}
		}
		q := march(family(), "VERDICT-NECESSARY", "VERDICT-TOO-LATE")
		q.GroupBy = []string{"month", "doctor", "condition"}
		got := h.shares(t, q)
		if of := " " + family().Subject + " I63"; got["VERDICT-NECESSARY"+of] != "1/1" || got["VERDICT-TOO-LATE"+of] != "0/1" {
			t.Errorf("%v", got)
		}
	})
}

func TestEverybodySeesTheOwnOrganisationAndAnAdministratorTheCounty(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		there(t, h)
		others := desk()
		others.Organization = second
		for _, test := range []struct {
			caller authn.Identity
			asked  string
			want   string
		}{
			{admin(), "", "2"}, {admin(), hospital, "2"}, {admin(), centre, "2"}, {admin(), second, ""},
			{family(), "", "2"}, {desk(), "", "2"}, {desk(), hospital, "2"}, {others, "", ""},
		} {
			q := march(test.caller, "UP-N")
			q.OrganizationID = test.asked
			if got := h.shares(t, q)["UP-N"]; got != test.want {
				t.Errorf("%s asks for %q: %s, want %s", test.caller, test.asked, got, test.want)
			}
		}
		q := march(desk(), "UP-N")
		q.OrganizationID = second
		_, err := h.Figures(t.Context(), q)
		expectReason(t, err, errs.ReasonRole)
		_, _, err = h.Cases(t.Context(), app.CaseQuery{FigureQuery: q})
		expectReason(t, err, errs.ReasonRole)
		q = march(admin(), "UP-N")
		q.OrganizationID = "nowhere"
		_, err = h.Figures(t.Context(), q)
		expectReason(t, err, errs.ReasonFieldUnknown)
	})
}

func TestOnlyWhatIsPublishedCanBeAskedFor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		for want, change := range map[string]func(*app.FigureQuery){
			"measure[0] FIELD_UNKNOWN":     func(q *app.FigureQuery) { q.Measures = []string{"IND-COUNTY"} },
			"groupBy[1] FIELD_UNKNOWN":     func(q *app.FigureQuery) { q.GroupBy = []string{"month", "patient"} },
			"groupBy[1] FIELD_COMBINATION": func(q *app.FigureQuery) { q.GroupBy = []string{"month", "day"} },
			"groupBy[2] FIELD_COMBINATION": func(q *app.FigureQuery) { q.GroupBy = []string{"month", "doctor", "kind"} },
			"kind FIELD_COMBINATION":       func(q *app.FigureQuery) { q.Kind, q.Condition = domain.KindInpatient, "I63" },
			"from FIELD_COMBINATION":       func(q *app.FigureQuery) { q.From, q.Condition = "2026-03-05", "I63" },
			"from FIELD_REQUIRED":          func(q *app.FigureQuery) { q.From = "" },
			"to FIELD_INVALID":             func(q *app.FigureQuery) { q.To = "2026-02-30" },
			"to FIELD_OUT_OF_RANGE":        func(q *app.FigureQuery) { q.To = "2029-03-02" },
			"denominator FIELD_UNKNOWN":    func(q *app.FigureQuery) { q.Denominator = "BEDS" },
		} {
			q := march(admin(), "UP-N", "IND-DN-B")
			change(&q)
			_, err := h.Figures(t.Context(), q)
			e, ok := errs.As(err)
			if !ok || !slices.Equal(fieldNames(e), []string{want}) {
				t.Errorf("got %v, want %s", err, want)
			} else if strings.HasSuffix(want, "[0] FIELD_UNKNOWN") && !strings.Contains(e.Fields[0].Meta["allowed"], "IND-DN-A") {
				t.Errorf("the allowed ones are not named: %v", e.Fields[0].Meta)
			}
		}
		q := march(admin(), "UP-N", "IND-DN-B")
		q.Denominator, q.To = "ENDED_FIT", "2029-03-01"
		if _, err := h.Figures(t.Context(), q); err != nil {
			t.Errorf("three years with another denominator: %v", err)
		}
		_, _, err := h.Cases(t.Context(), app.CaseQuery{FigureQuery: march(admin(), "UP-N"), Part: app.BelowLine})
		expectReason(t, err, errs.ReasonFieldCombination)
	})
}

func TestWhatWasRecordedAfterwardsCountsOnlyWhenAskedFor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		in := app.Recording{Action: domain.ActionRecordArrival, Draft: creation("patient-9").Draft, Reason: "SELF"}
		in.Draft.Originator = domain.Party{OrganizationID: centre}
		if _, err := h.Record(t.Context(), by(specialist()), in); err != nil {
			t.Fatal(err)
		}
		q := march(admin(), "ARRIVED-N", "RETRO", "UP-N")
		if got := h.shares(t, q); got["ARRIVED-N"] != "" || got["RETRO"] != "1/1" || got["UP-N"] != "" {
			t.Errorf("%v", got)
		}
		q.WithRetrospective = true
		if got := h.shares(t, q); got["ARRIVED-N"] != "1" || got["RETRO"] != "1/1" || got["UP-N"] != "" {
			t.Errorf("%v", got)
		}
	})
}

func TestFiguresThatWereDamagedAreFoundAndMended(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		there(t, h)
		before := h.shares(t, march(admin()))
		err := h.db.Update(t.Context(), func(tx *sqldb.Tx) error {
			_, err := tx.Exec(t.Context(), "DELETE FROM statistics_delta WHERE counter = 'discharges'")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		found, err := h.CheckFigures(t.Context(), county)
		if err != nil || found.Referrals != 3 || found.Cells == 0 || len(found.Differences) == 0 || found.Differences[0].Counter != "discharges" {
			t.Fatalf("%+v, %v", found, err)
		}
		mended, err := h.RebuildFigures(t.Context(), county)
		if err != nil || len(mended.Differences) != len(found.Differences) {
			t.Errorf("%d mended of %d, %v", len(mended.Differences), len(found.Differences), err)
		}
		if after, err := h.CheckFigures(t.Context(), county); err != nil || len(after.Differences) > 0 {
			t.Errorf("%v, %v", after.Differences, err)
		}
		for measure, want := range before {
			if got := h.shares(t, march(admin()))[measure]; got != want {
				t.Errorf("%s was %s and is %s", measure, want, got)
			}
		}
	})
}

// ended reports the discharge of a patient who came without a referral.
func ended(h house, patient string) app.Encounter {
	return app.Encounter{
		County: county, FactID: id.New(), ID: id.New(), PatientID: patient, OrganizationID: hospital, DepartmentCode: "0304", Class: "IMP",
		HomeOrganizationID: centre, Codes: []string{"I63.9"}, Start: h.clock.Now().Add(-72 * time.Hour), End: h.clock.Now(), DischargeWay: "1",
	}
}

func TestReportedDischargesAreTheDenominatorAndOneStayCountsOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		h.clock.Advance(100 * time.Hour)
		expect := func(why, want string) {
			t.Helper()
			if got := h.shares(t, march(admin(), "IND-DN-A"))["IND-DN-A"]; got != want {
				t.Errorf("%s: %s, want %s", why, got, want)
			}
		}
		patient := id.New()
		stay := ended(h, patient)
		h.closed(t, stay)
		expect("a stay without a referral", "0/1")
		stay.FactID = id.New()
		h.closed(t, stay)
		expect("told again", "0/1")
		down := h.make(t, specialist(), back(patient))
		expect("sent down afterwards", "1/1")
		cases, _, err := h.Cases(t.Context(), app.CaseQuery{FigureQuery: march(admin(), "IND-DN-A")})
		if err != nil || len(cases) != 1 || cases[0].StayID != stay.ID || cases[0].Referral.ID != "" || cases[0].Count != 1 {
			t.Errorf("the cases: %v, %v", cases, err)
		}
		h.do(t, specialist(), down, domain.ActionCancel)
		expect("taken back", "0/1")
		h.make(t, specialist(), back(patient))
		expect("sent down again", "1/1")

		before := h.conclude(t, admitted(t, h), "IMPROVED")
		expect("a stay of a referral", "1/2")
		h.closed(t, encounter(before))
		expect("which the hospital reports too", "1/2")
		after := admitted(t, h)
		h.clock.Advance(time.Hour)
		e := encounter(after)
		e.End = h.clock.Now()
		h.closed(t, e)
		expect("a stay that the hospital reports first", "1/3")
		h.conclude(t, after, "IMPROVED")
		expect("and the referral is concluded", "1/3")
		other := ended(h, id.New())
		other.Class = "AMB"
		h.closed(t, other)
		expect("a visit to the clinic", "1/3")
		if check, err := h.CheckFigures(t.Context(), county); err != nil || len(check.Differences) > 0 {
			t.Errorf("%v, %v", check.Differences, err)
		}
	})
}

func TestOfManyChangesAndFoldersAtOnceNoneIsLostOrCountedTwice(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		const doctors, times = 4, 5
		var wg sync.WaitGroup
		for range doctors {
			wg.Go(func() {
				for range times {
					v, err := h.Create(t.Context(), by(family()), creation(id.New()))
					if err == nil {
						_, err = h.Transition(t.Context(), by(desk()), app.Step{
							ID: v.ID, Version: v.Version, Action: domain.ActionDecline, Carry: domain.Carry{Reason: "NO_BED"},
						})
					}
					if err == nil {
						err = stats.NewFolder(h.db, figures.Schema()).Fold(t.Context())
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if got := h.shares(t, march(admin(), "IND-REJ"))["IND-REJ"]; got != fmt.Sprintf("%d/%d", doctors*times, doctors*times) {
			t.Errorf("declined: %s", got)
		}
		if check, err := h.CheckFigures(t.Context(), county); err != nil || len(check.Differences) > 0 {
			t.Errorf("%v, %v", check.Differences, err)
		}
	})
}
