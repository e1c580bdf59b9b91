package referrals

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// otherBed is the choice of a bed that the board does not have.
const otherBed = "other"

// bedsData are the beds that a patient can be admitted to.
type bedsData struct {
	// Known tells that the hospital has beds on the board; without, and without an answer, the bed is named in words.
	Known bool
	// Wards have a free bed that suits: those of the receiving department, then those that others lend. Lent: it has none of its own.
	Wards []admitWard
	Lent  bool
	// Kept is the booking of a bed for the patient; nil for none.
	Kept *schedulingv1.Booking
}

type admitWard struct {
	Name string
	// Lent is of another department.
	Lent bool
	Beds []admitBed
}

type admitBed struct{ ID, Label string }

// proposed is how the form starts: from the bed that is kept.
func (d bedsData) proposed() url.Values {
	return url.Values{"bedId": {d.Kept.GetBedId()}, "ward": {d.Kept.GetWard()}, "bed": {d.Kept.GetBed()}}
}

// kept is the bed that is booked for the patient; nil for none, also when that cannot be asked.
func (p *Pages) kept(ctx context.Context, referral *referralv1.Referral) *schedulingv1.Booking {
	if referral.GetBookingId() == "" {
		return nil
	}
	booking, err := p.Scheduling.GetBooking(ctx, &schedulingv1.GetBookingRequest{Id: referral.GetBookingId()})
	if err != nil || booking.GetState() == schedulingv1.BookingState_RELEASED || booking.GetWard() == "" {
		return nil
	}
	return booking
}

// beds reads the board of the receiving hospital.
func (p *Pages) beds(r *http.Request, referral *referralv1.Referral) bedsData {
	data := bedsData{Kept: p.kept(r.Context(), referral)}
	board, err := p.Allocation.ListBoard(r.Context(), &schedulingv1.ListBoardRequest{OrganizationId: referral.GetReceiver().GetOrganizationId()})
	if err != nil {
		return data
	}
	sex := shell.BedSex(referral.GetPatient().GetSex())
	var own, lent []admitWard
	for _, w := range board.GetWards() {
		one := admitWard{Name: w.GetName()}
		here, kept := w.GetDepartmentCode() == referral.GetReceiver().GetDepartmentCode(), false
		for _, b := range w.GetBeds() {
			asks, mine := cmp.Or(b.GetSex(), w.GetSex()), b.GetId() == data.Kept.GetBedId()
			if mine || b.GetState() == schedulingv1.BedState_FREE && (asks == "" || asks == sex) {
				one.Beds = append(one.Beds, admitBed{b.GetId(), b.GetLabel()})
			}
			kept, data.Known = kept || mine, data.Known || b.GetOutReason() != "CLOSED"
		}
		switch {
		case len(one.Beds) == 0:
		case here || kept:
			own = append(own, one)
		default:
			one.Lent = true
			lent = append(lent, one)
		}
	}
	data.Wards, data.Lent = slices.Concat(own, lent), len(own) == 0 && len(lent) > 0
	return data
}

// admit takes the patient to a bed of the board, which is theirs until the reply, or to one that the board does not have. The bed that was kept when the
// form was shown is theirs already; another one, whichever, gives it up. What is asked for follows from the form, so that it is the same when it is sent
// once more: by then the bed of the first time is the one that is kept.
func (p *Pages) admit(ctx context.Context, c command) (string, error) {
	request := &referralv1.AdmitRequest{Id: c.id, Version: c.version, RequestId: c.requestID, Ward: c.get("ward"), Bed: c.get("bed"), Note: c.get("note")}
	chosen := c.get("bedId")
	if c.form.Has("bedId") {
		if chosen == "" {
			return "", errs.Invalid(errs.Required("bedId"))
		}
		referral, err := p.Referral.GetReferral(ctx, &referralv1.GetReferralRequest{Id: c.id})
		if err != nil {
			return "", err
		}
		kept := p.kept(ctx, referral)
		was := c.get("keptBed")
		if !c.form.Has("keptBed") { // a form of before
			was = kept.GetBedId()
		}
		switch {
		case chosen == otherBed:
			request.Instead = was != ""
		case chosen == was && chosen == kept.GetBedId():
			request.Ward, request.Bed = kept.GetWard(), kept.GetBed()
		default:
			if request.HoldId, err = p.lay(ctx, c, referral, chosen); err != nil {
				return "", err
			}
			request.Ward, request.Bed = "", ""
		}
	}
	_, err := p.Referral.Admit(ctx, request)
	switch errs.KindOf(err) {
	case errs.KindStale, errs.KindWrongState, errs.KindDenied, errs.KindInvalid:
		p.leave(ctx, request.GetHoldId())
	}
	return "", taken(err)
}

// leave gives back a bed that was held for an admission that is refused; one that cannot be given back falls free by itself.
func (p *Pages) leave(ctx context.Context, hold string) {
	if hold != "" {
		_, _ = p.Scheduling.ReleaseHold(ctx, &schedulingv1.ReleaseHoldRequest{Id: hold})
	}
}

// lay holds the bed until the admission books it: once for a form, and anew for one that was refused.
func (p *Pages) lay(ctx context.Context, c command, referral *referralv1.Referral, bed string) (string, error) {
	hold, err := p.Shell.Hold(ctx, p.Scheduling, &schedulingv1.CreateHoldRequest{
		PatientId: referral.GetPatientId(), ReferralId: c.id, Bed: &schedulingv1.BedRequest{
			OrganizationId: referral.GetReceiver().GetOrganizationId(), BedId: bed, Sex: shell.BedSex(referral.GetPatient().GetSex()),
		},
	}, "admit", c.id, strconv.Itoa(int(c.version)), c.requestID, bed)
	return hold.GetId(), taken(err)
}

// taken says of a bed that somebody else got what a form can show beside it.
func taken(err error) error {
	switch errs.ReasonOf(err) {
	case errs.ReasonSlotTaken, errs.ReasonHoldExpired, errs.ReasonBookingLost:
		return errs.Invalid(errs.Bad("bedId", errs.ReasonFieldUnknown))
	}
	return err
}
