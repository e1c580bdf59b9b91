package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// importBatch is how many aggregates one transaction locks. An import that dies between two of them is completed by
// running it again.
const importBatch = 20

// ImportResult counts what an import did. IDs is by code or login.
type ImportResult struct {
	Created, Updated, Unchanged int
	IDs                         map[string]string
}

func (r *ImportResult) add(o ImportResult) {
	r.Created += o.Created
	r.Updated += o.Updated
	r.Unchanged += o.Unchanged
	maps.Copy(r.IDs, o.IDs)
}

// OrganizationEntry is one organisation to import. Data.ID may be chosen by the caller for a new one; one that exists
// keeps its own.
type OrganizationEntry struct {
	Data        domain.OrganizationData
	Departments []domain.Department
}

// OrganizationImport is one request. CountyName "" leaves the county's name alone.
type OrganizationImport struct {
	County     string
	CountyName string
	Entries    []OrganizationEntry
}

// ImportOrganizations creates or updates organisations by code. All entries are checked before the first is written.
func (a *App) ImportOrganizations(ctx context.Context, caller authn.Identity, in OrganizationImport) (ImportResult, error) {
	if err := mayImport(caller, in.County); err != nil {
		return ImportResult{}, err
	}
	seen := map[string]bool{}
	for i := range in.Entries {
		e := &in.Entries[i]
		e.Data.County = in.County
		if err := giveID(&e.Data.ID, entryPath("organizations", i)+".organization"); err != nil {
			return ImportResult{}, err
		}
		o, err := domain.NewOrganization(e.Data, e.Departments)
		if err != nil {
			return ImportResult{}, at(err, entryPath("organizations", i)+".organization")
		}
		e.Data.Code = o.Data().Code
		if seen[e.Data.Code] {
			return ImportResult{}, errs.Invalid(errs.Bad(entryPath("organizations", i)+".organization.code", errs.ReasonFieldInvalid))
		}
		seen[e.Data.Code] = true
	}
	by := commandBy(caller, in.County)
	result := ImportResult{IDs: map[string]string{}}
	err := a.deps.Store.Change(ctx, by, func(u Unit) error {
		u.NameCounty(in.County, in.CountyName)
		return nil
	})
	if err != nil {
		return ImportResult{}, fmt.Errorf("name county: %w", err)
	}
	first := 0
	for batch := range slices.Chunk(in.Entries, importBatch) {
		var one ImportResult
		err := a.deps.Store.Change(ctx, by, func(u Unit) (err error) {
			one, err = importOrganizations(ctx, u, batch, first)
			return err
		})
		if err != nil {
			return ImportResult{}, err
		}
		result.add(one)
		first += len(batch)
	}
	return result, nil
}

// importOrganizations handles one batch; first is the place of its first entry in the request.
func importOrganizations(ctx context.Context, u Unit, batch []OrganizationEntry, first int) (ImportResult, error) {
	county := batch[0].Data.County
	var codes, parents []string
	for _, e := range batch {
		codes = append(codes, e.Data.Code)
		if e.Data.ParentID != "" {
			parents = append(parents, e.Data.ParentID)
		}
	}
	have, err := u.OrganizationsByCode(ctx, county, codes)
	if err != nil {
		return ImportResult{}, err
	}
	known, err := u.OrganizationsByID(ctx, county, parents)
	if err != nil {
		return ImportResult{}, err
	}
	out := ImportResult{IDs: map[string]string{}}
	for i, e := range batch {
		path := entryPath("organizations", first+i) + ".organization"
		if _, ok := known[e.Data.ParentID]; !ok && e.Data.ParentID != "" {
			return ImportResult{}, errs.Invalid(errs.Bad(path+".parentId", errs.ReasonFieldUnknown))
		}
		next, err := out.organization(u, have, e)
		if err != nil {
			return ImportResult{}, at(err, path)
		}
		known[next.Data().ID] = next
		out.IDs[next.Data().Code] = next.Data().ID
	}
	return out, nil
}

func (r *ImportResult) organization(u Unit, have map[string]domain.Organization, e OrganizationEntry) (domain.Organization, error) {
	old, exists := have[e.Data.Code]
	if !exists {
		o, err := domain.NewOrganization(e.Data, e.Departments)
		if err != nil {
			return o, err
		}
		u.CreateOrganization(o)
		r.Created++
		return o, nil
	}
	o, changed, err := old.Update(e.Data, e.Departments)
	switch {
	case err != nil:
	case changed:
		u.UpdateOrganization(o)
		r.Updated++
	default:
		r.Unchanged++
	}
	return o, err
}

// mayImport: a person imports into the own county, a service into the one it names.
func mayImport(caller authn.Identity, county string) error {
	if !domain.ValidCounty(county) {
		return errs.Invalid(errs.Bad("county", errs.ReasonFieldInvalid))
	}
	if !caller.IsService() && caller.County != county {
		return errs.Denied(errs.ReasonRole)
	}
	return nil
}

func commandBy(caller authn.Identity, county string) Command {
	return Command{County: county, AccountID: caller.Subject, OrganizationID: caller.Organization, AccountName: caller.Name}
}

// giveID makes an id where the caller chose none.
func giveID(chosen *string, path string) error {
	if *chosen == "" {
		*chosen = id.New()
		return nil
	}
	if !id.Valid(*chosen) {
		return errs.Invalid(errs.Bad(path+".id", errs.ReasonFieldInvalid))
	}
	return nil
}

func entryPath(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }

// at names violations as parts of path.
func at(err error, path string) error {
	var v domain.Violations
	if errors.As(err, &v) {
		return invalid(v.Within(path))
	}
	return err
}
