package criteria_test

import (
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tongzhen/tongzhen/services/referral/internal/criteria"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func number(name string, n float64) criteria.Value { return criteria.Value{Name: name, Number: n} }

func finding(name string, yes bool) criteria.Value { return criteria.Value{Name: name, Finding: yes} }

func up(icd string, values ...criteria.Value) criteria.Input {
	return criteria.Input{Direction: criteria.Up, Diagnoses: []string{icd}, Age: -1, Values: values}
}

// result is what one rule says.
func result(t testing.TB, b *criteria.Book, in criteria.Input, code string) criteria.Result {
	t.Helper()
	all := b.Evaluate(in, noon)
	i := slices.IndexFunc(all, func(r criteria.Result) bool { return r.Code == code })
	if i < 0 {
		t.Fatalf("%s was not looked at", code)
	}
	return all[i]
}

func missing(r criteria.Result) []string {
	return codes(r.Missing, func(m criteria.Missing) string { return m.Name })
}

// Invariant 1.
func TestWhatIsMissingMattersOnlyIfItDecides(t *testing.T) {
	b := book(t)
	for _, c := range []struct {
		name, code, want string
		values           []criteria.Value
		missing          []string
	}{
		{"one side of an or is enough", "UP-HTN-10", criteria.Met, []criteria.Value{number("sbp", 190)}, nil},
		{"one side of an or is not enough to refuse", "UP-HTN-10", criteria.Unknown, []criteria.Value{number("sbp", 150)}, []string{"dbp"}},
		{"both sides refuse", "UP-HTN-10", criteria.NotMet, []criteria.Value{number("sbp", 150), number("dbp", 90)}, nil},
		{"nothing known names everything", "UP-HTN-10", criteria.Unknown, nil, []string{"dbp", "sbp"}},
		{"one side of an and is enough to refuse", "UP-HTN-03", criteria.NotMet, []criteria.Value{finding("severe_chest_back_pain", false)}, nil},
		{"what can change nothing any more is not asked for", "UP-HTN-02", criteria.Unknown,
			[]criteria.Value{number("sbp", 190), finding("vomiting", false)}, []string{"severe_headache", "sudden_deficit"}},
		{"a choice asks only for the side that counts", "UP-HTN-20", criteria.Unknown,
			[]criteria.Value{number("antihypertensives_full_dose", 3), number("sbp", 145), number("dbp", 80)}, []string{"age", "diabetes_or_ckd"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := result(t, b, up("I10", c.values...), c.code)
			if got.Status != c.want || !slices.Equal(missing(got), c.missing) {
				t.Errorf("%s, missing %v", got.Status, missing(got))
			}
		})
	}
}

// Invariant 1, of all shipped rules and any patient.
func TestMoreInformationNeverTurnsAnAnswerRound(t *testing.T) {
	b := book(t)
	var diagnoses []string
	for _, c := range b.Conditions() {
		for _, written := range c.Categories {
			diagnoses = append(diagnoses, written[:3])
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		whole := criteria.Input{Direction: rapid.SampledFrom([]string{criteria.Up, criteria.Down}).Draw(t, "direction"), Diagnoses: diagnoses}
		whole.Age = rapid.IntRange(0, 100).Draw(t, "age")
		part := whole
		part.Values = nil
		for _, d := range b.Values() {
			v := criteria.Value{Name: d.Name}
			if d.Type == criteria.Number {
				v.Number = rapid.Float64Range(d.Min, d.Max).Draw(t, d.Name)
			} else {
				v.Finding = rapid.Bool().Draw(t, d.Name)
			}
			whole.Values = append(whole.Values, v)
			if rapid.Bool().Draw(t, "has "+d.Name) {
				part.Values = append(part.Values, v)
			}
		}
		if rapid.Bool().Draw(t, "without age") {
			part.Age = -1
		}
		decided := map[string]string{}
		for _, r := range b.Evaluate(whole, noon) {
			if r.Status == criteria.Unknown || len(r.Missing) > 0 {
				t.Fatalf("%s is unknown with everything known: %v", r.Code, missing(r))
			}
			decided[r.Code] = r.Status
		}
		for _, r := range b.Evaluate(part, noon) {
			switch {
			case r.Status == criteria.Unknown && len(r.Missing) == 0:
				t.Fatalf("%s is unknown and names nothing", r.Code)
			case r.Status != criteria.Unknown && (r.Status != decided[r.Code] || len(r.Missing) > 0):
				t.Fatalf("%s is %s with a part and %s with the whole", r.Code, r.Status, decided[r.Code])
			}
			for _, name := range missing(r) {
				if slices.ContainsFunc(part.Values, func(v criteria.Value) bool { return v.Name == name && name != "age" }) {
					t.Fatalf("%s misses %s, which was given", r.Code, name)
				}
			}
		}
	})
}

func TestAValuePastItsAgeCountsAsMissingAndIsNamedWithItsDate(t *testing.T) {
	b := book(t)
	for _, c := range []struct {
		name   string
		age    time.Duration
		status string
	}{
		{"just in time", 7 * 24 * time.Hour, criteria.Met},
		{"a second too old", 7*24*time.Hour + time.Second, criteria.Unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			measured := noon.Add(-c.age)
			got := result(t, b, up("I10", criteria.Value{Name: "sbp", Number: 190, Time: measured}), "UP-HTN-10")
			if got.Status != c.status {
				t.Fatal(got.Status)
			}
			if got.Status == criteria.Met {
				if len(got.Used) != 1 || !got.Used[0].Time.Equal(measured) || got.Used[0].Number != 190 || got.Used[0].Unit != "mm[Hg]" {
					t.Errorf("used %+v", got.Used)
				}
				return
			}
			old := slices.IndexFunc(got.Missing, func(m criteria.Missing) bool { return m.Name == "sbp" })
			if old < 0 || !got.Missing[old].TooOld || !got.Missing[old].Time.Equal(measured) || got.Missing[old].Label != "收缩压" {
				t.Errorf("missing %+v", got.Missing)
			}
			if len(got.Used) != 0 {
				t.Errorf("used %+v", got.Used)
			}
		})
	}
}

