package criteria_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/tongzhen/tongzhen/services/referral/internal/criteria"
)

// county is a folder of one county.
func county(files map[string]string) fstest.MapFS {
	out := fstest.MapFS{}
	for name, content := range files {
		out[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return out
}

// hypertension is a county's own hypertension.yaml: a head, then rules from line 6 on.
func hypertension(rules string) fstest.MapFS {
	return county(map[string]string{"hypertension.yaml": `condition: HYPERTENSION
version: "2"
approver: 张医生
sources: {own: {document: 本县转诊标准}}
rules:
` + rules})
}

const stricter = `  - {code: UP-HTN-10, direction: UP, urgency: URGENT, when: sbp >= 170, text: 收缩压≥170, text_en: Over 170, source: own, certainty: FOUND}
`

// Invariant 3.
func TestACountyReplacesARuleByItsCode(t *testing.T) {
	b, err := criteria.New(hypertension(stricter))
	if err != nil {
		t.Fatal(err)
	}
	if got := result(t, b, up("I10", number("sbp", 175)), "UP-HTN-10"); got.Status != criteria.Met || got.Source != "本县转诊标准" {
		t.Errorf("%s of %s", got.Status, got.Source)
	}
	own, _ := b.Rule("UP-HTN-10")
	shipped, _ := b.Rule("UP-HTN-11")
	if !own.County || shipped.County || own.Version != "2" || own.Approver != "张医生" || shipped.Version != "1" || shipped.Approver != "" {
		t.Errorf("own %s by %q, shipped %s by %q", own.Version, own.Approver, shipped.Version, shipped.Approver)
	}
	if got, want := len(b.Rules("HYPERTENSION")), len(book(t).Rules("HYPERTENSION")); got != want {
		t.Errorf("%d rules instead of %d", got, want)
	}
}

func TestACountyAddsARuleOrAConditionOrAValue(t *testing.T) {
	b, err := criteria.New(county(map[string]string{
		"rules/gout.yaml": `
condition: GOUT
name: 痛风
name_en: Gout
icd: [M10]
version: "1"
effective: 2026-12-01
sources: {own: {document: 本县转诊标准}}
rules:
  - {code: UP-GOUT-01, direction: UP, urgency: ROUTINE, when: uric_acid > 540, text: 血尿酸>540, source: own, certainty: FOUND}
`,
		"values.yaml": `
values:
  - {name: uric_acid, label: 血尿酸, type: NUMBER, unit: umol/L, max_age_days: 30, min: 20, max: 3000, local: [UA-17], units: {mg/dL: {factor: 59.48}}}
`,
		".hidden/x.txt": "passed over", "README.md": "passed over",
	}))
	if err != nil {
		t.Fatal(err)
	}
	name, value, ok := b.FromObservation("UA-17", "mg/dL", 10)
	if !ok || name != "uric_acid" {
		t.Fatalf("%s %v", name, ok)
	}
	got := result(t, b, up("M10.9", number(name, value)), "UP-GOUT-01")
	if got.Status != criteria.Met || got.TextEn != got.Text || got.Used[0].LabelEn != "血尿酸" {
		t.Errorf("%+v", got)
	}
}

func TestACountyChangesTheUsualLengthOfAStay(t *testing.T) {
	b, err := criteria.New(county(map[string]string{"los.yaml": `
stays:
  - {code: LOS-I63, icd: [I63], days: 12, text: 脑梗死住院超过12天, source: 本县, certainty: FOUND}
  - {code: LOS-HTN-OLD, icd: [I10], min_age: 80, days: 6, text: 高龄高血压住院超过6天, source: 本县, certainty: FOUND}
`}))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		icd       string
		age, want int
	}{{"I63.9", 70, 12}, {"I10", 85, 6}, {"I10", 79, 8}, {"I10", -1, 8}} {
		if days, _, _ := b.StayCeiling(c.icd, c.age); days != c.want {
			t.Errorf("%s at %d: %d days", c.icd, c.age, days)
		}
	}
}

func TestACountySwitchesARuleOff(t *testing.T) {
	b, err := criteria.New(hypertension("  - {code: UP-HTN-24, disabled: true}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, there := b.Rule("UP-HTN-24"); there {
		t.Error("UP-HTN-24 is still there")
	}
}

// Invariant 2.
func TestWhatIsWrongIsNamedWithFileLineAndReason(t *testing.T) {
	row := func(changes ...string) string { return strings.NewReplacer(changes...).Replace(stricter) }
	for name, c := range map[string]struct{ rules, want string }{
		"an expression that is none":   {row("sbp >= 170", "sbp >= "), "hypertension.yaml:6: rule UP-HTN-10: when, column 7: Syntax error"},
		"a value that does not exist":  {row("sbp >= 170", "systolic >= 170"), `hypertension.yaml:6: rule UP-HTN-10: when: there is no value "systolic"`},
		"a finding taken for a number": {row("sbp >= 170", "vomiting >= 170"), "hypertension.yaml:6: rule UP-HTN-10: when, column 10: found no matching overload"},
		"an expression without answer": {row("sbp >= 170", "sbp + 1.0"), "hypertension.yaml:6: rule UP-HTN-10: when is not a condition"},
		"a rule for everybody":         {row("sbp >= 170", "1 < 2"), "hypertension.yaml:6: rule UP-HTN-10: when names no value"},
		"a function":                   {row("sbp >= 170", "string(sbp) == string(dbp)"), "hypertension.yaml:6: rule UP-HTN-10: when: rules know no string"},
		"a list":                       {row("sbp >= 170", `"sbp in [1.0]"`), "hypertension.yaml:6: rule UP-HTN-10: when: rules know no in"},
		"a text":                       {row("sbp >= 170", `"'a' == 'b' || sbp > 1"`), "hypertension.yaml:6: rule UP-HTN-10: when: only numbers"},
		"an endless expression":        {row("sbp >= 170", strings.Repeat("sbp > 1 || ", 400)+"sbp > 2"), "hypertension.yaml:6: rule UP-HTN-10: when: "},
		"a deep expression":            {row("sbp >= 170", strings.Repeat("sbp+", 200)+"sbp > 2.0"), "hypertension.yaml:6: rule UP-HTN-10: when: max recursion"},
		"division of whole numbers":    {row("sbp >= 170", "sbp > 1 / 0"), "hypertension.yaml:6: rule UP-HTN-10: when: numbers that are counted with"},
		"no expression":                {row(" when: sbp >= 170,", ""), "hypertension.yaml:6: rule UP-HTN-10: when is missing"},
		"a key that does not exist":    {row("text_en", "textEn"), "hypertension.yaml:6: unknown key textEn"},
		"a direction that is none":     {row("UP,", "SIDEWAYS,"), "hypertension.yaml:6: rule UP-HTN-10: direction"},
		"an urgent that is none":       {row("URGENT", "SOON"), "hypertension.yaml:6: rule UP-HTN-10: urgency"},
		"an emergency going down":      {row("UP,", "DOWN,", "URGENT", "EMERGENCY"), "hypertension.yaml:6: rule UP-HTN-10: a down-referral is no emergency"},
		"a certainty that is none":     {row("FOUND", "SURE"), "hypertension.yaml:6: rule UP-HTN-10: certainty"},
		"no text":                      {row("text: 收缩压≥170, ", ""), "hypertension.yaml:6: rule UP-HTN-10: the text is missing"},
		"a source that is not listed":  {row("source: own", "source: other"), `hypertension.yaml:6: rule UP-HTN-10: the source "other"`},
		"a code twice":                 {stricter + stricter, "hypertension.yaml:7: UP-HTN-10 is already at hypertension.yaml:6"},
		"a second wrong rule":          {stricter + row("UP-HTN-10", "UP-HTN-11", "sbp", "x"), `hypertension.yaml:7: rule UP-HTN-11: when: there is no value "x"`},
		"switching off nothing":        {"  - {code: UP-HTN-99, disabled: true}\n", "hypertension.yaml:6: UP-HTN-99 is switched off, but there is no UP-HTN-99"},
		"an example without a result":  {row("certainty: FOUND", "certainty: FOUND, examples: [{values: {sbp: 1}}]"), "hypertension.yaml:6: rule UP-HTN-10: example 1: result"},
		"an example of another type":   {row("certainty: FOUND", "certainty: FOUND, examples: [{values: {sbp: true}, result: MET}]"), `hypertension.yaml:6: rule UP-HTN-10: example 1: there is no value "sbp" of type FINDING`},
		"a broken line":                {"  - {code: UP-HTN-10\n  x", "hypertension.yaml:"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := criteria.New(hypertension(c.rules))
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("%v\nwant %s…", err, c.want)
			}
		})
	}
}

