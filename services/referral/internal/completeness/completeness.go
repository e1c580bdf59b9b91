// Package completeness holds the published definition of what a hand-over should carry (转诊信息交接).
//
// Owns: items.yaml and its reading, which refuses whatever could never be judged. Refuses: to judge; that is
// [domain.JudgeCompleteness]. What New answers is not changed afterwards.
package completeness

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

//go:embed items.yaml
var shipped []byte

// New reads the items that are shipped.
func New() ([]domain.CompletenessItem, error) { return Read("completeness/items.yaml", shipped) }

// entry is an item as the file writes it.
type entry struct {
	Code       string
	Name       string
	NameEn     string `yaml:"nameEn"`
	Weight     int
	Directions []domain.Direction
	Kinds      []domain.Kind
	Urgencies  []domain.Urgency
	Field      string
	Filled     []string
	Length     int
	Mentions   []string
	Within     []string
	Record     string
	Judged     string
	JudgedEn   string `yaml:"judgedEn"`
	Source     string
	Certainty  string
}

// Read reads a file of items and tells every problem at once, each with the item's code.
func Read(name string, content []byte) ([]domain.CompletenessItem, error) {
	var entries []entry
	d := yaml.NewDecoder(bytes.NewReader(content))
	d.KnownFields(true)
	if err := d.Decode(&entries); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var bad []error
	codes := map[string]bool{}
	items := make([]domain.CompletenessItem, len(entries))
	for i, e := range entries {
		for _, problem := range e.problems() {
			bad = append(bad, fmt.Errorf("%s: %s: %s", name, e.Code, problem))
		}
		if codes[e.Code] {
			bad = append(bad, fmt.Errorf("%s: %s: there twice", name, e.Code))
		}
		codes[e.Code] = true
		items[i] = domain.CompletenessItem(e)
	}
	return items, errors.Join(bad...)
}

func (e entry) problems() (out []string) {
	refuse := func(wrong bool, what string) {
		if wrong {
			out = append(out, what)
		}
	}
	for what, text := range map[string]string{
		"code": e.Code, "name": e.Name, "nameEn": e.NameEn, "field": e.Field, "judged": e.Judged, "judgedEn": e.JudgedEn, "source": e.Source,
	} {
		refuse(text == "", "no "+what)
	}
	refuse(e.Weight < 1, "a weight below 1")
	refuse(!slices.Contains([]string{"FOUND", "OWN_KNOWLEDGE", "SUGGESTED"}, e.Certainty), "an unknown certainty")
	refuse(len(e.Filled) == 0 && len(e.Mentions) == 0 && e.Record == "", "nothing to judge it by")
	refuse((len(e.Mentions) == 0) != (len(e.Within) == 0), "mentions and within go together")
	refuse(e.Record != "" && !slices.Contains(domain.RecordParts(), e.Record), "an unknown part of the record")
	for _, path := range slices.Concat(e.Filled, e.Within) {
		_, known := domain.HandoverText(domain.Snapshot{}, path)
		refuse(!known, "no text at "+path)
	}
	for _, d := range e.Directions {
		refuse(domain.KindsOf(d) == nil, "an unknown direction")
	}
	for _, k := range e.Kinds {
		refuse(!slices.Contains(slices.Concat(domain.KindsOf(domain.Up), domain.KindsOf(domain.Down)), k), "an unknown kind")
	}
	for _, u := range e.Urgencies {
		refuse(!slices.Contains([]domain.Urgency{domain.UrgencyEmergency, domain.UrgencyUrgent, domain.UrgencyRoutine}, u), "an unknown urgency")
	}
	return out
}
