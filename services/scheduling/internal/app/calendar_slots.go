package app

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// Blocking takes slots out, or gives them back for no reason.
type Blocking struct {
	SlotIDs    []string
	ReasonCode string
}

// BlockSlots takes free slots out. All or none: SLOT_TAKEN if somebody has one; ACTION_NOT_AVAILABLE for one that has begun, or of the reserve that
// has not fallen back. It answers how many changed.
func (p *Planner) BlockSlots(ctx context.Context, by Planning, b Blocking) (int, error) {
	return p.setClosed(ctx, by, b, func(ctx context.Context, u Unit, use SlotUse) (bool, error) {
		switch s := use.Slot; {
		case s.ClosedBy == b.ReasonCode:
			return false, nil
		case s.ClosedBy == closedCancelled:
			return false, errs.WrongState("block", "CANCELLED")
		case !u.Now().Before(s.Start):
			return false, errs.WrongState("block", "PAST")
		case use.Hold.ID != "":
			return false, errs.Conflict(errs.ReasonSlotTaken, "somebody has a slot that was to be blocked")
		case s.Pool == domain.Reserved:
			policy, err := u.PolicyFor(ctx, s.Session.OrganizationID)
			if err != nil {
				return false, err
			}
			if policy.Opens(s.Pool, s.Start.In(p.app.zone), false).After(u.Now()) {
				return false, errs.WrongState("block", domain.Reserved)
			}
		}
		return true, nil
	})
}

// closedCancelled closes the slots of a cancelled session.
const closedCancelled = "CANCELLED"

// UnblockSlots gives blocked slots back; displaced bookings get them first. One that is not blocked is no error.
func (p *Planner) UnblockSlots(ctx context.Context, by Planning, slotIDs []string) (int, error) {
	departments := map[string]string{}
	n, err := p.setClosed(ctx, by, Blocking{SlotIDs: slotIDs}, func(_ context.Context, _ Unit, use SlotUse) (bool, error) {
		if by := use.Slot.ClosedBy; by == "" || by == closedCancelled {
			return false, nil
		}
		departments[use.Slot.Session.DepartmentCode] = use.Slot.Session.OrganizationID
		return true, nil
	})
	if err != nil {
		return 0, err
	}
	for department, organization := range departments {
		if err := p.app.PlaceDisplaced(ctx, by.County, organization, department); err != nil {
			return n, err
		}
	}
	return n, nil
}

// slotAction is what blocking for a reason is called in the audit.
func slotAction(reason string) string {
	if reason == "" {
		return "slot.unblock"
	}
	return "slot.block"
}

// setClosed closes or opens the slots that change says are to be, or none if it refuses one.
func (p *Planner) setClosed(ctx context.Context, by Planning, b Blocking, change func(context.Context, Unit, SlotUse) (bool, error)) (int, error) {
	if err := by.checkRequest(); err != nil {
		return 0, err
	}
	ids := slices.Compact(slices.Sorted(slices.Values(b.SlotIDs)))
	method := "BlockSlots"
	if b.ReasonCode == "" {
		method = "UnblockSlots"
	}
	n := 0
	err := p.app.store.Change(ctx, by.command(method, b), func(u Unit) error {
		answered, repeated, err := u.Answered(ctx)
		if err != nil {
			return err
		}
		if repeated {
			n, err = strconv.Atoi(answered)
			return err
		}
		uses, err := u.LockSlots(ctx, ids)
		if err != nil {
			return err
		}
		if len(uses) != len(ids) {
			return errs.NotFound("slot")
		}
		var changed []string
		done := map[string][]ClosedSlot{} // by session
		sessions := map[string]domain.Session{}
		for _, use := range uses {
			if err := by.check(use.Slot.Session.OrganizationID, use.Slot.Session.DepartmentCode); err != nil {
				return err
			}
			yes, err := change(ctx, u, use)
			if err != nil {
				return err
			}
			if yes {
				changed = append(changed, use.Slot.ID)
				s := use.Slot.Session
				sessions[s.ID] = s
				done[s.ID] = append(done[s.ID], ClosedSlot{ID: use.Slot.ID, Start: use.Slot.Start, Reason: cmp.Or(b.ReasonCode, use.Slot.ClosedBy)})
				u.Note(slotAction(b.ReasonCode), "slot", use.Slot.ID, b.ReasonCode)
			}
		}
		n = len(changed)
		u.Answer(strconv.Itoa(n))
		if err := u.Close(ctx, changed, b.ReasonCode); err != nil {
			return err
		}
		for sessionID, slots := range done {
			if err := u.Record(ctx, CalendarChange{}, changeOfSession(slotChange(b.ReasonCode), SessionView{Session: sessions[sessionID]}, slots...)); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// slotChange is what blocking for a reason is called in the history.
func slotChange(reason string) string {
	if reason == "" {
		return ChangeUnblocked
	}
	return ChangeBlocked
}
