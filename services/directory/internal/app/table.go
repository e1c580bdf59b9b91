package app

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/directory/internal/placefile"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// medicinesPerChange bounds one transaction of a table of medicines.
const medicinesPerChange = 500

// TableImport is one request. County is read for services only. With DryRun nothing is written.
type TableImport struct {
	Kind    placefile.Kind
	Content []byte
	DryRun  bool
	County  string
}

// TableResult counts what an import did, or would do, and names every line that was refused.
type TableResult struct {
	ImportResult
	Problems []placefile.Problem
}

// ImportTable reads a table and writes what is right in it; the lines that are wrong are answered. A change of the same rows by somebody else at the
// same moment is Stale: the table can be sent again.
func (a *App) ImportTable(ctx context.Context, caller authn.Identity, in TableImport) (TableResult, error) {
	county := in.County
	if !caller.IsService() {
		county = caller.County
	}
	if err := mayImport(caller, county); err != nil {
		return TableResult{}, err
	}
	if in.Kind != placefile.Formulary && caller.Has(string(domain.CentreHead)) && !caller.Has(string(domain.CountyAdmin)) {
		return TableResult{}, errs.Denied(errs.ReasonRole)
	}
	p := &tablePlan{county: county, own: caller.Organization, hanging: map[string]Hanging{}}
	if err := a.readPlan(ctx, caller, in.Kind, p); err != nil {
		return TableResult{}, err
	}
	table := placefile.Read(in.Kind, in.Content)
	p.problems = table.Problems
	switch in.Kind {
	case placefile.Organizations:
		p.organizations(table.Rows)
	case placefile.Departments:
		p.departments(table.Rows)
	case placefile.Capabilities:
		p.capabilities(table)
	case placefile.Formulary:
		p.medicines(table.Rows)
	}
	slices.SortStableFunc(p.problems, func(x, y placefile.Problem) int {
		return cmp.Or(cmp.Compare(x.Line, y.Line), strings.Compare(x.Field, y.Field))
	})
	out := TableResult{ImportResult: p.result, Problems: p.problems}
	if in.DryRun {
		return out, nil
	}
	return out, a.carryOut(ctx, commandBy(caller, county), p)
}

// readPlan reads what stands in the county, of the organisations of which the caller may say something.
func (a *App) readPlan(ctx context.Context, caller authn.Identity, kind placefile.Kind, p *tablePlan) (err error) {
	all, err := a.deps.Store.Organizations(ctx, OrganizationQuery{County: p.county})
	if err != nil {
		return err
	}
	p.byCode, p.before = map[string]domain.Organization{}, map[string]domain.Organization{}
	for _, o := range all {
		if caller.IsService() || caller.Has(string(domain.System)) || lists(caller, o.Data().ID) {
			p.byCode[o.Data().Code], p.before[o.Data().Code] = o, o
		}
	}
	switch kind {
	case placefile.Organizations:
		p.hanging, err = a.deps.Store.Hanging(ctx, p.county)
	case placefile.Capabilities:
		p.can = map[string]domain.Capabilities{}
		list, err := a.deps.Store.Capabilities(ctx, CapabilityQuery{County: p.county})
		for _, c := range list {
			p.can[c.OrganizationID()] = c
		}
		return err
	case placefile.Formulary:
		p.have = map[string]domain.FormularyItem{}
		list, err := a.deps.Store.Formulary(ctx, FormularyQuery{County: p.county})
		for _, item := range list {
			p.have[item.Data().ID] = item
		}
		return err
	}
	return err
}

// carryOut writes the plan in batches. An import that dies between two of them is completed by running it again.
func (a *App) carryOut(ctx context.Context, by Command, p *tablePlan) error {
	for batch := range slices.Chunk(p.changed, importBatch) {
		if err := a.deps.Store.Change(ctx, by, func(u Unit) error { return writeOrganizations(ctx, u, p, batch) }); err != nil {
			return err
		}
	}
	for batch := range slices.Chunk(p.able, importBatch) {
		if err := a.deps.Store.Change(ctx, by, func(u Unit) error {
			for _, next := range batch {
				if _, err := abilitiesOf(ctx, u, p.county, next.OrganizationID(), next.Version()-1); err != nil {
					return err
				}
				u.ReplaceCapabilities(next, "capabilities.import")
			}
			return nil
		}); err != nil {
			return err
		}
	}
	for batch := range slices.Chunk(p.items, medicinesPerChange) {
		if err := a.deps.Store.Change(ctx, by, func(u Unit) error { return writeMedicines(ctx, u, p.county, batch) }); err != nil {
			return err
		}
	}
	return nil
}

func writeOrganizations(ctx context.Context, u Unit, p *tablePlan, codes []string) error {
	have, err := u.OrganizationsByCode(ctx, p.county, codes)
	if err != nil {
		return err
	}
	u.NameCounty(p.county, "")
	for _, code := range codes {
		next := p.byCode[code]
		if have[code].Version() != p.before[code].Version() {
			return errs.Stale(have[code].Version(), "")
		}
		// However many lines speak of it, it is one change.
		next = domain.RestoreOrganization(next.Data(), next.Departments(), p.before[code].Version()+1)
		if next.Version() == 1 {
			u.CreateOrganization(next)
		} else {
			u.UpdateOrganization(next)
		}
	}
	return nil
}

func writeMedicines(ctx context.Context, u Unit, county string, items []domain.FormularyItem) error {
	ids := make([]string, len(items))
	for i, item := range items {
		ids[i] = item.Data().ID
	}
	have, err := u.FormularyItems(ctx, county, ids)
	if err != nil {
		return err
	}
	byHome := map[string][]domain.FormularyItem{}
	var homes []string
	for _, item := range items {
		d := item.Data()
		if have[d.ID].Version() != item.Version()-1 {
			return errs.Stale(have[d.ID].Version(), "")
		}
		if byHome[d.OrganizationID] == nil {
			homes = append(homes, d.OrganizationID)
		}
		byHome[d.OrganizationID] = append(byHome[d.OrganizationID], item)
	}
	for _, home := range homes {
		u.ImportFormulary(home, byHome[home])
	}
	return nil
}

// fault names what is wrong with a line by its column.
func (p *tablePlan) fault(line int, err error, column map[string]string) {
	var v domain.Violations
	if !errors.As(err, &v) {
		return
	}
	for _, one := range v {
		field := one.Field
		if _, rest, ok := strings.Cut(field, "]."); ok {
			field = rest
		}
		if name, ok := column[field]; ok {
			field = name
		}
		p.problems = append(p.problems, placefile.Problem{Line: line, Field: field, Reason: one.Reason, Max: one.Max})
	}
}

func (p *tablePlan) refuse(line int, field, reason string) {
	p.problems = append(p.problems, placefile.Problem{Line: line, Field: field, Reason: reason})
}
