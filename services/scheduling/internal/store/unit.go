package store

import (
	"context"
	"fmt"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// unit implements app.Unit on one transaction.
type unit struct {
	tx     *sqldb.Tx
	cmd    app.Command
	loaded map[string]*domain.Hold
	order  []*domain.Hold // as loaded
	answer string
	// What the change leaves besides: audit entries of the calendar, changes of wards and beds with theirs, and sessions that were cancelled.
	notes     []sqldb.Stmt
	changes   []sqldb.Stmt
	cancelled []app.SessionView
	entries   []*domain.Entry
	changed   changedPlaces
}

func (u *unit) Now() time.Time { return u.tx.Now() }

func (u *unit) county() string { return u.cmd.Caller.County }

func (u *unit) request() sqldb.Request {
	r := u.cmd.Request
	return sqldb.Request{County: u.county(), Account: u.cmd.Caller.AccountID, Method: r.Method, ID: r.ID, BodyHash: r.BodyHash}
}

func (u *unit) Answered(ctx context.Context) (string, bool, error) {
	response, found, err := u.tx.FindRequest(ctx, u.request())
	return string(response), found, err
}

func (u *unit) Answer(holdID string) { u.answer = holdID }

func (u *unit) Hold(ctx context.Context, id string) (*domain.Hold, error) {
	return u.one(ctx, "hold", "id = $2", id)
}

func (u *unit) HoldOfBooking(ctx context.Context, bookingID string) (*domain.Hold, error) {
	return u.one(ctx, "booking", "booking_id = $2", bookingID)
}

// one loads one hold for writing. A hold has one instance in a unit.
func (u *unit) one(ctx context.Context, what, where string, arg any) (*domain.Hold, error) {
	d, err := scanHold(u.tx.QueryRow(ctx, "SELECT "+holdColumns("")+" FROM hold WHERE county_code = $1 AND "+where+u.tx.ForUpdate(),
		u.county(), arg))
	if sqldb.NoRows(err) {
		return nil, errs.NotFound(what)
	}
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", what, err)
	}
	return u.keep(d), nil
}

// Peek implements app.CalendarUnit.
func (u *unit) Peek(ctx context.Context, id string) (domain.HoldData, error) {
	d, err := scanHold(u.tx.QueryRow(ctx, "SELECT "+holdColumns("")+` FROM hold WHERE county_code = $1 AND (booking_id = $2 OR id = $2)
		ORDER BY CASE WHEN booking_id = $2 THEN 0 ELSE 1 END LIMIT 1`, u.county(), id))
	return d, loaded("booking", err)
}

// LockReferral implements app.CalendarUnit.
func (u *unit) LockReferral(ctx context.Context, referralID string) error {
	return u.lockRows(ctx, "hold", "referral_id = $2 AND state IN ('ATTACHED', 'UNSETTLED', 'LIVE')", referralID)
}

// lockRows locks rows of a table by id until the transaction ends, for an engine on which others write meanwhile.
func (u *unit) lockRows(ctx context.Context, table, where string, args ...any) error {
	if u.tx.Engine() != sqldb.Postgres {
		return nil
	}
	rows, err := u.tx.Query(ctx, "SELECT id FROM "+table+" WHERE county_code = $1 AND "+where+" ORDER BY id"+u.tx.ForUpdate(), append([]any{u.county()}, args...)...)
	if err != nil {
		return fmt.Errorf("lock rows of %s: %w", table, err)
	}
	_, err = collect(rows, scanText)
	return err
}

func (u *unit) keep(d domain.HoldData) *domain.Hold {
	if h, ok := u.loaded[d.ID]; ok {
		return h
	}
	return u.add(domain.RestoreHold(d))
}

func (u *unit) add(h *domain.Hold) *domain.Hold {
	u.loaded[h.Data().ID] = h
	u.order = append(u.order, h)
	return h
}

func (u *unit) AttachedTo(ctx context.Context, referralID string) ([]*domain.Hold, error) {
	rows, err := u.tx.Query(ctx, "SELECT "+holdColumns("")+` FROM hold WHERE county_code = $1 AND referral_id = $2 AND state = $3
		ORDER BY id`+u.tx.ForUpdate(), u.county(), referralID, string(domain.Attached))
	if err != nil {
		return nil, fmt.Errorf("load attached holds: %w", err)
	}
	found, err := collect(rows, func(r scanner) (domain.HoldData, error) { return scanHold(r) })
	if err != nil {
		return nil, fmt.Errorf("load attached holds: %w", err)
	}
	holds := make([]*domain.Hold, len(found))
	for i, d := range found {
		holds[i] = u.keep(d)
	}
	return holds, nil
}

// Slot shares the slot's row, so that nobody closes it or takes it back while somebody takes it.
func (u *unit) Slot(ctx context.Context, id string) (app.SlotView, error) {
	lock := ""
	if u.tx.Engine() == sqldb.Postgres {
		lock = " FOR SHARE OF sl"
	}
	s, err := scanSlot(u.tx.QueryRow(ctx, "SELECT "+slotColumns+slotTables+
		" WHERE sl.county_code = $1 AND s.county_code = sl.county_code AND s.id = sl.session_id AND sl.id = $3"+lock, u.county(), u.Now(), id))
	if sqldb.NoRows(err) {
		return s, errs.NotFound("slot")
	}
	if err != nil {
		return s, fmt.Errorf("load slot: %w", err)
	}
	return s, nil
}

func (u *unit) Held(ctx context.Context, accountID string) (n int, err error) {
	err = u.tx.QueryRow(ctx, "SELECT count(*) FROM hold WHERE county_code = $1 AND account_id = $2 AND state = 'HELD' AND expire_time > $3",
		u.county(), accountID, u.Now()).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count holds of the account: %w", err)
	}
	return n, nil
}

// Take locks the hold that has the place before the place itself, as every other change does, so that two changes do
// not wait for each other. The insert decides: of several takers one touches a row.
func (u *unit) Take(ctx context.Context, claim domain.Claim) (bool, error) {
	h, err := domain.NewHold(claim, u.Now())
	if err != nil {
		return false, err
	}
	place := claim.Place.ID()
	before, err := u.one(ctx, "hold", "id = (SELECT o.hold_id FROM occupancy o WHERE o.county_code = $1 AND o.place_id = $2)", place)
	if err != nil && errs.KindOf(err) != errs.KindNotFound {
		return false, err
	}
	ended := ""
	if before != nil {
		if before.Data().LiveAt(u.Now()) {
			return false, nil
		}
		before.Expire(u.Now())
		ended = before.Data().ID
	}
	d := h.Data()
	n, err := u.tx.Exec(ctx, `INSERT INTO occupancy (county_code, place_id, hold_id, until_time) VALUES ($1, $2, $3, $4)
		ON CONFLICT (county_code, place_id) DO UPDATE SET hold_id = excluded.hold_id, until_time = excluded.until_time
		WHERE occupancy.hold_id = $5`, d.County, place, d.ID, d.Until(), ended)
	if err != nil {
		return false, fmt.Errorf("occupy place: %w", err)
	}
	if n == 1 {
		u.add(h)
	}
	return n == 1, nil
}
