package queue

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
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
	// Times are the free times of a day, Slots the earliest of all days.
	Times parts.Times
	Slots []*schedulingv1.Slot
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
	// Kept is what the form holds for its choice since it was sent before.
	Kept *schedulingv1.Hold

	Date, Until, From, To string

	down, emergency, byTime bool
	// inpatient: a bed is what is wanted; board: which are free is known; where is the department.
	inpatient, board bool
	where            string
}

// Full tells that no bed is free that the patient may lie in.
func (c Capacity) Full() bool { return c.inpatient && c.board && c.Hold == nil && len(c.Suited) == 0 }

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
	if all := c.choices(); len(all) > 0 {
		return &all[0].Suggestion
	}
	return nil
}

// choice is something that can be booked. What only one patient can have is named by place; it is empty for what each has alone.
type choice struct {
	Suggestion
	place string
}

// choices are all that can be booked with one click, the best first.
func (c Capacity) choices() (out []choice) {
	switch {
	case c.down:
		return []choice{{Suggestion: Suggestion{Choice: "days", Date: c.Date, Until: c.Until, Word: "days"}}}
	case c.Kept != nil:
		return []choice{{Suggestion: suggestionOf(c.Kept)}}
	case c.Hold != nil:
		held := suggestionOf(c.Hold)
		held.Offered = c.Offered
		return []choice{{Suggestion: held}}
	}
	for _, s := range c.Slots {
		if c.AskModality {
			break
		}
		out = append(out, choice{Suggestion{Choice: "slot:" + s.GetId(), Start: s.GetStart(), Who: cmp.Or(s.GetPractitionerName(), s.GetEquipmentName()), Word: "slot"}, s.GetId()})
	}
	for _, b := range c.Suited {
		out = append(out, choice{Suggestion{Choice: "bed:", BedID: b.ID, Who: b.Ward + " " + b.Label, Word: "bed"}, b.ID})
	}
	if !c.board { // which one nobody can say: any, as many as there are
		for n := range c.Beds {
			out = append(out, choice{Suggestion{Choice: "bed:", Word: "bed"}, c.where + " " + strconv.Itoa(int(n))})
		}
	}
	if len(out) == 0 && c.emergency {
		return []choice{{Suggestion: Suggestion{Choice: "walkin", Date: c.Date, From: c.From, To: c.To, Word: "now"}}}
	}
	return out
}

func suggestionOf(hold *schedulingv1.Hold) Suggestion {
	out := Suggestion{Choice: "hold:" + hold.GetId(), Start: hold.GetStart(), Word: "slot"}
	if hold.GetWard() == "" && hold.GetStart() != nil {
		out.Who = cmp.Or(hold.GetPractitionerName(), hold.GetEquipmentName(), hold.GetLocation())
		return out
	}
	out.Start, out.Word, out.Who = nil, "bed", strings.TrimSpace(hold.GetWard()+" "+hold.GetBed())
	return out
}

// Suited is a free bed of a ward.
type Suited struct{ ID, WardID, Ward, Label, Class string }

// Ward is one with so many free beds that the patient may lie in.
type Ward struct {
	ID, Name, Class string
	Free            int
}

// Wards are those of the free beds, in the order of the board.
func (c Capacity) Wards() (out []Ward) {
	for _, b := range c.Suited {
		at := slices.IndexFunc(out, func(w Ward) bool { return w.ID == b.WardID })
		if at < 0 {
			at, out = len(out), append(out, Ward{ID: b.WardID, Name: b.Ward, Class: b.Class})
		}
		out[at].Free++
	}
	return out
}

// Picked is the free bed of an id; nil when it is not free any more, or none was picked.
func (c Capacity) Picked(id string) *Suited {
	if at := slices.IndexFunc(c.Suited, func(b Suited) bool { return b.ID == id }); at >= 0 {
		return &c.Suited[at]
	}
	return nil
}

// takenDown is how many days a township proposes for a patient who comes back to arrive in.
const takenDown = 7

// Capacity reads what an acceptance can book: so many of the earliest slots or, for 0, the times of a day. Without scheduling, and for a patient who comes down,
// the walk-in window is left.
func (q *Queue) Capacity(r *http.Request, referral *referralv1.Referral, slots int32) Capacity {
	ctx, now := r.Context(), q.Shell.Now()
	data := Capacity{Date: now.Format("2006-01-02"), Until: now.AddDate(0, 0, takenDown).Format("2006-01-02"), From: now.Format("15:04"), To: "17:30", Bed: r.URL.Query().Get("bed")}
	if data.down = referral.GetDirection() == commonv1.Direction_DOWN; data.down {
		return data
	}
	if referral.GetKind().String() == "EMERGENCY" {
		data.To = "23:59"
	}
	data.emergency = referral.GetKind() == commonv1.Kind_EMERGENCY
	if data.Hold, data.Offered = q.held(ctx, referral); slots == 0 {
		if data.Kept = q.kept(r, referral); data.Kept.GetId() == data.Hold.GetId() {
			data.Kept = nil
		}
	}
	organization, code := referral.GetReceiver().GetOrganizationId(), referral.GetReceiver().GetDepartmentCode()
	switch kind := referral.GetKind().String(); kind {
	case "OUTPATIENT", "EXAM":
		q.times(r, referral, slots, &data)
	case "INPATIENT":
		list, err := q.Scheduling.ListBeds(ctx, &schedulingv1.ListBedsRequest{OrganizationId: organization, Department: code})
		if err == nil {
			for _, b := range list.GetBeds() {
				data.Beds += b.GetFree()
			}
		}
		data.inpatient, data.where = true, organization+" "+code
		data.Suited, data.board = q.suited(ctx, referral)
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

// suited are the free beds of the receiving department that the patient may lie in; false while that cannot be read.
func (q *Queue) suited(ctx context.Context, referral *referralv1.Referral) (out []Suited, read bool) {
	board, err := q.Allocation.ListBoard(ctx, &schedulingv1.ListBoardRequest{
		OrganizationId: referral.GetReceiver().GetOrganizationId(), Department: referral.GetReceiver().GetDepartmentCode(),
	})
	if err != nil {
		return nil, false
	}
	sex := shell.BedSex(referral.GetPatient().GetSex())
	for _, w := range board.GetWards() {
		for _, b := range w.GetBeds() {
			asks := b.GetSex()
			if asks == "" {
				asks = w.GetSex()
			}
			if b.GetState() == schedulingv1.BedState_FREE && (asks == "" || asks == sex) {
				out = append(out, Suited{b.GetId(), w.GetId(), w.GetName(), b.GetLabel(), w.GetClass()})
			}
		}
	}
	return out, true
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
