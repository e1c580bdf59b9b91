package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// LockSession implements app.CalendarUnit.
func (u *unit) LockSession(ctx context.Context, id string) (app.SessionView, error) {
	if _, err := locked(ctx, u, "session", "id", scanText)(id); err != nil {
		return app.SessionView{}, err
	}
	return oneSession(ctx, u.tx, u.county(), "s.id = $3", id)
}

// SessionsOf implements app.CalendarUnit.
func (u *unit) SessionsOf(ctx context.Context, templateID string) ([]app.SessionView, error) {
	rows, err := u.tx.Query(ctx, selectSession+"s.template_id = $3 AND s.start_time > $2"+groupSession+" ORDER BY s.start_time, s.id",
		u.county(), u.Now(), templateID)
	if err != nil {
		return nil, fmt.Errorf("list sessions of a template: %w", err)
	}
	return collect(rows, scanSession)
}

// RemoveSessions implements app.CalendarUnit. Whoever is about to take a slot holds a share of it, see Slot.
func (u *unit) RemoveSessions(ctx context.Context, ids []string) ([]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	for _, table := range [][2]string{{"session", "id"}, {"slot", "session_id"}} {
		frag, arg := u.tx.List(table[1], 2, ids)
		if err := u.lockRows(ctx, table[0], frag, arg); err != nil {
			return nil, err
		}
	}
	frag, arg := u.tx.List("sl.session_id", 3, ids)
	rows, err := u.tx.Query(ctx, `SELECT DISTINCT sl.session_id FROM slot sl LEFT JOIN occupancy o ON o.county_code = sl.county_code AND o.place_id = sl.id
		WHERE sl.county_code = $1 AND (sl.closed_by <> '' OR `+live+") AND "+frag+" ORDER BY sl.session_id", u.county(), u.Now(), arg)
	if err != nil {
		return nil, fmt.Errorf("look for taken slots: %w", err)
	}
	used, err := collect(rows, scanText)
	if err != nil {
		return nil, err
	}
	free := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return slices.Contains(used, id) })
	if err := u.noteSlots(ctx, "session_id", free); err != nil {
		return nil, err
	}
	for _, table := range [][2]string{{"slot", "session_id"}, {"session", "id"}} {
		frag, arg := u.tx.List(table[1], 2, free)
		if _, err := u.tx.Exec(ctx, "DELETE FROM "+table[0]+" WHERE county_code = $1 AND "+frag, u.county(), arg); err != nil {
			return nil, fmt.Errorf("take sessions back: %w", err)
		}
	}
	return used, nil
}

// LockPlaces implements app.CalendarUnit.
func (u *unit) LockPlaces(ctx context.Context, sessionID string, slotIDs []string) error {
	frag, arg := u.tx.List("id", 3, slotIDs)
	return u.lockRows(ctx, "slot", "(session_id = $2 OR "+frag+")", sessionID, arg)
}

// AddSessions implements app.CalendarUnit.
func (u *unit) AddSessions(ctx context.Context, sessions [][]domain.Slot) (made int, err error) {
	var stmts []sqldb.Stmt
	for _, session := range sessions {
		isNew, err := addSession(ctx, u.tx, u.county(), session[0].Session)
		if err != nil {
			return 0, fmt.Errorf("add session: %w", err)
		}
		if !isNew {
			continue
		}
		made++
		u.changed.in(u.county(), session[0].Session)
		for _, slot := range session {
			stmts = append(stmts, slotStmt(u.county(), slot))
		}
	}
	return made, u.tx.Batch(ctx, stmts...)
}

// Known implements app.CalendarUnit.
func (u *unit) Known(ctx context.Context, ids []string) (map[string]bool, error) {
	frag, arg := u.tx.List("id", 2, ids)
	rows, err := u.tx.Query(ctx, "SELECT id FROM session WHERE county_code = $1 AND "+frag, u.county(), arg)
	if err != nil {
		return nil, fmt.Errorf("look for sessions: %w", err)
	}
	found, err := collect(rows, scanText)
	out := map[string]bool{}
	for _, id := range found {
		out[id] = true
	}
	return out, err
}

// Substitute implements app.CalendarUnit.
func (u *unit) Substitute(ctx context.Context, s app.SessionView) error {
	return u.put(ctx, sqldb.Stmt{
		SQL: `UPDATE session SET practitioner_id = $4, practitioner_name = $5, location = $6, by_hand = $7, version = version + 1
			WHERE county_code = $1 AND id = $2 AND version = $3`,
		Args: []any{u.county(), s.ID, s.Version, s.PractitionerID, s.PractitionerName, s.Location, true}, Want: 1,
	})
}

// Cancel implements app.CalendarUnit. Whoever is about to take one of its slots was waited for: they are locked.
func (u *unit) Cancel(ctx context.Context, s app.SessionView) error {
	if _, err := u.tx.Exec(ctx, "UPDATE slot SET closed_by = 'CANCELLED' WHERE county_code = $1 AND session_id = $2", u.county(), s.ID); err != nil {
		return fmt.Errorf("close slots: %w", err)
	}
	u.changed.in(u.county(), s.Session)
	return u.put(ctx, sqldb.Stmt{
		SQL: `UPDATE session SET state = 'CANCELLED', reason_code = $4, note = $5, rebooking = $6, version = version + 1
			WHERE county_code = $1 AND id = $2 AND version = $3`,
		Args: []any{u.county(), s.ID, s.Version, s.ReasonCode, s.Note, true}, Want: 1,
	})
}

