package sessions

import (
	"net/http"
	"slices"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// targets is how many other places are offered, of which each session has at most as many as FindSlots answers.
const targets = 12

// moving offers where the booking in a slot can go: other free slots of its own session, and the earliest of the department.
func (p *Pages) moving(r *http.Request, data *sessionData, slot string) {
	i := slices.IndexFunc(data.Uses, func(u use) bool { return u.GetSlot().GetId() == slot && u.Movable() })
	if i < 0 {
		return
	}
	data.Moving = &data.Uses[i]
	if data.Open() {
		for _, u := range data.Uses {
			if u.GetSlot().GetFree() && len(data.Targets) < targets/2 {
				data.Targets = append(data.Targets, u.GetSlot())
			}
		}
	}
	answer, err := p.Allocation.FindSlots(r.Context(), &schedulingv1.FindSlotsRequest{
		OrganizationIds: []string{data.GetOrganizationId()}, Departments: []string{data.GetDepartmentCode()}, Kind: data.GetKind(), Modality: data.GetModality(), Limit: targets,
	})
	if err != nil {
		return // the own session's slots are left
	}
	for _, s := range answer.GetSlots() {
		if s.GetSessionId() != data.GetId() {
			data.Targets = append(data.Targets, s)
		}
	}
	slices.SortStableFunc(data.Targets, func(a, b *schedulingv1.Slot) int { return a.GetStart().AsTime().Compare(b.GetStart().AsTime()) })
}

// move gives a booking another slot.
func (p *Pages) move(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	var err error
	if r.PostFormValue("slot") == "" {
		err = errs.Invalid(errs.Required("slotId"))
	} else {
		_, err = p.Calendar.MoveBooking(r.Context(), &schedulingv1.MoveBookingRequest{
			Id: r.PostFormValue("place"), SlotId: r.PostFormValue("slot"), FromSlotId: r.PostFormValue("from"), RequestId: r.PostFormValue("requestId"),
		})
	}
	if err != nil {
		return p.again(w, r, "move", err)
	}
	return p.done(w, r, "sessions.moved")
}
