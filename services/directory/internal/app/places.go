package app

import (
	"context"
	"strings"

	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// ListPlaces of the caller's county by code, closed ones too.
func (a *App) ListPlaces(ctx context.Context, caller authn.Identity) ([]Place, error) {
	all, err := a.deps.Store.Organizations(ctx, OrganizationQuery{County: caller.County})
	if err != nil {
		return nil, err
	}
	hanging, err := a.deps.Store.Hanging(ctx, caller.County)
	if err != nil {
		return nil, err
	}
	out := make([]Place, len(all))
	for i, o := range all {
		out[i] = Place{Organization: o, Hanging: hanging[o.Data().ID]}
	}
	return out, nil
}

// GetPlace of the caller's county.
func (a *App) GetPlace(ctx context.Context, caller authn.Identity, organizationID string) (Place, error) {
	o, err := a.GetOrganization(ctx, caller, organizationID)
	if err != nil {
		return Place{}, err
	}
	can, err := a.ListCapabilities(ctx, caller, organizationID)
	if err != nil {
		return Place{}, err
	}
	hanging, err := a.deps.Store.Hanging(ctx, caller.County)
	return Place{Organization: o, Capabilities: can[0], Hanging: hanging[organizationID]}, err
}

// PlaceChange is an organisation as it is to be, without its departments. An empty Data.ID adds one. Version is the one that was seen.
type PlaceChange struct {
	Data      domain.OrganizationData
	Version   int32
	RequestID string
}

// SavePlace answers the organisation as it is then.
func (a *App) SavePlace(ctx context.Context, caller authn.Identity, c PlaceChange) (domain.Organization, error) {
	c.Data.County = caller.County
	by := requestBy(caller, caller.County, Request{Method: "SavePlace", ID: c.RequestID, Hash: hashOf(c.Data, c.Version)})
	adds := c.Data.ID == ""
	if adds {
		// Made of the code, so that a repeated request finds it again.
		c.Data.ID = id.FromFact("organization", caller.County, c.Data.Code)
	}
	err := a.deps.Store.Change(ctx, by, func(u Unit) error {
		if adds {
			return addPlace(ctx, u, c.Data)
		}
		return changePlace(ctx, u, caller, c)
	})
	if err != nil {
		return domain.Organization{}, err
	}
	return a.GetOrganization(ctx, caller, c.Data.ID)
}

func addPlace(ctx context.Context, u Unit, d domain.OrganizationData) error {
	o, wrong := domain.NewOrganization(d, nil)
	have, err := u.OrganizationsByCode(ctx, d.County, []string{strings.TrimSpace(d.Code)})
	if err != nil {
		return err
	}
	var known error
	if len(have) > 0 {
		known = errs.Invalid(errs.Bad("organization.code", errs.ReasonFieldCombination))
	}
	if err := together(known, at(wrong, "organization")); err != nil {
		return err
	}
	if err := stands(ctx, u, o, ""); err != nil {
		return err
	}
	u.CreateOrganization(o)
	return nil
}

func changePlace(ctx context.Context, u Unit, caller authn.Identity, c PlaceChange) error {
	old, err := placeOf(ctx, u, c.Data.County, c.Data.ID, c.Version)
	if err != nil {
		return err
	}
	if closesOwn(caller.Organization, old.Data(), c.Data) {
		return errs.Invalid(errs.Bad("organization.disabled", errs.ReasonFieldCombination))
	}
	o, changed, err := old.Update(c.Data, nil)
	switch {
	case err != nil:
		return at(err, "organization")
	case !changed:
		return nil
	}
	if err := mayBecome(ctx, u, old, o); err != nil {
		return err
	}
	u.UpdateOrganization(o)
	return nil
}

// closesOwn tells that somebody would close the door behind which he sits, by whichever way.
func closesOwn(own string, was, is domain.OrganizationData) bool {
	return was.ID != "" && was.ID == own && is.Disabled && !was.Disabled
}

// mayBecome tells whether what hangs on an organisation, and what it stands below, let it become next.
func mayBecome(ctx context.Context, u Unit, old, next domain.Organization) error {
	was, is := old.Data(), next.Data()
	if is.Type != was.Type {
		hanging, err := u.Hanging(ctx, is.County, is.ID)
		switch {
		case err != nil:
			return err
		case hanging.Accounts+hanging.Below > 0 || len(old.Departments()) > 0:
			return errs.Invalid(errs.Bad("organization.type", errs.ReasonFieldCombination))
		}
	}
	if is.Type == was.Type && is.ParentID == was.ParentID {
		return nil
	}
	return stands(ctx, u, next, was.ParentID)
}

// stands tells whether the organisation may stand below its parent; before is the one it stood below until now.
func stands(ctx context.Context, u Unit, o domain.Organization, before string) error {
	parentID := o.Data().ParentID
	if parentID == "" {
		return nil
	}
	found, err := u.OrganizationsByID(ctx, o.Data().County, []string{parentID})
	if err != nil {
		return err
	}
	parent, ok := found[parentID]
	switch {
	case !ok:
		return errs.Invalid(errs.Bad("organization.parentId", errs.ReasonFieldUnknown))
	case !o.Under(parent, before):
		return errs.Invalid(errs.Bad("organization.parentId", errs.ReasonFieldCombination))
	}
	return nil
}

// placeOf is the organisation in the version that was seen.
func placeOf(ctx context.Context, u Unit, county, organizationID string, version int32) (domain.Organization, error) {
	if version == 0 {
		return domain.Organization{}, errs.Invalid(errs.Bad("version", errs.ReasonVersionRequired))
	}
	found, err := u.OrganizationsByID(ctx, county, []string{organizationID})
	if err != nil {
		return domain.Organization{}, err
	}
	o, ok := found[organizationID]
	switch {
	case !ok:
		return o, errs.NotFound("organization")
	case o.Version() != version:
		return o, errs.Stale(o.Version(), "")
	}
	return o, nil
}

// DepartmentChange is a department as it is to be. Version is the organisation's that was seen; Adds tells that there is none of the code yet.
type DepartmentChange struct {
	OrganizationID string
	Version        int32
	Department     domain.Department
	Adds           bool
	RequestID      string
}

// SaveDepartment answers the organisation as it is then.
func (a *App) SaveDepartment(ctx context.Context, caller authn.Identity, c DepartmentChange) (Place, error) {
	by := requestBy(caller, caller.County, Request{Method: "SaveDepartment", ID: c.RequestID, Hash: hashOf(c.OrganizationID, c.Version, c.Department, c.Adds)})
	err := a.deps.Store.Change(ctx, by, func(u Unit) error {
		old, err := placeOf(ctx, u, caller.County, c.OrganizationID, c.Version)
		if err != nil {
			return err
		}
		switch has := old.HasDepartment(c.Department.Code); {
		case has && c.Adds:
			return errs.Invalid(errs.Bad("department.code", errs.ReasonFieldCombination))
		case !has && !c.Adds:
			return errs.Invalid(errs.Bad("department.code", errs.ReasonFieldUnknown))
		}
		o, changed, err := old.Update(old.Data(), []domain.Department{c.Department})
		if err != nil {
			return oneDepartment(err)
		}
		if changed {
			u.UpdateOrganization(o)
		}
		return nil
	})
	if err != nil {
		return Place{}, err
	}
	return a.GetPlace(ctx, caller, c.OrganizationID)
}

// AbilityChange is all that an organisation can do. Version is the one that was seen.
type AbilityChange struct {
	OrganizationID string
	Version        int32
	Capabilities   []domain.Capability
	RequestID      string
}

// SetCapabilities answers what the organisation can do then.
func (a *App) SetCapabilities(ctx context.Context, caller authn.Identity, c AbilityChange) (domain.Capabilities, error) {
	by := requestBy(caller, caller.County, Request{Method: "SetCapabilities", ID: c.RequestID, Hash: hashOf(c.OrganizationID, c.Version, c.Capabilities)})
	err := a.deps.Store.Change(ctx, by, func(u Unit) error {
		old, err := abilitiesOf(ctx, u, caller.County, c.OrganizationID, c.Version)
		if err != nil {
			return err
		}
		next, changed, err := old.Replace(c.Capabilities)
		if err != nil {
			return at(err, "")
		}
		if changed {
			u.ReplaceCapabilities(next, "capabilities.set")
		}
		return nil
	})
	if err != nil {
		return domain.Capabilities{}, err
	}
	list, err := a.ListCapabilities(ctx, caller, c.OrganizationID)
	if err != nil {
		return domain.Capabilities{}, err
	}
	return list[0], nil
}

// abilitiesOf locks the organisation, which is what they are changed under, and answers them in the version that was seen.
func abilitiesOf(ctx context.Context, u Unit, county, organizationID string, version int32) (domain.Capabilities, error) {
	found, err := u.OrganizationsByID(ctx, county, []string{organizationID})
	if err != nil {
		return domain.Capabilities{}, err
	}
	if _, ok := found[organizationID]; !ok {
		return domain.Capabilities{}, errs.NotFound("organization")
	}
	have, err := u.Capabilities(ctx, county, []string{organizationID})
	if err != nil {
		return domain.Capabilities{}, err
	}
	old := have[organizationID]
	if old.Version() != version {
		return old, errs.Stale(old.Version(), "")
	}
	return old, nil
}
