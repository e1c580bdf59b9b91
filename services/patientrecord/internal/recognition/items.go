// Package recognition is the catalogue of mutual recognition as it is shipped: data with its source and certainty. It owns the file and
// refuses what is wrong in it; what a county changes is the store's.
package recognition

import (
	"bytes"
	_ "embed"
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

//go:embed items.yaml
var itemsFile []byte

// item is an item of the file; days are those of outpatients, inpatients and emergencies.
type item struct {
	Code    string     `yaml:"code"`
	Kind    string     `yaml:"kind"`
	Name    string     `yaml:"name"`
	NameEn  string     `yaml:"nameEn"`
	Days    [3]int     `yaml:"days"`
	Codes   []string   `yaml:"codes"`
	Parts   [][]string `yaml:"parts"`
	Methods []string   `yaml:"methods"`
	Unit    string     `yaml:"unit"`
	Note    string     `yaml:"note"`
}

// Shipped reads the catalogue, in its order. An error is a fault of the build.
func Shipped() ([]domain.Item, error) {
	var file struct {
		Source    string `yaml:"source"`
		Certainty string `yaml:"certainty"`
		Range     string `yaml:"range"`
		Mark      string `yaml:"mark"`
		Items     []item `yaml:"items"`
	}
	d := yaml.NewDecoder(bytes.NewReader(itemsFile))
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil {
		return nil, fmt.Errorf("recognition/items.yaml: %w", err)
	}
	seen := map[string]bool{}
	out := make([]domain.Item, 0, len(file.Items))
	for _, i := range file.Items {
		one := domain.Item{
			Code: i.Code, Name: i.Name, NameEn: i.NameEn, Kind: i.Kind, Codes: i.Codes, Parts: i.Parts, Methods: i.Methods, Unit: i.Unit,
			Range: domain.Reach(file.Range), Mark: file.Mark, Note: i.Note, Source: file.Source, Certainty: file.Certainty, Shipped: true,
			Days: map[domain.Setting]int{domain.Outpatient: i.Days[0], domain.Inpatient: i.Days[1], domain.Emergency: i.Days[2]},
		}
		if ps := one.Check(); len(ps) > 0 || seen[i.Code] {
			return nil, fmt.Errorf("recognition/items.yaml: item %q is there twice or wrong: %w", i.Code, ps)
		}
		seen[i.Code] = true
		out = append(out, one)
	}
	return out, nil
}
