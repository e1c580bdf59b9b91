package statistics

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

// medicineRow is a medicine with the centres that do not have it.
type medicineRow struct {
	*referralv1.BlockingMedicine
	Centres []lacking
	Rows    []caseRow
}

// lacking is a centre that lacks a medicine: the centre's list at this medicine, and where an administrator puts it on that list; "" where neither is
// the visitor's to see.
type lacking struct {
	*referralv1.LackingCentre
	Name, At, Add string
}

// names of the centres in one text, each with how many need it there; word words what a centre has.
func (m medicineRow) names(word func(availability string) string) string {
	out := make([]string, len(m.Centres))
	for i, c := range m.Centres {
		out[i] = c.Name + " (" + word(c.GetAvailability()) + " " + strconv.Itoa(int(c.GetCount())) + ")"
	}
	return strings.Join(out, "、")
}

func (p *Pages) medicineRows(r *http.Request, d *picture) []medicineRow {
	names := p.namer(r, "")
	var out []medicineRow
	for _, m := range d.Medicines.GetMedicines() {
		one := medicineRow{BlockingMedicine: m, Rows: p.rows(r, m.GetCases())}
		for _, l := range m.GetLacking() {
			centre := lacking{LackingCentre: l, Name: names("organization", l.GetOrganizationId())}
			if d.County {
				centre.At = here("/settings/formulary", url.Values{"organization": {l.GetOrganizationId()}, "query": {m.GetName()}})
			}
			if d.County && l.GetAvailability() == "MISSING" {
				centre.Add = here("/settings/formulary/medicine", url.Values{"organization": {l.GetOrganizationId()}, "name": {m.GetName()}})
			}
			one.Centres = append(one.Centres, centre)
		}
		out = append(out, one)
	}
	return out
}
