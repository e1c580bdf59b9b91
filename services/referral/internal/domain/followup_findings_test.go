package domain_test

import (
	"math"
	"slices"
	"testing"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func TestFindingsMustBePossible(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		findings domain.Findings
		field    string
	}{
		"no result":                   {domain.Findings{}, "findings.result FIELD_REQUIRED"},
		"result that is none":         {domain.Findings{Result: "FINE"}, "findings.result FIELD_UNKNOWN"},
		"medicines":                   {domain.Findings{MedicationTaking: "OFTEN"}, "findings.medicationTaking FIELD_UNKNOWN"},
		"value without name":          {domain.Findings{Values: value("", 1, "kg")}, "findings.values[0].name FIELD_REQUIRED"},
		"value that is none":          {domain.Findings{Values: value("aura", 1, "kg")}, "findings.values[0].name FIELD_UNKNOWN"},
		"value twice":                 {domain.Findings{Values: append(bp(120, 80), bp(130, 80)...)}, "findings.values[2].name FIELD_COMBINATION"},
		"value without unit":          {domain.Findings{Values: value("glucose", 7, "")}, "findings.values[0].unit FIELD_REQUIRED"},
		"value of another unit":       {domain.Findings{Values: value("glucose", 126, "mg/dL")}, "findings.values[0].unit FIELD_COMBINATION"},
		"pressure of a giraffe":       {domain.Findings{Values: bp(301, 90)}, "findings.values[0].number FIELD_OUT_OF_RANGE"},
		"no number":                   {domain.Findings{Values: value("weight", math.NaN(), "kg")}, "findings.values[0].number FIELD_OUT_OF_RANGE"},
		"infinity":                    {domain.Findings{Values: value("weight", math.Inf(1), "kg")}, "findings.values[0].number FIELD_OUT_OF_RANGE"},
		"Fahrenheit":                  {domain.Findings{Values: value("temperature", 98, "Cel")}, "findings.values[0].number FIELD_OUT_OF_RANGE"},
		"diastolic as systolic":       {domain.Findings{Values: bp(80, 120)}, "findings.values[1].number FIELD_COMBINATION"},
		"diastolic equal to systolic": {domain.Findings{Values: bp(100, 100)}, "findings.values[1].number FIELD_COMBINATION"},
		"measured and not reached":    {domain.Findings{Result: domain.ResultNotReached, Values: bp(120, 80)}, "findings.values FIELD_COMBINATION"},
	} {
		_, bad := plan(t).Record(1, c.findings, doctor(), now)
		if got := names(bad); !slices.Contains(got, c.field) {
			t.Errorf("%s: got %q, want %q", name, got, c.field)
		}
	}
	for _, result := range domain.VisitResults() {
		recorded(t, plan(t), 1, domain.Findings{Result: result}, 0)
	}
	for _, m := range domain.Measurables() {
		for _, number := range []float64{m.Low, m.High} {
			recorded(t, plan(t), 1, domain.Findings{Result: domain.ResultStable, Values: value(m.Name, number, m.Unit)}, 0)
		}
	}
}

