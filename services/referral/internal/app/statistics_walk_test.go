package app_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/internal/stats"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/figures"
)

// walk is a county in which people do whatever they may do, and much that they may not.
type walk struct {
	house
	t         *testing.T
	county    string
	patients  []string
	referrals []string
}

func newWalk(t *testing.T, h house, county string) *walk {
	return &walk{house: h, t: t, county: county, patients: []string{id.New(), id.New()}}
}

func (w *walk) in(caller authn.Identity) authn.Identity {
	caller.County = w.county
	return caller
}

// people are those who act: of the centre, and of two hospitals.
func (w *walk) people() []authn.Identity {
	others := desk()
	others.Subject, others.Organization = "desk-2", second
	return []authn.Identity{w.in(family()), w.in(desk()), w.in(specialist()), w.in(others)}
}

// tolerate lets refusals pass; everything else is a fault.
func (w *walk) tolerate(what string, err error) bool {
	w.t.Helper()
	var refused *errs.Error
	if err != nil && (!errors.As(err, &refused) || refused.Kind == errs.KindInternal) {
		w.t.Fatalf("%s: %v", what, err)
	}
	return err == nil
}

func (w *walk) keep(what string, v app.View, err error) {
	w.t.Helper()
	if w.tolerate(what, err) && !slices.Contains(w.referrals, v.ID) {
		w.referrals = append(w.referrals, v.ID)
	}
}

func diagnosis(r *rapid.T) []domain.Diagnosis {
	return []domain.Diagnosis{{Code: rapid.SampledFrom([]string{"I63.9", "I10", "E11.9"}).Draw(r, "diagnosis")}}
}

// send makes an up- or a down-referral.
func (w *walk) send(r *rapid.T) {
	patient := rapid.SampledFrom(w.patients).Draw(r, "patient")
	in, caller := creation(patient), family()
	if rapid.Bool().Draw(r, "down") {
		in, caller = back(patient), specialist()
		if len(w.referrals) > 0 && rapid.Bool().Draw(r, "answers") {
			in.Draft.ReplyTo = rapid.SampledFrom(w.referrals).Draw(r, "reply to")
		}
	} else {
		in.Draft.Kind = rapid.SampledFrom(domain.KindsOf(domain.Up)).Draw(r, "kind")
		switch in.Draft.Kind {
		case domain.KindEmergency:
			in.Draft.Urgency = domain.UrgencyEmergency
		case domain.KindExam:
			in.Draft.ExamItems = []domain.Diagnosis{{Display: "CT"}}
		}
	}
	in.Draft.Diagnoses, in.Submit = diagnosis(r), rapid.Float64().Draw(r, "submit") < 0.9
	v, err := w.Create(w.t.Context(), by(w.in(caller)), in)
	w.keep("create", v, err)
}

// record notes what happened already.
func (w *walk) record(r *rapid.T) {
	in := app.Recording{Action: domain.ActionRecordArrival, Draft: creation(rapid.SampledFrom(w.patients).Draw(r, "patient")).Draft, Reason: "SELF"}
	in.Draft.Originator = domain.Party{OrganizationID: centre}
	in.At = w.clock.Now().Add(-time.Duration(rapid.IntRange(0, 72).Draw(r, "hours ago")) * time.Hour)
	if rapid.Bool().Draw(r, "out") {
		in.Action, in.Reason, in.Destination = domain.ActionRecordOut, "NO_BED", "桂林"
		in.Draft.Direction, in.Draft.Kind, in.Draft.Receiver = domain.Out, domain.KindExternal, domain.Party{}
	}
	v, err := w.Record(w.t.Context(), by(w.in(specialist())), in)
	w.keep("record", v, err)
}