// RebookingDone implements app.CalendarUnit.
func (u *unit) RebookingDone(ctx context.Context, sessionID string) error {
	return u.put(ctx, sqldb.Stmt{SQL: "UPDATE session SET rebooking = $3 WHERE county_code = $1 AND id = $2", Args: []any{u.county(), sessionID, false}, Want: 1})
}

// HoldsIn implements app.CalendarUnit. State and slot are asked of the hold itself, too: of what it waited for PostgreSQL looks at the new row of the
// hold, but at the old one of its occupancy.
func (u *unit) HoldsIn(ctx context.Context, sessionID, after string, limit int) ([]*domain.Hold, error) {
	return u.holds(ctx, `JOIN occupancy o ON o.county_code = h.county_code AND o.hold_id = h.id
		JOIN slot sl ON sl.county_code = o.county_code AND sl.id = o.place_id
		WHERE h.county_code = $1 AND sl.session_id = $3 AND h.id > $4 AND h.displaced_time IS NULL AND `+live+` AND NOT `+notAwaited+`
		AND h.slot_id = sl.id AND h.state IN ('HELD', 'ATTACHED', 'UNSETTLED', 'LIVE')
		ORDER BY h.id LIMIT $5`,
		u.county(), u.Now(), sessionID, after, limit)
}

// holds loads holds for writing.
func (u *unit) holds(ctx context.Context, rest string, args ...any) ([]*domain.Hold, error) {
	lock := ""
	if u.tx.Engine() == sqldb.Postgres {
		lock = " FOR UPDATE OF h"
	}
	rows, err := u.tx.Query(ctx, "SELECT "+holdColumns("h.")+" FROM hold h "+rest+lock, args...)
	if err != nil {
		return nil, fmt.Errorf("load holds: %w", err)
	}
	found, err := collect(rows, func(r scanner) (domain.HoldData, error) { return scanHold(r) })
	if err != nil {
		return nil, fmt.Errorf("load holds: %w", err)
	}
	holds := make([]*domain.Hold, len(found))
	for i, d := range found {
		holds[i] = u.keep(d)
	}
	return holds, nil
}

// FreeLike implements app.CalendarUnit.
func (u *unit) FreeLike(ctx context.Context, s app.SessionView, q app.Like) ([]domain.Slot, error) {
	t := ofSlots(u.county(), u.Now())
	t.where = append(t.where, "sl.start_time > $2")
	t.add("sl.organization_id = %s AND sl.department_code = %s", s.OrganizationID, s.DepartmentCode)
	t.add("sl.start_time >= %s AND sl.start_time < %s", q.After.UTC(), q.Before.UTC())
	t.ofSession("kind", s.Kind)
	t.add("coalesce(e.modality, '') = %s", s.Equipment.Modality)
	t.may(q.Bounds)
	best := "2"
	if s.PractitionerID == "" {
		t.add("s.grade = %s", s.Grade)
	} else {
		same := "s.practitioner_id = " + t.arg(s.PractitionerID)
		t.add("(s.grade = %s OR "+same+")", s.Grade)
		best = "CASE WHEN " + same + " THEN 1 ELSE 2 END"
	}
	rows, err := u.tx.Query(ctx, "SELECT "+slotColumns+slotTables+t.String()+" ORDER BY "+best+", sl.start_time, sl.id LIMIT "+t.arg(q.Limit), t.args...)
	if err != nil {
		return nil, fmt.Errorf("look for free slots: %w", err)
	}
	return collect(rows, func(r scanner) (domain.Slot, error) {
		v, err := scanSlot(r)
		return v.Slot, err
	})
}

// SessionOfSlot implements app.CalendarUnit.
func (u *unit) SessionOfSlot(ctx context.Context, slotID string) (app.SessionView, domain.Slot, error) {
	uses, err := usesOf(ctx, u.tx, u.county(), "sl.id = $3", slotID)
	if err != nil {
		return app.SessionView{}, domain.Slot{}, fmt.Errorf("load slot: %w", err)
	}
	if len(uses) == 0 {
		return app.SessionView{}, domain.Slot{}, errs.NotFound("slot")
	}
	s, err := oneSession(ctx, u.tx, u.county(), "s.id = $3", uses[0].Slot.Session.ID)
	return s, uses[0].Slot, err
}

// shareSlot keeps a slot from being closed or taken back until the transaction ends, and answers what has closed it.
func (u *unit) shareSlot(ctx context.Context, slotID string) (closedBy string, err error) {
	lock := ""
	if u.tx.Engine() == sqldb.Postgres {
		lock = " FOR SHARE"
	}
	err = u.tx.QueryRow(ctx, "SELECT closed_by FROM slot WHERE county_code = $1 AND id = $2"+lock, u.county(), slotID).Scan(&closedBy)
	if sqldb.NoRows(err) {
		return "", errs.NotFound("slot")
	}
	if err != nil {
		return "", fmt.Errorf("lock slot: %w", err)
	}
	return closedBy, nil
}
