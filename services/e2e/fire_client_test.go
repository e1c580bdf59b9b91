//go:build e2e

package e2e_test

import (
	"context"
	"math/rand/v2"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/placetest"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
)

// capacityFact is what a fact of a hold tells.
type capacityFact interface {
	GetMeta() *commonv1.FactMeta
	GetCapacity() *schedulingv1.CapacityFact
}

// contender is one of those who fight.
type contender struct {
	*fire
	number int
	random *rand.Rand
	kept   []*place
}

// place is a hold or booking that a contender has.
type place struct {
	group, slot                               int
	hold, account, patient, referral, booking string
}

// ask asks processes until one answers clearly; now and then it gives up when one did not. The zero Out says that nobody knows.
func (c *contender) ask(in placetest.In, try func(context.Context, replica) (placetest.Out, error)) placetest.Out {
	call := c.record.Call(c.number, in)
	pause := time.NewTicker(50 * time.Millisecond)
	defer pause.Stop()
	for {
		ctx, cancel := context.WithTimeout(rpc.WithCounty(context.Background(), harness.County), 10*time.Second)
		attempt := clock.System().Now()
		out, err := try(ctx, c.replicas[c.random.IntN(len(c.replicas))])
		cancel()
		if outcome := outcomeOf(in.Verb, err); outcome != placetest.Unknown {
			out.Outcome = outcome
			c.record.Returned(call, attempt, out)
			return out
		}
		if errs.KindOf(err) != errs.KindUnavailable {
			c.Errorf("%+v: %v", in, err)
			return placetest.Out{}
		}
		if c.random.IntN(20) == 0 && in.Verb != placetest.Unblock {
			return placetest.Out{}
		}
		<-pause.C
	}
}

// outcomeOf is what an answer says of the slots; Unknown for one that says nothing.
func outcomeOf(v placetest.Verb, err error) placetest.Outcome {
	if err == nil {
		return placetest.Done
	}
	switch reason := errs.ReasonOf(err); {
	case reason == errs.ReasonSlotTaken && (v == placetest.Create || v == placetest.Move || v == placetest.Block):
		return placetest.Taken
	case reason == errs.ReasonHoldExpired && (v == placetest.Attach || v == placetest.Confirm || v == placetest.Move):
		return placetest.Gone
	case reason == errs.ReasonActionNotAvailable && (v == placetest.Release || v == placetest.Move):
		return placetest.Refused
	case reason == errs.ReasonStaleVersion && v == placetest.Move:
		return placetest.Stale
	}
	return placetest.Unknown
}

func (c *contender) run(ctx context.Context) {
	for ctx.Err() == nil {
		group := c.random.IntN(fireGroups)
		switch n := c.random.IntN(100); {
		case n < 10:
			c.lookAround(group)
		case n < 15:
			c.block(group)
		case n < 60 && len(c.kept) < 3 || len(c.kept) == 0:
			c.fight(group)
		default:
			c.goOn(ctx, c.random.IntN(len(c.kept)))
		}
	}
	for _, p := range c.kept {
		c.free(ctx, p) // so that there is a free slot at the end
	}
}

func (c *contender) lookAround(group int) {
	in := placetest.In{Group: group, Verb: placetest.Look}
	call := c.record.Call(c.number, in)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	slots, err := c.list(ctx, c.replicas[c.random.IntN(len(c.replicas))], group)
	if err != nil {
		c.record.Drop(call)
		return
	}
	out := placetest.Out{Outcome: placetest.Done}
	for i, s := range slots {
		if s.GetFree() {
			out.Free |= 1 << i
		}
	}
	c.record.Returned(call, time.Time{}, out)
}

func (c *contender) take(group, slot int) (*place, placetest.Out) {
	p := &place{group: group, slot: slot, account: id.New(), patient: id.New(), referral: id.New()}
	request := &schedulingv1.CreateHoldRequest{PatientId: p.patient, SlotId: c.groups[group][slot], RequestId: id.New()}
	out := c.ask(placetest.In{Group: group, Verb: placetest.Create, Slot: slot, Hold: p.account, By: p.account}, func(ctx context.Context, r replica) (placetest.Out, error) {
		h, err := r.places.CreateHold(c.as(ctx, p.account, c.township, "TOWNSHIP_DOCTOR"), request)
		return placetest.Out{Hold: h.GetId()}, err
	})
	p.hold = out.Hold
	c.mu.Lock()
	defer c.mu.Unlock()
	switch out.Outcome {
	case placetest.Done:
		c.known[p.hold] = true
	case placetest.Unknown:
		c.unknown[request.GetSlotId()]++
	}
	return p, out
}

// fight takes a slot and does something with it, or keeps it.
func (c *contender) fight(group int) {
	p, out := c.take(group, c.random.IntN(groupSlots))
	if out.Outcome != placetest.Done {
		return
	}
	switch c.random.IntN(4) {
	case 0:
		c.release(p)
		return
	case 1:
		c.attach(p)
		c.release(p)
	case 2:
		c.attach(p)
		c.confirm(p)
	default:
		c.confirm(p)
	}
	c.kept = append(c.kept, p)
}

// goOn moves what the contender keeps, or books it, or gives it back.
func (c *contender) goOn(ctx context.Context, i int) {
	p := c.kept[i]
	switch c.random.IntN(5) {
	case 0, 1:
		if to := c.random.IntN(groupSlots); to != p.slot {
			c.move(p, to)
		}
	case 2:
		c.confirm(p)
	default:
		c.kept = append(c.kept[:i:i], c.kept[i+1:]...)
		c.confirm(p)
		c.free(ctx, p)
		if c.random.IntN(4) == 0 {
			c.attach(p)
		}
	}
}

