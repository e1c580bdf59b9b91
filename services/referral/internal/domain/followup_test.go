package domain_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

const today = "2026-03-18"

func plan(t testing.TB) domain.FollowUpPlan {
	t.Helper()
	p, ok := domain.NewPlan(domain.PlanTemplate{
		Code: "HYPERTENSION", Condition: domain.ConditionHypertension,
		Visits: []domain.TemplateVisit{{7, "PHONE", []string{"MEDICATION"}}, {14, "CLINIC", []string{"BP"}}, {90, "HOME", nil}},
	}, today)
	if !ok {
		t.Fatal("no plan")
	}
	return p
}

func stable() domain.Findings { return domain.Findings{Result: domain.ResultStable} }

func bp(sbp, dbp float64) []domain.Measured {
	return []domain.Measured{{"sbp", sbp, "mm[Hg]"}, {"dbp", dbp, "mm[Hg]"}}
}

func value(name string, number float64, unit string) []domain.Measured {
	return []domain.Measured{{name, number, unit}}
}

func names(fields []domain.Field) []string {
	var out []string
	for _, f := range fields {
		out = append(out, f.Name+" "+f.Reason)
	}
	return out
}

// recorded is the plan with a visit, which must be accepted; n hours after now.
func recorded(t testing.TB, p domain.FollowUpPlan, number int, f domain.Findings, n int) domain.FollowUpPlan {
	t.Helper()
	p, bad := p.Record(number, f, doctor(), now.Add(time.Duration(n)*time.Hour))
	if bad != nil {
		t.Fatalf("visit %d is refused: %v", number, names(bad))
	}
	return p
}

func TestATemplateIsLaidOutFromTheDayThatItBegins(t *testing.T) {
	t.Parallel()
	p := plan(t)
	var due []string
	for i, v := range p.Visits {
		due = append(due, v.Due)
		if v.Number != i+1 || v.Done {
			t.Errorf("visit %d has number %d, done: %v", i, v.Number, v.Done)
		}
	}
	if want := []string{"2026-03-25", "2026-04-01", "2026-06-16"}; !slices.Equal(due, want) {
		t.Errorf("due %q, want %q", due, want)
	}
	if p.Template != "HYPERTENSION" || p.Condition != domain.ConditionHypertension {
		t.Errorf("made from %q for %q", p.Template, p.Condition)
	}
	if bad := check(p, today); bad != nil {
		t.Errorf("a fresh plan is refused: %v", names(bad))
	}
	if _, ok := domain.NewPlan(domain.PlanTemplate{}, "18.3.2026"); ok {
		t.Error("a plan begins on no date")
	}
}

// check is what a plan is refused for that is to begin on a local day.
func check(p domain.FollowUpPlan, today string) []domain.Field {
	_, bad := domain.FollowUpPlan{}.Revise(p, today)
	return bad
}

func TestAPlanNamesWhatIsWrongWithWhichVisit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(*domain.FollowUpPlan)
		field string
	}{
		"no condition":           {func(p *domain.FollowUpPlan) { p.Condition = "" }, "plan.condition FIELD_REQUIRED"},
		"condition that is none": {func(p *domain.FollowUpPlan) { p.Condition = "FLU" }, "plan.condition FIELD_UNKNOWN"},
		"no visit":               {func(p *domain.FollowUpPlan) { p.Visits = nil }, "plan.visits FIELD_REQUIRED"},
		"too many visits":        {func(p *domain.FollowUpPlan) { p.Visits = make([]domain.PlannedVisit, 61) }, "plan.visits FIELD_OUT_OF_RANGE"},
		"no day":                 {func(p *domain.FollowUpPlan) { p.Visits[2].Due = "" }, "plan.visits[2].due FIELD_REQUIRED"},
		"day that is none":       {func(p *domain.FollowUpPlan) { p.Visits[2].Due = "2026-02-30" }, "plan.visits[2].due FIELD_INVALID"},
		"yesterday":              {func(p *domain.FollowUpPlan) { p.Visits[0].Due = "2026-03-17" }, "plan.visits[0].due FIELD_OUT_OF_RANGE"},
		"after two years":        {func(p *domain.FollowUpPlan) { p.Visits[2].Due = "2028-03-19" }, "plan.visits[2].due FIELD_OUT_OF_RANGE"},
		"two on a day":           {func(p *domain.FollowUpPlan) { p.Visits[1].Due = p.Visits[0].Due }, "plan.visits[1].due FIELD_COMBINATION"},
		"earlier than the last":  {func(p *domain.FollowUpPlan) { p.Visits[1].Due = today }, "plan.visits[1].due FIELD_COMBINATION"},
		"no mode":                {func(p *domain.FollowUpPlan) { p.Visits[1].Mode = "" }, "plan.visits[1].mode FIELD_REQUIRED"},
		"mode that is none":      {func(p *domain.FollowUpPlan) { p.Visits[1].Mode = "LETTER" }, "plan.visits[1].mode FIELD_UNKNOWN"},
		"item that is none":      {func(p *domain.FollowUpPlan) { p.Visits[1].Items = []string{"BP", "AURA"} }, "plan.visits[1].items[1] FIELD_UNKNOWN"},
		"item twice":             {func(p *domain.FollowUpPlan) { p.Visits[1].Items = []string{"BP", "BP"} }, "plan.visits[1].items[1] FIELD_COMBINATION"},
	} {
		p := plan(t)
		c.spoil(&p)
		if got := names(check(p, today)); !slices.Contains(got, c.field) {
			t.Errorf("%s: got %q, want %q", name, got, c.field)
		}
	}
	p := plan(t)
	p.Visits[0].Due, p.Visits[2].Due = today, "2028-03-18"
	if bad := check(p, today); bad != nil {
		t.Errorf("today and two years ahead are refused: %v", names(bad))
	}
	if bad := check(plan(t), "some day"); bad == nil {
		t.Error("a day that is no date lets a plan through")
	}
}

