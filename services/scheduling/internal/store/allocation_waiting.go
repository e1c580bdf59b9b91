package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// WaitingTimes implements app.AllocationStore.
func (s *Store) WaitingTimes(ctx context.Context, d app.Department) (out []domain.WaitingTime, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT county_code, organization_id, department_code, kind, modality, next_start, third_start, free, waiting, compute_time
			FROM waiting_time WHERE county_code = $1 AND ($2 = '' OR organization_id = $2) AND ($3 = '' OR department_code = $3)
			ORDER BY organization_id, department_code, kind, modality`, d.County, d.OrganizationID, d.Code)
		if err != nil {
			return err
		}
		out, err = collect(rows, func(r scanner) (w domain.WaitingTime, err error) {
			var next, third sql.NullTime
			err = r.Scan(&w.County, &w.OrganizationID, &w.DepartmentCode, &w.Kind, &w.Modality, &next, &third, &w.Free, &w.Waiting, &w.ComputeTime)
			w.NextStart, w.ThirdStart = next.Time, third.Time
			return w, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list waiting times: %w", err)
	}
	return out, nil
}

type waitingKey struct{ kind, modality string }

// ComputeWaiting takes off the changes that were known before it read: one that is committed meanwhile keeps its row, and the department its turn.
func (u *unit) ComputeWaiting(ctx context.Context, d app.Department, b app.WaitingBounds, changes []string) error {
	times := map[waitingKey]*domain.WaitingTime{}
	at := func(k waitingKey) *domain.WaitingTime {
		if times[k] == nil {
			times[k] = &domain.WaitingTime{Kind: k.kind, Modality: k.modality}
		}
		return times[k]
	}
	for _, read := range []func(context.Context, app.Department, app.WaitingBounds, func(waitingKey) *domain.WaitingTime) error{
		u.waitingKinds, u.waitingSlots, u.waitingBeds, u.waitingEntries,
	} {
		if err := read(ctx, d, b, at); err != nil {
			return fmt.Errorf("compute waiting times: %w", err)
		}
	}
	if len(changes) > 0 {
		list, arg := u.tx.List("id", 2, changes)
		if _, err := u.tx.Exec(ctx, "DELETE FROM capacity_change WHERE county_code = $1 AND "+list, d.County, arg); err != nil {
			return fmt.Errorf("take changes off: %w", err)
		}
	}
	const upsert = `INSERT INTO waiting_time (county_code, organization_id, department_code, kind, modality, next_start, third_start, free, waiting, compute_time)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (county_code, organization_id, department_code, kind, modality) DO UPDATE SET
		next_start = excluded.next_start, third_start = excluded.third_start, free = excluded.free, waiting = excluded.waiting,
		compute_time = excluded.compute_time`
	for k, w := range times {
		u.changes = append(u.changes, sqldb.Stmt{SQL: upsert, Args: []any{d.County, d.OrganizationID, d.Code, k.kind, k.modality, instant(w.NextStart),
			instant(w.ThirdStart), w.Free, w.Waiting, u.Now()}, Want: 1})
	}
	// Kinds that are not there any more.
	u.changes = append(u.changes, sqldb.Stmt{
		SQL:  "DELETE FROM waiting_time WHERE county_code = $1 AND organization_id = $2 AND department_code = $3 AND compute_time < $4",
		Args: []any{d.County, d.OrganizationID, d.Code, u.Now()}, Want: -1,
	})
	return nil
}

// waitingKinds are the kinds of places that the department has.
func (u *unit) waitingKinds(ctx context.Context, d app.Department, _ app.WaitingBounds, at func(waitingKey) *domain.WaitingTime) error {
	rows, err := u.tx.Query(ctx, `SELECT DISTINCT s.kind, coalesce(e.modality, '') FROM session s
		LEFT JOIN equipment e ON e.county_code = s.county_code AND e.id = s.equipment_id AND s.equipment_id <> ''
		WHERE s.county_code = $1 AND s.organization_id = $2 AND s.department_code = $3 AND s.start_time > $4 AND s.state = 'OPEN'`,
		d.County, d.OrganizationID, d.Code, u.Now())
	if err != nil {
		return err
	}
	_, err = collect(rows, func(r scanner) (k waitingKey, err error) {
		if err = r.Scan(&k.kind, &k.modality); err == nil {
			at(k)
		}
		return k, err
	})
	return err
}

// waitingSlots reads the next and the third free slot of each kind, and how many are free until the bound.
func (u *unit) waitingSlots(ctx context.Context, d app.Department, b app.WaitingBounds, at func(waitingKey) *domain.WaitingTime) error {
	t := ofSlots(d.County, u.Now())
	t.where = append(t.where, "sl.start_time > $2")
	t.add("sl.organization_id = %s AND sl.department_code = %s", d.OrganizationID, d.Code)
	t.may(b.Bounds)
	until := t.arg(b.Until.UTC())
	rows, err := u.tx.Query(ctx, `SELECT kind, modality, start_time, nth, free FROM (SELECT s.kind AS kind, coalesce(e.modality, '') AS modality,
		sl.start_time AS start_time, row_number() OVER (PARTITION BY s.kind, coalesce(e.modality, '') ORDER BY sl.start_time, sl.id) AS nth,
		sum(CASE WHEN sl.start_time < `+until+` THEN 1 ELSE 0 END) OVER (PARTITION BY s.kind, coalesce(e.modality, '')) AS free`+
		slotTables+t.String()+") ranked WHERE nth IN (1, 3)", t.args...)
	if err != nil {
		return err
	}
	_, err = collect(rows, func(r scanner) (none struct{}, err error) {
		var k waitingKey
		var start sql.NullTime
		var nth, free int
		if err := r.Scan(&k.kind, &k.modality, &start, &nth, &free); err != nil {
			return none, err
		}
		w := at(k)
		w.Free = free
		if nth == 1 {
			w.NextStart = start.Time
		} else {
			w.ThirdStart = start.Time
		}
		return none, nil
	})
	return err
}

func (u *unit) waitingBeds(ctx context.Context, d app.Department, _ app.WaitingBounds, at func(waitingKey) *domain.WaitingTime) error {
	var total, free int
	err := u.tx.QueryRow(ctx, `SELECT count(*), coalesce(sum(CASE WHEN `+nobodyHas+` AND b.out_reason = '' AND (b.cleaning_until IS NULL OR b.cleaning_until <= $2)
		THEN 1 ELSE 0 END), 0) FROM bed b LEFT JOIN occupancy o ON o.county_code = b.county_code AND o.place_id = b.id
		WHERE b.county_code = $1 AND b.organization_id = $3 AND b.department_code = $4`, d.County, u.Now(), d.OrganizationID, d.Code).Scan(&total, &free)
	if err == nil && total > 0 {
		at(waitingKey{kind: domain.KindBed}).Free = free
	}
	return err
}

func (u *unit) waitingEntries(ctx context.Context, d app.Department, _ app.WaitingBounds, at func(waitingKey) *domain.WaitingTime) error {
	rows, err := u.tx.Query(ctx, `SELECT kind, modality, count(*) FROM waitlist_entry WHERE county_code = $1 AND organization_id = $2 AND department_code = $3
		AND state IN ('WAITING', 'OFFERED') AND state = 'WAITING' GROUP BY kind, modality`, d.County, d.OrganizationID, d.Code)
	if err != nil {
		return err
	}
	_, err = collect(rows, func(r scanner) (k waitingKey, err error) {
		var n int
		if err = r.Scan(&k.kind, &k.modality, &n); err == nil {
			at(k).Waiting = n
		}
		return k, err
	})
	return err
}
