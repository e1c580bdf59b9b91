package completeness_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tongzhen/tongzhen/services/referral/internal/completeness"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func TestTheShippedItemsApplyToEveryKindThatIsSent(t *testing.T) {
	t.Parallel()
	items, err := completeness.New()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []domain.Direction{domain.Up, domain.Down} {
		for _, k := range domain.KindsOf(d) {
			got := domain.JudgeCompleteness(items, domain.Snapshot{Direction: d, Kind: k, Urgency: domain.UrgencyRoutine}, domain.RecordFacts{Read: true})
			if !got.Judged || got.Score != 0 || len(got.Missing()) < 6 {
				t.Errorf("%s %s: an empty form has %d, missing %q", d, k, got.Score, got.Missing())
			}
		}
	}
}

// What the national forms must have belongs to the hand-over too.
func TestEveryFieldOfTheNationalFormsIsAnItem(t *testing.T) {
	t.Parallel()
	items, err := completeness.New()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		"form.initial_impression", "form.present_illness", "form.past_history", "form.treatment", "form.diagnosis", "form.inpatient_number",
		"form.examination_results", "form.next_plan", "form.rehabilitation_advice", "originator_phone",
	} {
		if !slices.ContainsFunc(items, func(i domain.CompletenessItem) bool { return slices.Contains(i.Filled, path) }) {
			t.Errorf("no item asks for %s", path)
		}
	}
}

func TestAnItemThatCouldNeverBeJudgedIsRefusedByName(t *testing.T) {
	t.Parallel()
	const good = "- {code: A, name: 甲, nameEn: A, weight: 1, field: x, filled: [plan], judged: 有, judgedEn: there, source: s, certainty: SUGGESTED}\n"
	if _, err := completeness.Read("f", []byte(good)); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"no text at form.nothing": strings.Replace(good, "plan", "form.nothing", 1),
		"nothing to judge it by":  strings.Replace(good, "filled: [plan], ", "", 1),
		"a weight below 1":        strings.Replace(good, "weight: 1", "weight: 0", 1),
		"unknown certainty":       strings.Replace(good, "SUGGESTED", "SURE", 1),
		"an unknown kind":         strings.Replace(good, "weight: 1", "weight: 1, kinds: [NONE]", 1),
		"there twice":             good + good,
		"not found in type":       strings.Replace(good, "weight", "wait", 1),
	} {
		if _, err := completeness.Read("f", []byte(text)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
