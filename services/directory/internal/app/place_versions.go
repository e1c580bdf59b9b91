package app

import (
	"context"
	"slices"

	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// mostVersions is how many versions are told; all are kept.
const mostVersions = 100

// ListPlaceVersions of a subject of the caller's county, the newest first. Those of a medicine are for who says what is on the list, all others for
// the administrator of the county.
func (a *App) ListPlaceVersions(ctx context.Context, caller authn.Identity, s Subject, subjectID string) ([]PlaceVersion, error) {
	if err := a.seesVersions(ctx, caller, s, subjectID); err != nil {
		return nil, err
	}
	return a.deps.Store.PlaceVersions(ctx, caller.County, s, subjectID, mostVersions)
}

func (a *App) seesVersions(ctx context.Context, caller authn.Identity, s Subject, subjectID string) error {
	if s != SubjectMedicine {
		if !caller.Has(string(domain.CountyAdmin)) {
			return errs.NotFound("organization")
		}
		_, err := a.GetOrganization(ctx, caller, subjectID)
		return err
	}
	item, err := a.deps.Store.Medicine(ctx, caller.County, subjectID)
	if err == nil && !lists(caller, item.Data().OrganizationID) {
		return errs.NotFound("formulary_item")
	}
	return err
}

// Restoration makes a version of a subject again. Version is the one that was seen.
type Restoration struct {
	Subject          Subject
	ID               string
	Restore, Version int32
	RequestID        string
}

// RestorePlaceVersion answers the version that stands then.
func (a *App) RestorePlaceVersion(ctx context.Context, caller authn.Identity, r Restoration) (int32, error) {
	if err := a.seesVersions(ctx, caller, r.Subject, r.ID); err != nil {
		return 0, err
	}
	versions, err := a.deps.Store.PlaceVersions(ctx, caller.County, r.Subject, r.ID, 0)
	if err != nil {
		return 0, err
	}
	i := slices.IndexFunc(versions, func(v PlaceVersion) bool { return v.Version == r.Restore })
	if i < 0 {
		return 0, errs.NotFound("version")
	}
	was := versions[i]
	by := requestBy(caller, caller.County, Request{Method: "RestorePlaceVersion", ID: r.RequestID, Hash: hashOf(r.Subject, r.ID, r.Restore, r.Version)})
	err = a.deps.Store.Change(ctx, by, func(u Unit) error {
		switch r.Subject {
		case SubjectMedicine:
			return restoreMedicine(ctx, u, caller, was.Medicine.Data(), r.Version)
		case SubjectAbilities:
			old, err := abilitiesOf(ctx, u, caller.County, r.ID, r.Version)
			if err != nil {
				return err
			}
			next, changed, err := old.Replace(was.Capabilities.List())
			if err == nil && changed {
				u.ReplaceCapabilities(next, "capabilities.set")
			}
			return at(err, "")
		default:
			return restorePlace(ctx, u, caller, was.Organization, r)
		}
	})
	if err != nil {
		return 0, err
	}
	now, err := a.deps.Store.PlaceVersions(ctx, caller.County, r.Subject, r.ID, 1)
	if err != nil || len(now) == 0 {
		return 0, err
	}
	return now[0].Version, nil
}

// restoreMedicine makes what the list said of it again. What SetStock says is of today and stays.
func restoreMedicine(ctx context.Context, u Unit, caller authn.Identity, was domain.FormularyData, version int32) error {
	have, err := u.FormularyItems(ctx, caller.County, []string{was.ID})
	if err != nil {
		return err
	}
	if now, ok := have[was.ID]; ok {
		was.Stock, was.Orderable = now.Data().Stock, now.Data().Orderable
	}
	return changeMedicine(ctx, u, caller, was, version)
}

func restorePlace(ctx context.Context, u Unit, caller authn.Identity, was domain.Organization, r Restoration) error {
	old, err := placeOf(ctx, u, caller.County, r.ID, r.Version)
	if err != nil {
		return err
	}
	if closesOwn(caller.Organization, old.Data(), was.Data()) {
		return errs.Invalid(errs.Bad("organization.disabled", errs.ReasonFieldCombination))
	}
	next, changed, err := old.As(was)
	if err != nil || !changed {
		return at(err, "")
	}
	if err := mayBecome(ctx, u, old, next); err != nil {
		return err
	}
	u.UpdateOrganization(next)
	return nil
}