func TestTheNextVisitIsTheFirstNotDone(t *testing.T) {
	t.Parallel()
	p := recorded(t, plan(t), 1, stable(), 0)
	if v, ok := p.Next(); !ok || v.Number != 2 {
		t.Errorf("next is %d, %v", v.Number, ok)
	}
	p = recorded(t, recorded(t, p, 3, stable(), 1), 2, stable(), 2)
	if _, ok := p.Next(); ok || !p.Finished() {
		t.Error("all visits are done and one is waited for")
	}
}

func TestNobodyWaitsForAPatientWhoDied(t *testing.T) {
	t.Parallel()
	p := recorded(t, plan(t), 1, domain.Findings{Result: domain.ResultDied}, 0)
	if !p.Finished() {
		t.Error("a visit is waited for")
	}
	if p = recorded(t, p, 0, stable(), 1); p.Finished() {
		t.Error("a later visit does not correct the wrong entry")
	}
}

func TestAVisitIsRecordedOnce(t *testing.T) {
	t.Parallel()
	before := plan(t)
	p := recorded(t, before, 1, domain.Findings{Result: domain.ResultImproved, Values: bp(132, 84), MedicationTaking: "REGULAR"}, 0)
	v := p.Visits[0]
	if !v.Done || !v.DoneTime.Equal(now) || v.DoneBy != doctor() || v.Findings.Result != domain.ResultImproved || v.Due != "2026-03-25" {
		t.Error("the visit does not say who, when and what")
	}
	if before.Visits[0].Done {
		t.Error("recording changes the plan that it was given")
	}
	for number, want := range map[int]string{1: "visit FIELD_COMBINATION", 4: "visit FIELD_UNKNOWN", -1: "visit FIELD_UNKNOWN"} {
		again, bad := p.Record(number, stable(), doctor(), now)
		if got := names(bad); !slices.Equal(got, []string{want}) {
			t.Errorf("visit %d: got %q, want %q", number, got, want)
		}
		if again.Visits[0].Findings.Result != domain.ResultImproved || len(again.Visits) != 3 {
			t.Errorf("visit %d is refused and changes the plan", number)
		}
	}
}

func TestAVisitThatNobodyPlannedIsAppendedAsDone(t *testing.T) {
	t.Parallel()
	p := recorded(t, plan(t), 0, stable(), 0)
	if v := p.Visits[3]; v.Number != 4 || !v.Done || v.Due != "" {
		t.Errorf("number %d, done: %v, due %q", v.Number, v.Done, v.Due)
	}
	if next, _ := p.Next(); next.Number != 1 {
		t.Errorf("next is %d", next.Number)
	}
	if bad := check(p, today); bad != nil {
		t.Errorf("a visit without a due day spoils the plan: %v", names(bad))
	}
}

