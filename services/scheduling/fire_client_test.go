package scheduling_test

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
)

// client is one of those who fight.
type client struct {
	*fire
	number int
	random *rand.Rand
}

// do asks instances until one answers clearly; now and then it gives up when the first was killed. told{} says that nobody knows.
func (c client) do(in asked, try func(context.Context, *app.App) (string, error)) told {
	call := c.record.call(c.number, in)
	for range 100 {
		l := c.alive()
		ctx, cancel := context.WithTimeout(l.ctx, 10*time.Second)
		hold, err := try(ctx, l.App)
		cancel()
		if out, clear := c.understand(in, hold, err); clear {
			c.record.returned(call, out)
			return out
		}
		if err != nil && l.ctx.Err() == nil && errs.KindOf(err) != errs.KindUnavailable {
			c.t.Errorf("%+v: %v", in, err)
			return told{}
		}
		if c.random.IntN(4) == 0 {
			return told{}
		}
	}
	return told{}
}

// alive is an instance that lives, or did a moment ago.
func (c client) alive() *life {
	at := &c.instances[c.random.IntN(len(c.instances))]
	for {
		l := at.Load()
		if l.ctx.Err() == nil {
			return l
		}
		<-l.next
	}
}

func (c client) understand(in asked, hold string, err error) (told, bool) {
	switch {
	case err == nil && in.verb == look && hold == "":
		return told{outcome: done}, true
	case err == nil && in.verb == look:
		return told{outcome: seen}, true
	case err == nil:
		return told{outcome: done, hold: hold}, true
	case errs.ReasonOf(err) == errs.ReasonSlotTaken && in.verb == create:
		return told{outcome: taken}, true
	case errs.ReasonOf(err) == errs.ReasonHoldExpired:
		return told{outcome: gone}, true
	case errs.ReasonOf(err) == errs.ReasonActionNotAvailable && in.verb == release:
		return told{outcome: refused}, true
	}
	return told{}, false
}

func (c client) run(ctx context.Context) {
	for ctx.Err() == nil {
		if c.random.IntN(25) == 0 {
			c.lookAround()
		}
		c.fight()
	}
}

// lookAround reads all slots at once.
func (c client) lookAround() {
	calls := make([]int, len(c.slots))
	for i := range c.slots {
		calls[i] = c.record.call(c.number, asked{slot: i, verb: look})
	}
	l := c.alive()
	ctx, cancel := context.WithTimeout(l.ctx, 10*time.Second)
	defer cancel()
	views, err := l.ListSlots(ctx, app.Asker{Caller: c.caller("reader")}, app.SlotQuery{County: county, OrganizationID: c.slots[0].Session.OrganizationID, Limit: fireSlots},
		c.from, "", clock.System().Now())
	nobody := map[string]bool{}
	for _, v := range views {
		nobody[v.ID] = v.Free
	}
	for i, s := range c.slots {
		if err != nil {
			c.record.drop(calls[i])
			continue
		}
		out := told{outcome: done}
		if nobody[s.ID] {
			out.outcome = seen
		}
		c.record.returned(calls[i], out)
	}
}

// fight takes a slot, most often one of the few that most others want, and does something with it.
func (c client) fight() {
	slot := c.random.IntN(fireSlots)
	if c.random.IntN(3) > 0 {
		slot = c.random.IntN(fireSlots / 10)
	}
	account, request, patient := id.New(), id.New(), id.New()
	out := c.do(asked{slot: slot, verb: create, hold: account}, func(ctx context.Context, a *app.App) (string, error) {
		v, err := a.CreateHold(ctx, c.caller(account), app.HoldRequest{RequestID: request, PatientID: patient, SlotID: c.slots[slot].ID})
		return v.ID, err
	})
	if out.outcome == unknown {
		c.recover(account)
		return
	}
	if out.outcome != done {
		return
	}
	h := held{client: c, slot: slot, hold: out.hold, account: account, tie: app.Tie{HoldID: out.hold, ReferralID: id.New(), PatientID: patient}}
	switch c.random.IntN(4) {
	case 0:
		h.release()
	case 1:
		h.attach()
		h.release()
		h.free()
	case 2:
		h.attach()
		h.confirm()
		h.free()
	default:
		h.confirm()
		h.free()
		h.attach()
	}
	c.recover(account)
}

// held is a hold that a client has.
type held struct {
	client
	slot                   int
	hold, account, booking string
	tie                    app.Tie
}

func (h *held) attach() {
	h.do(asked{slot: h.slot, verb: attach, hold: h.hold}, func(ctx context.Context, a *app.App) (string, error) {
		_, err := a.AttachHold(ctx, h.caller("service:referral"), h.tie, time.Time{})
		return "", err
	})
}

func (h *held) confirm() {
	h.do(asked{slot: h.slot, verb: confirm, hold: h.hold}, func(ctx context.Context, a *app.App) (string, error) {
		v, err := a.ConfirmHold(ctx, h.caller("service:referral"), h.tie)
		h.booking = v.BookingID
		return "", err
	})
}

func (h *held) release() {
	h.do(asked{slot: h.slot, verb: release, hold: h.hold}, func(ctx context.Context, a *app.App) (string, error) {
		_, err := a.ReleaseHold(ctx, h.caller(h.account), h.hold)
		return "", err
	})
}

func (h *held) free() {
	fact := app.ReferralFact{Consumer: "fire", FactID: id.New(), County: county, Event: "cancelled", ReferralID: h.tie.ReferralID, HoldID: h.hold, BookingID: h.booking}
	h.do(asked{slot: h.slot, verb: free, hold: h.hold, booking: h.booking != ""}, func(ctx context.Context, a *app.App) (string, error) {
		return "", a.OnReferral(ctx, fact)
	})
}

// recover looks what came of an account's call, and gives back what it has.
func (c client) recover(account string) {
	for _, d := range c.live(account) {
		slot := c.record.learned(d.AccountID, d.ID)
		h := held{client: c, slot: slot, hold: d.ID, account: d.AccountID, booking: d.BookingID, tie: app.Tie{HoldID: d.ID, ReferralID: d.ReferralID, PatientID: d.PatientID}}
		if d.ReferralID == "" {
			h.release()
		} else {
			h.free()
		}
	}
}
