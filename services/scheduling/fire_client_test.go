package scheduling_test

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/placetest"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// client is one of those who fight.
type client struct {
	*fire
	number int
	random *rand.Rand
	kept   []*held // holds and bookings that it has
	waits  []*wait // its referrals on the fallback list
}

// do asks instances until one answers clearly; now and then it gives up when the first was killed. The zero Out says that nobody knows.
func (c *client) do(in placetest.In, try func(context.Context, *life) (placetest.Out, error)) placetest.Out {
	return c.ask(in, false, try)
}

// ask is do; a stubborn client does not give up.
func (c *client) ask(in placetest.In, stubborn bool, try func(context.Context, *life) (placetest.Out, error)) placetest.Out {
	call := c.record.Call(c.number, in)
	for range 100 {
		l := c.alive()
		ctx, cancel := context.WithTimeout(l.ctx, 10*time.Second)
		attempt := clock.System().Now()
		out, err := try(ctx, l)
		cancel()
		if outcome := understand(in, err); outcome != placetest.Unknown {
			out.Outcome = outcome
			c.record.Returned(call, attempt, out)
			return out
		}
		if l.ctx.Err() == nil && errs.KindOf(err) != errs.KindUnavailable {
			c.t.Errorf("%+v: %v", in, err)
			return placetest.Out{}
		}
		if !stubborn && c.random.IntN(4) == 0 {
			return placetest.Out{}
		}
	}
	return placetest.Out{}
}

// alive is an instance that lives, or did a moment ago.
func (c *client) alive() *life {
	i := 0
	if c.random != nil {
		i = c.random.IntN(len(c.instances))
	}
	at := &c.instances[i]
	for {
		l := at.Load()
		if l.ctx.Err() == nil {
			return l
		}
		<-l.next
	}
}

// understand is what an answer says of the slots; Unknown for one that says nothing.
func understand(in placetest.In, err error) placetest.Outcome {
	if err == nil {
		return placetest.Done
	}
	v := in.Verb
	switch errs.ReasonOf(err) {
	case errs.ReasonSlotTaken:
		if v == placetest.Create || v == placetest.Move || v == placetest.Block {
			return placetest.Taken
		}
	case errs.ReasonHoldExpired:
		if v == placetest.Attach || v == placetest.Confirm || v == placetest.Move {
			return placetest.Gone
		}
	case errs.ReasonActionNotAvailable:
		if v == placetest.Release || v == placetest.Move || v == placetest.Block || v == placetest.Cancel {
			return placetest.Refused
		}
	case errs.ReasonStaleVersion:
		if v == placetest.Move {
			return placetest.Stale
		}
	}
	return placetest.Unknown
}

func (c *client) run(ctx context.Context) {
	for ctx.Err() == nil {
		g := c.groups[c.random.IntN(len(c.groups))]
		if c.random.IntN(8) == 0 {
			g = c.groups[0] // where everybody wants to go
		}
		switch n := c.random.IntN(100); {
		case n < 10:
			c.lookAround(g)
		case n < 14:
			c.block(g)
		case n < 15:
			c.cancel(g)
		case n < 25 && len(c.waits) < 2:
			c.join(g)
		case n < 45 && len(c.waits) > 0:
			c.look()
		case n < 75 && len(c.kept) < 3 || len(c.kept) == 0:
			c.fight(g)
		default:
			c.goOn(c.random.IntN(len(c.kept)))
		}
	}
}

// lookAround reads all slots of a group at once.
func (c *client) lookAround(g *group) {
	call := c.record.Call(c.number, placetest.In{Group: g.number, Verb: placetest.Look})
	l := c.alive()
	ctx, cancel := context.WithTimeout(l.ctx, 10*time.Second)
	defer cancel()
	views, err := l.ListSlots(ctx, app.Asker{Caller: c.caller("reader")}, app.SlotQuery{County: county, OrganizationID: c.hospital,
		Department: g.department, Limit: placetest.MaxSlots}, "", "", clock.System().Now())
	if err != nil {
		c.record.Drop(call)
		return
	}
	out := placetest.Out{Outcome: placetest.Done}
	for _, v := range views {
		if v.Free {
			out.Free |= 1 << g.index(v.ID)
		}
	}
	c.record.Returned(call, time.Time{}, out)
}

// take asks for a hold of a slot.
func (c *client) take(g *group, slot int, account, patient string) placetest.Out {
	request := app.HoldRequest{RequestID: id.New(), PatientID: patient, SlotID: g.slot(slot)}
	return c.do(placetest.In{Group: g.number, Verb: placetest.Create, Slot: slot, Hold: account, By: account}, func(ctx context.Context, l *life) (placetest.Out, error) {
		v, err := l.CreateHold(ctx, c.caller(account), request)
		return placetest.Out{Hold: v.ID}, err
	})
}

