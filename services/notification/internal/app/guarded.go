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

// guarded lets a peer rest that does not answer: what needs it is put off at once, and nobody waits for the answer in turn. Names it leaves alone: they are
// kept, and Outside does so itself.
type guarded struct {
	Outside
	contacts, bookings, slips *breaker
}

func guard(o Outside, clk clock.Clock) *guarded {
	peer := func() *breaker { return &breaker{clk: clk, trip: peerTrip, rest: peerRest} }
	return &guarded{Outside: o, contacts: peer(), bookings: peer(), slips: peer()}
}

// Contact implements Outside.
func (g *guarded) Contact(ctx context.Context, county, patientID, referralID string) (phone, reason string, err error) {
	err = ask(g.contacts, "patient-record", func() (err error) {
		phone, reason, err = g.Outside.Contact(ctx, county, patientID, referralID)
		return err
	})
	return phone, reason, err
}

// Booking implements Outside.
func (g *guarded) Booking(ctx context.Context, county, bookingID string) (p Place, err error) {
	err = ask(g.bookings, "scheduling", func() (err error) {
		p, err = g.Outside.Booking(ctx, county, bookingID)
		return err
	})
	return p, err
}

// SlipKey implements Outside.
func (g *guarded) SlipKey(ctx context.Context, county, referralID string) (number, key string, err error) {
	err = ask(g.slips, "referral", func() (err error) {
		number, key, err = g.Outside.SlipKey(ctx, county, referralID)
		return err
	})
	return number, key, err
}

func ask(b *breaker, peer string, call func() error) error {
	leave, _ := b.enter(0)
	if leave == nil {
		return errs.Unavailable(peer, nil)
	}
	err := call()
	v := works
	switch errs.KindOf(err) {
	case errs.KindUnavailable, errs.KindLimited, errs.KindInternal:
		v = fails // any other answer is about the one message
	}
	leave(v, "")
	return err
}