// carry suits every row.
func (w *walk) carry(r *rapid.T) domain.Carry {
	from := w.clock.Now().Add(time.Hour)
	day := func(n int) string { return w.clock.Now().AddDate(0, 0, n).Format(time.DateOnly) }
	plan := domain.FollowUpPlan{Condition: domain.ConditionStroke, Visits: []domain.PlannedVisit{
		{Number: 1, Due: day(rapid.IntRange(1, 5).Draw(r, "first")), Mode: "CLINIC"}, {Number: 2, Due: day(rapid.IntRange(6, 90).Draw(r, "second")), Mode: "HOME"},
	}}
	return domain.Carry{
		Reason: "OTHER", Note: "说明", WalkIn: true, Expected: domain.Window{From: from, To: from.Add(time.Hour)}, Ward: "内科", Bed: "1",
		Receiver: domain.Party{OrganizationID: rapid.SampledFrom([]string{hospital, second}).Draw(r, "to"), DepartmentCode: "0304"},
		Outcome:  rapid.SampledFrom(domain.Outcomes()).Draw(r, "outcome"),
		Reply:    domain.Reply{Diagnosis: "脑梗死", Findings: "CT", Treatment: "溶栓", NextSteps: "康复", Answer: "继续"},
		Plan:     &plan, FamilyDoctor: family().Subject, Visit: rapid.IntRange(0, 2).Draw(r, "visit"),
		Findings: domain.Findings{Result: rapid.SampledFrom([]string{"STABLE", "WORSE", domain.ResultDied}).Draw(r, "result")},
	}
}

// forward are the steps of a life that goes well, so that walks come far.
func forward() []domain.Action {
	return []domain.Action{
		domain.ActionSubmit, domain.ActionAccept, domain.ActionArrive, domain.ActionAdmit, domain.ActionConclude, domain.ActionBeginFollowUp,
		domain.ActionRecordVisit, domain.ActionResubmit, domain.ActionRebook, domain.ActionAnswer,
	}
}

// may is somebody with something to do.
type may struct {
	caller authn.Identity
	action domain.Action
}

// choices are what people may do with a referral: what brings it forward, if there is such, or anything.
func (w *walk) choices(one string, onward bool) (all, good []may) {
	for _, caller := range w.people() {
		rows, _, err := w.Actions(w.t.Context(), caller, one)
		if !w.tolerate("actions", err) {
			continue
		}
		for _, row := range rows {
			all = append(all, may{caller, row.Action})
			if onward && slices.Contains(forward(), row.Action) {
				good = append(good, may{caller, row.Action})
			}
		}
	}
	return all, good
}

// act does something that the table offers to one of the people.
func (w *walk) act(r *rapid.T) {
	if len(w.referrals) == 0 {
		return
	}
	one := rapid.SampledFrom(w.referrals).Draw(r, "referral")
	all, good := w.choices(one, rapid.Float64().Draw(r, "onward") < 0.7)
	if len(good) > 0 {
		all = good
	}
	if len(all) == 0 {
		return
	}
	choice := rapid.SampledFrom(all).Draw(r, "choice")
	caller, action := choice.caller, choice.action
	v, err := w.Get(w.t.Context(), caller, one)
	if !w.tolerate("get", err) {
		return
	}
	step := app.Step{ID: v.ID, Version: v.Version, Action: action, Carry: w.carry(r)}
	switch action {
	case domain.ActionSubmit:
		_, err = w.Submit(w.t.Context(), by(caller), app.Submission{ID: v.ID, Version: v.Version})
	case domain.ActionArrive:
		_, err = w.Arrive(w.t.Context(), by(caller), step)
	case domain.ActionRedirect:
		_, err = w.Redirect(w.t.Context(), by(caller), step)
	case domain.ActionEscalate:
		v, err = w.Escalate(w.t.Context(), by(caller), app.Escalation{ID: v.ID, Version: v.Version, Draft: creation(v.PatientID).Draft})
		if err == nil {
			w.keep("escalated", app.View{Snapshot: domain.Snapshot{ID: v.Escalated}}, nil)
		}
	case domain.ActionEdit:
		return
	default:
		_, err = w.Transition(w.t.Context(), by(caller), step)
	}
	w.tolerate(string(action), err)
}

