package app

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// FormularyEntry is one medicine to import. Data.ID and Data.OrganizationID are not read.
type FormularyEntry struct {
	Data             domain.FormularyData
	OrganizationCode string
}

// FormularyImport is one request.
type FormularyImport struct {
	County  string
	Entries []FormularyEntry
}

// ImportFormulary creates or updates medicines by organisation, name and specification: all of the request, or nothing
// and every field that is wrong. Medicines that it does not name stay as they are. ImportResult.IDs stays empty.
func (a *App) ImportFormulary(ctx context.Context, caller authn.Identity, in FormularyImport) (out ImportResult, err error) {
	if err := mayImport(caller, in.County); err != nil {
		return ImportResult{}, err
	}
	err = a.deps.Store.Change(ctx, commandBy(caller, in.County), func(u Unit) (err error) {
		out, err = importFormulary(ctx, u, in)
		return err
	})
	return out, err
}

func importFormulary(ctx context.Context, u Unit, in FormularyImport) (ImportResult, error) {
	codes := make([]string, len(in.Entries))
	for i, e := range in.Entries {
		codes[i] = e.OrganizationCode
	}
	homes, err := u.OrganizationsByCode(ctx, in.County, codes)
	if err != nil {
		return ImportResult{}, err
	}
	said, err := medicines(in, homes)
	if err != nil {
		return ImportResult{}, err
	}
	ids := make([]string, len(said))
	for i, item := range said {
		ids[i] = item.Data().ID
	}
	have, err := u.FormularyItems(ctx, in.County, ids)
	if err != nil {
		return ImportResult{}, err
	}
	var out ImportResult
	changes := map[string][]domain.FormularyItem{}
	for _, item := range said {
		d, changed := item.Data(), true
		if old, exists := have[d.ID]; exists {
			if item, changed, err = old.Update(d); err != nil {
				return ImportResult{}, err
			}
		}
		out.count(item.Version(), changed)
		if changed {
			changes[d.OrganizationID] = append(changes[d.OrganizationID], item)
		}
	}
	for _, organizationID := range slices.Sorted(maps.Keys(changes)) {
		u.ImportFormulary(organizationID, changes[organizationID])
	}
	return out, nil
}

// medicines that the entries speak of, all of them, or all that is wrong with them.
func medicines(in FormularyImport, homes map[string]domain.Organization) ([]domain.FormularyItem, error) {
	var wrong refusals
	out := make([]domain.FormularyItem, 0, len(in.Entries))
	seen := make(map[string]bool, len(in.Entries))
	for i, e := range in.Entries {
		path := entryPath("items", i)
		home, ok := homes[e.OrganizationCode]
		if !ok {
			wrong.add(errs.Invalid(errs.Bad(path+".organizationCode", errs.ReasonFieldUnknown)))
			continue
		}
		d := e.Data.Normal()
		d.County, d.OrganizationID = in.County, home.Data().ID
		d.ID = medicineID(d)
		item, err := domain.NewFormularyItem(d)
		switch {
		case err != nil:
			wrong.add(at(err, path+".item"))
		case seen[d.ID]:
			wrong.add(errs.Invalid(errs.Bad(path+".item.name", errs.ReasonFieldInvalid)))
		}
		seen[d.ID] = true
		out = append(out, item)
	}
	return out, wrong.err()
}

// CapabilityEntry is all that one organisation can do.
type CapabilityEntry struct {
	OrganizationCode string
	Capabilities     []domain.Capability
}

// CapabilityImport is one request.
type CapabilityImport struct {
	County  string
	Entries []CapabilityEntry
}

// ImportCapabilities replaces what the named organisations can do: all of the request, or nothing and every field that
// is wrong. ImportResult.IDs stays empty.
func (a *App) ImportCapabilities(ctx context.Context, caller authn.Identity, in CapabilityImport) (out ImportResult, err error) {
	if err := mayImport(caller, in.County); err != nil {
		return ImportResult{}, err
	}
	err = a.deps.Store.Change(ctx, commandBy(caller, in.County), func(u Unit) (err error) {
		out, err = importCapabilities(ctx, u, in)
		return err
	})
	return out, err
}

func importCapabilities(ctx context.Context, u Unit, in CapabilityImport) (out ImportResult, err error) {
	codes := make([]string, len(in.Entries))
	for i, e := range in.Entries {
		codes[i] = e.OrganizationCode
	}
	homes, err := u.OrganizationsByCode(ctx, in.County, codes)
	if err != nil {
		return ImportResult{}, err
	}
	ids := make([]string, 0, len(homes))
	for _, home := range homes {
		ids = append(ids, home.Data().ID)
	}
	have, err := u.Capabilities(ctx, in.County, ids)
	if err != nil {
		return ImportResult{}, err
	}
	var wrong refusals
	for i, e := range in.Entries {
		path := entryPath("entries", i)
		home, ok := homes[e.OrganizationCode]
		if !ok || slices.Contains(codes[:i], e.OrganizationCode) {
			reason := errs.ReasonFieldUnknown
			if ok {
				reason = errs.ReasonFieldInvalid
			}
			wrong.add(errs.Invalid(errs.Bad(path+".organizationCode", reason)))
			continue
		}
		next, changed, err := have[home.Data().ID].Replace(e.Capabilities)
		if err != nil {
			wrong.add(at(err, path))
			continue
		}
		out.count(next.Version(), changed)
		if changed {
			u.ReplaceCapabilities(next, "capabilities.import")
		}
	}
	return out, wrong.err()
}

// count counts one aggregate by the version that it has after the import.
func (r *ImportResult) count(version int32, changed bool) {
	switch {
	case !changed:
		r.Unchanged++
	case version == 1:
		r.Created++
	default:
		r.Updated++
	}
}

// refusals gathers what is wrong with the entries of a request, so that whoever sent them can mend all at once.
type refusals []errs.Field

func (r *refusals) add(err error) {
	var e *errs.Error
	if errors.As(err, &e) {
		*r = append(*r, e.Fields...)
	}
}

func (r refusals) err() error {
	if len(r) == 0 {
		return nil
	}
	return errs.Invalid(r...)
}
