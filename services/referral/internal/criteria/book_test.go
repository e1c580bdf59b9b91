package criteria_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/tongzhen/tongzhen/services/referral/internal/criteria"
)

// The criteria of the domain research, by condition. Left out on purpose: those of the village (DN-HTN-V1, DN-HTN-V2, DN-CKD-V1) and those
// from the county upwards (UP-CKD-01); DN-STR-03 and DN-CHD-02 are hand-overs. A letter behind a code is one more urgency of that row.
func shippedCodes() map[string]string {
	return map[string]string{
		"GENERAL":   "UP-GEN-01 UP-GEN-02 UP-GEN-03 UP-GEN-04 UP-GEN-05 UP-GEN-06 UP-GEN-07 DN-GEN-01 DN-GEN-02 DN-GEN-03 DN-GEN-04 DN-GEN-05 DN-GEN-06",
		"EMERGENCY": "UP-EMG-01 UP-EMG-02 UP-EMG-03 UP-EMG-04 UP-EMG-05 UP-EMG-06 UP-EMG-07 UP-EMG-08",
		"HYPERTENSION": "UP-HTN-01 UP-HTN-02 UP-HTN-03 UP-HTN-04 UP-HTN-05 UP-HTN-06 UP-HTN-07 UP-HTN-10 UP-HTN-11 UP-HTN-12 UP-HTN-13 UP-HTN-14 UP-HTN-15 " +
			"UP-HTN-16 UP-HTN-17 UP-HTN-20 UP-HTN-21 UP-HTN-22 UP-HTN-23 UP-HTN-24 DN-HTN-01 DN-HTN-02 DN-HTN-03 DN-HTN-04 DN-HTN-05",
		"DIABETES": "UP-DM-01 UP-DM-02 UP-DM-03 UP-DM-04 UP-DM-05 UP-DM-06 UP-DM-07 UP-DM-10 UP-DM-20 UP-DM-21 UP-DM-22 UP-DM-23 UP-DM-24 UP-DM-25 UP-DM-26 " +
			"UP-DM-27 UP-DM-28 UP-DM-28B UP-DM-29 UP-DM-30 UP-DM-30B DN-DM-01 DN-DM-02 DN-DM-03 DN-DM-04",
		"CKD":           "UP-CKD-10 UP-CKD-11 UP-CKD-12 DN-CKD-01 DN-CKD-02 DN-CKD-03",
		"STROKE":        "UP-STR-01 UP-STR-02 UP-STR-03 UP-STR-04 UP-STR-05 DN-STR-01 DN-STR-02",
		"CHD":           "UP-CHD-01 UP-CHD-02 UP-CHD-03 UP-CHD-04 DN-CHD-01",
		"COPD":          "UP-COPD-01 UP-COPD-02 UP-COPD-03 UP-COPD-10 UP-COPD-11 DN-COPD-01",
		"TB":            "UP-TB-01 UP-TB-01B DN-TB-01",
		"PREGNANCY":     "UP-OB-01 UP-OB-02 UP-OB-03 UP-OB-04 UP-OB-05 DN-OB-01",
		"SMD":           "UP-SMD-01 DN-SMD-01",
		"POSTOPERATIVE": "UP-OP-01 DN-OP-01 DN-OP-02",
		"TUMOUR":        "UP-ONC-01 UP-ONC-01B DN-ONC-01",
	}
}

func TestEveryConditionAndCriterionOfTheResearchIsThere(t *testing.T) {
	b, want := book(t), shippedCodes()
	if got := len(b.Conditions()); got != len(want) {
		t.Errorf("%d conditions, want %d", got, len(want))
	}
	for condition, list := range want {
		var got []string
		for _, r := range b.Rules(condition) {
			got = append(got, r.Code)
		}
		if strings.Join(got, " ") != list {
			t.Errorf("%s: %v", condition, got)
		}
	}
	handover := map[string]string{"STROKE": "DN-STR-03", "CHD": "DN-CHD-02"}
	for _, c := range b.Conditions() {
		if code := handover[c.Code]; code != "" && (len(c.Handover) != 1 || c.Handover[0].Code != code || c.Handover[0].TextEn == "") {
			t.Errorf("%s: hand-over %v", c.Code, c.Handover)
		}
	}
}

// Invariant 4; that the examples hold is TestEveryRuleCompilesAndItsExamplesHold.
func TestEveryRuleHasBothTextsASourceACertaintyAndExamplesOfBothAnswers(t *testing.T) {
	b := book(t)
	for _, c := range b.Conditions() {
		if !hasChinese(c.Name) || hasChinese(c.NameEn) || c.Approver != "" {
			t.Errorf("condition %+v", c)
		}
		for _, r := range b.Rules(c.Code) {
			if !hasChinese(r.Text) || hasChinese(r.TextEn) || r.Text == r.TextEn || r.Source == "" || r.Certainty == "" || r.Effective == "" || r.Version == "" {
				t.Errorf("rule %+v", r)
			}
			if strings.HasPrefix(r.Code, "UP-") != (r.Direction == criteria.Up) {
				t.Errorf("%s goes %s", r.Code, r.Direction)
			}
		}
	}
	for code, results := range examplesByRule(t) {
		if !slices.Contains(results, criteria.Met) || !slices.Contains(results, criteria.NotMet) {
			t.Errorf("%s has the examples %v", code, results)
		}
	}
}

