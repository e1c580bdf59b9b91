package domain

import (
	"fmt"
	"slices"
)

// Findings is what a visit found, quick to record: a result, a few numbers, a note. It never prints.
type Findings struct {
	Result string
	Values []Measured
	// MedicationTaking is a code of [MedicationTakings]; "" when it was not asked.
	MedicationTaking string
	AdverseReaction  bool
	// Note is free text.
	Note string
}

// Measured is a value by its name in [Measurables], in that unit. It never prints.
type Measured struct {
	Name   string
	Number float64
	Unit   string
}

// Format keeps clinical text out of whatever prints findings.
func (Findings) Format(f fmt.State, _ rune) { hide(f) }

// Format keeps a patient's values out of whatever prints them.
func (Measured) Format(f fmt.State, _ rune) { hide(f) }

// The results of a visit: 稳定, 好转, 加重, 失访, 死亡.
const (
	ResultStable     = "STABLE"
	ResultImproved   = "IMPROVED"
	ResultWorse      = "WORSE"
	ResultNotReached = "NOT_REACHED"
	ResultDied       = "DIED"
)

// VisitResults lists the results of a visit.
func VisitResults() []string {
	return []string{ResultStable, ResultImproved, ResultWorse, ResultNotReached, ResultDied}
}

// MedicationTakings are the ways of taking the medicines (服药依从性): 规律, 间断, 不服药.
func MedicationTakings() []string { return []string{"REGULAR", "IRREGULAR", "NONE"} }

// Measurable is a value that a visit may record: its name, its UCUM unit and the range outside which it is a slip of the pen.
type Measurable struct {
	Name, Unit string
	Low, High  float64
}

// Measurables lists what a visit may record. The ranges are wider than any living patient's; they are ours, no document gives them.
func Measurables() []Measurable {
	return []Measurable{
		{"sbp", "mm[Hg]", 40, 300},
		{"dbp", "mm[Hg]", 20, 200},
		{"heart_rate", "/min", 20, 250},
		{"resp_rate", "/min", 4, 80},
		{"spo2", "%", 40, 100},
		{"temperature", "Cel", 30, 44},
		{"weight", "kg", 0.3, 300},
		{"glucose", "mmol/L", 0.5, 60},
		{"fasting_glucose", "mmol/L", 0.5, 60},
		{"hba1c", "%", 3, 20},
		{"ldl", "mmol/L", 0.1, 20},
		{"egfr", "mL/min/{1.73_m2}", 1, 200},
		{"potassium", "mmol/L", 1, 10},
		{"fetal_heart_rate", "/min", 50, 240},
		{"pain", "{score}", 0, 10},
		{"barthel", "{score}", 0, 100},
		{"danger_level", "{score}", 0, 5},
	}
}

func checkFindings(f Findings) []Field {
	var bad []Field
	switch {
	case f.Result == "":
		bad = append(bad, required("findings.result"))
	case !slices.Contains(VisitResults(), f.Result):
		bad = append(bad, unknown("findings.result"))
	}
	if f.MedicationTaking != "" && !slices.Contains(MedicationTakings(), f.MedicationTaking) {
		bad = append(bad, unknown("findings.medicationTaking"))
	}
	// Nobody measures a patient whom nobody reached.
	if f.Result == ResultNotReached && len(f.Values) > 0 {
		bad = append(bad, combination("findings.values"))
	}
	return append(bad, checkValues(f.Values)...)
}

func checkValues(values []Measured) []Field {
	var bad []Field
	known := Measurables()
	for i, v := range values {
		at := func(name string) string { return fmt.Sprintf("findings.values[%d].%s", i, name) }
		m := slices.IndexFunc(known, func(m Measurable) bool { return m.Name == v.Name })
		switch {
		case v.Name == "":
			bad = append(bad, required(at("name")))
		case m < 0:
			bad = append(bad, unknown(at("name")))
		case slices.ContainsFunc(values[:i], func(w Measured) bool { return w.Name == v.Name }):
			bad = append(bad, combination(at("name")))
		case v.Unit == "":
			bad = append(bad, required(at("unit")))
		case v.Unit != known[m].Unit:
			bad = append(bad, combination(at("unit")))
		// Not "outside": what is no number is in no range.
		case !(v.Number >= known[m].Low && v.Number <= known[m].High):
			outside := outOfRange(at("number"))
			outside.Low, outside.High, outside.Unit = known[m].Low, known[m].High, known[m].Unit
			bad = append(bad, outside)
		}
	}
	sbp, dbp := indexOf(values, "sbp"), indexOf(values, "dbp")
	if bad == nil && sbp >= 0 && dbp >= 0 && values[sbp].Number <= values[dbp].Number {
		bad = append(bad, combination(fmt.Sprintf("findings.values[%d].number", dbp)))
	}
	return bad
}

func indexOf(values []Measured, name string) int {
	return slices.IndexFunc(values, func(v Measured) bool { return v.Name == name })
}

// The reasons why a page offers to send the patient up again.
const (
	WorseResult               = "RESULT_WORSE"
	WorseBP                   = "BP_VERY_HIGH"
	WorseBPInPregnancy        = "BP_HIGH_IN_PREGNANCY"
	WorseGlucoseHigh          = "GLUCOSE_VERY_HIGH"
	WorseGlucoseLow           = "GLUCOSE_LOW"
	WorseTachycardia          = "TACHYCARDIA"
	WorseFever                = "FEVER"
	WorseBreathing            = "BREATHING"
	WorseKidney               = "EGFR_LOW"
	WorsePotassium            = "POTASSIUM_HIGH"
	WorseDanger               = "DANGER_LEVEL_HIGH"
	WorsePain                 = "PAIN_SEVERE"
	WorseNotControlledTwice   = "NOT_CONTROLLED_TWICE"
	WorseAdverseReactionTwice = "ADVERSE_REACTION_TWICE"
)