func (p *place) in(v placetest.Verb) placetest.In {
	return placetest.In{Group: p.group, Verb: v, Hold: p.hold, By: id.New()}
}

func (c *contender) release(p *place) {
	c.ask(p.in(placetest.Release), func(ctx context.Context, r replica) (placetest.Out, error) {
		_, err := r.places.ReleaseHold(c.as(ctx, p.account, c.township, "TOWNSHIP_DOCTOR"), &schedulingv1.ReleaseHoldRequest{Id: p.hold})
		return placetest.Out{}, err
	})
}

func (c *contender) attach(p *place) {
	c.ask(p.in(placetest.Attach), func(ctx context.Context, r replica) (placetest.Out, error) {
		_, err := r.referrals.AttachHold(ctx, &schedulingv1.AttachHoldRequest{County: harness.County, HoldId: p.hold, ReferralId: p.referral, PatientId: p.patient})
		return placetest.Out{}, err
	})
}

func (c *contender) confirm(p *place) {
	c.ask(p.in(placetest.Confirm), func(ctx context.Context, r replica) (placetest.Out, error) {
		b, err := r.referrals.ConfirmHold(ctx, &schedulingv1.ConfirmHoldRequest{County: harness.County, HoldId: p.hold, ReferralId: p.referral, PatientId: p.patient,
			OriginatorOrganizationId: c.township})
		if err == nil {
			p.booking = b.GetId()
		}
		return placetest.Out{}, err
	})
}

func (c *contender) move(p *place, to int) {
	in := p.in(placetest.Move)
	in.From, in.Slot = p.slot, to
	request := &schedulingv1.MoveBookingRequest{Id: p.hold, SlotId: c.groups[p.group][to], FromSlotId: c.groups[p.group][p.slot], RequestId: id.New()}
	out := c.ask(in, func(ctx context.Context, r replica) (placetest.Out, error) {
		_, err := r.calendar.MoveBooking(c.as(ctx, in.By, c.township, "TOWNSHIP_DOCTOR"), request)
		return placetest.Out{}, err
	})
	switch out.Outcome {
	case placetest.Done:
		p.slot = to
	case placetest.Unknown:
		// Whether it is here or there the next move finds out: that of a booking that is elsewhere is stale.
	case placetest.Stale:
		p.slot = to
	}
}

// block takes a slot out and gives it back.
func (c *contender) block(group int) {
	slot := c.random.IntN(groupSlots)
	in := placetest.In{Group: group, Verb: placetest.Block, Slots: 1 << slot, By: id.New()}
	slots, request := []string{c.groups[group][slot]}, id.New()
	out := c.ask(in, func(ctx context.Context, r replica) (placetest.Out, error) {
		b, err := r.calendar.BlockSlots(c.as(ctx, in.By, c.hospital, "BED_MANAGER"), &schedulingv1.BlockSlotsRequest{SlotIds: slots, ReasonCode: "BREAK", RequestId: request})
		return placetest.Out{Changed: int(b.GetChanged())}, err
	})
	if out.Outcome == placetest.Taken {
		return
	}
	in.Verb, request = placetest.Unblock, id.New()
	c.ask(in, func(ctx context.Context, r replica) (placetest.Out, error) {
		b, err := r.calendar.UnblockSlots(c.as(ctx, in.By, c.hospital, "BED_MANAGER"), &schedulingv1.UnblockSlotsRequest{SlotIds: slots, RequestId: request})
		return placetest.Out{Changed: int(b.GetChanged())}, err
	})
}

// free publishes that the referral is over, and waits until the fact says that the place is given back, or the fight is over.
func (c *contender) free(ctx context.Context, p *place) {
	c.mu.Lock()
	told := make(chan struct{})
	c.told[p.hold] = told
	c.mu.Unlock()
	fact := &referralv1.Cancelled{
		Meta:     &commonv1.FactMeta{FactId: id.New(), County: harness.County, AggregateId: p.referral, AggregateVersion: 0, OccurTime: timestamppb.Now()},
		Referral: &referralv1.ReferralFact{ReferralId: p.referral, HoldId: p.hold, BookingId: p.booking, PatientId: p.patient, State: referralv1.State_CANCELLED},
	}
	payload, err := proto.Marshal(fact)
	if err != nil {
		c.Errorf("write a fact: %v", err)
		return
	}
	_, err = c.bus.Publish(context.WithoutCancel(ctx), bus.Msg{Subject: "referral.v1." + harness.County + ".cancelled", ID: fact.GetMeta().GetFactId(),
		Type: string(fact.ProtoReflect().Descriptor().FullName()), Payload: payload})
	if err != nil {
		c.Errorf("publish a fact: %v", err)
		return
	}
	wait := time.NewTimer(2 * time.Second)
	defer wait.Stop()
	select {
	case <-told:
	case <-wait.C:
	case <-ctx.Done():
	}
}

// settle looks at all slots, and waits until the fact of the last booking came: all facts before it have come, too.
func (f *fire) settle(seed uint64) {
	f.Helper()
	c := &contender{fire: f, number: fireClients, random: rand.New(rand.NewPCG(seed, fireClients+1))}
	for group := range fireGroups {
		c.lookAround(group)
	}
	ctx, cancel := context.WithTimeout(f.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	hold := ""
	for ; ctx.Err() == nil; <-tick.C {
		if hold == "" {
			if p, out := c.take(c.random.IntN(fireGroups), c.random.IntN(groupSlots)); out.Outcome == placetest.Done {
				c.confirm(p)
				hold = p.hold
			}
			continue
		}
		f.mu.Lock()
		_, told := f.traces[hold+"confirmed"]
		f.mu.Unlock()
		if told {
			return
		}
	}
	f.Error("the fact of the last booking was not published")
}