// Invariant 5.
func TestNothingOfOurOwnClaimsAPage(t *testing.T) {
	b := book(t)
	for _, c := range b.Conditions() {
		for _, r := range b.Rules(c.Code) {
			own := r.Certainty != criteria.Found && r.Certainty != criteria.FoundMirror
			if own && r.SourceURL != "" && r.Note == "" {
				t.Errorf("%s is %s, names the page %s and does not say what is ours", r.Code, r.Certainty, r.SourceURL)
			}
		}
	}
}

func TestEveryValueIsNamedByARuleAndLabelledInBothLanguages(t *testing.T) {
	b := book(t)
	all := b.Values()
	named := map[string]bool{"age": true}
	var diagnoses []string
	for _, c := range b.Conditions() {
		for _, written := range c.Categories {
			diagnoses = append(diagnoses, written[:3])
		}
	}
	for _, direction := range []string{criteria.Up, criteria.Down} {
		own, general := b.Inputs(direction, diagnoses)
		for _, v := range append(own, general...) {
			named[v.Name] = true
		}
	}
	for _, v := range all {
		if !named[v.Name] || !hasChinese(v.Label) || hasChinese(v.LabelEn) || v.Label == v.LabelEn {
			t.Errorf("%+v", v)
		}
	}
}

func TestTheFormAsksForWhatTheRulesOfTheDiagnosesName(t *testing.T) {
	b := book(t)
	names := func(direction string, diagnoses ...string) []string {
		own, general := b.Inputs(direction, diagnoses)
		return codes(append(own, general...), func(v criteria.ValueDefinition) string { return v.Name })
	}
	diabetes := names(criteria.Up, "E11.9")
	for _, want := range []string{"glucose", "hba1c", "gcs", "critical_condition"} {
		if !slices.Contains(diabetes, want) {
			t.Errorf("%s is not asked for", want)
		}
	}
	for _, other := range []string{"age", "onset_age", "diagnosis_clear", "danger_level"} {
		if slices.Contains(diabetes, other) {
			t.Errorf("%s is asked for", other)
		}
	}
	if down := names(criteria.Down, "E11.9"); slices.Contains(down, "glucose") || !slices.Contains(down, "diagnosis_clear") {
		t.Errorf("going down: %v", down)
	}
}

func TestWhatTheDiagnosisIsAboutIsToldApartFromWhatEverybodyIsAsked(t *testing.T) {
	own, general := book(t).Inputs(criteria.Up, []string{"E11.9"})
	has := func(list []criteria.ValueDefinition, name string) bool {
		return slices.ContainsFunc(list, func(v criteria.ValueDefinition) bool { return v.Name == name })
	}
	for name, isOwn := range map[string]bool{"hba1c": true, "foot_ulcer_wagner": true, "iss": false, "critical_condition": false} {
		if has(own, name) != isOwn || has(general, name) == isOwn {
			t.Errorf("%s: own %v, general %v", name, has(own, name), has(general, name))
		}
	}
}

func TestTheUsualDepartmentAndWhatIsAnEmergencyWhileFresh(t *testing.T) {
	b := book(t)
	for _, c := range []struct {
		diagnoses  []string
		department string
		acute      bool
	}{
		{[]string{"I21.0"}, "0304", true},
		{[]string{"I20.000"}, "0304", true},
		{[]string{"I25.1"}, "0304", false},
		{[]string{"R07.4"}, "0304", false},
		{[]string{"R07.4", "I63.9"}, "0303", true},
		{[]string{"I69.3"}, "0303", false},
		{[]string{"E11.9", "I10"}, "0307", false},
		{[]string{"J11"}, "", false},
		{nil, "", false},
	} {
		if department, acute := b.Usual(c.diagnoses); department != c.department || acute != c.acute {
			t.Errorf("%v: %q %v", c.diagnoses, department, acute)
		}
	}
}

