package domain

import (
	"fmt"
	"slices"
	"time"
)

// PlanTemplate is a schedule that a plan starts from.
type PlanTemplate struct {
	Code, Condition string
	Visits          []TemplateVisit
}

// TemplateVisit is one visit of a template, in days after the follow-up begins.
type TemplateVisit struct {
	AfterDays int
	Mode      string
	Items     []string
}

// FollowUpPlan (随访计划) is what a township does for a patient who came down. It never prints.
type FollowUpPlan struct {
	// Template is the code of the template that it started from; "" for one made by hand.
	Template  string
	Condition string
	// Visits are the done ones and the planned ones; the planned ones by ascending due date.
	Visits []PlannedVisit
	// Goal is free text.
	Goal string
}

// PlannedVisit is one visit, planned or done. It never prints.
type PlannedVisit struct {
	// Number is from 1, unique in the plan.
	Number int
	// Due is the local day, "2006-01-02"; "" for a visit that nobody had planned, which has no mode and no items either.
	Due  string
	Mode string
	// Items are the codes of what to check.
	Items    []string
	Done     bool
	DoneTime time.Time
	DoneBy   Actor
	Findings Findings
}

// Format keeps clinical text out of whatever prints a plan.
func (FollowUpPlan) Format(f fmt.State, _ rune) { hide(f) }

// Format keeps clinical text out of whatever prints a visit.
func (PlannedVisit) Format(f fmt.State, _ rune) { hide(f) }

// The conditions that have follow-up rules of their own; [ConditionGeneral] is any other.
const (
	ConditionHypertension  = "HYPERTENSION"
	ConditionDiabetes      = "DIABETES"
	ConditionStroke        = "STROKE"
	ConditionCHD           = "CHD"
	ConditionCOPD          = "COPD"
	ConditionCKD           = "CKD"
	ConditionTB            = "TB"
	ConditionSMD           = "SMD"
	ConditionPregnancy     = "PREGNANCY"
	ConditionPostpartum    = "POSTPARTUM"
	ConditionPostoperative = "POSTOPERATIVE"
	ConditionTumour        = "TUMOUR"
	ConditionPalliative    = "PALLIATIVE"
	ConditionGeneral       = "GENERAL"
)

// Conditions lists the conditions of plans.
func Conditions() []string {
	return []string{
		ConditionHypertension, ConditionDiabetes, ConditionStroke, ConditionCHD, ConditionCOPD, ConditionCKD, ConditionTB, ConditionSMD,
		ConditionPregnancy, ConditionPostpartum, ConditionPostoperative, ConditionTumour, ConditionPalliative, ConditionGeneral,
	}
}

// VisitModes are the ways of a visit: 门诊, 入户, 电话.
func VisitModes() []string { return []string{"CLINIC", "HOME", "PHONE"} }

// VisitItems are the codes of what a visit checks.
func VisitItems() []string {
	return []string{
		"SYMPTOMS", "BP", "HEART_RATE", "TEMPERATURE", "SPO2", "WEIGHT", "GLUCOSE", "HBA1C", "LIPIDS", "KIDNEY", "POTASSIUM", "ECG",
		"MEDICATION", "ADVERSE_REACTION", "LIFESTYLE", "FEET", "EYES", "SWALLOWING", "REHABILITATION", "INHALER", "SPUTUM",
		"MENTAL_STATE", "DANGER_LEVEL", "SOCIAL_FUNCTION", "FETUS", "UTERUS", "BREASTFEEDING", "NEWBORN", "WOUND", "SUTURES",
		"PAIN", "NUTRITION", "MOOD",
	}
}

// MaxVisits bounds what may lie ahead; done visits do not count, so that a long care never fills its plan up.
const MaxVisits = 60

const maxYears = 2

// NewPlan lays a template out from a local day. False if the day is no date.
func NewPlan(t PlanTemplate, start string) (FollowUpPlan, bool) {
	first, err := time.Parse(time.DateOnly, start)
	if err != nil {
		return FollowUpPlan{}, false
	}
	p := FollowUpPlan{Template: t.Code, Condition: t.Condition}
	for i, v := range t.Visits {
		p.Visits = append(p.Visits, PlannedVisit{
			Number: i + 1, Due: first.AddDate(0, 0, v.AfterDays).Format(time.DateOnly), Mode: v.Mode, Items: slices.Clone(v.Items),
		})
	}
	return p, true
}