func TestWhatIsWrongWithAFileOrATableIsNamedAsWell(t *testing.T) {
	const sbp = "values:\n  - {name: sbp2, label: 收缩压, type: NUMBER, unit: x, min: 0, max: 9, loinc: [1-8]}\n"
	row := func(changes ...string) string { return strings.NewReplacer(changes...).Replace(sbp) }
	for name, c := range map[string]struct{ file, content, want string }{
		"an empty file":               {"a.yaml", "", "a.yaml:1: the file is empty"},
		"two documents":               {"a.yaml", "rules: []\n---\nrules: []\n", "a.yaml:1: the file holds more than one document"},
		"not YAML":                    {"a.yaml", "\t{", "a.yaml:"},
		"another kind of file":        {"a.yml", "rules: []", "a.yml:1: only .yaml files are read here"},
		"no condition":                {"a.yaml", "rules: []", `a.yaml:1: condition "": its code`},
		"a new condition, half told":  {"a.yaml", "condition: GOUT", `a.yaml:1: condition "GOUT": name and name_en are needed`},
		"a category that is none":     {"a.yaml", "{condition: CKD, icd: [N18, N]}", `a.yaml:1: condition "CKD": "N" is no ICD-10 category`},
		"a range that runs backwards": {"a.yaml", "{condition: CKD, icd: [N18-N10]}", `a.yaml:1: condition "CKD": the range "N18-N10" runs backwards`},
		"a date that is none":         {"a.yaml", "{condition: CKD, effective: soon}", `a.yaml:1: condition "CKD": effective`},
		"a value without unit":        {"values.yaml", row("unit: x, ", ""), "values.yaml:2: value sbp2: a NUMBER needs its UCUM unit"},
		"a value without range":       {"values.yaml", row("max: 9", "max: 0"), "values.yaml:2: value sbp2: a NUMBER needs min and max"},
		"a value without type":        {"values.yaml", row("NUMBER", "TEXT"), "values.yaml:2: value sbp2: type is not"},
		"a value named like a word":   {"values.yaml", row("sbp2", "SBP"), "values.yaml:2: value SBP: its name"},
		"a finding with a unit":       {"values.yaml", row("NUMBER", "FINDING"), "values.yaml:2: value sbp2: a FINDING has no unit"},
		"a code of two values":        {"values.yaml", row("1-8", "8480-6"), "values.yaml:2: value sbp2: the code 8480-6 is already that of sbp"},
		"a value that rules need":     {"values.yaml", "values: [{name: gcs, disabled: true}]", `rules/emergency.yaml:`},
		"a stay without days":         {"los.yaml", "stays:\n  - {code: LOS-A, icd: [A00], text: x, source: y, certainty: FOUND}\n", "los.yaml:2: stay LOS-A: days must be positive"},
		"a stay without range":        {"los.yaml", "stays:\n  - {code: LOS-A, icd: [A0], days: 1, text: x, source: y, certainty: FOUND}\n", `los.yaml:2: stay LOS-A: "A0" is no ICD-10`},
		"a condition without code":    {"snomed.yaml", "conditions:\n  - {code: '38341003x', icd: I10, certainty: FOUND}\n", "snomed.yaml:2: condition 38341003x: it needs"},
		"a condition of a range":      {"snomed.yaml", "conditions:\n  - {code: '38341003', icd: I10-I15, certainty: FOUND}\n", "snomed.yaml:2: condition 38341003: it needs"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := criteria.New(county(map[string]string{c.file: c.content}))
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("%v\nwant %s…", err, c.want)
			}
		})
	}
}

