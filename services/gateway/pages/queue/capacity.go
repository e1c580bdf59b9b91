package queue

import (
	"cmp"
	"context"
	"net/http"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/parts"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// Capacity is what an acceptance can book, and the walk-in window that is proposed, as the form's values.
type Capacity struct {
	// Times are the free times of a day; First is the earliest of all days.
	Times parts.Times
	First *schedulingv1.Slot
	// Modality is the device whose times are shown; AskModality: the referral does not say which it needs, and whoever accepts must.
	Modality    string
	AskModality bool
	Beds        int32
	// Suited are the free beds that the patient may lie in; Bed is the one that was picked on the bed board.
	Suited []Suited
	Bed    string
	Hold   *schedulingv1.Hold
	// Offered: the hold comes from the fallback list.
	Offered bool

	Date, Until, From, To string

	down, emergency, byTime bool
}

// Suggestion is what an answer with one click books: the values of the form, and what its button says.
type Suggestion struct {
	// Choice is hold:ID, slot:ID, bed:, walkin or days.
	Choice, BedID, Date, Until, From, To string
	// Start is when it is, nil for a bed, a walk-in or days; Who holds it, or where the bed stands.
	Start *timestamppb.Timestamp
	Who   string
	// Word ends the text key of the button: slot, bed, now or days.
	Word string
	// Offered: the fallback list keeps it.
	Offered bool
}

// Suggestion is the best that can be booked; nil when only a person can say when the patient is to come.
func (c Capacity) Suggestion() *Suggestion {
	switch {
	case c.down:
		return &Suggestion{Choice: "days", Date: c.Date, Until: c.Until, Word: "days"}
	case c.Hold != nil && c.Hold.GetWard() == "" && c.Hold.GetStart() != nil:
		return &Suggestion{Choice: "hold:" + c.Hold.GetId(), Start: c.Hold.GetStart(), Who: cmp.Or(c.Hold.GetPractitionerName(), c.Hold.GetLocation()), Word: "slot", Offered: c.Offered}
	case c.Hold != nil:
		return &Suggestion{Choice: "hold:" + c.Hold.GetId(), Who: strings.TrimSpace(c.Hold.GetWard() + " " + c.Hold.GetBed()), Word: "bed", Offered: c.Offered}
	case c.First != nil && !c.AskModality:
		s := c.First
		return &Suggestion{Choice: "slot:" + s.GetId(), Start: s.GetStart(), Who: cmp.Or(s.GetPractitionerName(), s.GetEquipmentName()), Word: "slot"}
	case len(c.Suited) > 0:
		return &Suggestion{Choice: "bed:", BedID: c.Suited[0].ID, Who: c.Suited[0].Ward + " " + c.Suited[0].Label, Word: "bed"}
	case c.Beds > 0:
		return &Suggestion{Choice: "bed:", Word: "bed"}
	case c.emergency:
		return &Suggestion{Choice: "walkin", Date: c.Date, From: c.From, To: c.To, Word: "now"}
	}
	return nil
}

// Suited is a free bed of a ward.
type Suited struct{ ID, Ward, Label, Class string }

const (
	// takenDown is how many days a township proposes for a patient who comes back to arrive in.
	takenDown = 7
	// maxSuited is how many beds are offered by name; any other one is on the bed board.
	maxSuited = 60
)

// Capacity reads what an acceptance can book, with the times of a day where they are asked for. Without scheduling, and for a patient who comes down, the
// walk-in window is left.
func (q *Queue) Capacity(r *http.Request, referral *referralv1.Referral, times bool) Capacity {
	ctx, now := r.Context(), q.Shell.Now()
	data := Capacity{Date: now.Format("2006-01-02"), Until: now.AddDate(0, 0, takenDown).Format("2006-01-02"), From: now.Format("15:04"), To: "17:30", Bed: r.URL.Query().Get("bed")}
	if data.down = referral.GetDirection() == commonv1.Direction_DOWN; data.down {
		return data
	}
	if referral.GetKind().String() == "EMERGENCY" {
		data.To = "23:59"
	}
	data.emergency = referral.GetKind() == commonv1.Kind_EMERGENCY
	data.Hold, data.Offered = q.held(ctx, referral)
	organization, code := referral.GetReceiver().GetOrganizationId(), referral.GetReceiver().GetDepartmentCode()
	switch kind := referral.GetKind().String(); kind {
	case "OUTPATIENT", "EXAM":
		q.times(r, referral, times, &data)
	case "INPATIENT":
		list, err := q.Scheduling.ListBeds(ctx, &schedulingv1.ListBedsRequest{OrganizationId: organization, Department: code})
		if err == nil {
			for _, b := range list.GetBeds() {
				data.Beds += b.GetFree()
			}
		}
		data.Suited = q.suited(ctx, referral)
	}
	return data
}

// held is the hold that came with the referral, or the one that the fallback list offers.
func (q *Queue) held(ctx context.Context, referral *referralv1.Referral) (hold *schedulingv1.Hold, offered bool) {
	id := referral.GetHoldId()
	if id == "" {
		entry := q.Entry(ctx, referral)
		if entry.GetState() != schedulingv1.WaitlistState_OFFERED {
			return nil, false
		}
		id, offered = entry.GetHoldId(), true
	}
	hold, err := q.Scheduling.GetHold(ctx, &schedulingv1.GetHoldRequest{Id: id})
	if err != nil || hold.GetState() != schedulingv1.HoldState_ATTACHED {
		return nil, false
	}
	return hold, offered
}

// suited are the free beds of the receiving department that the patient may lie in.
func (q *Queue) suited(ctx context.Context, referral *referralv1.Referral) []Suited {
	board, err := q.Allocation.ListBoard(ctx, &schedulingv1.ListBoardRequest{
		OrganizationId: referral.GetReceiver().GetOrganizationId(), Department: referral.GetReceiver().GetDepartmentCode(),
	})
	if err != nil {
		return nil
	}
	sex := shell.BedSex(referral.GetPatient().GetSex())
	var out []Suited
	for _, w := range board.GetWards() {
		for _, b := range w.GetBeds() {
			asks := b.GetSex()
			if asks == "" {
				asks = w.GetSex()
			}
			if b.GetState() == schedulingv1.BedState_FREE && (asks == "" || asks == sex) && len(out) < maxSuited {
				out = append(out, Suited{b.GetId(), w.GetName(), b.GetLabel(), w.GetClass()})
			}
		}
	}
	return out
}

// SessionKind is what a kind of referral books.
func SessionKind(kind string) string {
	return map[string]string{"OUTPATIENT": "CLINIC", "EXAM": "EXAM", "INPATIENT": "BED"}[kind]
}

// Entry is the referral's on the fallback list; nil when it is not on it or that cannot be asked.
func (q *Queue) Entry(ctx context.Context, referral *referralv1.Referral) *schedulingv1.WaitlistEntry {
	list, err := q.Allocation.ListWaitlist(ctx, &schedulingv1.ListWaitlistRequest{ReferralId: referral.GetId()})
	if err != nil {
		return nil
	}
	for _, e := range list.GetEntries() {
		if e.GetState() == schedulingv1.WaitlistState_WAITING || e.GetState() == schedulingv1.WaitlistState_OFFERED {
			return e
		}
	}
	return nil
}