func TestTheLatestOfSeveralValuesCounts(t *testing.T) {
	b := book(t)
	yesterday := criteria.Value{Name: "glucose", Number: 20, Time: noon.Add(-20 * time.Hour)}
	today := criteria.Value{Name: "glucose", Number: 9, Time: noon.Add(-time.Hour)}
	for _, values := range [][]criteria.Value{{yesterday, today}, {today, yesterday}} {
		if got := result(t, b, up("E11.9", values...), "UP-DM-01"); got.Status != criteria.NotMet {
			t.Error(got.Status)
		}
	}
	if got := result(t, b, up("E11.9", today, number("glucose", 17)), "UP-DM-01"); got.Status != criteria.Met {
		t.Errorf("what is given without a time is of now: %s", got.Status)
	}
	ahead := criteria.Value{Name: "glucose", Number: 9, Time: noon.Add(time.Minute)}
	if got := result(t, b, up("E11.9", number("glucose", 17), ahead), "UP-DM-01"); got.Status != criteria.Met {
		t.Errorf("what is given without a time gives way to a clock that is ahead: %s", got.Status)
	}
}

func TestWhatCannotBeDoesNotCount(t *testing.T) {
	b := book(t)
	for name, v := range map[string]criteria.Value{
		"a slip of the keyboard":     number("sbp", 1900),
		"not a number":               number("sbp", math.NaN()),
		"infinite":                   number("sbp", math.Inf(1)),
		"measured after the moment":  {Name: "sbp", Number: 190, Time: noon.Add(time.Hour)},
		"a name that no rule knows":  number("systolic", 190),
		"a name from the other form": finding("SBP", true),
	} {
		t.Run(name, func(t *testing.T) {
			got := result(t, b, up("I10", v), "UP-HTN-10")
			if got.Status != criteria.Unknown || !slices.Equal(missing(got), []string{"dbp", "sbp"}) {
				t.Errorf("%s, missing %v", got.Status, missing(got))
			}
		})
	}
	got := result(t, b, up("I10", number("sbp", 1900)), "UP-HTN-10")
	if i := slices.IndexFunc(got.Missing, func(m criteria.Missing) bool { return m.Name == "sbp" }); !got.Missing[i].Implausible {
		t.Error("an impossible value is not told from one that is not there")
	}
	ahead := criteria.Value{Name: "sbp", Number: 190, Time: noon.Add(5 * time.Minute)}
	if got := result(t, b, up("I10", ahead), "UP-HTN-10"); got.Status != criteria.Met {
		t.Errorf("a clock that is a little ahead loses the measurement: %s", got.Status)
	}
}

