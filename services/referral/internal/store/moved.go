package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// moveConsumer is the name under which facts about moved bookings are noted in the inbox.
const moveConsumer = "referral-moved"

var _ app.Moves = (*Store)(nil)

// TakeMove implements [app.Moves].
func (s *Store) TakeMove(ctx context.Context, m app.BookingMove, decide func(app.Unit) error) error {
	var u *unit
	err := s.DB.Update(ctx, func(tx *sqldb.Tx) error {
		already, err := outbox.Seen(ctx, tx, moveConsumer, m.FactID)
		if already || err != nil {
			return err
		}
		newer, err := tx.Exec(ctx, `INSERT INTO booking_move (county_code, hold_id, version, booking_id, from_time, to_time) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (county_code, hold_id) DO UPDATE SET version = excluded.version, booking_id = excluded.booking_id,
			from_time = excluded.from_time, to_time = excluded.to_time WHERE booking_move.version < excluded.version`,
			m.County, m.HoldID, m.Version, m.BookingID, m.Expected.From, sql.NullTime{Time: m.Expected.To, Valid: !m.Expected.To.IsZero()})
		if err != nil {
			return fmt.Errorf("note where hold %s was moved: %w", m.HoldID, err)
		}
		if newer == 0 {
			return nil
		}
		u = &unit{s: s, tx: tx, cmd: app.Command{Caller: authn.Identity{Subject: app.Self, County: m.County}}}
		if err := decide(u); err != nil {
			return err
		}
		return u.write(ctx)
	})
	var lost *sqldb.ConditionError
	if errors.As(err, &lost) {
		return u.lost(ctx, lost.Index)
	}
	return err
}

// MovedTo implements [app.MoveUnit].
func (u *unit) MovedTo(ctx context.Context, holdID, bookingID string) (w domain.Window, moved bool, err error) {
	var to sql.NullTime
	err = u.tx.QueryRow(ctx, "SELECT from_time, to_time FROM booking_move WHERE county_code = $1 AND hold_id = $2 AND booking_id = $3",
		u.cmd.Caller.County, holdID, bookingID).Scan(&w.From, &to)
	if sqldb.NoRows(err) {
		return domain.Window{}, false, nil
	}
	if err != nil {
		return domain.Window{}, false, fmt.Errorf("look where hold %s was moved: %w", holdID, err)
	}
	return domain.Window{From: w.From.UTC(), To: to.Time.UTC()}, true, nil
}