// fight takes a slot and does something with it, or keeps it.
func (c *client) fight(g *group) {
	slot, account, patient := c.someSlot(g), id.New(), id.New()
	out := c.take(g, slot, account, patient)
	switch out.Outcome {
	case placetest.Unknown:
		c.recover(account)
		return
	case placetest.Done:
	default:
		return
	}
	h := &held{client: c, group: g, slot: slot, hold: out.Hold, account: account, tie: app.Tie{HoldID: out.Hold, ReferralID: id.New(), PatientID: patient}}
	switch c.random.IntN(6) {
	case 0:
		h.release()
	case 1:
		h.attach()
		h.release()
		h.free()
	case 2:
		h.attach()
		c.kept = append(c.kept, h)
		return
	case 3:
		h.attach()
		h.confirm()
		c.kept = append(c.kept, h)
		return
	default:
		h.confirm()
		c.kept = append(c.kept, h)
		return
	}
	c.recover(h.hold)
}

// goOn moves what the client keeps, or books it, or gives it back.
func (c *client) goOn(i int) {
	h := c.kept[i]
	switch c.random.IntN(5) {
	case 0, 1, 2:
		if to := c.someSlot(h.group); to != h.slot {
			h.move(to)
		}
	case 3:
		h.confirm()
	default:
		c.kept = append(c.kept[:i:i], c.kept[i+1:]...)
		h.free()
		if c.random.IntN(4) == 0 {
			h.attach()
		}
		c.recover(h.hold)
	}
}

// held is a hold that a client has.
type held struct {
	*client
	group                  *group
	slot                   int
	hold, account, booking string
	tie                    app.Tie
	version                int32 // of its referral, if facts told of it
}

func (h *held) in(v placetest.Verb) placetest.In {
	return placetest.In{Group: h.group.number, Verb: v, Hold: h.hold, By: id.New()}
}

func (h *held) attach() {
	in := h.in(placetest.Attach)
	h.do(in, func(ctx context.Context, l *life) (placetest.Out, error) {
		_, err := l.AttachHold(ctx, h.caller(in.By), h.tie, time.Time{})
		return placetest.Out{}, err
	})
}

func (h *held) confirm() {
	in := h.in(placetest.Confirm)
	h.do(in, func(ctx context.Context, l *life) (placetest.Out, error) {
		v, err := l.ConfirmHold(ctx, h.caller(in.By), h.tie)
		if err == nil {
			h.booking = v.BookingID
		}
		return placetest.Out{}, err
	})
}

func (h *held) release() {
	in := h.in(placetest.Release)
	in.By = h.account
	h.do(in, func(ctx context.Context, l *life) (placetest.Out, error) {
		_, err := l.ReleaseHold(ctx, h.caller(h.account), h.hold)
		return placetest.Out{}, err
	})
}

// move to another slot of the group. Somebody may have moved it before.
func (h *held) move(to int) {
	in := h.in(placetest.Move)
	in.From, in.Slot = h.slot, to
	by := app.Planning{Caller: h.caller(in.By), RequestID: id.New()}
	h.facts.note(in.By, true)
	out := h.do(in, func(ctx context.Context, l *life) (placetest.Out, error) {
		_, err := l.MoveBooking(ctx, by, app.Relocation{ID: h.hold, FromSlotID: h.group.slot(in.From), SlotID: h.group.slot(to)})
		return placetest.Out{}, err
	})
	switch out.Outcome {
	case placetest.Done:
		h.slot = to
	case placetest.Stale, placetest.Unknown:
		for _, d := range h.living(h.hold) {
			h.slot = h.group.index(d.Place.SlotID)
		}
	}
}

// free is the fact that the referral is over.
func (h *held) free() {
	in := h.in(placetest.Free)
	in.Booking = h.booking != ""
	fact := app.ReferralFact{Consumer: "fire", FactID: in.By, County: county, Event: "cancelled", ReferralID: h.tie.ReferralID, HoldID: h.hold, BookingID: h.booking}
	if h.version > 0 {
		h.version++
		fact.Case = h.referral(h.group, h.tie, h.version, "CANCELLED")
	}
	h.do(in, func(ctx context.Context, l *life) (placetest.Out, error) {
		return placetest.Out{}, l.OnReferral(ctx, fact)
	})
}

// recover looks what came of an account's call, or became of a hold, and gives back what there is; of all for "".
func (c *client) recover(of string) {
	for _, d := range c.living(of) {
		c.record.Learned(d.AccountID, d.ID)
		g := c.of(d.Place.DepartmentCode)
		h := held{client: c, group: g, slot: g.index(d.Place.SlotID), hold: d.ID, account: d.AccountID, booking: d.BookingID,
			tie: app.Tie{HoldID: d.ID, ReferralID: d.ReferralID, PatientID: d.PatientID}}
		if d.State == domain.Held {
			h.release()
		} else {
			h.free()
		}
	}
}