func TestARevisionReplacesWhatIsNotDone(t *testing.T) {
	t.Parallel()
	p := recorded(t, plan(t), 1, stable(), 0)
	next := domain.FollowUpPlan{Condition: domain.ConditionStroke, Goal: "独立行走", Visits: []domain.PlannedVisit{
		{Number: 1, Done: true, Findings: domain.Findings{Result: domain.ResultDied}},
		{Number: 9, Due: "2026-03-20", Mode: "HOME", Findings: domain.Findings{Note: "x"}},
	}}
	got, bad := p.Revise(next, today)
	if bad != nil {
		t.Fatal(names(bad))
	}
	if len(got.Visits) != 2 || got.Visits[0].Findings.Result != domain.ResultStable || got.Condition != domain.ConditionStroke || got.Goal == "" {
		t.Error("what is done is not what it was, or the rest is not what was asked")
	}
	if v := got.Visits[1]; v.Number != 2 || v.Due != "2026-03-20" || v.Done || v.Findings.Note != "" {
		t.Errorf("the new visit: number %d, due %q, done: %v", v.Number, v.Due, v.Done)
	}
	next.Visits[1].Due = "2026-03-01"
	got, bad = p.Revise(next, today)
	if want := []string{"plan.visits[1].due FIELD_OUT_OF_RANGE"}; !slices.Equal(names(bad), want) || len(got.Visits) != 3 {
		t.Errorf("got %q and %d visits", names(bad), len(got.Visits))
	}
	first, bad := domain.FollowUpPlan{}.Revise(plan(t), today)
	if bad != nil || check(first, today) != nil {
		t.Error("a new plan is not the revision of an empty one")
	}
}

func TestNothingOfAFollowUpPrints(t *testing.T) {
	t.Parallel()
	p := plan(t)
	p.Goal = "秦秘密"
	p = recorded(t, p, 1, domain.Findings{Result: domain.ResultWorse, Values: bp(190, 100), Note: "秦秘密"}, 0)
	for _, v := range []any{p, p.Visits, p.Visits[0], p.Visits[0].Findings, p.Visits[0].Findings.Values, &p} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, "秦") || strings.Contains(text, "190") || strings.Contains(text, "WORSE") {
				t.Errorf("%T prints %q with %s", v, text, verb)
			}
		}
	}
}

// A plan's life: visits recorded in any order, planned or not, twice or not, and revisions between them.
func TestNeitherRecordNorReviseLosesAVisit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, bad := domain.FollowUpPlan{}.Revise(anyPlan(t), today)
		if bad != nil {
			t.Fatalf("a legal plan is refused: %v", names(bad))
		}
		model := map[int]string{} // number → note of what was recorded
		for step := range rapid.IntRange(1, 20).Draw(t, "steps") {
			before, length := notes(p), len(p.Visits)
			old := p
			if rapid.IntRange(0, 3).Draw(t, "what") == 0 {
				p, bad = p.Revise(anyPlan(t), today)
				if bad != nil {
					t.Fatalf("a legal revision is refused: %v", names(bad))
				}
			} else {
				number, note := rapid.IntRange(-1, 8).Draw(t, "number"), fmt.Sprint("note ", step)
				planned := slices.ContainsFunc(p.Visits, func(v domain.PlannedVisit) bool { return v.Number == number && !v.Done })
				f := domain.Findings{Result: rapid.SampledFrom(domain.VisitResults()).Draw(t, "result"), Note: note}
				p, bad = p.Record(number, f, doctor(), now.Add(time.Duration(step)*time.Hour))
				if (bad == nil) != (planned || number == 0) {
					t.Fatalf("visit %d, planned: %v: %v", number, planned, names(bad))
				}
				switch {
				case number == 0:
					model[p.Visits[len(p.Visits)-1].Number] = note
				case planned:
					model[number] = note
				}
			}
			if got := notes(p); !equal(got, model) {
				t.Fatalf("done %v, want %v", got, model)
			}
			if !equal(notes(old), before) || len(old.Visits) != length {
				t.Fatal("the plan that was given has changed")
			}
			for i, v := range p.Visits {
				if v.Number < 1 || slices.ContainsFunc(p.Visits[:i], func(w domain.PlannedVisit) bool { return w.Number == v.Number }) {
					t.Fatalf("number %d is not the visit's own", v.Number)
				}
			}
		}
	})
}

func anyPlan(t *rapid.T) domain.FollowUpPlan {
	p := domain.FollowUpPlan{Condition: rapid.SampledFrom(domain.Conditions()).Draw(t, "condition")}
	first, day := now, 0
	for range rapid.IntRange(1, 5).Draw(t, "visits") {
		p.Visits = append(p.Visits, domain.PlannedVisit{
			Due: first.AddDate(0, 0, day).Format(time.DateOnly), Mode: rapid.SampledFrom(domain.VisitModes()).Draw(t, "mode"),
			Items: rapid.SliceOfNDistinct(rapid.SampledFrom(domain.VisitItems()), 0, 4, rapid.ID[string]).Draw(t, "items"),
		})
		day += rapid.IntRange(1, 100).Draw(t, "days")
	}
	return p
}

func notes(p domain.FollowUpPlan) map[int]string {
	out := map[int]string{}
	for _, v := range p.Visits {
		if v.Done {
			out[v.Number] = v.Findings.Note
		}
	}
	return out
}

func equal(a, b map[int]string) bool { return fmt.Sprint(a) == fmt.Sprint(b) }
