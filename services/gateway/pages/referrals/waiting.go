package referrals

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/queue"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// maxMoves is how many other slots a booking can be moved to on the page.
const maxMoves = 12

// placeData is what is known of the patient's place: on the fallback list, offered, booked, or lost with its session.
type placeData struct {
	Referral string
	// Entry is the one on the fallback list that has not ended.
	Entry *schedulingv1.WaitlistEntry
	// Joins: the referral can be put on it.
	Joins bool
	// FreeBeds are how many of the department are free, Earliest the first time that is: who joins all the same is told.
	FreeBeds  int
	Earliest  *schedulingv1.Slot
	Sex       string
	Kind      string
	RequestID string
	// Holder is the booking, or the hold tied to the referral, in the slot From; Moves are where it can go.
	Holder, From string
	At           *schedulingv1.Slot
	Moves        []*schedulingv1.Slot
	Displaced    bool
	// Kept tells that At is kept until the hospital has answered: nobody has an appointment there yet.
	Kept bool
	// Failed is the form that was refused: join, leave or move.
	Failed  string
	Form    shell.Form
	Problem string
}

// Any tells that there is something to show.
func (d placeData) Any() bool {
	return d.Entry != nil || d.Joins || d.Holder != "" || d.Failed != ""
}

// Waits is what the entry waits for.
func (d placeData) Offered() bool {
	return d.Entry.GetState() == schedulingv1.WaitlistState_OFFERED
}

// place reads it for whoever sends or receives the patient. What cannot be asked is left out.
func (p *Pages) place(r *http.Request, data *pageData) {
	referral, kind := data.Referral, queue.SessionKind(data.GetKind().String())
	if referral.GetDirection() != commonv1.Direction_UP || kind == "" || !(data.Receiving || data.Sending) {
		return
	}
	out := placeData{Referral: referral.GetId(), Kind: kind, RequestID: id.New(), Sex: shell.BedSex(referral.GetPatient().GetSex())}
	switch referral.GetState() {
	case referralv1.State_SUBMITTED, referralv1.State_RETURNED:
		out.Entry = p.Queue.Entry(r.Context(), referral)
		out.Displaced = out.Entry.GetDisplacedBookingId() != ""
		out.Joins = out.Entry == nil && referral.GetHoldId() == "" && referral.GetState() == referralv1.State_SUBMITTED
		if out.Entry == nil || out.Displaced {
			p.heldSlot(r, referral, &out)
		}
		if out.Joins {
			p.free(r.Context(), referral, &out)
		}
	case referralv1.State_ACCEPTED, referralv1.State_NO_SHOW:
		p.bookedSlot(r, data, &out)
		if out.Displaced {
			out.Entry = p.Queue.Entry(r.Context(), referral)
		}
	default:
		return
	}
	if out.Holder != "" {
		out.Moves = p.moves(r.Context(), referral, kind, out)
	}
	data.Place = out
}

// free finds what need not be waited for.
func (p *Pages) free(ctx context.Context, referral *referralv1.Referral, out *placeData) {
	to := referral.GetReceiver()
	if out.Kind == "BED" {
		list, err := p.Scheduling.ListBeds(ctx, &schedulingv1.ListBedsRequest{OrganizationId: to.GetOrganizationId(), Department: to.GetDepartmentCode()})
		if err == nil {
			for _, b := range list.GetBeds() {
				out.FreeBeds += int(b.GetFree())
			}
		}
		return
	}
	answer, err := p.Allocation.FindSlots(ctx, &schedulingv1.FindSlotsRequest{
		OrganizationIds: []string{to.GetOrganizationId()}, Departments: []string{to.GetDepartmentCode()}, Kind: out.Kind, Modality: referral.GetModality(),
		Limit: 1, ReferralId: referral.GetId(),
	})
	if err == nil && len(answer.GetSlots()) > 0 {
		out.Earliest = answer.GetSlots()[0]
	}
}

func (p *Pages) heldSlot(r *http.Request, referral *referralv1.Referral, out *placeData) {
	if referral.GetHoldId() == "" {
		return
	}
	hold, err := p.Scheduling.GetHold(r.Context(), &schedulingv1.GetHoldRequest{Id: referral.GetHoldId()})
	if err == nil && hold.GetState() == schedulingv1.HoldState_ATTACHED && hold.GetSlotId() != "" {
		out.Holder, out.From, out.Kept = hold.GetId(), hold.GetSlotId(), true
		out.At = &schedulingv1.Slot{Start: hold.GetStart(), End: hold.GetEnd(), PractitionerName: hold.GetPractitionerName(), EquipmentName: hold.GetEquipmentName(), Modality: hold.GetModality(), Location: hold.GetLocation()}
	}
}

