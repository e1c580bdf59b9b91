package app

import (
	"context"
	"slices"
	"strconv"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// changeWard is what all changes of a ward have in common: who may, on which version, once for a request, and with a row of the history. The change gets
// all its beds.
func (a *App) changeWard(ctx context.Context, p Keeper, request Request, c WardChange, change func(u Unit, ward *domain.WardData, beds []domain.BedData) error) (BoardWard, error) {
	var ward domain.WardData
	err := a.store.Change(ctx, Command{Caller: p.Caller, Request: request}, func(u Unit) error {
		_, repeated, err := u.Answered(ctx)
		if err != nil {
			return err
		}
		if ward, err = u.Ward(ctx, c.ID); err != nil {
			return err
		}
		if !p.own(ward.OrganizationID) && !p.Everywhere {
			return errs.Denied(errs.ReasonRole)
		}
		if repeated {
			return nil
		}
		if c.Version != ward.Version {
			return errs.Stale(ward.Version, "")
		}
		if err := u.LockBeds(ctx, c.ID); err != nil {
			return err
		}
		beds, err := u.BedsOf(ctx, c.ID)
		if err != nil {
			return err
		}
		ward.Beds = open(beds)
		was := ward
		if err := change(u, &ward, beds); err != nil {
			return err
		}
		u.Answer(c.ID)
		if err := u.SetWard(ctx, ward); err != nil {
			return err
		}
		return u.Record(ctx, changeOfWard(ChangeBefore, was), changeOfWard(ChangeSaved, ward))
	})
	if err != nil {
		return BoardWard{}, err
	}
	wards, err := a.ListBoard(ctx, p, Department{County: p.County, OrganizationID: ward.OrganizationID, Code: ward.DepartmentCode})
	if err != nil {
		return BoardWard{}, err
	}
	i := slices.IndexFunc(wards, func(w BoardWard) bool { return w.ID == c.ID })
	if i < 0 {
		return BoardWard{}, errs.NotFound("ward")
	}
	return wards[i], nil
}

// open counts the beds that are not closed.
func open(beds []domain.BedData) (n int) {
	for _, b := range beds {
		if b.OutReason != domain.OutClosed {
			n++
		}
	}
	return n
}

// MoreBeds are so many beds more for a ward.
type MoreBeds struct {
	RequestID, ID string
	Version       int32
	Beds          int
}

// AddBeds adds beds to a ward, numbered on. Errors as SetWard; FIELD_OUT_OF_RANGE beyond domain.MaxBeds.
func (a *App) AddBeds(ctx context.Context, p Keeper, c MoreBeds) (BoardWard, error) {
	request := Request{Method: "AddBeds", ID: c.RequestID, BodyHash: bodyHash(c.ID, strconv.Itoa(int(c.Version)), strconv.Itoa(c.Beds))}
	return a.changeWard(ctx, p, request, WardChange{ID: c.ID, Version: c.Version}, func(u Unit, ward *domain.WardData, beds []domain.BedData) error {
		more, err := ward.More(len(beds), c.Beds, func(n int) string { return id.FromFact("bed", p.County, c.ID, strconv.Itoa(n)) })
		if err != nil {
			return errs.Invalid(errs.Bad("beds", errs.ReasonFieldOutOfRange))
		}
		u.AddBeds(more)
		ward.Beds += len(more)
		return nil
	})
}

// Closing closes a ward, or opens it.
type Closing struct {
	RequestID, ID string
	Version       int32
	Open          bool
}

// CloseWard closes a ward with all its beds that are in service, or opens it with all that are closed. Errors as SetWard; FIELD_COMBINATION while somebody has a bed of it.
func (a *App) CloseWard(ctx context.Context, p Keeper, c Closing) (BoardWard, error) {
	request := Request{Method: "CloseWard", ID: c.RequestID, BodyHash: bodyHash(c.ID, strconv.Itoa(int(c.Version)), strconv.FormatBool(c.Open))}
	return a.changeWard(ctx, p, request, WardChange{ID: c.ID, Version: c.Version}, func(u Unit, ward *domain.WardData, beds []domain.BedData) error {
		for i, b := range beds {
			if !c.Open && b.Hold.ID != "" {
				return taken()
			}
			// A bed that is out of service for another reason, an infection, stays out for it, whatever becomes of its ward.
			if c.Open && b.OutReason != domain.OutClosed || !c.Open && b.OutReason != "" {
				continue
			}
			b.OutReason = ""
			if !c.Open {
				b.OutReason = domain.OutClosed
			}
			if err := u.SetBed(ctx, b); err != nil {
				return err
			}
			beds[i] = b
		}
		ward.Beds = open(beds)
		return nil
	})
}

func taken() error { return errs.Invalid(errs.Bad("closed", errs.ReasonFieldCombination)) }

// noteClosing refuses to close a bed that somebody has, and writes into the history of its ward that it has one bed less or more.
func noteClosing(ctx context.Context, u Unit, bed domain.BedData) error {
	beds, err := u.BedsOf(ctx, bed.WardID)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(beds, func(b domain.BedData) bool { return b.ID == bed.ID })
	if i < 0 || (beds[i].OutReason == domain.OutClosed) == (bed.OutReason == domain.OutClosed) {
		return nil
	}
	if bed.OutReason == domain.OutClosed && beds[i].Hold.ID != "" {
		return taken()
	}
	ward, err := u.Ward(ctx, bed.WardID)
	if err != nil {
		return err
	}
	ward.Beds = open(beds)
	was := ward
	beds[i].OutReason = bed.OutReason
	ward.Beds = open(beds)
	return u.Record(ctx, changeOfWard(ChangeBefore, was), changeOfWard(ChangeSaved, ward))
}
