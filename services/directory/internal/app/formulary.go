package app

import (
	"context"

	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// ListFormulary is the list of one organisation of the caller's county by name, without what left it; or, for a
// service that names none, all lists of the county by id, with it. text matches as FormularyQuery.Text does.
func (a *App) ListFormulary(ctx context.Context, caller authn.Identity, organizationID, text string, p Page) ([]domain.FormularyItem, string, error) {
	county, err := a.mayList(ctx, caller, organizationID)
	if err != nil {
		return nil, "", err
	}
	after, size, err := p.read()
	if err != nil {
		return nil, "", err
	}
	rows, err := a.deps.Store.Formulary(ctx, FormularyQuery{
		County: county, OrganizationID: organizationID, Text: text, After: after, Limit: size + 1,
	})
	if err != nil || len(rows) <= size {
		return rows, "", err
	}
	last := rows[size-1].Data()
	return rows[:size], Position{last.County, last.ID}.token(), nil
}

// ListCapabilities of one organisation of the caller's county; or, for a service that names none, of all in the county
// of which something was said.
func (a *App) ListCapabilities(ctx context.Context, caller authn.Identity, organizationID string) ([]domain.Capabilities, error) {
	county, err := a.mayList(ctx, caller, organizationID)
	if err != nil {
		return nil, err
	}
	list, err := a.deps.Store.Capabilities(ctx, CapabilityQuery{County: county, OrganizationID: organizationID})
	if err == nil && len(list) == 0 && organizationID != "" {
		list = []domain.Capabilities{domain.RestoreCapabilities(county, organizationID, nil, 0)}
	}
	return list, err
}

// mayList answers in which county the caller sees what it asks for. Only services ask for all organisations at once:
// they keep a copy.
func (a *App) mayList(ctx context.Context, caller authn.Identity, organizationID string) (county string, err error) {
	if organizationID == "" {
		if !caller.IsService() {
			return "", errs.Invalid(errs.Required("organizationId"))
		}
		return visible(caller)
	}
	_, err = a.GetOrganization(ctx, caller, organizationID)
	return caller.County, err
}

// StockChange is what a doctor says of a medicine of the own organisation. Version is the one that was seen.
type StockChange struct {
	ID        string
	Version   int32
	Stock     domain.Stock
	Orderable bool
}

// SetStock answers the medicine after the change. One of another organisation, and one that left the list, is
// errs.NotFound.
func (a *App) SetStock(ctx context.Context, caller authn.Identity, c StockChange) (item domain.FormularyItem, err error) {
	if c.Version == 0 {
		return item, errs.Invalid(errs.Bad("version", errs.ReasonVersionRequired))
	}
	err = a.deps.Store.Change(ctx, commandBy(caller, caller.County), func(u Unit) error {
		have, err := u.FormularyItems(ctx, caller.County, []string{c.ID})
		if err != nil {
			return err
		}
		old, ok := have[c.ID]
		d := old.Data()
		switch {
		case !ok || d.OrganizationID != caller.Organization || d.Removed:
			return errs.NotFound("formulary_item")
		case old.Version() != c.Version:
			return errs.Stale(old.Version(), string(d.Stock))
		}
		d.Stock, d.Orderable = c.Stock, c.Orderable
		var changed bool
		if item, changed, err = old.Update(d); err != nil {
			return at(err, "")
		}
		if changed {
			u.SetStock(item)
		}
		return nil
	})
	return item, err
}
