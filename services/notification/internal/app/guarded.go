package app

import (
	"context"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

const (
	peerTrip = 3
	peerRest = 10 * time.Second
)

// guarded lets a peer rest that does not answer: what needs it is put off at once, and nobody waits for the answer in turn. Each call has a time of its own;
// a peer that had less of it, since what was asked before took the rest, has not failed. Names it leaves alone: they are kept, and Outside does so itself.
type guarded struct {
	Outside
	patience                  time.Duration
	contacts, bookings, slips *breaker
}

func guard(o Outside, clk clock.Clock, patience time.Duration) *guarded {
	peer := func() *breaker { return &breaker{clk: clk, trip: peerTrip, rest: peerRest} }
	return &guarded{Outside: o, patience: patience, contacts: peer(), bookings: peer(), slips: peer()}
}

// Contact implements Outside.
func (g *guarded) Contact(ctx context.Context, county, patientID, referralID string) (phone, reason string, err error) {
	err = g.ask(ctx, g.contacts, "patient-record", func(ctx context.Context) (err error) {
		phone, reason, err = g.Outside.Contact(ctx, county, patientID, referralID)
		return err
	})
	return phone, reason, err
}

// Booking implements Outside.
func (g *guarded) Booking(ctx context.Context, county, bookingID string) (p Place, err error) {
	err = g.ask(ctx, g.bookings, "scheduling", func(ctx context.Context) (err error) {
		p, err = g.Outside.Booking(ctx, county, bookingID)
		return err
	})
	return p, err
}

// SlipKey implements Outside.
func (g *guarded) SlipKey(ctx context.Context, county, referralID string) (number, key string, err error) {
	err = g.ask(ctx, g.slips, "referral", func(ctx context.Context) (err error) {
		number, key, err = g.Outside.SlipKey(ctx, county, referralID)
		return err
	})
	return number, key, err
}

func (g *guarded) ask(ctx context.Context, b *breaker, peer string, call func(context.Context) error) error {
	leave, _ := b.enter(0)
	if leave == nil {
		return errs.Unavailable(peer, nil)
	}
	mine, stop := context.WithTimeout(ctx, g.patience)
	defer stop()
	err := call(mine)
	v := works
	switch errs.KindOf(err) {
	case errs.KindUnavailable, errs.KindLimited, errs.KindInternal:
		v = fails // any other answer is about the one message
		if ctx.Err() != nil {
			v = silent // it was not given its time
		}
	}
	leave(v, "")
	return err
}