// mark gives a verdict or corrects what figures go by.
func (w *walk) mark(r *rapid.T) {
	if len(w.referrals) == 0 {
		return
	}
	caller, one := rapid.SampledFrom(w.people()).Draw(r, "caller"), rapid.SampledFrom(w.referrals).Draw(r, "referral")
	in := domain.MarkCommand{Action: domain.MarkAssess, Verdict: rapid.SampledFrom(domain.Verdicts()).Draw(r, "verdict"), Note: "说明"}
	if rapid.Bool().Draw(r, "correct") {
		in = domain.MarkCommand{Action: domain.MarkCorrect, Reason: "DIAGNOSIS_REVISED", Fields: []string{"diagnoses"}}
		in.Content.Diagnoses = diagnosis(r)
		if rapid.Bool().Draw(r, "of the outcome") {
			in.Fields, in.Content.Outcome = []string{"outcome_code"}, rapid.SampledFrom(domain.Outcomes()).Draw(r, "outcome")
		}
	}
	_, err := w.Mark(w.t.Context(), by(caller), one, in)
	w.tolerate(string(in.Action), err)
}

// dismiss takes a candidate off the list.
func (w *walk) dismiss(r *rapid.T) {
	all, _, err := w.ListCandidates(w.t.Context(), w.in(desk()), app.CandidateFilter{})
	if !w.tolerate("candidates", err) || len(all) == 0 {
		return
	}
	c := rapid.SampledFrom(all).Draw(r, "candidate")
	_, err = w.DismissCandidate(w.t.Context(), by(w.in(desk())), app.Dismissal{ID: c.ID, Dismissal: domain.Dismissal{
		Version: c.Version, Reason: "STILL_UNSTABLE",
	}})
	w.tolerate("dismiss", err)
}

// discharge reports the end of a stay, known or not; or that it goes on, or never was. Facts come in any order.
func (w *walk) discharge(r *rapid.T) {
	stay := time.Duration(rapid.IntRange(1, 200).Draw(r, "hours there")) * time.Hour
	e := app.Encounter{
		County: w.county, FactID: id.New(), Class: "IMP", DischargeWay: "1",
		PatientID: rapid.SampledFrom(w.patients).Draw(r, "patient"), HomeOrganizationID: centre, DepartmentCode: "0304",
		OrganizationID: rapid.SampledFrom([]string{hospital, second}).Draw(r, "hospital"), Codes: []string{diagnosis(r)[0].Code},
		Version: int32(rapid.IntRange(1, 5).Draw(r, "version")),
		Start:   w.clock.Now().Add(-stay), End: w.clock.Now().Add(-time.Hour / 2),
	}
	// The same encounter may be told again, with other times.
	e.ID = id.FromFact(e.PatientID, e.OrganizationID, fmt.Sprint(rapid.IntRange(0, 1).Draw(r, "encounter")))
	tell := rapid.SampledFrom([]func(context.Context, app.Encounter) error{
		w.EncounterClosed, w.EncounterClosed, w.EncounterClosed, w.EncounterOpened, w.EncounterCancelled,
	}).Draw(r, "fact")
	w.tolerate("discharge", tell(w.t.Context(), e))
}

// pass lets time go by, and the limits that ran out take effect.
func (w *walk) pass(r *rapid.T) {
	w.clock.Advance(time.Duration(rapid.IntRange(1, 60).Draw(r, "hours")) * time.Hour)
	if err := w.FireDeadlines(w.t.Context(), "walk"); err != nil {
		w.t.Fatal(err)
	}
}

