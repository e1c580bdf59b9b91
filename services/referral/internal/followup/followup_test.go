package followup_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/followup"
)

func book(t testing.TB) *followup.Book {
	t.Helper()
	b, err := followup.New()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEveryConditionHasATemplate(t *testing.T) {
	t.Parallel()
	have := map[string]bool{}
	for _, template := range book(t).Templates() {
		have[template.Condition] = true
	}
	for _, condition := range domain.Conditions() {
		if !have[condition] {
			t.Errorf("%s has none", condition)
		}
	}
}

func TestEveryTemplateMakesAPlanThatMayBeginAndStartsWithinAWeek(t *testing.T) {
	t.Parallel()
	const today, week = "2026-03-18", "2026-03-25"
	for _, template := range book(t).Templates() {
		p, ok := domain.NewPlan(template.PlanTemplate, today)
		if _, bad := (domain.FollowUpPlan{}).Revise(p, today); !ok || bad != nil {
			t.Errorf("%s: %v", template.Code, bad)
			continue
		}
		if v, _ := p.Next(); v.Due > week {
			t.Errorf("%s: the first contact is due on %s", template.Code, v.Due)
		}
		for i, v := range template.Visits {
			if len(v.Items) == 0 {
				t.Errorf("%s: visit %d checks nothing", template.Code, i+1)
			}
		}
	}
}

// The intervals that a norm gives, each as the norm puts it.
func TestTheNormsIntervalsAreKept(t *testing.T) {
	t.Parallel()
	b := book(t)
	for _, c := range []struct {
		code     string
		from, to int
		atLeast  int
	}{
		{"HYPERTENSION", 0, 14, 1},   // within 2 weeks of the referral
		{"HYPERTENSION", 15, 365, 4}, // 4 a year
		{"DIABETES", 0, 14, 1},
		{"DIABETES", 15, 365, 4},
		{"TB", 0, 3, 1},    // within 72 hours of the notice
		{"TB", 4, 63, 6},   // every 10 days for 2 months
		{"TB", 64, 184, 4}, // monthly
		{"SMD", 80, 95, 1}, // at 3 months
		{"SMD_UNSTABLE", 0, 14, 1},
		{"POSTPARTUM", 0, 7, 1},
		{"POSTPARTUM", 28, 30, 1},
		{"POSTPARTUM", 42, 42, 1},
		{"GENERAL", 0, 7, 1},
	} {
		template, ok := b.Find(c.code)
		if !ok {
			t.Errorf("there is no %s", c.code)
			continue
		}
		n := 0
		for _, v := range template.Visits {
			if c.from <= v.AfterDays && v.AfterDays <= c.to {
				n++
			}
		}
		if n < c.atLeast {
			t.Errorf("%s: %d visits from day %d to %d, want %d", c.code, n, c.from, c.to, c.atLeast)
		}
	}
	if _, ok := b.Find("FLU"); ok {
		t.Error("there is a template for nothing")
	}
}

func TestTheBestMatchComesFirstAndTheGeneralOneLast(t *testing.T) {
	t.Parallel()
	b := book(t)
	for _, c := range []struct {
		diagnoses []string
		kind      domain.Kind
		want      []string
	}{
		{[]string{"I10.x00x002"}, domain.KindChronic, []string{"HYPERTENSION", "GENERAL"}},
		{[]string{"E11.9", "I10"}, domain.KindChronic, []string{"DIABETES", "HYPERTENSION", "GENERAL"}},
		{[]string{"I10", "E11.9"}, domain.KindChronic, []string{"HYPERTENSION", "DIABETES", "GENERAL"}},
		{[]string{"I63.9"}, domain.KindRehabilitation, []string{"STROKE", "POSTOPERATIVE", "GENERAL"}},
		{[]string{"I25.1"}, domain.KindPostoperative, []string{"POSTOPERATIVE", "CHD", "GENERAL"}},
		{[]string{"C34"}, domain.KindPalliative, []string{"PALLIATIVE", "TUMOUR", "GENERAL"}},
		{[]string{"F20"}, domain.KindChronic, []string{"SMD", "SMD_UNSTABLE", "GENERAL"}},
		{[]string{"O82"}, domain.KindPostoperative, []string{"POSTPARTUM", "POSTOPERATIVE", "GENERAL"}},
		{[]string{"Z34"}, domain.KindChronic, []string{"PREGNANCY", "GENERAL"}},
		{[]string{"A15"}, "", []string{"TB", "GENERAL"}},
		{[]string{"J06"}, domain.KindChronic, []string{"GENERAL"}},
		{nil, "", []string{"GENERAL"}},
	} {
		var got []string
		for _, template := range b.For(c.diagnoses, string(c.kind)) {
			got = append(got, template.Code)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%v %s: got %q, want %q", c.diagnoses, c.kind, got, c.want)
		}
	}
}

// general is a file that is right; its first visit is on line 10.
const general = `- code: GENERAL
  condition: GENERAL
  name: 一般随访
  nameEn: General
  note: 一周
  noteEn: A week
  source: 产品建议
  certainty: SUGGESTED
  visits:
    - {afterDays: 7, mode: PHONE, items: [SYMPTOMS]}
    - {afterDays: 30, mode: CLINIC}
`

func TestWhatIsWrongInAFileIsToldWithItsLine(t *testing.T) {
	t.Parallel()
	if _, err := followup.Read("f.yaml", []byte(general)); err != nil {
		t.Fatalf("the right file is refused: %v", err)
	}
	head, _, _ := strings.Cut(general, "  visits:")
	visits := strings.TrimPrefix(general, head)
	for name, c := range map[string]struct{ old, changed, want string }{
		"unknown key":              {"note:", "interval:", `f.yaml:5: field interval not found`},
		"unknown key of a visit":   {"mode: PHONE", "how: PHONE", `f.yaml:10: field how not found`},
		"key twice":                {"note: 一周", "name: 一周", `f.yaml:5: mapping key "name" already defined`},
		"no YAML":                  {"note: 一周", "note: [一周", `f.yaml:`},
		"wrong type":               {"afterDays: 7", "afterDays: soon", "f.yaml:10: cannot unmarshal"},
		"code that is none":        {"code: GENERAL", "code: general care", `f.yaml:1: "general care" is no code`},
		"no general one":           {"code: GENERAL", "code: OTHER", `f.yaml:1: there is no template GENERAL`},
		"condition that is none":   {"condition: GENERAL", "condition: FLU", `f.yaml:1: there is no condition "FLU"`},
		"certainty that is none":   {"SUGGESTED", "SURE", `f.yaml:1: there is no certainty "SURE"`},
		"no words":                 {"nameEn: General", "nameEn:", `f.yaml:1: name, nameEn, note, noteEn and source are required`},
		"general with kinds":       {"note: 一周", "note: 一周\n  kinds: [CHRONIC]", `f.yaml:1: GENERAL alone has no kinds`},
		"kind of an up-referral":   {"note: 一周", "note: 一周\n  kinds: [EXAM]", `f.yaml:1: "EXAM" is no kind of down-referral`},
		"category that is none":    {"note: 一周", "note: 一周\n  categories: [I1]", `f.yaml:1: "I1" is no category`},
		"range that runs backward": {"note: 一周", "note: 一周\n  categories: [I15-I10]", `f.yaml:1: "I15-I10" is no category`},
		"no day":                   {"afterDays: 7, ", "", "f.yaml:10: afterDays is required"},
		"negative day":             {"afterDays: 7", "afterDays: -1", "f.yaml:10: afterDays -1"},
		"day not after the last":   {"afterDays: 30", "afterDays: 7", "f.yaml:11: afterDays 7"},
		"day after two years":      {"afterDays: 30", "afterDays: 731", "f.yaml:11: afterDays 731"},
		"mode that is none":        {"mode: CLINIC", "mode: LETTER", `f.yaml:11: there is no mode "LETTER"`},
		"item that is none":        {"[SYMPTOMS]", "[AURA]", `f.yaml:10: item "AURA" is unknown or there twice`},
		"item twice":               {"[SYMPTOMS]", "[BP, BP]", `f.yaml:10: item "BP" is unknown or there twice`},
		"code twice":               {general, general + general, "f.yaml:12: GENERAL is the code of line 1 too"},
		"no visits":                {visits, "", "f.yaml:1: 0 visits"},
		"empty visit":              {"{afterDays: 30, mode: CLINIC}", "", "f.yaml:11: an empty visit"},
		"empty entry":              {general, general + "-\n", "f.yaml:12: an empty entry"},
		"nothing":                  {general, "", "f.yaml: EOF"},
		"second document":          {general, general + "---\n[]\n", "f.yaml: more than one document"},
	} {
		_, err := followup.Read("f.yaml", []byte(strings.Replace(general, c.old, c.changed, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

func TestEveryProblemIsToldAtOnce(t *testing.T) {
	t.Parallel()
	spoilt := strings.NewReplacer("PHONE", "LETTER", "SUGGESTED", "SURE").Replace(general)
	_, err := followup.Read("f.yaml", []byte(spoilt))
	if err == nil || strings.Count(err.Error(), "f.yaml:") != 2 {
		t.Errorf("got %v, want two problems", err)
	}
}
