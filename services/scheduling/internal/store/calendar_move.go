package store

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// Move implements app.CalendarUnit. As in Take the insert decides; the hold has its old place until it has the new one, under a name of its own, as
// a hold is in one place only.
func (u *unit) Move(ctx context.Context, h *domain.Hold, to domain.Slot, reason string) (bool, error) {
	closedBy, err := u.shareSlot(ctx, to.ID)
	if errs.KindOf(err) == errs.KindNotFound || err == nil && closedBy != "" {
		return false, nil
	}
	if err != nil {
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
	if err := u.lockSlots(ctx, "id", ids); err != nil {
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
	frag, arg := u.tx.List("id", 3, ids)
	if _, err := u.tx.Exec(ctx, "UPDATE slot SET closed_by = $2 WHERE county_code = $1 AND "+frag, u.county(), reason, arg); err != nil {
		return fmt.Errorf("close slots: %w", err)
	}
	return nil
}

// Spread implements app.CalendarUnit.
func (u *unit) Spread(ctx context.Context, organizationID, department, first, last string) error {
	return spread(ctx, u.tx, app.Department{County: u.county(), OrganizationID: organizationID, Code: department}, first, last)
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

// spread lays the reserve over a department's days.
func spread(ctx context.Context, tx *sqldb.Tx, d app.Department, first, last string) error {
	policy, err := policyFor(ctx, tx, d.County, d.OrganizationID)
	if err != nil {
		return err
	}
	rows, err := tx.Query(ctx, `SELECT sl.id, s.id, s.grade, sl.start_time, sl.pool, s.local_date,
		CASE WHEN sl.closed_by <> '' OR sl.start_time <= $2 OR `+live+` THEN 1 ELSE 0 END
		FROM session s JOIN slot sl ON sl.county_code = s.county_code AND sl.session_id = s.id
		LEFT JOIN occupancy o ON o.county_code = sl.county_code AND o.place_id = sl.id
		WHERE s.county_code = $1 AND s.organization_id = $3 AND s.department_code = $4 AND s.state = 'OPEN' AND s.local_date >= $5
		AND ($6 = '' OR s.local_date < $6) ORDER BY s.local_date, sl.id`, d.County, tx.Now(), d.OrganizationID, d.Code, first, last)
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
	return setPools(ctx, tx, d.County, pools)
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