// WorseReasons lists every code that [Worse] and [FollowUpPlan.Worse] answer.
func WorseReasons() []string {
	return []string{
		WorseResult, WorseBP, WorseBPInPregnancy, WorseGlucoseHigh, WorseGlucoseLow, WorseTachycardia, WorseFever, WorseBreathing,
		WorseKidney, WorsePotassium, WorseDanger, WorsePain, WorseNotControlledTwice, WorseAdverseReactionTwice,
	}
}

// alarm is a value that speaks for sending the patient up.
type alarm struct {
	reason, value string
	rings         func(float64) bool
	// conditions are those that it is for; none: all.
	conditions []string
}

// alarms are the criteria's numbers for a patient at home; the rule that gives each, with its source, is named beside it.
func alarms() []alarm {
	return []alarm{
		{WorseBP, "sbp", atLeast(180), nil}, // UP-HTN-07, UP-HTN-10, UP-DM-03
		{WorseBP, "dbp", atLeast(110), nil},
		{WorseBPInPregnancy, "sbp", atLeast(160), []string{ConditionPregnancy, ConditionPostpartum}}, // UP-OB-05
		{WorseBPInPregnancy, "dbp", atLeast(110), []string{ConditionPregnancy, ConditionPostpartum}},
		{WorseGlucoseHigh, "glucose", atLeast(16.7), nil}, // UP-DM-01
		{WorseGlucoseHigh, "fasting_glucose", atLeast(16.7), nil},
		{WorseGlucoseLow, "glucose", atMost(3.9), nil}, // UP-DM-02: the national flow says ≤
		{WorseGlucoseLow, "fasting_glucose", atMost(3.9), nil},
		{WorseTachycardia, "heart_rate", above(100), []string{ConditionDiabetes}}, // UP-DM-05
		{WorseFever, "temperature", above(39), []string{ConditionDiabetes}},       // UP-DM-06
		// UP-OP-01 and UP-ONC-01 say fever without a number; 38 ℃ is ours.
		{WorseFever, "temperature", atLeast(38), []string{ConditionPostoperative, ConditionTumour}},
		{WorseBreathing, "resp_rate", above(30), nil},                               // UP-EMG-03
		{WorseBreathing, "spo2", below(90), nil},                                    // UP-EMG-03, UP-COPD-02
		{WorseKidney, "egfr", below(30), []string{ConditionCKD, ConditionDiabetes}}, // UP-CKD-11, UP-DM-30
		{WorsePotassium, "potassium", atLeast(6), nil},                              // UP-CKD-12
		{WorseDanger, "danger_level", atLeast(3), []string{ConditionSMD}},           // UP-SMD-01
		// UP-ONC-01 says uncontrolled pain without a number; severe pain on the usual scale of ten is 7 and more.
		{WorsePain, "pain", atLeast(7), []string{ConditionTumour, ConditionPalliative}},
	}
}

func atLeast(limit float64) func(float64) bool { return func(x float64) bool { return x >= limit } }
func atMost(limit float64) func(float64) bool  { return func(x float64) bool { return x <= limit } }
func above(limit float64) func(float64) bool   { return func(x float64) bool { return x > limit } }
func below(limit float64) func(float64) bool   { return func(x float64) bool { return x < limit } }

// Worse tells why one visit speaks for sending the patient up, as codes of [WorseReasons]; none if nothing does. A hint: it blocks nothing.
func Worse(f Findings, condition string) []string {
	if f.Result == ResultDied {
		return nil
	}
	var out []string
	if f.Result == ResultWorse {
		out = append(out, WorseResult)
	}
	return append(out, rung(alarms(), f, condition)...)
}

// rung are the reasons of the alarms that findings set off, each once.
func rung(list []alarm, f Findings, condition string) []string {
	var out []string
	for _, a := range list {
		i := indexOf(f.Values, a.value)
		if i < 0 || a.conditions != nil && !slices.Contains(a.conditions, condition) || slices.Contains(out, a.reason) {
			continue
		}
		if a.rings(f.Values[i].Number) {
			out = append(out, a.reason)
		}
	}
	return out
}

// Worse adds to the reasons of the last visit what only two in a row tell: not controlled, or an adverse reaction that stays (UP-HTN-23,
// UP-DM-20). A visit that did not reach the patient breaks no row and starts none.
func (p FollowUpPlan) Worse() []string {
	done := p.done()
	if len(done) == 0 {
		return nil
	}
	last := done[len(done)-1].Findings
	out := Worse(last, p.Condition)
	if last.Result == ResultNotReached || last.Result == ResultDied {
		return out
	}
	reached := slices.DeleteFunc(done, func(v PlannedVisit) bool { return v.Findings.Result == ResultNotReached })
	if len(reached) < 2 {
		return out
	}
	before := reached[len(reached)-2].Findings
	if rung(uncontrolled(), before, p.Condition) != nil && rung(uncontrolled(), last, p.Condition) != nil {
		out = append(out, WorseNotControlledTwice)
	}
	if before.AdverseReaction && last.AdverseReaction {
		out = append(out, WorseAdverseReactionTwice)
	}
	return out
}

// uncontrolled is what misses the target: < 140/90 mmHg, whatever the age, since a plan does not know it; fasting glucose < 7.0 mmol/L.
func uncontrolled() []alarm {
	return []alarm{
		{WorseNotControlledTwice, "sbp", atLeast(140), []string{ConditionHypertension}},
		{WorseNotControlledTwice, "dbp", atLeast(90), []string{ConditionHypertension}},
		{WorseNotControlledTwice, "fasting_glucose", atLeast(7), []string{ConditionDiabetes}},
	}
}
