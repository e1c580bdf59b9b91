package stats_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/internal/stats"
)

const measures = `measures:
  - code: IND-SUC
    name: {zh: 转诊成功率, en: arrivals}
    unit: PERCENT
    direction: HIGHER_BETTER
    event: {zh: 提交, en: submitted}
    source: {text: this product, certainty: SUGGESTED}
    numerator:
      words: {zh: 已到诊, en: arrived}
      plus:
        - {counter: arrived}
    denominators:
      - code: submitted
        words: {zh: 已提交, en: submitted}
        plus:
          - {counter: submitted}
      - code: travelling
        words: {zh: 不含远程会诊, en: advice apart}
        plus:
          - counter: submitted
        minus:
          - counter: submitted
            where: {kind: [ADVICE]}
  - code: IND-N
    name: {zh: 检查, en: examinations}
    unit: COUNT
    direction: NEUTRAL
    event: {zh: 提交, en: submitted}
    source: {text: this product, certainty: SUGGESTED}
    numerator:
      words: {zh: 检查, en: examinations}
      plus:
        - {counter: submitted, where: {kind: [EXAM, LAB]}}
  - code: IND-TTA
    name: {zh: 响应时间, en: time to answer}
    unit: DURATION
    direction: LOWER_BETTER
    event: {zh: 提交, en: submitted}
    source: {text: this product, certainty: SUGGESTED}
    numerator:
      words: {zh: 首次答复, en: first answer}
      plus:
        - {counter: time_to_answer}
`

// file is the text above with one place changed.
func file(t testing.TB, from, to string) []byte {
	t.Helper()
	if !strings.Contains(measures, from) {
		t.Fatalf("the file does not hold %q", from)
	}
	return []byte(strings.Replace(measures, from, to, 1))
}

func load(t testing.TB, s *stats.Schema) map[string]stats.Measure {
	t.Helper()
	list, err := s.LoadMeasures("measures.yaml", []byte(measures))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]stats.Measure{}
	for _, m := range list {
		out[m.Code] = m
	}
	return out
}

func TestAFileOfMeasuresIsReadWhole(t *testing.T) {
	t.Parallel()
	m := load(t, clinic(t))["IND-SUC"]
	if m.Name.Zh != "转诊成功率" || m.Unit != stats.Percent || m.Direction != stats.HigherBetter || m.Event.En != "submitted" ||
		m.Source.Certainty != stats.Suggested || m.Numerator.Plus[0].Counter != "arrived" || len(m.Denominators) != 2 {
		t.Errorf("got %+v", m)
	}
	if d, ok := m.Denominator("travelling"); !ok || !slices.Equal(d.Minus[0].Where["kind"], []string{"ADVICE"}) {
		t.Errorf("got %+v, %t", d, ok)
	}
	if d, ok := m.Denominator(""); !ok || d.Code != "submitted" {
		t.Errorf("the default is %+v, %t", d, ok)
	}
}

