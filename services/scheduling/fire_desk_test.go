package scheduling_test

import (
	"context"
	"slices"

	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/placetest"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// block takes one slot or two out, and gives them back.
func (c *client) block(g *group) {
	in := placetest.In{Group: g.number, Verb: placetest.Block, By: id.New()}
	var slots []string
	for range 1 + c.random.IntN(2) {
		i := c.someSlot(g)
		in.Slots |= 1 << i
		slots = append(slots, g.slot(i))
	}
	by := c.planning(in.By)
	by.RequestID = id.New()
	out := c.do(in, func(ctx context.Context, l *life) (placetest.Out, error) {
		n, err := l.plans.BlockSlots(ctx, by, app.Blocking{SlotIDs: slots, ReasonCode: "OTHER"})
		return placetest.Out{Changed: n}, err
	})
	if out.Outcome != placetest.Done && out.Outcome != placetest.Unknown {
		return
	}
	c.lookAround(g)
	c.unblock(g, in.Slots, slots)
}

// unblock does not give up: what nobody gives back nobody takes.
func (c *client) unblock(g *group, mask placetest.Slots, slots []string) {
	in := placetest.In{Group: g.number, Verb: placetest.Unblock, Slots: mask, By: id.New()}
	by := c.planning(in.By)
	by.RequestID = id.New()
	c.ask(in, true, func(ctx context.Context, l *life) (placetest.Out, error) {
		n, err := l.plans.UnblockSlots(ctx, by, slots)
		return placetest.Out{Changed: n}, err
	})
}

// cancel ends a session, and adds another.
func (c *client) cancel(g *group) {
	if n := c.some(g); c.end(g, n) {
		c.open(g)
	}
}

// end cancels a session; false if somebody else did, or another session could not follow.
func (c *client) end(g *group, n int) bool {
	g.mu.Lock()
	session, full := g.sessions[n], len(g.sessions) == sessionsMost
	g.mu.Unlock()
	if full {
		return false
	}
	in := placetest.In{Group: g.number, Verb: placetest.Cancel, Slots: slotsOf(n), By: id.New()}
	by := c.planning(in.By)
	by.RequestID = id.New()
	c.facts.note(in.By, false)
	out := c.do(in, func(ctx context.Context, l *life) (placetest.Out, error) {
		_, _, err := l.plans.CancelSession(ctx, by, app.Cancellation{SessionID: session.ID, Version: 1, ReasonCode: "LEAVE"})
		return placetest.Out{}, err
	})
	over := out.Outcome == placetest.Done
	if out.Outcome == placetest.Unknown {
		c.each("SELECT 1 FROM session WHERE id = $1 AND state = 'CANCELLED'", []any{session.ID}, func(func(...any) error) error {
			over = true
			return nil
		})
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.over[n] = g.over[n] || over
	return over
}

// wait is a referral on the fallback list.
type wait struct {
	group *group
	entry string
	tie   app.Tie
	looks int
}

// referral is what facts say of a referral to a group, and it is so from now on.
func (f *fire) referral(g *group, tie app.Tie, version int32, state string) domain.Case {
	c := domain.Case{
		County: county, ReferralID: tie.ReferralID, Version: version, Number: "450321-26-0000001-1", PatientID: tie.PatientID, State: state, Direction: "UP",
		Kind: "OUTPATIENT", Urgency: "ROUTINE", SenderOrganizationID: f.caller("").OrganizationID, ReceiverOrganizationID: f.hospital,
		ReceiverDepartment: g.department,
	}
	f.keeper.cases.Store(c.ReferralID, c)
	return c
}

// again does what has no effect on slots until an instance answers.
func (c *client) again(what string, try func(context.Context, *life) error) bool {
	for range 100 {
		l := c.alive()
		err := try(l.ctx, l)
		if err == nil {
			return true
		}
		if l.ctx.Err() == nil && errs.KindOf(err) != errs.KindUnavailable {
			c.t.Errorf("%s: %v", what, err)
			return false
		}
	}
	return false
}

// tellCase sends the fact that a referral is in another state.
func (c *client) tellCase(event string, now domain.Case, booking string) bool {
	fact := app.ReferralFact{Consumer: "fire", FactID: id.New(), County: county, Event: event, ReferralID: now.ReferralID, BookingID: booking, Case: now}
	return c.again(event, func(ctx context.Context, l *life) error { return l.OnReferral(ctx, fact) })
}

// join puts a new referral on the list of a group.
func (c *client) join(g *group) {
	w := &wait{group: g, tie: app.Tie{ReferralID: id.New(), PatientID: id.New()}}
	if !c.tellCase("submitted", c.referral(g, w.tie, 1, "SUBMITTED"), "") {
		return
	}
	join := app.Join{RequestID: id.New(), ReferralID: w.tie.ReferralID, Wish: domain.Wish{Kind: domain.KindClinic}}
	joined := c.again("join", func(ctx context.Context, l *life) error {
		d, err := l.JoinWaitlist(ctx, c.caller("doctor"), join, clock.System().Now())
		w.entry = d.ID
		return err
	})
	if joined {
		c.waits = append(c.waits, w)
	}
}

// look sees whether a place was offered, and takes it or leaves.
func (c *client) look() {
	i := c.random.IntN(len(c.waits))
	w := c.waits[i]
	var entry domain.EntryData
	read := c.again("read the list", func(ctx context.Context, l *life) error {
		found, err := l.ListWaitlist(ctx, c.caller("doctor"), app.EntryQuery{EntryID: w.entry, Limit: 1})
		if len(found) == 1 {
			entry = found[0]
		}
		return err
	})
	w.looks++
	if entry.State == domain.Waiting && w.looks < 4 || !read {
		return
	}
	c.waits = slices.Delete(c.waits, i, i+1)
	if entry.State == domain.Offered && c.random.IntN(4) > 0 {
		c.accept(w, entry.HoldID)
		return
	}
	c.leave(w.group, w.entry)
}

// accept books what was offered. Its hold is nobody's but the referral's.
func (c *client) accept(w *wait, hold string) {
	w.tie.HoldID = hold
	h := &held{client: c, group: w.group, hold: hold, tie: w.tie, version: 2}
	for _, d := range c.living(hold) {
		h.slot = w.group.index(d.Place.SlotID)
	}
	if c.random.IntN(4) == 0 {
		h.free() // it is cancelled instead
		return
	}
	h.confirm()
	if h.booking == "" {
		h.free() // nobody accepts a referral with a booking that nobody answered for
		c.recover(hold)
		return
	}
	if !c.tellCase("accepted", c.referral(w.group, w.tie, h.version, "ACCEPTED"), h.booking) {
		return
	}
	c.kept = append(c.kept, h)
}

func (c *client) leave(g *group, entry string) {
	request := id.New()
	c.do(placetest.In{Group: g.number, Verb: placetest.Leave, By: entry}, func(ctx context.Context, l *life) (placetest.Out, error) {
		d, err := l.LeaveWaitlist(ctx, c.caller("doctor"), entry, request)
		return placetest.Out{Hold: d.HoldID}, err
	})
}