func (p *Pages) bookedSlot(r *http.Request, data *pageData, out *placeData) {
	booking := data.Booking
	if booking == nil && data.GetBookingId() != "" {
		booking, _ = p.Scheduling.GetBooking(r.Context(), &schedulingv1.GetBookingRequest{Id: data.GetBookingId()})
	}
	if booking.GetSlotId() == "" || booking.GetState() == schedulingv1.BookingState_RELEASED {
		return
	}
	out.Holder, out.From, out.Displaced = booking.GetId(), booking.GetSlotId(), booking.GetDisplaced()
	out.At = &schedulingv1.Slot{Start: booking.GetStart(), End: booking.GetEnd(), PractitionerName: booking.GetPractitionerName(), EquipmentName: booking.GetEquipmentName(), Modality: booking.GetModality(), Location: booking.GetLocation()}
}

// moves are the earliest other slots of the same department, for an examination those of the same modality.
func (p *Pages) moves(ctx context.Context, referral *referralv1.Referral, kind string, of placeData) []*schedulingv1.Slot {
	answer, err := p.Allocation.FindSlots(ctx, &schedulingv1.FindSlotsRequest{
		OrganizationIds: []string{referral.GetReceiver().GetOrganizationId()}, Departments: []string{referral.GetReceiver().GetDepartmentCode()},
		Kind: kind, Modality: of.At.GetModality(), Limit: maxMoves, ReferralId: referral.GetId(),
	})
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(answer.GetSlots(), func(s *schedulingv1.Slot) bool { return s.GetId() == of.From })
}

func (p *Pages) joinWaitlist(w http.ResponseWriter, r *http.Request) error {
	_, err := p.Allocation.JoinWaitlist(r.Context(), &schedulingv1.JoinWaitlistRequest{
		ReferralId: r.PathValue("id"), Kind: r.PostFormValue("kind"), Modality: r.PostFormValue("modality"), Sex: r.PostFormValue("sex"),
		FirstDay: r.PostFormValue("firstDay"), LastDay: r.PostFormValue("lastDay"), RequestId: r.PostFormValue("requestId"),
	})
	return p.placed(w, r, "join", "waitlist.joined", err)
}

func (p *Pages) leaveWaitlist(w http.ResponseWriter, r *http.Request) error {
	_, err := p.Allocation.LeaveWaitlist(r.Context(), &schedulingv1.LeaveWaitlistRequest{Id: r.PostFormValue("entry"), RequestId: r.PostFormValue("requestId")})
	return p.placed(w, r, "leave", "waitlist.left", err)
}

func (p *Pages) moveBooking(w http.ResponseWriter, r *http.Request) error {
	var err error
	if r.PostFormValue("slot") == "" {
		err = errs.Invalid(errs.Required("slotId"))
	} else {
		_, err = p.Calendar.MoveBooking(r.Context(), &schedulingv1.MoveBookingRequest{
			Id: r.PostFormValue("place"), SlotId: r.PostFormValue("slot"), FromSlotId: r.PostFormValue("from"), RequestId: r.PostFormValue("requestId"),
		})
	}
	return p.placed(w, r, "move", "sessions.moved", err)
}

// placed goes back to the referral, or shows it as it is now with what was refused.
func (p *Pages) placed(w http.ResponseWriter, r *http.Request, form, flash string, cause error) error {
	if cause == nil {
		p.Shell.Flash(w, flash)
		http.Redirect(w, r, "/referrals/"+url.PathEscape(r.PathValue("id")), http.StatusSeeOther)
		return nil
	}
	return p.Shell.Again(w, r, cause, func(again shell.Refused) error {
		data, err := p.load(r, "")
		if err != nil {
			return err
		}
		data.Place.Referral = r.PathValue("id")
		data.Place.Failed, data.Place.Form, data.Place.Problem, data.Place.RequestID = form, again.Form, again.Problem, again.RequestID
		return p.show(w, r, again.Status, data)
	})
}