func TestAFaultInTheFileOfMeasuresIsNamedByFileAndLine(t *testing.T) {
	t.Parallel()
	s := clinic(t)
	for name, c := range map[string]struct{ from, to, says string }{
		"no YAML":             {"measures:", "measures: [", "measures.yaml:"},
		"unknown key":         {"    unit: PERCENT", "    units: PERCENT", "measures.yaml:4: field units not found"},
		"wrong type":          {"plus:\n        - {counter: arrived}", "plus: 5", "measures.yaml:10: cannot unmarshal"},
		"two documents":       {"measures:", "---\n---\nmeasures:", "measures.yaml:1:"},
		"no code":             {"code: IND-SUC", `code: ""`, "measures.yaml:2: a measure has no code"},
		"code twice":          {"code: IND-N", "code: IND-SUC", `measures.yaml:24: the code "IND-SUC" is there twice`},
		"no English":          {", en: arrivals", "", "measures.yaml:3: name needs words"},
		"no event":            {"event: {zh: 提交, en: submitted}", "event: {}", "measures.yaml:6: event needs words"},
		"no words":            {"words: {zh: 已到诊, en: arrived}", "words: {}", "measures.yaml:9: words needs words"},
		"direction":           {"HIGHER_BETTER", "UP", `measures.yaml:5: unknown direction "UP"`},
		"unit":                {"PERCENT", "EURO", `measures.yaml:4: unknown unit "EURO"`},
		"source":              {"text: this product", `text: ""`, "measures.yaml:7: the source has no text"},
		"certainty":           {"SUGGESTED", "SURE", `measures.yaml:7: unknown certainty "SURE"`},
		"denominator missing": {"unit: COUNT", "unit: RATIO", "measures.yaml:26: the unit RATIO needs a denominator"},
		"denominator left":    {"unit: PERCENT", "unit: COUNT", "measures.yaml:13: the unit COUNT has no denominator"},
		"denominator twice":   {"code: travelling", "code: submitted", `measures.yaml:17: the denominator's code "submitted"`},
		"nothing counted":     {"plus:\n        - {counter: arrived}", "plus: []", "measures.yaml:9: nothing is counted"},
		"counter":             {"{counter: arrived}", "{counter: gone}", `measures.yaml:11: unknown counter "gone"`},
		"counter taken away":  {"minus:\n          - counter: submitted", "minus:\n          - counter: gone", `measures.yaml:22: unknown counter "gone"`},
		"dimension":           {"kind: [ADVICE]", "ward: [ADVICE]", `measures.yaml:23: unknown dimension "ward"`},
		"no value":            {"kind: [ADVICE]", "kind: []", `measures.yaml:23: no value of "kind"`},
		"not kept together":   {"kind: [ADVICE]", "kind: [ADVICE], doctor: [a]", "measures.yaml:23: no cube keeps"},
		"untimed duration":    {"counter: time_to_answer", "counter: arrived", `measures.yaml:43: the counter "arrived" is not timed`},
		"duration taken away": {"- {counter: time_to_answer}", "- {counter: time_to_answer}\n      minus:\n        - {counter: time_to_answer}", "measures.yaml:45: a duration takes nothing away"},
	} {
		if _, err := s.LoadMeasures("measures.yaml", file(t, c.from, c.to)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestAllFaultsOfTheFileAreNamedAtOnce(t *testing.T) {
	t.Parallel()
	text := strings.ReplaceAll(measures, "counter: submitted", "counter: gone")
	_, err := clinic(t).LoadMeasures("measures.yaml", []byte(text))
	if err == nil || strings.Count(err.Error(), "measures.yaml:") != 4 {
		t.Errorf("got %v", err)
	}
}

func figures(t testing.TB, db *sqldb.DB, m stats.Measure, denominator string, q stats.Query) []string {
	t.Helper()
	var out []string
	err := db.View(t.Context(), func(tx *sqldb.Tx) error {
		all, err := clinic(t).Figures(t.Context(), tx, m, denominator, q)
		for _, f := range all {
			value := "unknown"
			if f.Known {
				value = fmt.Sprintf("%.1f", f.Value)
			}
			out = append(out, fmt.Sprintf("%s %s: %s = %d/%d, %.1f", f.Period, strings.Join(f.Key, "/"), value, f.Numerator, f.Denominator, f.Percentile90))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAMeasureIsComputedByPeriodAndGroup(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		s := clinic(t)
		m := load(t, s)
		var cells []stats.Cell
		for i := range 8 {
			cells = append(cells, cell("submitted", "2026-03-18", "wl", []string{"EXAM", "ADVICE"}[i%2]))
		}
		write(t, db, s, append(cells, cell("arrived", "2026-03-18", "wl", "EXAM"), cell("arrived", "2026-04-18", "xa", "EXAM"))...)
		fold(t, db, s)
		write(t, db, s, cell("arrived", "2026-03-18", "wl", "EXAM"), answered(time.Minute), answered(2*time.Minute))

		same(t, figures(t, db, m["IND-SUC"], "", year("organization")),
			"2026-03-01 wl: 25.0 = 2/8, 0.0", "2026-04-01 xa: unknown = 1/0, 0.0")
		same(t, figures(t, db, m["IND-SUC"], "travelling", year("organization")),
			"2026-03-01 wl: 50.0 = 2/4, 0.0", "2026-04-01 xa: unknown = 1/0, 0.0")
		same(t, figures(t, db, m["IND-N"], "", year()), "2026-03-01 : 4.0 = 4/0, 0.0")
		same(t, figures(t, db, m["IND-TTA"], "", year()), "2026-03-01 : 1.0 = 2/0, 1.8")

		per := m["IND-SUC"]
		per.Unit = stats.Permille
		same(t, figures(t, db, per, "", year())[:1], "2026-03-01 : 250.0 = 2/8, 0.0")
		per.Unit = stats.Mean
		same(t, figures(t, db, per, "", year())[:1], "2026-03-01 : 0.2 = 2/8, 0.0")
		per.Unit = stats.Ratio
		same(t, figures(t, db, per, "", year())[:1], "2026-03-01 : 0.2 = 2/8, 0.0")
	})
}

func TestAFilterOfTheQueryAndOneOfTheMeasureHoldBoth(t *testing.T) {
	t.Parallel()
	db, s := dbtest.SQLite(t, sets()), clinic(t)
	for i, kind := range []string{"EXAM", "LAB", "ADVICE"} {
		c := cell("submitted", "2026-03-18", "wl", kind)
		c.N = []int64{1, 10, 100}[i]
		write(t, db, s, c)
	}
	q := year()
	for want, kinds := range map[string][]string{"1.0": {"EXAM", "ADVICE"}, "10.0": {"LAB"}, "": {"ADVICE"}} {
		q.Where = map[string][]string{"kind": kinds}
		got := figures(t, db, load(t, s)["IND-N"], "", q)
		if want == "" && len(got) > 0 || want != "" && (len(got) != 1 || !strings.Contains(got[0], ": "+want+" =")) {
			t.Errorf("of %v: got %v", kinds, got)
		}
	}
}

func TestAFigureIsTheNumberOfTheCellsThatItsQueriesHave(t *testing.T) {
	t.Parallel()
	db, s := dbtest.SQLite(t, sets()), clinic(t)
	m := load(t, s)["IND-SUC"]
	var cells []stats.Cell
	for _, counter := range []string{"submitted", "arrived"} {
		for _, day := range []stats.Date{"2025-12-31", "2026-01-01", "2026-12-31", "2027-01-01"} {
			for _, kind := range []string{"EXAM", "ADVICE", ""} {
				here, there := cell(counter, day, "wl", kind), cell(counter, day, "wl", kind)
				there.County = "330521"
				cells = append(cells, here, there, cell(counter, day, "xa", kind))
			}
		}
	}
	write(t, db, s, cells...)
	q := year()
	q.Grain, q.Where = stats.Whole, map[string][]string{"organization": {"wl"}, "kind": {"ADVICE", ""}}
	below, _ := m.Denominator("travelling")
	var above, whole, less int
	for _, c := range cells {
		for part, n := range map[*int][]stats.Term{&above: m.Numerator.Plus, &whole: below.Plus, &less: below.Minus} {
			if q.Of(n[0]).Has(c) {
				*part++
			}
		}
	}
	if above != 4 || whole != 4 || less != 2 {
		t.Errorf("there are %d, %d and %d cells", above, whole, less)
	}
	same(t, figures(t, db, m, "travelling", q), fmt.Sprintf("2026-01-01 : 200.0 = %d/%d, 0.0", above, whole-less))
}

func TestAFigureThatCannotBeComputedIsRefused(t *testing.T) {
	t.Parallel()
	db, s := dbtest.SQLite(t, sets()), clinic(t)
	m := load(t, s)
	try := func(m stats.Measure, denominator string, q stats.Query) error {
		return db.View(t.Context(), func(tx *sqldb.Tx) error {
			_, err := s.Figures(t.Context(), tx, m, denominator, q)
			return err
		})
	}
	refused(t, try(m["IND-SUC"], "gone", year()), "denominator", errs.ReasonFieldUnknown)
	refused(t, try(m["IND-N"], "submitted", year()), "denominator", errs.ReasonFieldUnknown)
	refused(t, try(m["IND-N"], "", year("doctor")), "where.kind", errs.ReasonFieldCombination)
}
