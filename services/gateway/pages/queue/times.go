package queue

import (
	"net/http"
	"slices"
	"strings"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/parts"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// Modalities are what can be picked for an examination whose referral does not say.
func (Capacity) Modalities() []string { return parts.Modalities() }

// Booked tells that times are booked for it.
func (c Capacity) Booked() bool { return c.byTime }

// Searched tells that they were looked for.
func (c Capacity) Searched() bool { return c.byTime && !(c.AskModality && c.Modality == "") }

// Chosen is the slot that is chosen in the form: the one that was sent, none if it is not among the times, or the earliest of the day as a proposal, where
// nothing was sent, held or picked and the referral says what it needs.
func (c Capacity) Chosen(sent string) string {
	slot, isSlot := strings.CutPrefix(sent, "slot:")
	switch {
	case isSlot && c.Times.Has(slot):
		return slot
	case sent != "", c.Hold != nil, c.Bed != "", c.AskModality:
		return ""
	}
	return c.Times.Earliest()
}

// kept is the hold that the form took when it was sent before, and which its choice names since; nil when it is let go, and for that of the referral.
func (q *Queue) kept(r *http.Request, referral *referralv1.Referral) *schedulingv1.Hold {
	id, isHold := strings.CutPrefix(r.FormValue("choice"), "hold:")
	if !isHold || id == "" || id == referral.GetHoldId() {
		return nil
	}
	hold, err := q.Scheduling.GetHold(r.Context(), &schedulingv1.GetHoldRequest{Id: id})
	if err != nil || !shell.Lasts(hold) || hold.GetOrganizationId() != referral.GetReceiver().GetOrganizationId() {
		return nil
	}
	return hold
}

// times reads the free slots that suit a referral: of its department or, for an examination, of the devices of its modality. A day, and the modality of one
// that does not say, are taken from what was sent. Without scheduling there are none.
func (q *Queue) times(r *http.Request, referral *referralv1.Referral, slots int32, data *Capacity) {
	byDay := slots == 0
	data.byTime = true
	ask := &schedulingv1.ListSlotsRequest{
		OrganizationId: referral.GetReceiver().GetOrganizationId(), Kind: SessionKind(referral.GetKind().String()), ReferralId: referral.GetId(), FreeOnly: true, PageSize: max(1, slots),
	}
	if referral.GetKind() == commonv1.Kind_EXAM {
		data.Modality = referral.GetModality()
		if data.AskModality = data.Modality == ""; data.AskModality && slices.Contains(parts.Modalities(), r.FormValue("modality")) {
			data.Modality = r.FormValue("modality")
		}
		if data.Modality == "" || data.AskModality && !byDay {
			return
		}
		ask.Modality = data.Modality
	} else {
		ask.Department = referral.GetReceiver().GetDepartmentCode()
	}
	if !byDay {
		if list, err := q.Scheduling.ListSlots(r.Context(), ask); err == nil {
			data.Slots = list.GetSlots()
		}
		return
	}
	times, err := parts.LoadTimes(r.Context(), q.Scheduling, ask, r.FormValue("day"), func(s *schedulingv1.Slot) string { return "slot:" + s.GetId() })
	if err == nil {
		data.Times = times
		if times.First != nil {
			data.Slots = []*schedulingv1.Slot{times.First}
		}
	}
}