func TestAllThatIsWrongIsReportedAtOnce(t *testing.T) {
	_, err := criteria.New(county(map[string]string{"a.yaml": "", "b.yaml": "", "values.yaml": "values: [{name: X}]"}))
	if err == nil || len(strings.Split(err.Error(), "\n")) != 3 {
		t.Errorf("%v", err)
	}
}

// Invariant 4 stands on this: Check sees an example that does not hold.
func TestCheckNamesTheExampleThatDoesNotHold(t *testing.T) {
	for name, c := range map[string]struct{ examples, want string }{
		"another result": {"[{values: {sbp: 180}, result: MET}, {values: {sbp: 180}, result: NOT_MET}]", "example 2: the rule says MET, the example NOT_MET"},
		"other names":    {"[{values: {}, result: UNKNOWN, missing: [dbp]}]", "example 1: the rule misses sbp, the example dbp"},
	} {
		t.Run(name, func(t *testing.T) {
			err := criteria.Check(hypertension(strings.Replace(stricter, "FOUND}", "FOUND, examples: "+c.examples+"}", 1)))
			if err == nil || err.Error() != "hypertension.yaml:6: rule UP-HTN-10: "+c.want {
				t.Error(err)
			}
		})
	}
	if err := criteria.Check(hypertension(stricter)); err != nil {
		t.Error(err)
	}
}

func FuzzLoad(f *testing.F) {
	const (
		head   = "condition: A\nname: a\nname_en: a\nalways: true\nversion: a\neffective: 2026-01-01\nsources: {o: {document: o}}\n"
		values = "values: [{name: sbp, label: a, type: NUMBER, unit: a, max: 1}, {name: vomiting, label: a, type: FINDING}]"
	)
	for _, seed := range []string{
		"", "rules: [", "a: &a [*a]", "conditions: &x\n  - <<: *x\n", values, "stays: [{code: A, icd: [E11.9], days: -1}]",
		"values: [{name: double, label: x, type: NUMBER, unit: x, max: 1}]",
		head + "rules: [{code: A, direction: UP, urgency: URGENT, when: 'sbp > 1 ? vomiting : !vomiting', text: a, source: o, certainty: FOUND}]",
		head + "rules: [{code: A, direction: UP, urgency: URGENT, when: '-sbp / 0 == 1 || vomiting', text: a, source: o, certainty: FOUND}]",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		for _, name := range []string{"a.yaml", "values.yaml", "los.yaml", "snomed.yaml"} {
			folder := county(map[string]string{"values.yaml": values})
			folder[name] = &fstest.MapFile{Data: content}
			b, err := criteria.Alone(folder)
			if err != nil {
				continue
			}
			for _, sbp := range []float64{0, 1} {
				b.Evaluate(criteria.Input{Direction: criteria.Up, Diagnoses: []string{"E11.9"}, Values: []criteria.Value{number("sbp", sbp)}}, noon)
			}
			b.StayCeiling("E11.9", 1)
		}
	})
}
