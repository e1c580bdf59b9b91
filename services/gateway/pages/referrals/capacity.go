package referrals

import (
	"context"
	"net/http"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// bookingData is what an acceptance can book, and the walk-in window that is proposed, as the form's values.
type bookingData struct {
	Slots []*schedulingv1.Slot
	Beds  int32
	// Suited are the free beds that the patient may lie in; Bed is the one that was picked on the bed board.
	Suited []suited
	Bed    string
	Hold   *schedulingv1.Hold
	// Offered: the hold comes from the fallback list.
	Offered bool

	Date, Until, From, To string
}

// suited is a free bed of a ward.
type suited struct{ ID, Ward, Label, Class string }

const (
	// takenDown is how many days a township proposes for a patient who comes back to arrive in.
	takenDown = 7
	// maxSuited is how many beds are offered by name; any other one is on the bed board.
	maxSuited = 60
)

// capacity reads what an acceptance can book. Without scheduling, and for a patient who comes down, the walk-in window is left.
func (p *Pages) capacity(r *http.Request, referral *referralv1.Referral) bookingData {
	ctx, now := r.Context(), p.Shell.Now()
	data := bookingData{Date: now.Format("2006-01-02"), Until: now.AddDate(0, 0, takenDown).Format("2006-01-02"), From: now.Format("15:04"), To: "17:30", Bed: r.URL.Query().Get("bed")}
	if referral.GetDirection().String() == "DOWN" {
		return data
	}
	if referral.GetKind().String() == "EMERGENCY" {
		data.To = "23:59"
	}
	data.Hold, data.Offered = p.held(ctx, referral)
	organization, code := referral.GetReceiver().GetOrganizationId(), referral.GetReceiver().GetDepartmentCode()
	switch kind := referral.GetKind().String(); kind {
	case "OUTPATIENT", "EXAM":
		list, err := p.Scheduling.ListSlots(ctx, &schedulingv1.ListSlotsRequest{
			OrganizationId: organization, Department: code, Kind: sessionKind(kind), FreeOnly: true, PageSize: 24, ReferralId: referral.GetId(),
		})
		if err == nil {
			data.Slots = list.GetSlots()
		}
	case "INPATIENT":
		list, err := p.Scheduling.ListBeds(ctx, &schedulingv1.ListBedsRequest{OrganizationId: organization, Department: code})
		if err == nil {
			for _, b := range list.GetBeds() {
				data.Beds += b.GetFree()
			}
		}
		data.Suited = p.suited(ctx, referral)
	}
	return data
}

// held is the hold that came with the referral, or the one that the fallback list offers.
func (p *Pages) held(ctx context.Context, referral *referralv1.Referral) (hold *schedulingv1.Hold, offered bool) {
	id := referral.GetHoldId()
	if id == "" {
		entry := p.entry(ctx, referral)
		if entry.GetState() != schedulingv1.WaitlistState_OFFERED {
			return nil, false
		}
		id, offered = entry.GetHoldId(), true
	}
	hold, err := p.Scheduling.GetHold(ctx, &schedulingv1.GetHoldRequest{Id: id})
	if err != nil || hold.GetState() != schedulingv1.HoldState_ATTACHED {
		return nil, false
	}
	return hold, offered
}

// suited are the free beds of the receiving department that the patient may lie in.
func (p *Pages) suited(ctx context.Context, referral *referralv1.Referral) []suited {
	board, err := p.Allocation.ListBoard(ctx, &schedulingv1.ListBoardRequest{
		OrganizationId: referral.GetReceiver().GetOrganizationId(), Department: referral.GetReceiver().GetDepartmentCode(),
	})
	if err != nil {
		return nil
	}
	sex := shell.BedSex(referral.GetPatient().GetSex())
	var out []suited
	for _, w := range board.GetWards() {
		for _, b := range w.GetBeds() {
			asks := b.GetSex()
			if asks == "" {
				asks = w.GetSex()
			}
			if b.GetState() == schedulingv1.BedState_FREE && (asks == "" || asks == sex) && len(out) < maxSuited {
				out = append(out, suited{b.GetId(), w.GetName(), b.GetLabel(), w.GetClass()})
			}
		}
	}
	return out
}