func TestTheAgeComesFromThePatientAlone(t *testing.T) {
	b := book(t)
	in := up("E10.9", number("age", 20))
	if got := result(t, b, in, "UP-DM-22"); got.Status != criteria.Unknown {
		t.Errorf("unknown age: %s", got.Status)
	}
	in.Age = 20
	if got := result(t, b, in, "UP-DM-22"); got.Status != criteria.Met {
		t.Errorf("age 20: %s", got.Status)
	}
}

func TestOnlyTheRulesOfTheDirectionAndTheDiagnosesAreLookedAt(t *testing.T) {
	b := book(t)
	conditions := func(direction string, diagnoses ...string) []string {
		var out []string
		for _, r := range b.Evaluate(criteria.Input{Direction: direction, Diagnoses: diagnoses, Age: -1}, noon) {
			if r.Direction != direction {
				t.Errorf("%s for %s", r.Code, direction)
			}
			out = append(out, r.Condition)
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	for _, c := range []struct {
		direction string
		diagnoses []string
		want      []string
	}{
		{criteria.Up, nil, []string{"EMERGENCY", "GENERAL", "POSTOPERATIVE"}},
		{criteria.Down, nil, []string{"GENERAL", "POSTOPERATIVE"}},
		{criteria.Up, []string{"i10.x00x002"}, []string{"EMERGENCY", "GENERAL", "HYPERTENSION", "POSTOPERATIVE"}},
		{criteria.Down, []string{"I63.9", "E11.900"}, []string{"DIABETES", "GENERAL", "POSTOPERATIVE", "STROKE"}},
		{criteria.Up, []string{"R07.4"}, []string{"CHD", "EMERGENCY", "GENERAL", "POSTOPERATIVE"}},
		{criteria.Up, []string{"", "x", "1234"}, []string{"EMERGENCY", "GENERAL", "POSTOPERATIVE"}},
		{"OUT", []string{"I10"}, nil},
	} {
		if got := conditions(c.direction, c.diagnoses...); !slices.Equal(got, c.want) {
			t.Errorf("%s %v: %v", c.direction, c.diagnoses, got)
		}
	}
}

func TestResultsComeMetFirstThenMostUrgentThenByCode(t *testing.T) {
	got := book(t).Evaluate(up("I10", number("sbp", 190), number("dbp", 100), finding("proteinuria", true), finding("consciousness_disturbed", true)), noon)
	rank := func(r criteria.Result) [2]int {
		return [2]int{
			slices.Index([]string{criteria.Met, criteria.Unknown, criteria.NotMet}, r.Status),
			slices.Index([]string{criteria.Emergency, criteria.Urgent, criteria.Routine}, r.Urgency),
		}
	}
	sorted := slices.IsSortedFunc(got, func(x, y criteria.Result) int {
		rx, ry := rank(x), rank(y)
		if c := slices.Compare(rx[:], ry[:]); c != 0 {
			return c
		}
		return slices.Compare([]string{x.Code}, []string{y.Code})
	})
	if !sorted || got[0].Code != "UP-HTN-01" || got[0].Status != criteria.Met {
		t.Errorf("first is %s (%s), in order %v", got[0].Code, got[0].Status, sorted)
	}
}

func TestABookIsSafeForConcurrentUse(t *testing.T) {
	b := book(t)
	want := b.Evaluate(typical(), noon)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				got := b.Evaluate(typical(), noon)
				if !slices.EqualFunc(got, want, func(x, y criteria.Result) bool { return x.Code == y.Code && x.Status == y.Status }) {
					t.Error("another answer")
				}
			}
		})
	}
	all.Wait()
}

// typical is a patient with hypertension and diabetes and what a township knows of them.
func typical() criteria.Input {
	return criteria.Input{Direction: criteria.Up, Diagnoses: []string{"I10.x00", "E11.900"}, Age: 67, Values: []criteria.Value{
		number("sbp", 172), number("dbp", 96), number("heart_rate", 88), number("temperature", 36.7), number("spo2", 97), number("resp_rate", 18),
		number("glucose", 13.2), number("hba1c", 9.4), number("egfr", 61), number("potassium", 4.1), number("glucose_lowering_drugs", 2),
		finding("severe_headache", false), finding("uncontrolled_two_visits", true), finding("consciousness_disturbed", false),
	}}
}

func BenchmarkEvaluateATypicalReferral(b *testing.B) {
	criteriaBook := book(b)
	in := typical()
	for b.Loop() {
		criteriaBook.Evaluate(in, noon)
	}
}
