package icd10_test

import (
	_ "embed"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

//go:embed words.tsv
var words string

//go:embed README.md
var readme string

// columns of the table of words, line by line.
func columns(t *testing.T) [][]string {
	t.Helper()
	var out [][]string
	_, body, _ := strings.Cut(words, "\n")
	for line := range strings.Lines(body) {
		out = append(out, strings.Split(strings.TrimSpace(line), "\t"))
	}
	if len(out) < 300 {
		t.Fatalf("the table has %d lines", len(out))
	}
	return out
}

// Whoever reviews the table finds for each line why its words mean its codes: a code below one of them, or a ground that README.md tells.
func TestEveryLineOfTheWordsHasItsGround(t *testing.T) {
	t.Parallel()
	below := regexp.MustCompile(`^[A-Z][0-9]{2}(\.[0-9])?$`)
	for _, c := range columns(t) {
		codes := strings.Fields(c[0])
		for _, ground := range strings.Fields(c[2]) {
			if known := strings.Contains(readme, "`"+ground+"`"); !known && (!below.MatchString(ground) || !slices.Contains(codes, ground[:3])) {
				t.Errorf("%s %s: %q is no ground", c[0], c[1], ground)
			}
		}
	}
}

// Each word that a doctor may type finds what it names, first.
func TestEveryWordFindsWhatItNames(t *testing.T) {
	t.Parallel()
	l := list(t)
	named := map[string][]string{}
	for _, c := range columns(t) {
		for _, word := range strings.Fields(c[1]) {
			named[word] = append(named[word], strings.Fields(c[0])[0])
		}
	}
	for word, codes := range named {
		if len(codes) > 1 {
			t.Errorf("%s names %v", word, codes)
		}
		if found := l.Search(word, 20); len(found) == 0 || found[0].Code != codes[0] {
			t.Errorf("Search(%q) = %v, want %s first", word, found[:min(3, len(found))], codes[0])
		}
	}
}

func TestASymptomLeadsToWhatADoctorThinksOf(t *testing.T) {
	t.Parallel()
	l := list(t)
	for query, want := range map[string][]string{
		"胸痛": {"R07", "I21", "I20", "I24", "I71", "I26", "J93"}, "xt": {"R07"}, "ACS": {"I24", "I21", "I20"}, "急性冠脉": {"I24", "I21", "I20"},
		"偏瘫": {"G81", "I63", "I61"}, "口角歪斜": {"I63", "I61", "G51"},
	} {
		var got []string
		for _, d := range l.Search(query, len(want)) {
			got = append(got, d.Code)
		}
		if !slices.Equal(got, want) {
			t.Errorf("Search(%q) = %v, want %v", query, got, want)
		}
	}
}

// What is proposed as the impression is what the doctor says, not the name of a category that nobody writes.
func TestWhatWasFoundIsCalledAsADoctorCallsIt(t *testing.T) {
	t.Parallel()
	l := list(t)
	for query, want := range map[string]string{
		"ACS": "急性冠脉综合征", "acs": "急性冠脉综合征", "慢阻肺": "慢阻肺", "mzf": "慢阻肺", "COPD": "慢阻肺", "糖尿病": "糖尿病", "E11": "2型糖尿病", "I10": "高血压",
		"心梗": "心梗", "I24": "其他急性缺血性心脏病", "锁骨骨折": "锁骨骨折", "S42": "肩和上臂骨折", "I63.9": "脑梗死", "霍乱": "霍乱",
	} {
		if found := l.Search(query, 20); len(found) == 0 || found[0].Called != want {
			t.Errorf("Search(%q) = %v, want it called %s", query, found[:min(2, len(found))], want)
		}
	}
	at := l.Search("胸痛", 20)
	if i := slices.IndexFunc(at, func(d domain.FoundDiagnosis) bool { return d.Code == "I21" }); i < 0 || at[i].Called != "急性心肌梗死" {
		t.Errorf("thought of at a symptom it is not called the symptom: %v", at)
	}
}

func TestTheWholeListCarriesTheWords(t *testing.T) {
	t.Parallel()
	all := list(t).All()
	i := slices.IndexFunc(all, func(d domain.KnownDiagnosis) bool { return d.Code == "I24" })
	if !slices.Contains(all[i].Words, "acs") || !slices.Contains(all[i].Words, "jxgmzhz") || slices.Contains(all[i].Words, "胸痛") || !slices.Contains(all[i].Related, "胸痛") {
		t.Errorf("%+v", all[i])
	}
}
