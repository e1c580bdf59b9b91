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

// StockChange is what is said of the stock of a medicine. Version is the one that was seen.
type StockChange struct {
	ID        string
	Version   int32
	Stock     domain.Stock
	Orderable bool
	RequestID string
}

// SetStock answers the medicine after the change. One of another organisation, unless the administrator of the county says it, and one that left the
// list, is errs.NotFound.
func (a *App) SetStock(ctx context.Context, caller authn.Identity, c StockChange) (domain.FormularyItem, error) {
	by := requestBy(caller, caller.County, Request{Method: "SetStock", ID: c.RequestID, Hash: hashOf(c.ID, c.Version, c.Stock, c.Orderable)})
	err := a.deps.Store.Change(ctx, by, func(u Unit) error {
		old, err := medicineOf(ctx, u, caller.County, c.ID, c.Version)
		d := old.Data()
		if known := d.ID != ""; known && (d.Removed || !stocks(caller, d.OrganizationID)) {
			return errs.NotFound("formulary_item")
		}
		if err != nil {
			return err
		}
		d.Stock, d.Orderable = c.Stock, c.Orderable
		item, changed, err := old.Update(d)
		if err == nil && changed {
			u.SaveMedicine(item, "formulary.set_stock")
		}
		return at(err, "")
	})
	if err != nil {
		return domain.FormularyItem{}, err
	}
	return a.deps.Store.Medicine(ctx, caller.County, c.ID)
}
