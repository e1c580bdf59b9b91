package domain

import (
	"cmp"
	"errors"
	"time"
)

// ErrElsewhere says that a place is not of the organisation and department of the hold, or no slot.
var ErrElsewhere = errors.New("the place is of another organisation or department")

// Move gives a hold that is tied to a referral, or a booking, another slot of the same organisation and department; reason is why its session was
// cancelled, if it was. The slot it has is no error: its session has another practitioner or room. ErrNotAllowed, ErrElsewhere, ErrGone, ErrPast.
func (h *Hold) Move(to Place, reason string, now time.Time) error {
	from := h.d.Place
	switch {
	case !h.d.LiveAt(now):
		return ErrGone
	case to.SlotID == "" || from.SlotID == "" || to.OrganizationID != from.OrganizationID || to.DepartmentCode != from.DepartmentCode:
		return ErrElsewhere
	case to.SlotID != from.SlotID && !now.Before(to.Start):
		return ErrPast
	}
	if _, ok := Next(h.d.State, Move); !ok {
		return ErrNotAllowed
	}
	h.d.Place = to
	if to.SlotID != from.SlotID {
		h.d.Displaced = time.Time{}
	}
	if h.d.State == Attached {
		keep := h.d.KeepUntil
		if keep.Equal(from.Start) { // the beginning of the slot was all that bounded it
			keep = later(keep, now.Add(KeepDefault))
		}
		h.d.KeepUntil = h.bounded(keep)
	}
	return h.tell(Move, Event{OldSlotID: from.SlotID, OldStart: from.Start, ReasonCode: reason})
}

// MoveNotice is how long before an earlier place somebody is told of it at least.
const MoveNotice = 24 * time.Hour

// MoveFrom is the earliest start of a place to which somebody is moved without being asked. At the old time they come anyhow; to come earlier they need
// to be told in time. Once the old time has passed they come as to an offer.
func MoveFrom(old, now time.Time) time.Time {
	told := now.Add(MoveNotice)
	switch {
	case !now.Before(old):
		return now.Add(OfferNotice)
	case old.Before(told):
		return old
	default:
		return told
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Displace marks that the session of the hold is cancelled and that it has no other place yet. Again it changes nothing.
func (h *Hold) Displace(sessionID, reason string, now time.Time) error {
	if !h.d.Displaced.IsZero() {
		return nil
	}
	if _, ok := Next(h.d.State, Displace); !ok {
		return ErrNotAllowed
	}
	h.d.Displaced = now
	return h.tell(Displace, Event{SessionID: sessionID, ReasonCode: reason})
}

// tell applies the action and adds to its event what the hold does not say.
func (h *Hold) tell(a Action, more Event) error {
	if err := h.apply(a); err != nil {
		return err
	}
	e := &h.events[len(h.events)-1]
	e.OldSlotID, e.OldStart, e.SessionID, e.ReasonCode = more.OldSlotID, more.OldStart, more.SessionID, more.ReasonCode
	return nil
}

// Want is what a patient whose session was cancelled needs of another slot.
type Want struct {
	PractitionerID, Grade string
}

// Suits ranks a slot: 1 the same practitioner, 2 the same grade, 0 it does not suit. Organisation, department, kind and modality are the same.
func (w Want) Suits(s Session) int {
	switch {
	case w.PractitionerID != "" && w.PractitionerID == s.PractitionerID:
		return 1
	case cmp.Or(w.Grade, General) == cmp.Or(s.Grade, General):
		return 2
	default:
		return 0
	}
}
