package app

import (
	"context"
	"slices"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// GetHold answers a hold as it is now to those whom it concerns: the organisation of the place, the one that sends the
// patient, and the account that took it. It is not there for others. GetBooking likewise.
func (a *App) GetHold(ctx context.Context, caller Caller, holdID string) (HoldView, error) {
	v, err := a.store.Hold(ctx, caller.County, holdID)
	return concerning(caller, v, err, "hold")
}

// GetHolds are those of the holds that concern the caller, as GetHold answers each.
func (a *App) GetHolds(ctx context.Context, caller Caller, ids []string) ([]HoldView, error) {
	all, err := a.store.Holds(ctx, caller.County, ids)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(v HoldView) bool {
		_, err := concerning(caller, v, nil, "hold")
		return err != nil
	}), nil
}

// GetBooking answers the hold that became the booking.
func (a *App) GetBooking(ctx context.Context, caller Caller, bookingID string) (HoldView, error) {
	v, err := a.store.Booking(ctx, caller.County, bookingID)
	return concerning(caller, v, err, "booking")
}

func concerning(caller Caller, v HoldView, err error, what string) (HoldView, error) {
	own := caller.OrganizationID
	if err != nil || caller.Service || v.AccountID == caller.AccountID || own != "" && (own == v.Place.OrganizationID || own == v.ReaderOrganizationID) {
		return v, err
	}
	return HoldView{}, errs.NotFound(what)
}

// ReleaseHold gives the caller's hold back; one that has ended is no error, another account's is not found.
func (a *App) ReleaseHold(ctx context.Context, caller Caller, holdID string) (HoldView, error) {
	err := a.store.Change(ctx, Command{Caller: caller}, func(u Unit) error {
		h, err := u.Hold(ctx, holdID)
		if err != nil {
			return err
		}
		if h.Data().AccountID != caller.AccountID {
			return errs.NotFound("hold")
		}
		h.Expire(u.Now())
		return classify("release", h.Release())
	})
	if err != nil {
		return HoldView{}, err
	}
	return a.store.Hold(ctx, caller.County, holdID)
}

// Tie names a hold, the referral that wants it, that referral's patient and, for a booking, the organisation that sends the patient.
type Tie struct{ HoldID, ReferralID, PatientID, OriginatorOrganizationID string }

func (t Tie) check() error {
	var bad []errs.Field
	if !id.Valid(t.HoldID) {
		bad = append(bad, requiredOrBad("holdId", t.HoldID))
	}
	if !id.Valid(t.ReferralID) {
		bad = append(bad, requiredOrBad("referralId", t.ReferralID))
	}
	if len(bad) > 0 {
		return errs.Invalid(bad...)
	}
	return nil
}

// holdOf is the hold of the tie. One for another patient is as good as none: a place goes to whom it was taken for.
func (t Tie) holdOf(ctx context.Context, u Unit) (*domain.Hold, error) {
	h, err := u.Hold(ctx, t.HoldID)
	if err != nil {
		return nil, err
	}
	same, err := u.SamePerson(ctx, h.Data().PatientID, t.PatientID)
	if err != nil {
		return nil, err
	}
	if !same {
		return nil, domain.ErrGone
	}
	return h, nil
}

// AttachHold ties a hold to a referral; the same referral again gets the same hold.
func (a *App) AttachHold(ctx context.Context, caller Caller, tie Tie, keepUntil time.Time) (HoldView, error) {
	if err := tie.check(); err != nil {
		return HoldView{}, err
	}
	err := a.store.Change(ctx, Command{Caller: caller}, func(u Unit) error {
		h, err := tie.holdOf(ctx, u)
		if err != nil {
			return classify("attach", err)
		}
		return classify("attach", h.Attach(tie.ReferralID, keepUntil, u.Now()))
	})
	if err != nil {
		return HoldView{}, err
	}
	return a.store.Hold(ctx, caller.County, tie.HoldID)
}

// ConfirmHold makes the booking of a hold for a referral, unsettled; again it answers the same booking.
func (a *App) ConfirmHold(ctx context.Context, caller Caller, tie Tie) (HoldView, error) {
	if err := tie.check(); err != nil {
		return HoldView{}, err
	}
	err := a.store.Change(ctx, Command{Caller: caller}, func(u Unit) error {
		h, err := tie.holdOf(ctx, u)
		if err != nil {
			return classify("confirm", err)
		}
		h.ShowTo(tie.OriginatorOrganizationID) // first, so that the fact names who sends the patient
		return classify("confirm", h.Confirm(tie.ReferralID, id.New(), u.Now()))
	})
	if err != nil {
		return HoldView{}, err
	}
	return a.store.Hold(ctx, caller.County, tie.HoldID)
}
