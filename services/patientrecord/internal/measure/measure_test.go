package measure_test

import (
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/measure"
)

func shipped(t *testing.T) domain.Measures {
	t.Helper()
	m, err := measure.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var now = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func observation(values ...domain.Measured) domain.Statement {
	return domain.Statement{
		Entry: domain.Entry{Kind: domain.KindObservation, Status: "final", Time: now, Code: "x"}, Text: "x", Measured: values,
	}
}

func of(code string, value float64, unit string) domain.Measured {
	return domain.Measured{Code: "http://loinc.org|" + code, Value: value, Unit: unit}
}

func TestWhatNoPatientHasIsRefused(t *testing.T) {
	t.Parallel()
	m := shipped(t)
	for name, x := range map[string]struct {
		values []domain.Measured
		field  string
		cause  string
	}{
		"a usual pressure":                      {[]domain.Measured{of("8480-6", 132, "mm[Hg]"), of("8462-4", 84, "mm[Hg]")}, "", ""},
		"the worst pressure":                    {[]domain.Measured{of("8480-6", 300, "mm[Hg]"), of("8462-4", 180, "mm[Hg]")}, "", ""},
		"in kilopascals":                        {[]domain.Measured{of("8480-6", 17.6, "kPa"), of("8462-4", 11.2, "kPa")}, "", ""},
		"kilopascals without saying so":         {[]domain.Measured{of("8480-6", 17.6, "mm[Hg]")}, "value.sbp", domain.CauseRange},
		"turned round":                          {[]domain.Measured{of("8480-6", 84, "mm[Hg]"), of("8462-4", 132, "mm[Hg]")}, "value.dbp", domain.CausePressure},
		"both alike":                            {[]domain.Measured{of("8480-6", 90, "mm[Hg]"), of("8462-4", 90, "mm[Hg]")}, "value.dbp", domain.CausePressure},
		"milligrams taken for millimoles":       {[]domain.Measured{of("14743-9", 180, "mmol/L")}, "value.glucose", domain.CauseRange},
		"milligrams":                            {[]domain.Measured{of("14743-9", 180, "mg/dL")}, "", ""},
		"a unit that is not known":              {[]domain.Measured{of("14743-9", 5, "g")}, "value.glucose", domain.CauseUnit},
		"more oxygen than there is":             {[]domain.Measured{of("59408-5", 101, "%")}, "value.spo2", domain.CauseRange},
		"a temperature with the point left out": {[]domain.Measured{of("8310-5", 365, "Cel")}, "value.temperature", domain.CauseRange},
		"no number":                             {[]domain.Measured{of("8310-5", math.NaN(), "Cel")}, "value.temperature", ""},
		"what is not shipped is not judged":     {[]domain.Measured{of("0000-0", 1e9, "anything")}, "", ""},
		"nothing":                               {nil, "value", ""},
	} {
		got := observation(x.values...).Check(m, now)
		switch {
		case x.field == "" && len(got) != 0:
			t.Errorf("%s: %+v", name, got)
		case x.field != "" && (len(got) != 1 || got[0].Field != x.field || got[0].Cause != x.cause):
			t.Errorf("%s: %+v, want %s %s", name, got, x.field, x.cause)
		}
	}
}

func TestWhatHasNotHappenedIsRefused(t *testing.T) {
	t.Parallel()
	m := shipped(t)
	visit := func(start, end time.Time) domain.Statement {
		return domain.Statement{Entry: domain.Entry{Kind: domain.KindEncounter, Status: "finished", Code: "AMB", Time: start}, End: end}
	}
	for name, x := range map[string]struct {
		s     domain.Statement
		field string
		cause string
	}{
		"now by a clock that is ahead": {visit(now.Add(time.Minute), time.Time{}), "", ""},
		"later":                        {visit(now.Add(3*time.Minute), time.Time{}), "time", domain.CauseNotYet},
		"ends later":                   {visit(now.Add(-time.Hour), now.Add(time.Hour)), "endTime", domain.CauseNotYet},
		"ends before it began":         {visit(now.Add(-time.Hour), now.Add(-2*time.Hour)), "endTime", domain.CauseOrder},
		"a slip of the year":           {visit(now.AddDate(-1800, 0, 0), time.Time{}), "time", domain.CauseLongAgo},
		"a note without a time": {domain.Statement{Entry: domain.Entry{Kind: domain.KindNote, Status: "final"}, Text: "x", Words: "y"},
			"time", ""},
		"a problem needs none": {domain.Statement{Entry: domain.Entry{Kind: domain.KindProblem, Status: "active"}, Text: "x"}, "", ""},
		"a note without words": {domain.Statement{Entry: domain.Entry{Kind: domain.KindNote, Status: "final", Time: now}, Text: "x"}, "words", ""},
		"an allergy to what?":  {domain.Statement{Entry: domain.Entry{Kind: domain.KindAllergy, Status: "active"}}, "text", ""},
		"a status of another":  {domain.Statement{Entry: domain.Entry{Kind: domain.KindAllergy, Status: "final"}, Text: "x"}, "status", ""},
		"a class unknown":      {domain.Statement{Entry: domain.Entry{Kind: domain.KindEncounter, Status: "finished", Code: "PICNIC", Time: now}}, "classCode", ""},
		"two settings": {domain.Statement{Entry: domain.Entry{Kind: domain.KindProblem, Status: "active"}, Text: "x", EncounterID: "e", ReferralID: "r"},
			"referralId", "encounterId"},
	} {
		got := x.s.Check(m, now)
		if x.field == "" && len(got) != 0 || x.field != "" && (len(got) != 1 || got[0].Field != x.field || got[0].Cause != x.cause) {
			t.Errorf("%s: %+v, want %s %s", name, got, x.field, x.cause)
		}
	}
}

func TestWhatIsUsualDependsOnSexAndAge(t *testing.T) {
	t.Parallel()
	m := shipped(t)
	creatinine, ok := m.ByName("creatinine")
	if !ok {
		t.Fatal("no creatinine")
	}
	for _, x := range []struct {
		sex  domain.Sex
		age  int
		high float64
	}{{domain.Male, 59, 97}, {domain.Male, 60, 111}, {domain.Female, 20, 73}, {domain.Female, 79, 81}, {domain.Female, 80, 0}, {domain.Male, 7, 0}, {domain.SexUnknown, 40, 0}} {
		r, ok := creatinine.RangeFor(x.sex, x.age)
		if ok != (x.high > 0) || ok && *r.High != x.high {
			t.Errorf("%v %d: %+v", x.sex, x.age, r)
		}
	}
}

func TestReadingsBecomeLinesInOneUnit(t *testing.T) {
	t.Parallel()
	m := shipped(t)
	charts, ok := m.Charts("glucose", "blood_pressure")
	if !ok || len(charts) != 2 {
		t.Fatal(charts, ok)
	}
	reading := func(hours int, v domain.Measured) domain.Reading {
		return domain.Reading{Measured: v, Time: now.Add(time.Duration(hours) * time.Hour)}
	}
	trends := m.Trends(charts, []domain.Reading{
		reading(2, of("14771-0", 126, "mg/dL")), reading(1, of("1558-6", 5.5, "mmol/L")), reading(0, of("2345-7", 9, "spoons")), reading(0, of("8480-6", 140, "mmHg")),
	}, domain.Male, 50)
	fasting, random := trends[0].Lines[0], trends[0].Lines[1]
	if len(fasting.Readings) != 2 || fasting.Readings[0].Value != 5.5 || math.Abs(fasting.Readings[1].Value-6.99) > 0.01 || fasting.Readings[1].Unit != "mmol/L" {
		t.Errorf("%+v", fasting.Readings)
	}
	if len(random.Readings) != 0 || trends[0].LeftOut != 1 || !fasting.HasRange || *fasting.Range.High != 6.1 {
		t.Errorf("%+v", trends[0])
	}
	if len(trends[1].Lines) != 2 || len(trends[1].Lines[0].Readings) != 1 {
		t.Errorf("%+v", trends[1])
	}
	if unknown := m.Trends(charts, nil, domain.Male, -1); unknown[0].Lines[0].HasRange {
		t.Error("a range is shown for an age that is not known")
	}
	if _, ok := m.Charts("nonsense"); ok {
		t.Error("an unknown chart")
	}
}

// What is written here is what the criteria of the referral service see: every code of a measure of the same name is one of theirs, or kept apart on purpose.
func TestTheCriteriaKnowTheSameCodes(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../../referral/internal/criteria/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var theirs struct {
		Values []struct {
			Name  string   `yaml:"name"`
			Unit  string   `yaml:"unit"`
			Min   float64  `yaml:"min"`
			Max   float64  `yaml:"max"`
			LOINC []string `yaml:"loinc"`
		} `yaml:"values"`
	}
	if err := yaml.Unmarshal(raw, &theirs); err != nil {
		t.Fatal(err)
	}
	m, found := shipped(t), 0
	for _, v := range theirs.Values {
		for _, code := range v.LOINC {
			ours, known := m.ByCode("http://loinc.org|" + code)
			if !known {
				continue
			}
			found++
			if ours.Name != v.Name && ours.Name != "fasting_"+v.Name {
				t.Errorf("%s is %s here and %s there", code, ours.Name, v.Name)
			}
			if ours.Unit != v.Unit || ours.Min < v.Min || ours.Max > v.Max {
				t.Errorf("%s: what is accepted here would be refused there", ours.Name)
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d codes are shared", found)
	}
}

func TestMeasuresThatContradictAreRefused(t *testing.T) {
	t.Parallel()
	one := "{name: a, label: 甲, label_en: a, unit: kg, min: 0, max: 1, loinc: [1-1]}"
	for name, text := range map[string]string{
		"not YAML":                "measures: {",
		"a code of two":           "measures: [" + one + ", " + strings.Replace(one, "name: a", "name: b", 1) + "]",
		"no bounds":               "measures: [{name: a, label: 甲, label_en: a, unit: kg, loinc: [1-1]}]",
		"a range without source":  "measures: [" + strings.Replace(one, "loinc", "ranges: [{low: 1}], loinc", 1) + "]",
		"a unit without factor":   "measures: [" + strings.Replace(one, "loinc", "units: {g: {}}, loinc", 1) + "]",
		"a chart of what is not":  "measures: [" + one + "]\ncharts: [{name: c, measures: [b]}]",
		"a chart with two units":  "measures: [" + one + ", {name: b, label: 乙, label_en: b, unit: m, min: 0, max: 1, loinc: [2-2]}]\ncharts: [{name: c, measures: [a, b]}]",
		"a range of an odd sex":   "measures: [" + strings.Replace(one, "loinc", "ranges: [{sex: X, low: 1, source: s, certainty: c}], loinc", 1) + "]",
		"a range without an end":  "measures: [" + strings.Replace(one, "loinc", "ranges: [{source: s, certainty: c}], loinc", 1) + "]",
		"a measure without codes": "measures: [{name: a, label: 甲, label_en: a, unit: kg, min: 0, max: 1}]",
	} {
		if _, err := measure.Parse([]byte(text)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
