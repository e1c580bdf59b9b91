package seed

import (
	"context"
	_ "embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
)

// The file says what its columns mean.
//
//go:embed medicines.csv
var medicineTable string

// The states of a medicine at a centre, as the table writes them.
const (
	inStock    = "stock"
	outOfStock = "out"
	toOrder    = "order"
	notListed  = "none"
)

// medicine is a row of the table.
type medicine struct {
	name, specification, atc, restricted string
	centre                               string
	except                               map[int]string // by the place of the township
}

func medicines() ([]medicine, error) {
	in := csv.NewReader(strings.NewReader(medicineTable))
	in.Comment = '#'
	rows, err := in.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read list of medicines: %w", err)
	}
	var out []medicine
	for _, r := range rows[1:] {
		m := medicine{r[0], r[1], r[2], r[3], r[4], map[int]string{}}
		for _, word := range strings.Fields(r[5]) {
			place, state, _ := strings.Cut(word, "=")
			n, err := strconv.Atoi(place)
			if err != nil {
				return nil, fmt.Errorf("read list of medicines: %s: %w", m.name, err)
			}
			m.except[n] = state
		}
		out = append(out, m)
	}
	return out, nil
}

// formulary of the hospital and of every centre.
func (p place) formulary() ([]*directoryv1.FormularyEntry, error) {
	list, err := medicines()
	if err != nil {
		return nil, err
	}
	var out []*directoryv1.FormularyEntry
	for _, m := range list {
		out = append(out, m.at(p.code+"H01", inStock))
	}
	for i, t := range p.townships {
		for _, m := range list {
			state := m.centre
			if other, ok := m.except[i]; ok {
				state = other
			}
			if state != notListed {
				out = append(out, m.at(t.code, state))
			}
		}
	}
	return out, nil
}

func (m medicine) at(organization, state string) *directoryv1.FormularyEntry {
	item := &directoryv1.FormularyItem{
		Name: m.name, Specification: m.specification, Atc: m.atc, RestrictedClass: m.restricted, Orderable: state == toOrder,
	}
	switch state {
	case inStock:
		item.Stock = directoryv1.StockState_IN_STOCK
	case outOfStock, toOrder:
		item.Stock = directoryv1.StockState_OUT_OF_STOCK
	}
	return &directoryv1.FormularyEntry{OrganizationCode: organization, Item: item}
}

// capabilities of the hospital and of every centre: some centres can do more than others.
func (p place) capabilities() []*directoryv1.CapabilityEntry {
	entry := func(organization string, codes ...string) *directoryv1.CapabilityEntry {
		e := &directoryv1.CapabilityEntry{OrganizationCode: organization}
		for _, code := range codes {
			e.Capabilities = append(e.Capabilities, &directoryv1.Capability{Code: code})
		}
		return e
	}
	every := []string{"REHABILITATION", "WOUND_CARE", "TCM", "LABORATORY", "ECG", "INFUSION", "HOME_VISIT"}
	out := []*directoryv1.CapabilityEntry{entry(p.code+"H01", "REHABILITATION", "DIALYSIS", "WOUND_CARE", "TCM", "LABORATORY",
		"ECG", "ULTRASOUND", "XRAY", "INFUSION", "PALLIATIVE")}
	for i, t := range p.townships {
		codes := slices.Clone(every)
		if i == 0 {
			codes = append(codes, "DIALYSIS")
		}
		if i%2 == 0 {
			codes = append(codes, "ULTRASOUND")
		}
		if i%3 == 0 {
			codes = append(codes, "XRAY")
		}
		if i%4 == 1 {
			codes = append(codes, "PALLIATIVE")
		}
		out = append(out, entry(t.code, codes...))
	}
	return out
}

// medicineSteps fill the lists and say what each place can do. With keep a county that says so already is left alone, whatever people have made of its
// lists since: what each place can do is written last, so that the lists are complete where that is there.
func (p place) medicineSteps(client directoryv1.DirectoryServiceClient, keep bool) ([]step, error) {
	entries, err := p.formulary()
	if err != nil {
		return nil, err
	}
	var out []step
	for chunk := range slices.Chunk(entries, medicinesPerCall) {
		out = append(out, step{"medicines", func(ctx context.Context, report *Report) error {
			if keep {
				if missing, err := p.missingCapabilities(ctx, client, p.capabilities()); err != nil || len(missing) < len(p.capabilities()) {
					return err
				}
			}
			r, err := client.ImportFormulary(ctx, &directoryv1.ImportFormularyRequest{County: p.code, Items: chunk})
			report.Medicines += int(r.GetCreated())
			report.Changed += int(r.GetUpdated())
			return err
		}})
	}
	for chunk := range slices.Chunk(p.capabilities(), capabilitiesPerCall) {
		out = append(out, step{"capabilities", func(ctx context.Context, report *Report) error {
			if keep {
				missing, err := p.missingCapabilities(ctx, client, chunk)
				if err != nil || len(missing) == 0 {
					return err
				}
				chunk = missing
			}
			r, err := client.ImportCapabilities(ctx, &directoryv1.ImportCapabilitiesRequest{County: p.code, Entries: chunk})
			report.Changed += int(r.GetUpdated())
			return err
		}})
	}
	return out, nil
}