func TestAnObservationBecomesAValueInTheUnitOfTheRules(t *testing.T) {
	b := book(t)
	for _, c := range []struct {
		code, unit string
		number     float64
		name       string
		value      float64
	}{
		{"8480-6", "mm[Hg]", 142, "sbp", 142},
		{"8480-6", "kPa", 20, "sbp", 150.0124},
		{"8462-4", "mmHg", 90, "dbp", 90},
		{"2339-0", "mg/dL", 180.16, "glucose", 10},
		{"14749-6", "mmol/L", 7.8, "glucose", 7.8},
		{"4548-4", "%", 7.1, "hba1c", 7.1},
		{"59261-8", "mmol/mol", 53, "hba1c", 7.00044},
		{"33914-3", "mL/min/{1.73_m2}", 58, "egfr", 58},
		{"6298-4", "meq/L", 4.4, "potassium", 4.4},
		{"8331-1", "Cel", 37.2, "temperature", 37.2},
		{"8310-5", "[degF]", 104, "temperature", 40},
		{"GLU", "mmol/L", 5.5, "glucose", 5.5},
	} {
		name, value, ok := b.FromObservation(c.code, c.unit, c.number)
		if !ok || name != c.name || math.Abs(value-c.value) > 0.001 {
			t.Errorf("%s %g %s: %s %g %v", c.code, c.number, c.unit, name, value, ok)
		}
	}
}

func TestAnObservationThatIsNotUnderstoodIsNoValue(t *testing.T) {
	b := book(t)
	for name, c := range map[string]struct {
		code, unit string
		number     float64
	}{
		"a code of nothing":      {"29463-7", "kg", 70},
		"another unit":           {"2339-0", "g/L", 1},
		"no unit":                {"2339-0", "", 100},
		"impossible":             {"8480-6", "mm[Hg]", 1420},
		"impossible when turned": {"2339-0", "mg/dL", 5000},
		"not a number":           {"8480-6", "mm[Hg]", math.NaN()},
	} {
		if got, value, ok := b.FromObservation(c.code, c.unit, c.number); ok {
			t.Errorf("%s: %s %g", name, got, value)
		}
	}
}

func TestAStayIsTooLongByItsDiagnosisAndAge(t *testing.T) {
	b := book(t)
	for _, c := range []struct {
		icd  string
		age  int
		days int
		rule string
	}{
		{"I63.900", 70, 10, "LOS-I63"},
		{"J18.9", 15, 10, "LOS-PNEUMONIA"},
		{"J18.9", 14, 6, "LOS-PNEUMONIA-CHILD"},
		{"J18.9", -1, 0, ""},
		{"E11.9", -1, 8, "LOS-E11-9"},
		{"E11.900", 50, 8, "LOS-E11-9"},
		{"E11.2", 50, 0, ""},
		{"I10", 50, 8, "LOS-HTN"},
		{"I15.0", 50, 8, "LOS-HTN"},
		{"N20.0", 50, 7, "LOS-URINARY-STONE"},
		{"S52", 50, 0, ""},
		{"", 50, 0, ""},
	} {
		days, rule, ok := b.StayCeiling(c.icd, c.age)
		if days != c.days || rule != c.rule || ok != (c.days > 0) {
			t.Errorf("%s at %d: %d %s %v", c.icd, c.age, days, rule, ok)
		}
		if s, there := b.Stay(rule); there != ok || there && (s.Days != days || !hasChinese(s.Text) || hasChinese(s.TextEn) || s.Source == "" || s.SourceURL == "") {
			t.Errorf("row %q: %+v", rule, s)
		}
	}
}

func TestConditionsAreFoundByTheirCodes(t *testing.T) {
	b := book(t)
	for icd, want := range map[string]string{
		"I10.x00": "HYPERTENSION", "E14": "DIABETES", "N18.3": "CKD", "I69.3": "STROKE", "I25.1": "CHD", "J44.1": "COPD", "A16.2": "TB",
		"O24.4": "PREGNANCY", "F31.0": "SMD", "C34.9": "TUMOUR", "R07.4": "", "K35": "", "": "", "?": "",
	} {
		if got := strings.Join(codes(b.ConditionsOf(icd), func(c criteria.Condition) string { return c.Code }), " "); got != want {
			t.Errorf("%q: %s", icd, got)
		}
	}
	for snomed, want := range map[string]string{
		"38341003": "I10", "44054006": "E11", "53741008": "I25", "230690007": "I64", "84757009": "G40", "368581000119106": "E11", "65966004": "",
	} {
		if got, ok := b.Category(snomed); got != want || ok != (want != "") {
			t.Errorf("%s: %s %v", snomed, got, ok)
		}
	}
}

func TestEveryConditionHasADepartmentButTheGeneral(t *testing.T) {
	want := map[string]string{
		"GENERAL": "", "EMERGENCY": "20", "HYPERTENSION": "0304", "DIABETES": "0307", "CKD": "0306", "STROKE": "0303", "CHD": "0304", "COPD": "0301",
		"TB": "17", "PREGNANCY": "0502", "SMD": "1501", "POSTOPERATIVE": "21", "TUMOUR": "19",
	}
	for _, c := range book(t).Conditions() {
		if c.Department != want[c.Code] {
			t.Errorf("%s goes to %q", c.Code, c.Department)
		}
	}
}

func hasChinese(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return '一' <= r && r <= '鿿' })
}
