package app

import (
	"context"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// BookingMove is that scheduling gave a booking, or a hold that is tied to a referral, another place or another practitioner.
type BookingMove struct {
	County, FactID, ReferralID string
	// Version is that of the hold: the newest counts, in whatever order the facts come.
	Version int32
	domain.Moving
}

// Moves keeps where holds were moved.
type Moves interface {
	// TakeMove notes the move and runs decide in the same transaction, once for a fact; an older version than the last does nothing.
	TakeMove(ctx context.Context, m BookingMove, decide func(Unit) error) error
}

// MoveUnit is what a transaction knows of moves. It is part of [Unit].
type MoveUnit interface {
	// MovedTo is where a booking is that was moved; false if it was not.
	MovedTo(ctx context.Context, holdID, bookingID string) (domain.Window, bool, error)
}

// BookingMoved lets the referral follow its booking. One that does not name it, or not any more, stays as it is; one that will name it reads the move
// when it is accepted.
func (s *Service) BookingMoved(ctx context.Context, m BookingMove) error {
	cal, err := s.Calendars.Calendar(ctx, m.County)
	if err != nil {
		return err
	}
	return s.Moves.TakeMove(ctx, m, func(u Unit) error {
		r, err := u.Referral(ctx, m.ReferralID)
		if errs.KindOf(err) == errs.KindNotFound {
			return nil
		}
		if err != nil {
			return err
		}
		moving := m.Moving
		moving.At = u.Now()
		if r.Moved(moving, cal) {
			u.Save(r)
		}
		return nil
	})
}
