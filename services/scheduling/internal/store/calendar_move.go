package store

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// Move implements app.CalendarUnit. As in Take the insert decides; the hold has its old place until it has the new one, under a name of its own, as
// a hold is in one place only. Who has the place is looked at without a lock: only one whose time is over is written.
func (u *unit) Move(ctx context.Context, h *domain.Hold, to domain.Slot, reason string) (bool, error) {
	closedBy, err := u.shareSlot(ctx, to.ID)
	if errs.KindOf(err) == errs.KindNotFound || err == nil && closedBy != "" {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var busy bool
	err = u.tx.QueryRow(ctx, "SELECT count(*) > 0 FROM occupancy o WHERE o.county_code = $1 AND o.place_id = $3 AND "+live, u.county(), u.Now(), to.ID).Scan(&busy)
	if err != nil || busy {
		return false, err
	}
	before, err := u.one(ctx, "hold", "id = (SELECT o.hold_id FROM occupancy o WHERE o.county_code = $1 AND o.place_id = $2)", to.ID)
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
	from, d := h.Data().Place.ID(), h.Data()
	n, err := u.tx.Exec(ctx, `INSERT INTO occupancy (county_code, place_id, hold_id, until_time) VALUES ($1, $2, $3, NULL)
		ON CONFLICT (county_code, place_id) DO UPDATE SET hold_id = excluded.hold_id, until_time = excluded.until_time
		WHERE occupancy.hold_id = $4`, d.County, to.ID, "moving "+d.ID, ended)
	if err != nil {
		return false, fmt.Errorf("occupy place: %w", err)
	}
	if n != 1 {
		return false, nil
	}
	if err := h.Move(to.Place(), reason, u.Now()); err != nil {
		return false, err
	}
	err = u.tx.Batch(ctx,
		sqldb.Stmt{SQL: "DELETE FROM occupancy WHERE county_code = $1 AND place_id = $2 AND hold_id = $3", Args: []any{d.County, from, d.ID}, Want: 1},
		sqldb.Stmt{SQL: "UPDATE occupancy SET hold_id = $3 WHERE county_code = $1 AND place_id = $2", Args: []any{d.County, to.ID, d.ID}, Want: 1})
	if err != nil {
		return false, fmt.Errorf("move: %w", err)
	}
	return true, nil
}

// Rebooked implements app.CalendarUnit.
func (u *unit) Rebooked(ctx context.Context, sessionID string, r app.Rebooked) error {
	_, err := u.tx.Exec(ctx, `INSERT INTO session_move (county_code, session_id, hold_id, booking_id, referral_id, slot_id, outcome)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (county_code, session_id, hold_id) DO UPDATE SET slot_id = excluded.slot_id,
		outcome = excluded.outcome`, u.county(), sessionID, r.HoldID, r.BookingID, r.ReferralID, r.SlotID, r.Outcome)
	if err != nil {
		return fmt.Errorf("note what became of a hold: %w", err)
	}
	return nil
}

// LockSlots implements app.CalendarUnit.
func (u *unit) LockSlots(ctx context.Context, ids []string) ([]app.SlotUse, error) {
	if err := u.LockPlaces(ctx, "", ids); err != nil {
		return nil, err
	}
	frag, arg := u.tx.List("sl.id", 3, ids)
	uses, err := usesOf(ctx, u.tx, u.county(), frag+" ORDER BY sl.id", arg)
	if err != nil {
		return nil, fmt.Errorf("load slots: %w", err)
	}
	return uses, nil
}

// Close implements app.CalendarUnit.
func (u *unit) Close(ctx context.Context, ids []string, reason string) error {
	if err := u.noteSlots(ctx, "id", ids); err != nil {
		return err
	}
	frag, arg := u.tx.List("id", 3, ids)
	if _, err := u.tx.Exec(ctx, "UPDATE slot SET closed_by = $2 WHERE county_code = $1 AND "+frag, u.county(), reason, arg); err != nil {
		return fmt.Errorf("close slots: %w", err)
	}
	return nil
}

// SpreadLater implements app.CalendarUnit.
func (u *unit) SpreadLater(ctx context.Context, sessions []domain.Session) (map[app.Department]bool, error) {
	return noteSpread(ctx, u.tx, u.county(), sessions)
}

func noteSpread(ctx context.Context, tx *sqldb.Tx, county string, sessions []domain.Session) (map[app.Department]bool, error) {
	changed, out := newDays(), map[app.Department]bool{}
	for _, s := range sessions {
		changed.add(s)
	}
	var stmts []sqldb.Stmt
	for d, first := range changed.first {
		stmts = append(stmts, sqldb.Stmt{
			SQL:  "INSERT INTO spread_due (county_code, id, organization_id, department_code, first_day, last_day) VALUES ($1, $2, $3, $4, $5, $6)",
			Args: []any{county, id.New(), d.OrganizationID, d.Code, first, changed.last[d]}, Want: 1,
		})
		out[app.Department{County: county, OrganizationID: d.OrganizationID, Code: d.Code}] = true
	}
	return out, tx.Batch(ctx, stmts...)
}

// Spread implements app.CalendarUnit. What is noted after its rows were read stays noted.
func (u *unit) Spread(ctx context.Context, organizationID, department, today string) error {
	rows, err := u.tx.Query(ctx, `SELECT id, first_day, last_day FROM spread_due WHERE county_code = $1 AND organization_id = $2 AND department_code = $3
		ORDER BY id`+u.tx.ForUpdate(), u.county(), organizationID, department)
	if err != nil {
		return fmt.Errorf("read where the reserve is to be spread: %w", err)
	}
	const never = "~" // after every day, for whatever text a day is
	first, last, all := never, "", false
	ids, err := collect(rows, func(r scanner) (row string, err error) {
		var from, to string
		err = r.Scan(&row, &from, &to)
		first, last, all = min(first, from), max(last, to), all || to == ""
		return row, err
	})
	if err != nil || len(ids) == 0 {
		return err
	}
	if last += never; all {
		last = ""
	}
	d := app.Department{County: u.county(), OrganizationID: organizationID, Code: department}
	u.changed[d] = true
	if err := spread(ctx, u.tx, d, max(first, today), last); err != nil {
		return err
	}
	for part := range slices.Chunk(ids, 500) {
		frag, arg := u.tx.List("id", 2, part)
		if _, err := u.tx.Exec(ctx, "DELETE FROM spread_due WHERE county_code = $1 AND "+frag, u.county(), arg); err != nil {
			return fmt.Errorf("forget where the reserve is to be spread: %w", err)
		}
	}
	return nil
}

// days are departments' days whose sessions changed.
type days struct{ first, last map[app.Department]string }

func newDays() days { return days{map[app.Department]string{}, map[app.Department]string{}} }

func (d days) add(s domain.Session) {
	key := app.Department{OrganizationID: s.OrganizationID, Code: s.DepartmentCode}
	if first, ok := d.first[key]; !ok || s.Day < first {
		d.first[key] = s.Day
	}
	d.last[key] = max(d.last[key], s.Day)
}

func (d days) spread(ctx context.Context, tx *sqldb.Tx, county string) error {
	keys := slices.SortedFunc(maps.Keys(d.first), func(a, b app.Department) int {
		return slices.Compare([]string{a.OrganizationID, a.Code}, []string{b.OrganizationID, b.Code})
	})
	for _, k := range keys {
		// The day after the last, for whatever text a day is.
		if err := spread(ctx, tx, app.Department{County: county, OrganizationID: k.OrganizationID, Code: k.Code}, d.first[k], d.last[k]+"~"); err != nil {
			return err
		}
	}
	return nil
}

// daySlot is a slot of a day.
type daySlot struct {
	domain.ReserveSlot
	day string
}

// spread lays the reserve over a department's days, whose slots it locks: who takes one is waited for, so that it keeps its pool.
func spread(ctx context.Context, tx *sqldb.Tx, d app.Department, first, last string) error {
	policy, err := policyFor(ctx, tx, d.County, d.OrganizationID)
	if err != nil {
		return err
	}
	const days = `s.county_code = $1 AND s.organization_id = $2 AND s.department_code = $3 AND s.state = 'OPEN' AND s.local_date >= $4
		AND ($5 = '' OR s.local_date < $5)`
	args := []any{d.County, d.OrganizationID, d.Code, first, last}
	if tx.Engine() == sqldb.Postgres {
		locked, err := tx.Query(ctx, "SELECT sl.id FROM session s JOIN slot sl ON sl.county_code = s.county_code AND sl.session_id = s.id WHERE "+days+
			" ORDER BY sl.id FOR UPDATE OF sl", args...)
		if err == nil {
			_, err = collect(locked, scanText)
		}
		if err != nil {
			return fmt.Errorf("lock slots of days: %w", err)
		}
	}
	rows, err := tx.Query(ctx, `SELECT sl.id, s.id, s.grade, sl.start_time, sl.pool, s.local_date,
		CASE WHEN sl.closed_by <> '' OR sl.start_time <= $6 OR o.hold_id IS NOT NULL AND (o.until_time IS NULL OR o.until_time > $6) THEN 1 ELSE 0 END
		FROM session s JOIN slot sl ON sl.county_code = s.county_code AND sl.session_id = s.id
		LEFT JOIN occupancy o ON o.county_code = sl.county_code AND o.place_id = sl.id
		WHERE `+days+` ORDER BY s.local_date, sl.id`, append(args, tx.Now())...)
	if err != nil {
		return fmt.Errorf("load slots of days: %w", err)
	}
	slots, err := collect(rows, func(r scanner) (s daySlot, err error) {
		err = r.Scan(&s.ID, &s.SessionID, &s.Grade, &s.Start, &s.Pool, &s.day, &s.Fixed)
		return s, err
	})
	if err != nil {
		return fmt.Errorf("load slots of days: %w", err)
	}
	return setPools(ctx, tx, d.County, poolsOf(policy.Policy, slots))
}

// poolsOf are the slots whose pool is to change, by it. The slots are in order of their days.
func poolsOf(policy domain.Policy, slots []daySlot) map[string][]string {
	pools := map[string][]string{}
	for len(slots) > 0 {
		n := slices.IndexFunc(slots, func(s daySlot) bool { return s.day != slots[0].day })
		if n < 0 {
			n = len(slots)
		}
		day := make([]domain.ReserveSlot, n)
		for i, s := range slots[:n] {
			day[i] = s.ReserveSlot
		}
		for id, pool := range policy.Spread(day) {
			pools[pool] = append(pools[pool], id)
		}
		slots = slots[n:]
	}
	return pools
}

func setPools(ctx context.Context, tx *sqldb.Tx, county string, pools map[string][]string) error {
	for _, pool := range []string{domain.Common, domain.Reserved} {
		slices.Sort(pools[pool])
		for part := range slices.Chunk(pools[pool], 500) {
			frag, arg := tx.List("id", 3, part)
			if _, err := tx.Exec(ctx, "UPDATE slot SET pool = $2 WHERE county_code = $1 AND "+frag, county, pool, arg); err != nil {
				return fmt.Errorf("spread the reserve: %w", err)
			}
		}
	}
	return nil
}
