package check

import (
	"fmt"
	"slices"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
)

// Problems are the broken promises, in words and ids; nil for a county at rest in which all is well.
func (w World) Problems() []string {
	return slices.Concat(w.histories(), w.capacity(), w.promises(), w.links(), w.candidates(), w.told(), w.figures())
}

// histories: each is a path of the life-cycle table from its beginning to the referral's state, versions without a gap.
func (w World) histories() []string {
	var bad []string
	for _, r := range w.Referrals {
		state := referralv1.State_UNSPECIFIED
		rows := r.transitions()
		for i, row := range rows {
			if row.GetFrom() != state {
				bad = append(bad, fmt.Sprintf("referral %s: %s starts from %s, but the state was %s", r.GetId(), row.GetAction(), row.GetFrom(), state))
			}
			if !w.allows(r, row) {
				bad = append(bad, fmt.Sprintf("referral %s (%s %s): the table has no %s from %s to %s",
					r.GetId(), r.GetDirection(), r.GetKind(), row.GetAction(), row.GetFrom(), row.GetTo()))
			}
			if row.GetVersion() != int32(i+1) {
				bad = append(bad, fmt.Sprintf("referral %s: row %d (%s) has version %d", r.GetId(), i+1, row.GetAction(), row.GetVersion()))
			}
			state = row.GetTo()
		}
		bad = append(bad, r.marks()...)
		if state != r.GetState() || int(r.GetVersion()) != len(rows) {
			bad = append(bad, fmt.Sprintf("referral %s is %s at version %d, its history ends %s after %d rows", r.GetId(), r.GetState(), r.GetVersion(), state, len(rows)))
		}
	}
	return bad
}

// marks: none changes a state or takes a version.
func (r Referral) marks() []string {
	var bad []string
	for _, row := range r.History {
		if row.GetKind() != "TRANSITION" && (row.GetFrom() != row.GetTo() || row.GetVersion() != 0) {
			bad = append(bad, fmt.Sprintf("referral %s: the mark %s goes from %s to %s and has version %d",
				r.GetId(), row.GetAction(), row.GetFrom(), row.GetTo(), row.GetVersion()))
		}
	}
	return bad
}

func (w World) allows(r Referral, row *referralv1.HistoryRow) bool {
	for _, a := range w.Lifecycle {
		if !slices.Contains(a.GetDirections(), r.GetDirection()) || !slices.Contains(a.GetKinds(), r.GetKind()) {
			continue
		}
		stays := a.GetTo() == referralv1.State_UNSPECIFIED && row.GetFrom() == row.GetTo()
		starts := len(a.GetFrom()) == 0 && row.GetFrom() == referralv1.State_UNSPECIFIED
		if a.GetName() == row.GetAction() && (a.GetTo() == row.GetTo() || stays) && (starts || slices.Contains(a.GetFrom(), row.GetFrom())) {
			return true
		}
	}
	return false
}

// capacity: no slot and no bed is in two live holds or bookings.
func (w World) capacity() []string {
	var bad []string
	taken := map[string]string{}
	take := func(what, slot, bed string) {
		place := "slot " + slot
		if slot == "" {
			place = "bed " + bed
		}
		if other, twice := taken[place]; twice {
			bad = append(bad, fmt.Sprintf("%s is taken by %s and by %s", place, other, what))
		}
		taken[place] = what
	}
	for _, h := range w.Holds {
		take("hold "+h.GetId(), h.GetSlotId(), h.GetBedId())
	}
	for _, b := range w.Bookings {
		take("booking "+b.GetId(), b.GetSlotId(), b.GetBedId())
	}
	return bad
}

// promises: who is promised a place has one, and a booked place is promised to one referral.
func (w World) promises() []string {
	var bad []string
	live, named := map[string]*schedulingv1.Booking{}, map[string]int{}
	for _, b := range w.Bookings {
		live[b.GetId()] = b
	}
	for _, r := range w.Referrals {
		if r.GetBookingId() != "" {
			named[r.GetBookingId()]++
		}
		if !promised(r) || r.GetWalkIn() != nil {
			continue
		}
		switch b := live[r.GetBookingId()]; {
		case r.GetBookingId() == "":
			bad = append(bad, fmt.Sprintf("referral %s is %s without a booking or a walk-in window", r.GetId(), r.GetState()))
		case b == nil:
			bad = append(bad, fmt.Sprintf("referral %s is %s, but its booking %s is not live", r.GetId(), r.GetState(), r.GetBookingId()))
		case b.GetReferralId() != r.GetId():
			bad = append(bad, fmt.Sprintf("referral %s names booking %s, which belongs to %s", r.GetId(), b.GetId(), b.GetReferralId()))
		}
	}
	for _, b := range w.Bookings {
		if named[b.GetId()] != 1 {
			bad = append(bad, fmt.Sprintf("booking %s (%s) is named by %d referrals", b.GetId(), b.GetState(), named[b.GetId()]))
		} else if b.GetState() != schedulingv1.BookingState_LIVE {
			bad = append(bad, fmt.Sprintf("booking %s is %s although referral %s names it", b.GetId(), b.GetState(), b.GetReferralId()))
		}
	}
	return append(bad, w.attached()...)
}

// promised: from acceptance until the patient has left. An emergency may arrive without having been promised anything, and who comes late
// has lost what was promised.
func promised(r Referral) bool {
	switch r.GetState() {
	case referralv1.State_ACCEPTED:
		return true
	case referralv1.State_ARRIVED, referralv1.State_ADMITTED:
		return r.arrivedFrom() == referralv1.State_ACCEPTED
	default:
		return false
	}
}

// attached: a hold is tied only to a referral that waits for an answer with it.
func (w World) attached() []string {
	byID := map[string]Referral{}
	for _, r := range w.Referrals {
		byID[r.GetId()] = r
	}
	var bad []string
	for _, h := range w.Holds {
		// What the fallback list offers its referral does not name.
		if h.GetState() != schedulingv1.HoldState_ATTACHED || h.GetOffered() {
			continue
		}
		r, ok := byID[h.GetReferralId()]
		if !ok || r.GetHoldId() != h.GetId() {
			bad = append(bad, fmt.Sprintf("hold %s is attached to referral %s, which does not have it", h.GetId(), h.GetReferralId()))
		}
	}
	return bad
}
