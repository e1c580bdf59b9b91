package app

import (
	"context"
	"errors"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// Relocation gives a booking, or a hold that is tied to a referral, another slot.
type Relocation struct {
	ID, SlotID string
	FromSlotID string // where it is now; empty: wherever
}

func (r Relocation) check() error {
	for name, value := range map[string]string{"id": r.ID, "slotId": r.SlotID} {
		if !id.Valid(value) {
			return errs.Invalid(requiredOrBad(name, value))
		}
	}
	return nil
}

// MoveBooking gives a booking another slot of the same organisation and department. The organisation of the place, or the one that sends the patient;
// for others there is no such booking. STALE_VERSION if it is elsewhere by now, SLOT_TAKEN, ACTION_NOT_AVAILABLE for a patient who has come, and for a
// slot that has begun or does not open yet: to townships, if one sent the patient.
func (a *App) MoveBooking(ctx context.Context, by Planning, r Relocation) (HoldView, error) {
	if err := by.checkRequest(); err != nil {
		return HoldView{}, err
	}
	if err := r.check(); err != nil {
		return HoldView{}, err
	}
	var holdID string
	err := a.store.Change(ctx, by.command("MoveBooking", r), func(u Unit) error {
		answered, repeated, err := u.Answered(ctx)
		if err != nil || repeated {
			holdID = answered
			return err
		}
		was, err := u.Peek(ctx, r.ID)
		if err != nil {
			return err
		}
		// Before the slots, as everybody who changes both locks them.
		entry, err := entryOf(ctx, u, was)
		if err != nil {
			return err
		}
		if err := u.LockPlaces(ctx, "", []string{was.Place.SlotID, r.SlotID}); err != nil {
			return err
		}
		h, err := a.movable(ctx, u, by, r, was)
		if err != nil {
			return err
		}
		holdID = h.Data().ID
		if err := a.moveTo(ctx, u, h, r.SlotID); err != nil {
			return err
		}
		u.Answer(holdID)
		return moveOffer(ctx, u, entry, h)
	})
	if err != nil {
		return HoldView{}, err
	}
	return a.store.Hold(ctx, by.County, holdID)
}

// entryOf is the entry of the fallback list that the hold may be offered to; nil if there is none.
func entryOf(ctx context.Context, u Unit, h domain.HoldData) (*domain.Entry, error) {
	if h.AccountID != Self || h.ReferralID == "" {
		return nil, nil
	}
	return u.EntryOf(ctx, h.ReferralID)
}

// moveOffer gives an offer whose place was moved by hand the time that an offer made now would have.
func moveOffer(ctx context.Context, u Unit, entry *domain.Entry, h *domain.Hold) error {
	if entry == nil || entry.Data().HoldID != h.Data().ID || entry.Data().OfferStart.Equal(h.Data().Place.Start) {
		return nil
	}
	c, err := u.Case(ctx, h.Data().ReferralID)
	if err != nil {
		return err
	}
	h.Keep(keepOffer(c, u.Now()), u.Now())
	return classifyEntry("move", entry.OfferMoved(h.Data()))
}

// movable is the hold or booking that the caller may move, if it is where it was when its slot was locked.
func (a *App) movable(ctx context.Context, u Unit, by Planning, r Relocation, was domain.HoldData) (*domain.Hold, error) {
	h, err := u.Hold(ctx, was.ID)
	if err != nil {
		return nil, err
	}
	d := h.Data()
	if own := by.OrganizationID; own == "" || own != d.Place.OrganizationID && own != d.ReaderOrganizationID {
		return nil, errs.NotFound("booking")
	}
	if r.FromSlotID != "" && r.FromSlotID != d.Place.SlotID || was.Place.SlotID != d.Place.SlotID {
		return nil, errs.Stale(d.Version, "")
	}
	c, err := u.Case(ctx, d.ReferralID)
	if err == nil && d.LiveAt(u.Now()) && !c.Awaited() {
		err = errs.WrongState("move", c.State)
	}
	return h, err
}

// sentUp tells whether a township sends the patient of the hold. Of a referral of before there are no facts: then whoever may read it beside the
// organisation of the place does.
func sentUp(ctx context.Context, u Unit, d domain.HoldData) (bool, error) {
	c, err := u.Case(ctx, d.ReferralID)
	if err != nil || c.Known() {
		return c.Sent(d.Place.OrganizationID), err
	}
	return d.ReaderOrganizationID != d.Place.OrganizationID, nil
}

func (a *App) moveTo(ctx context.Context, u Unit, h *domain.Hold, slotID string) error {
	if slotID == h.Data().Place.SlotID {
		if !h.Data().LiveAt(u.Now()) {
			return classify("move", domain.ErrGone)
		}
		return nil
	}
	s, slot, err := u.SessionOfSlot(ctx, slotID)
	if err != nil {
		return err
	}
	was, _, err := u.SessionOfSlot(ctx, h.Data().Place.SlotID)
	if errs.KindOf(err) == errs.KindNotFound {
		return errs.Invalid(errs.Bad("slotId", errs.ReasonFieldCombination)) // of a bed
	}
	if err != nil {
		return err
	}
	if s.Kind != was.Kind || s.Equipment.Modality != was.Equipment.Modality {
		return errs.Invalid(errs.Bad("slotId", errs.ReasonFieldCombination))
	}
	policy, err := u.PolicyFor(ctx, s.OrganizationID)
	if err != nil {
		return err
	}
	township, err := sentUp(ctx, u, h.Data())
	if err != nil {
		return err
	}
	if policy.Opens(slot.Pool, slot.Start.In(a.zone), township || s.Kind == domain.KindExpert).After(u.Now()) {
		return errs.WrongState("move", "NOT_OPEN")
	}
	moved, err := u.Move(ctx, h, slot, "")
	if errors.Is(err, domain.ErrElsewhere) {
		return errs.Invalid(errs.Bad("slotId", errs.ReasonFieldCombination))
	}
	if err != nil {
		return classify("move", err)
	}
	if !moved {
		return errs.Conflict(errs.ReasonSlotTaken, "somebody has the slot, or it is closed")
	}
	return nil
}
