package app

import (
	"context"
	"slices"
	"strconv"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// Keeper is who looks at a bed board or changes it.
type Keeper struct {
	Caller
	Everywhere bool // the county's administrator
	Clinician  bool // of the own organisation; sees referrals there
}

func (p Keeper) own(organizationID string) bool {
	return p.OrganizationID != "" && p.OrganizationID == organizationID
}

// ListBoard answers the wards of the own organisation with their beds; NOT_FOUND for another's. To whoever is not of the organisation beds show no
// referrals.
func (a *App) ListBoard(ctx context.Context, p Keeper, d Department) ([]BoardWard, error) {
	if !p.own(d.OrganizationID) && !p.Everywhere {
		return nil, errs.NotFound("organization")
	}
	wards, err := a.store.Board(ctx, d)
	if err != nil {
		return nil, err
	}
	if !p.Clinician || !p.own(d.OrganizationID) {
		for _, w := range wards {
			for i := range w.Beds {
				b := &w.Beds[i]
				b.Case = domain.Case{State: b.Case.State}
				b.Hold.ReferralID, b.Hold.PatientID = "", ""
			}
		}
	}
	return wards, nil
}

// WardChange is what a ward shall be. Version is the one that was seen.
type WardChange struct {
	RequestID, ID   string
	Version         int32
	Class, Sex      string
	CleaningMinutes int
}

// SetWard changes what a ward is for. ROLE for another organisation's; STALE_VERSION. Who lies in it stays.
func (a *App) SetWard(ctx context.Context, p Keeper, c WardChange) (BoardWard, error) {
	request := Request{Method: "SetWard", ID: c.RequestID, BodyHash: bodyHash(c.ID, strconv.Itoa(int(c.Version)), c.Class, c.Sex, strconv.Itoa(c.CleaningMinutes))}
	return a.changeWard(ctx, p, request, c, func(_ Unit, ward *domain.WardData, _ []domain.BedData) error {
		ward.Class, ward.Sex, ward.CleaningMinutes = c.Class, c.Sex, c.CleaningMinutes
		if err := ward.Check(); err != nil {
			return errs.Invalid(errs.Bad("class", errs.ReasonFieldUnknown))
		}
		return nil
	})
}

// BedChange is what a bed shall be. Version is the one that was seen.
type BedChange struct {
	RequestID, ID  string
	Version        int32
	InService      bool
	OutReason, Sex string
	Cleaned        bool // its cleaning is over
}

func (c BedChange) check() error {
	switch {
	case c.InService && c.OutReason != "":
		return errs.Invalid(errs.Bad("outReason", errs.ReasonFieldCombination))
	case !c.InService && c.OutReason == "":
		return errs.Invalid(errs.Required("outReason"))
	case c.OutReason != "" && !slices.Contains(domain.OutReasons(), c.OutReason):
		return errs.Invalid(errs.Bad("outReason", errs.ReasonFieldUnknown))
	case !domain.KnownSex(c.Sex):
		return errs.Invalid(errs.Bad("sex", errs.ReasonFieldUnknown))
	}
	return nil
}

// SetBed takes a bed out of service or puts it back, ends its cleaning, or says who lies in its room. ROLE for another organisation's;
// STALE_VERSION. Somebody who has the bed keeps it.
func (a *App) SetBed(ctx context.Context, p Keeper, c BedChange) (domain.BedData, error) {
	if err := c.check(); err != nil {
		return domain.BedData{}, err
	}
	cmd := Command{Caller: p.Caller, Request: Request{Method: "SetBed", ID: c.RequestID, BodyHash: bodyHash(c.ID, strconv.Itoa(int(c.Version)),
		strconv.FormatBool(c.InService), c.OutReason, c.Sex, strconv.FormatBool(c.Cleaned))}}
	var bed domain.BedData
	err := a.store.Change(ctx, cmd, func(u Unit) error {
		_, repeated, err := u.Answered(ctx)
		if err != nil {
			return err
		}
		if bed, err = u.Bed(ctx, c.ID); err != nil {
			return err
		}
		if !p.own(bed.OrganizationID) && !p.Everywhere {
			return errs.Denied(errs.ReasonRole)
		}
		if repeated {
			return nil
		}
		if c.Version != bed.Version {
			return errs.Stale(bed.Version, "")
		}
		bed.OutReason, bed.Sex = c.OutReason, c.Sex
		if c.Cleaned && u.Now().Before(bed.CleaningUntil) {
			bed.CleaningUntil = u.Now()
		}
		u.Answer(c.ID)
		if err := noteClosing(ctx, u, bed); err != nil {
			return err
		}
		return u.SetBed(ctx, bed)
	})
	if err != nil {
		return domain.BedData{}, err
	}
	wards, err := a.ListBoard(ctx, p, Department{County: p.County, OrganizationID: bed.OrganizationID, Code: bed.DepartmentCode})
	if err != nil {
		return domain.BedData{}, err
	}
	for _, w := range wards {
		for _, b := range w.Beds {
			if b.ID == c.ID {
				return b, nil
			}
		}
	}
	return domain.BedData{}, errs.NotFound("bed")
}
