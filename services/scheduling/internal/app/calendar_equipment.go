package app

import (
	"context"
	"slices"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// Equipment of an organisation, for anybody who may send patients there.
func (p *Planner) Equipment(ctx context.Context, county, organizationID string) ([]domain.Equipment, error) {
	return p.app.store.Equipment(ctx, county, organizationID)
}

// SaveEquipment adds or changes a device. One that is back in service gets the sessions of its templates. STALE_VERSION, ROLE, fields.
func (p *Planner) SaveEquipment(ctx context.Context, by Planning, e domain.Equipment) (domain.Equipment, error) {
	if err := by.checkRequest(); err != nil {
		return e, err
	}
	if err := refuseFaults("equipment.", checkID(e.ID, e.Faults())); err != nil {
		return e, err
	}
	if err := by.check(e.OrganizationID, e.DepartmentCode); err != nil {
		return e, err
	}
	err := p.write(ctx, by.command("SaveEquipment", e), e.ID, func(u Unit) error {
		was, err := absent(u.Device(ctx, e.ID))
		if err != nil {
			return err
		}
		if was.Version > 0 && !by.may(was.OrganizationID, was.DepartmentCode) {
			return errs.Denied(errs.ReasonRole)
		}
		if err := version(e.Version, was.Version); err != nil {
			return err
		}
		if was.Version > 0 && (e.OrganizationID != was.OrganizationID || e.DepartmentCode != was.DepartmentCode || e.Modality != was.Modality) {
			// Bookings stand on it.
			return errs.Invalid(errs.Bad("equipment.modality", errs.ReasonFieldCombination))
		}
		u.Note("equipment.save", "equipment", e.ID, e.Modality)
		if err := u.PutDevice(ctx, e); err != nil {
			return err
		}
		return u.Record(ctx, changeOfEquipment(ChangeBefore, was), changeOfEquipment(ChangeSaved, e))
	})
	if err != nil {
		return e, err
	}
	templates, err := p.app.store.Templates(ctx, Department{by.County, e.OrganizationID, e.DepartmentCode}, time.Time{})
	if err != nil {
		return e, err
	}
	templates = slices.DeleteFunc(templates, func(t domain.Template) bool { return t.EquipmentID != e.ID })
	var ids []string
	for _, t := range templates {
		ids = append(ids, t.ID)
	}
	if _, err := p.planAll(ctx, by.Caller, ids); err != nil {
		return e, err
	}
	err = p.app.store.Change(ctx, Command{Caller: by.Caller}, func(u Unit) error {
		e, err = u.Device(ctx, e.ID)
		return err
	})
	return e, err
}