// checkAhead refuses what cannot begin on a local day: 1 to 60 visits to come, each on a day of its own from today to two years ahead, in
// ascending order, with known modes and items. What is done is not judged again; a day that is no date lets nothing through.
func checkAhead(p FollowUpPlan, today string) []Field {
	var bad []Field
	switch {
	case p.Condition == "":
		bad = append(bad, required("plan.condition"))
	case !slices.Contains(Conditions(), p.Condition):
		bad = append(bad, unknown("plan.condition"))
	}
	var latest string
	if t, err := time.Parse(time.DateOnly, today); err == nil {
		latest = t.AddDate(maxYears, 0, 0).Format(time.DateOnly)
	}
	ahead, previous := 0, ""
	for i, v := range p.Visits {
		if v.Done {
			continue
		}
		ahead++
		at := func(name string) string { return fmt.Sprintf("plan.visits[%d].%s", i, name) }
		// ISO dates sort as text.
		switch _, err := time.Parse(time.DateOnly, v.Due); {
		case v.Due == "":
			bad = append(bad, required(at("due")))
		case err != nil:
			bad = append(bad, invalid(at("due")))
		case v.Due < today || v.Due > latest:
			bad = append(bad, outOfRange(at("due")))
		case v.Due <= previous:
			bad = append(bad, combination(at("due")))
		default:
			previous = v.Due
		}
		bad = append(bad, checkVisit(v, at)...)
	}
	switch {
	case ahead == 0:
		bad = append(bad, required("plan.visits"))
	case ahead > MaxVisits:
		bad = append(bad, outOfRange("plan.visits"))
	}
	return bad
}

func checkVisit(v PlannedVisit, at func(string) string) []Field {
	var bad []Field
	switch {
	case v.Mode == "":
		bad = append(bad, required(at("mode")))
	case !slices.Contains(VisitModes(), v.Mode):
		bad = append(bad, unknown(at("mode")))
	}
	for j, item := range v.Items {
		name := at(fmt.Sprintf("items[%d]", j))
		switch {
		case !slices.Contains(VisitItems(), item):
			bad = append(bad, unknown(name))
		case slices.Contains(v.Items[:j], item):
			bad = append(bad, combination(name))
		}
	}
	return bad
}

// Next is the visit that is waited for: the first one not done. False when the plan is finished.
func (p FollowUpPlan) Next() (PlannedVisit, bool) {
	if done := p.done(); len(done) > 0 && done[len(done)-1].Findings.Result == ResultDied {
		return PlannedVisit{}, false
	}
	i := slices.IndexFunc(p.Visits, func(v PlannedVisit) bool { return !v.Done })
	if i < 0 {
		return PlannedVisit{}, false
	}
	return p.Visits[i], true
}

// Finished tells whether no visit is waited for: all are done, or the last one found that the patient has died.
func (p FollowUpPlan) Finished() bool {
	_, more := p.Next()
	return !more
}

// done are the visits made, in the order in which they were recorded.
func (p FollowUpPlan) done() []PlannedVisit {
	done := slices.DeleteFunc(slices.Clone(p.Visits), func(v PlannedVisit) bool { return !v.Done })
	slices.SortStableFunc(done, func(a, b PlannedVisit) int { return a.DoneTime.Compare(b.DoneTime) })
	return done
}

// Record is the plan with a visit's findings; number 0 is a visit that nobody had planned, appended as done. A refusal answers the plan
// as it was: a number that the plan has not, a visit recorded before, findings that cannot be.
func (p FollowUpPlan) Record(number int, f Findings, by Actor, at time.Time) (FollowUpPlan, []Field) {
	bad := checkFindings(f)
	visits := slices.Clone(p.Visits)
	i := slices.IndexFunc(visits, func(v PlannedVisit) bool { return v.Number == number })
	switch {
	case number == 0:
		i = len(visits)
		visits = append(visits, PlannedVisit{Number: highest(visits) + 1})
	case i < 0:
		bad = append(bad, unknown("visit"))
	case visits[i].Done:
		bad = append(bad, combination("visit"))
	}
	if bad != nil {
		return p, bad
	}
	f.Values = slices.Clone(f.Values)
	v := &visits[i]
	v.Done, v.DoneTime, v.DoneBy, v.Findings = true, at, by, f
	p.Visits = visits
	return p, nil
}

// Revise is the plan with everything that is not done replaced by what next has to come; what is done stays, whatever next says of it.
// Visits to come are numbered on from the done ones. A new plan is the revision of an empty one. A refusal names the visits by their
// place in next and answers the plan as it was.
func (p FollowUpPlan) Revise(next FollowUpPlan, today string) (FollowUpPlan, []Field) {
	if bad := checkAhead(next, today); bad != nil {
		return p, bad
	}
	visits := slices.DeleteFunc(slices.Clone(p.Visits), func(v PlannedVisit) bool { return !v.Done })
	number := highest(visits)
	for _, v := range next.Visits {
		if v.Done {
			continue
		}
		number++
		visits = append(visits, PlannedVisit{Number: number, Due: v.Due, Mode: v.Mode, Items: slices.Clone(v.Items)})
	}
	next.Visits = visits
	return next, nil
}

func highest(visits []PlannedVisit) int {
	n := 0
	for _, v := range visits {
		n = max(n, v.Number)
	}
	return n
}