func TestOneVisitMaySpeakForSendingThePatientUp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		condition string
		findings  domain.Findings
		want      []string
	}{
		{domain.ConditionGeneral, domain.Findings{Result: domain.ResultWorse}, []string{domain.WorseResult}},
		{domain.ConditionHypertension, domain.Findings{Values: bp(180, 110)}, []string{domain.WorseBP}},
		{domain.ConditionHypertension, domain.Findings{Values: bp(179, 110)}, []string{domain.WorseBP}},
		{domain.ConditionHypertension, domain.Findings{Values: bp(179, 109)}, nil},
		{domain.ConditionPregnancy, domain.Findings{Values: bp(160, 90)}, []string{domain.WorseBPInPregnancy}},
		{domain.ConditionDiabetes, domain.Findings{Values: value("glucose", 16.7, "mmol/L")}, []string{domain.WorseGlucoseHigh}},
		{domain.ConditionDiabetes, domain.Findings{Values: value("fasting_glucose", 3.9, "mmol/L")}, []string{domain.WorseGlucoseLow}},
		{domain.ConditionDiabetes, domain.Findings{Values: value("glucose", 4, "mmol/L")}, nil},
		{domain.ConditionDiabetes, domain.Findings{Values: value("heart_rate", 101, "/min")}, []string{domain.WorseTachycardia}},
		{domain.ConditionCOPD, domain.Findings{Values: value("heart_rate", 101, "/min")}, nil},
		{domain.ConditionCOPD, domain.Findings{Values: value("spo2", 89, "%")}, []string{domain.WorseBreathing}},
		{domain.ConditionCOPD, domain.Findings{Values: value("resp_rate", 30, "/min")}, nil},
		{domain.ConditionDiabetes, domain.Findings{Values: value("temperature", 39, "Cel")}, nil},
		{domain.ConditionPostoperative, domain.Findings{Values: value("temperature", 38, "Cel")}, []string{domain.WorseFever}},
		{domain.ConditionCKD, domain.Findings{Values: value("egfr", 29, "mL/min/{1.73_m2}")}, []string{domain.WorseKidney}},
		{domain.ConditionCKD, domain.Findings{Values: value("potassium", 6, "mmol/L")}, []string{domain.WorsePotassium}},
		{domain.ConditionSMD, domain.Findings{Values: value("danger_level", 3, "{score}")}, []string{domain.WorseDanger}},
		{domain.ConditionPalliative, domain.Findings{Values: value("pain", 7, "{score}")}, []string{domain.WorsePain}},
		{domain.ConditionHypertension, domain.Findings{Result: domain.ResultDied, Values: bp(200, 120)}, nil},
	} {
		got := domain.Worse(c.findings, c.condition)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.condition, got, c.want)
		}
		for _, reason := range got {
			if !slices.Contains(domain.WorseReasons(), reason) {
				t.Errorf("%s is not listed", reason)
			}
		}
	}
}

func TestTwoVisitsInARowTellWhatOneDoesNot(t *testing.T) {
	t.Parallel()
	high, good := domain.Findings{Result: domain.ResultStable, Values: bp(146, 88)}, domain.Findings{Result: domain.ResultStable, Values: bp(132, 84)}
	reaction := domain.Findings{Result: domain.ResultStable, AdverseReaction: true}
	lost := domain.Findings{Result: domain.ResultNotReached}
	for name, c := range map[string]struct {
		visits []domain.Findings
		want   []string
	}{
		"no visit":                  {nil, nil},
		"once":                      {[]domain.Findings{high}, nil},
		"twice":                     {[]domain.Findings{high, high}, []string{domain.WorseNotControlledTwice}},
		"not in a row":              {[]domain.Findings{high, good, high}, nil},
		"better now":                {[]domain.Findings{high, high, good}, nil},
		"not reached in between":    {[]domain.Findings{high, lost, high}, []string{domain.WorseNotControlledTwice}},
		"not reached now":           {[]domain.Findings{high, high, lost}, nil},
		"a new reaction":            {[]domain.Findings{good, reaction}, nil},
		"a reaction that stays":     {[]domain.Findings{reaction, reaction}, []string{domain.WorseAdverseReactionTwice}},
		"dangerous, and both times": {[]domain.Findings{high, {Result: domain.ResultWorse, Values: bp(190, 100)}}, []string{domain.WorseResult, domain.WorseBP, domain.WorseNotControlledTwice}},
	} {
		p := plan(t)
		for i, f := range c.visits {
			p = recorded(t, p, i+1, f, i)
		}
		if got := p.Worse(); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
	late := recorded(t, recorded(t, plan(t), 2, good, 0), 1, high, 1)
	if late = recorded(t, late, 3, high, 2); !slices.Equal(late.Worse(), []string{domain.WorseNotControlledTwice}) {
		t.Errorf("a row goes by when visits were made, got %q", late.Worse())
	}
}