func (w *walk) fold(*rapid.T) {
	if err := stats.NewFolder(w.db, figures.Schema()).Fold(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// exact holds the figures against the histories.
func (w *walk) exact(r *rapid.T) {
	check, err := w.CheckFigures(w.t.Context(), w.county)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, d := range check.Differences {
		r.Errorf("%s %s %s %v [%d]: the figures say %d, the histories %d", d.Cube, d.Counter, d.Period, d.Key, d.Bucket, d.Got, d.Want)
	}
}

// explained holds every figure against the cases behind it.
func (w *walk) explained(r *rapid.T, with bool) {
	admin := authn.Identity{Subject: "admin-1", County: w.county, Roles: []string{"COUNTY_ADMIN"}}
	from := w.clock.Now().AddDate(0, -1, 0)
	q := app.FigureQuery{Caller: admin, From: from.Format(time.DateOnly), To: from.AddDate(3, 0, 0).Format(time.DateOnly), WithRetrospective: with}
	rows, err := w.Figures(w.t.Context(), q)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, m := range w.Definitions().Measures {
		want := [2]int64{}
		if i := slices.IndexFunc(rows, func(f app.FigureRow) bool { return f.Measure == m.Code }); i >= 0 {
			want = [2]int64{rows[i].Numerator, rows[i].Denominator}
		}
		for part, n := range want[:1+min(1, len(m.Denominators))] {
			one := q
			one.Measures = []string{m.Code}
			if got := w.behind(app.CaseQuery{FigureQuery: one, Part: []app.CasePart{app.AboveLine, app.BelowLine}[part], PageSize: 5}); got != n {
				r.Errorf("%s, part %d: the figure is %d, the cases behind it %d", m.Code, part, n, got)
			}
		}
		if figures.Share(m) {
			one := q
			one.Measures = []string{m.Code}
			if got := w.behind(app.CaseQuery{FigureQuery: one, Part: app.Missed, PageSize: 5}); got != want[1]-want[0] {
				r.Errorf("%s: %d of %d, and %d cases are below the line only", m.Code, want[0], want[1], got)
			}
			w.grounded(r, one)
		}
	}
}

// grounded holds the place of every case of a share against the parts in which it is listed, and wants a fact for it.
func (w *walk) grounded(r *rapid.T, q app.FigureQuery) {
	for part, place := range map[app.CasePart]figures.Standing{app.AboveLine: figures.Counted, app.Missed: figures.Missed, app.Excluded: figures.Excluded} {
		cases, _, err := w.Cases(w.t.Context(), app.CaseQuery{FigureQuery: q, Part: part, PageSize: 200})
		if m, _ := w.Definitions().Measure(q.Measures[0]); part == app.Excluded && err != nil {
			if _, excludes := figures.ExcludedOf(m, m.Denominators[0]); !excludes {
				continue
			}
		}
		if err != nil {
			w.t.Fatal(err)
		}
		for _, c := range cases {
			// Of several visits some may be kept: such a case stands in both parts.
			if c.Ground.Fact == "" || c.Ground.Place != place && c.Ground.Fact != figures.VisitsDue {
				r.Errorf("%s: a case of %s stands as %+v", q.Measures[0], part, c.Ground)
			}
		}
	}
}

func (w *walk) behind(q app.CaseQuery) (n int64) {
	for {
		cases, next, err := w.Cases(w.t.Context(), q)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, c := range cases {
			n += c.Count
		}
		if next == "" {
			return n
		}
		q.PageToken = next
	}
}

func TestFiguresEqualTheHistoriesWhateverHappensAndOpenIntoTheirCases(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		county := 450400
		rapid.Check(t, func(r *rapid.T) {
			county++
			w := newWalk(t, h, fmt.Sprint(county))
			steps := []func(*rapid.T){w.send, w.record, w.act, w.act, w.act, w.act, w.act, w.act, w.act, w.act, w.mark, w.dismiss, w.discharge, w.pass, w.fold}
			for range rapid.IntRange(8, 24).Draw(r, "steps") {
				rapid.SampledFrom(steps).Draw(r, "step")(r)
				// The engines differ in what they are asked, not in what happens: one of them is enough for every moment.
				if h.db.Engine() == sqldb.SQLite {
					w.exact(r)
				}
			}
			w.exact(r)
			w.explained(r, rapid.Bool().Draw(r, "with those recorded afterwards"))
		})
	})
}
