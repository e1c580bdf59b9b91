package app

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/directory/internal/placefile"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// tablePlan is what a table does to what stands: read before anything is written, so that a trial and the import itself say the same.
type tablePlan struct {
	county   string
	own      string                         // the organisation of whoever imports
	before   map[string]domain.Organization // by code, as they stand
	byCode   map[string]domain.Organization // by code, as they will
	hanging  map[string]Hanging
	can      map[string]domain.Capabilities  // by organisation
	have     map[string]domain.FormularyItem // by id
	problems []placefile.Problem
	result   ImportResult

	changed []string // codes of organisations, those above before those below
	able    []domain.Capabilities
	items   []domain.FormularyItem
}

// organizations plans the lines from the county down, whatever their order in the table.
func (p *tablePlan) organizations(rows []placefile.Row) {
	order := []string{string(domain.Authority), string(domain.CountyHospital), string(domain.TownshipCentre)}
	rank := func(r placefile.Row) int {
		if i := slices.Index(order, r.Cell("type")); i >= 0 {
			return i
		}
		return len(order)
	}
	for _, r := range slices.SortedStableFunc(slices.Values(rows), func(x, y placefile.Row) int { return cmp.Compare(rank(x), rank(y)) }) {
		p.organization(r)
	}
}

func (p *tablePlan) organization(r placefile.Row) {
	code := r.Cell("code")
	old, exists := p.byCode[code]
	d := old.Data()
	if !exists {
		d = domain.OrganizationData{ID: id.FromFact("organization", p.county, code), County: p.county, Code: code}
	}
	r.Set("name", &d.Name)
	r.Set("name_en", &d.NameEn)
	r.Set("phone", &d.Phone)
	r.Set("address", &d.Address)
	r.SetYes("closed", &d.Disabled)
	if d.Type = domain.OrganizationType(r.Cell("type")); d.Type != "" && !slices.Contains(domain.OrganizationTypes(), d.Type) {
		p.refuse(r.Line, "type", domain.ReasonUnknown)
		return
	}
	above, known := p.byCode[r.Cell("parent_code")]
	switch {
	case r.Cell("parent_code") != "" && !known:
		p.refuse(r.Line, "parent_code", domain.ReasonUnknown)
		return
	case r.Has("parent_code"):
		d.ParentID = above.Data().ID
	}
	next, err := domain.NewOrganization(d, nil)
	changed := true
	if exists && err == nil {
		next, changed, err = old.Update(d, nil)
	}
	hanging := p.hanging[d.ID]
	switch {
	case err != nil:
		p.fault(r.Line, err, map[string]string{"nameEn": "name_en", "parentId": "parent_code"})
		return
	case exists && d.Type != old.Data().Type && (hanging.Accounts+hanging.Below > 0 || len(old.Departments()) > 0):
		p.refuse(r.Line, "type", domain.ReasonCombination)
		return
	case exists && closesOwn(p.own, old.Data(), d):
		p.refuse(r.Line, "closed", domain.ReasonCombination)
		return
	case known && r.Cell("parent_code") != "" && !next.Under(above, old.Data().ParentID):
		p.refuse(r.Line, "parent_code", domain.ReasonCombination)
		return
	}
	p.result.count(next.Version(), changed)
	if changed {
		p.byCode[code] = next
		p.changed = append(p.changed, code)
	}
}

// home is the organisation of a line.
func (p *tablePlan) home(r placefile.Row) (domain.Organization, bool) {
	code := r.Cell("organization_code")
	o, ok := p.byCode[code]
	switch {
	case code == "":
		p.refuse(r.Line, "organization_code", domain.ReasonRequired)
	case !ok:
		p.refuse(r.Line, "organization_code", domain.ReasonUnknown)
	}
	return o, ok
}

func (p *tablePlan) departments(rows []placefile.Row) {
	for _, r := range rows {
		o, ok := p.home(r)
		if !ok {
			continue
		}
		d := domain.Department{Code: strings.ReplaceAll(r.Cell("code"), ".", "")}
		all := o.Departments()
		exists := false
		if i := slices.IndexFunc(all, func(known domain.Department) bool { return known.Code == d.Code }); i >= 0 {
			d, exists = all[i], true
		}
		r.Set("name", &d.Name)
		r.Set("name_en", &d.NameEn)
		r.Set("location", &d.Location)
		r.Set("phone", &d.Phone)
		r.SetYes("has_beds", &d.HasBeds)
		r.SetYes("closed", &d.Disabled)
		next, changed, err := o.Update(o.Data(), []domain.Department{d})
		if err != nil {
			p.fault(r.Line, err, map[string]string{"nameEn": "name_en"})
			continue
		}
		switch {
		case !changed:
			p.result.Unchanged++
		case exists:
			p.result.Updated++
		default:
			p.result.Created++
		}
		code := o.Data().Code
		p.byCode[code] = next
		if changed && !slices.Contains(p.changed, code) {
			p.changed = append(p.changed, code)
		}
	}
}

// capabilities plans what each organisation of the table can do: all that its lines say. One with a line that is wrong is left as it is, and all of
// them if nobody can tell of which one a line is.
func (p *tablePlan) capabilities(t placefile.Table) {
	if slices.ContainsFunc(t.Problems, func(one placefile.Problem) bool { return one.Field == "" }) {
		return
	}
	said, lines := map[string][]domain.Capability{}, map[string][]int{}
	for _, r := range t.Rows {
		o, ok := p.home(r)
		if !ok {
			continue
		}
		home := o.Data().ID
		said[home] = append(said[home], domain.Capability{Code: r.Cell("capability"), Note: r.Cell("note")})
		lines[home] = append(lines[home], r.Line)
	}
	for _, home := range slices.Sorted(maps.Keys(said)) {
		old, ok := p.can[home]
		if !ok {
			old = domain.RestoreCapabilities(p.county, home, nil, 0)
		}
		wrong := false
		for i, one := range said[home] {
			if _, _, err := old.Replace([]domain.Capability{one}); err != nil {
				p.fault(lines[home][i], err, map[string]string{"code": "capability"})
				wrong = true
			}
		}
		next, changed, err := old.Replace(said[home])
		if wrong || err != nil {
			continue
		}
		p.result.count(next.Version(), changed)
		if changed {
			p.able = append(p.able, next)
		}
	}
}

func (p *tablePlan) medicines(rows []placefile.Row) {
	for _, r := range rows {
		o, ok := p.home(r)
		if !ok {
			continue
		}
		d := domain.FormularyData{County: p.county, OrganizationID: o.Data().ID, Name: r.Cell("name"), Specification: r.Cell("specification")}.Normal()
		d.ID = medicineID(d)
		old, exists := p.have[d.ID]
		if exists {
			d = old.Data()
			d.Removed = false // what a table names is on the list, unless it says otherwise
		}
		r.Set("atc", &d.ATC)
		r.Set("restricted_class", &d.RestrictedClass)
		r.SetYes("orderable", &d.Orderable)
		r.SetYes("removed", &d.Removed)
		if d.Stock = domain.Stock(r.Cell("stock")); d.Stock != "" && !slices.Contains(domain.Stocks(), d.Stock) {
			p.refuse(r.Line, "stock", domain.ReasonUnknown)
			continue
		}
		item, err := domain.NewFormularyItem(d)
		changed := true
		if exists && err == nil {
			item, changed, err = old.Update(d)
		}
		if err != nil {
			p.fault(r.Line, err, map[string]string{"restrictedClass": "restricted_class"})
			continue
		}
		p.result.count(item.Version(), changed)
		if changed {
			p.items = append(p.items, item)
		}
	}
}
