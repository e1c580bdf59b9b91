package app

import (
	"context"

	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// ListMedicines is a page of an organisation's list with who changed each line. q names no county and no place: those are the caller's and p's.
// Another organisation's is for the administrator of the county.
func (a *App) ListMedicines(ctx context.Context, caller authn.Identity, q MedicineQuery, p Page) ([]MedicineLine, string, error) {
	if !stocks(caller, q.OrganizationID) {
		return nil, "", errs.NotFound("organization")
	}
	if _, err := a.GetOrganization(ctx, caller, q.OrganizationID); err != nil {
		return nil, "", err
	}
	after, size, err := p.read()
	if err != nil {
		return nil, "", err
	}
	q.County, q.After, q.Limit = caller.County, after, size+1
	rows, err := a.deps.Store.Medicines(ctx, q)
	if err != nil || len(rows) <= size {
		return rows, "", err
	}
	last := rows[size-1].Item.Data()
	return rows[:size], Position{last.County, last.ID}.token(), nil
}

// MedicineChange is a medicine as it is to be. An empty Data.ID adds one to Data.OrganizationID. Version is the one that was seen.
type MedicineChange struct {
	Data      domain.FormularyData
	Version   int32
	RequestID string
}

// SaveMedicine answers the medicine as it is then. Name and specification of one that exists are not read.
func (a *App) SaveMedicine(ctx context.Context, caller authn.Identity, c MedicineChange) (domain.FormularyItem, error) {
	d := c.Data.Normal()
	d.County = caller.County
	by := requestBy(caller, caller.County, Request{Method: "SaveMedicine", ID: c.RequestID, Hash: hashOf(d, c.Version)})
	adds := d.ID == ""
	if adds {
		d.ID = medicineID(d)
	}
	err := a.deps.Store.Change(ctx, by, func(u Unit) error {
		if adds {
			return addMedicine(ctx, u, caller, d)
		}
		return changeMedicine(ctx, u, caller, d, c.Version)
	})
	if err != nil {
		return domain.FormularyItem{}, err
	}
	return a.deps.Store.Medicine(ctx, caller.County, d.ID)
}

func medicineID(d domain.FormularyData) string {
	return id.FromFact("formulary_item", d.County, d.OrganizationID, d.Name, d.Specification)
}

func addMedicine(ctx context.Context, u Unit, caller authn.Identity, d domain.FormularyData) error {
	d.Removed = false
	item, err := domain.NewFormularyItem(d)
	if err != nil {
		return at(err, "item")
	}
	found, err := u.OrganizationsByID(ctx, d.County, []string{d.OrganizationID})
	if err != nil {
		return err
	}
	if _, ok := found[d.OrganizationID]; !ok || !lists(caller, d.OrganizationID) {
		return errs.NotFound("organization")
	}
	have, err := u.FormularyItems(ctx, d.County, []string{d.ID})
	if err != nil {
		return err
	}
	if old, ok := have[d.ID]; ok {
		if !old.Data().Removed {
			return errs.Invalid(errs.Bad("item.name", errs.ReasonFieldCombination))
		}
		if item, _, err = old.Update(d); err != nil { // it comes back
			return at(err, "item")
		}
	}
	u.SaveMedicine(item, "formulary.save")
	return nil
}

func changeMedicine(ctx context.Context, u Unit, caller authn.Identity, d domain.FormularyData, version int32) error {
	old, err := medicineOf(ctx, u, caller.County, d.ID, version)
	if old.Data().ID != "" && !lists(caller, old.Data().OrganizationID) {
		return errs.NotFound("formulary_item")
	}
	if err != nil {
		return err
	}
	item, changed, err := old.Update(d)
	switch {
	case err != nil:
		return at(err, "item")
	case !changed:
		return nil
	}
	if d.Removed {
		u.SaveMedicine(item, "formulary.remove")
		return nil
	}
	u.SaveMedicine(item, "formulary.save")
	return nil
}

// medicineOf is the medicine in the version that was seen.
func medicineOf(ctx context.Context, u Unit, county, medicineID string, version int32) (domain.FormularyItem, error) {
	if version == 0 {
		return domain.FormularyItem{}, errs.Invalid(errs.Bad("version", errs.ReasonVersionRequired))
	}
	have, err := u.FormularyItems(ctx, county, []string{medicineID})
	if err != nil {
		return domain.FormularyItem{}, err
	}
	old, ok := have[medicineID]
	switch {
	case !ok:
		return old, errs.NotFound("formulary_item")
	case old.Version() != version:
		return old, errs.Stale(old.Version(), string(old.Data().Stock))
	}
	return old, nil
}

// lists tells who says what is on an organisation's list: the administrator of the county, the head of the own centre.
func lists(caller authn.Identity, organizationID string) bool {
	return caller.Has(string(domain.CountyAdmin)) || caller.Organization == organizationID && caller.Has(string(domain.CentreHead))
}

// stocks tells who says what of the list is there: also the doctors of the own organisation.
func stocks(caller authn.Identity, organizationID string) bool {
	return lists(caller, organizationID) || caller.Organization == organizationID && caller.Has(string(domain.TownshipDoctor))
}
