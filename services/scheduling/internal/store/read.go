package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// slotColumns are the columns of scanSlot, of slotTables; they need the instant as $2.
const slotColumns = `sl.id, sl.start_time, sl.end_time, sl.pool, sl.closed_by,
	CASE WHEN ` + nobodyHas + ` THEN 1 ELSE 0 END, s.id, s.organization_id, s.department_code, s.kind, s.practitioner_id, s.practitioner_name,
	s.location, s.start_time, s.end_time, s.slot_minutes, s.grade, s.equipment_id, s.template_id, s.state,
	coalesce(e.name, ''), coalesce(e.modality, ''), coalesce(e.preparation, ''), coalesce(e.preparation_english, '')`

// slotTables walks the slots, and looks who has one before anything else: most that are near are taken. CROSS JOIN keeps SQLite to this order; to
// PostgreSQL it is a JOIN. ofSlots has its condition.
const slotTables = " FROM " + slotJoins

const slotJoins = `slot sl LEFT JOIN occupancy o ON o.county_code = sl.county_code AND o.place_id = sl.id
	CROSS JOIN session s LEFT JOIN equipment e ON e.county_code = s.county_code AND e.id = s.equipment_id AND s.equipment_id <> ''`

// slotIsFree says the same as nobodyHas in a way whose outcome PostgreSQL guesses right: with the other it expects one row, and reads all of occupancy.
const slotIsFree = `NOT EXISTS (SELECT 1 FROM occupancy t WHERE t.county_code = sl.county_code AND t.place_id = sl.id
	AND (t.until_time IS NULL OR t.until_time > $2))`

// nobodyHas is true for a place whose occupancy o is over at $2, or is none.
const nobodyHas = "(o.hold_id IS NULL OR o.until_time <= $2)"

func scanSlot(row scanner) (s app.SlotView, err error) {
	var free int
	d := &s.Device
	err = row.Scan(&s.ID, &s.Start, &s.End, &s.Pool, &s.ClosedBy, &free, &s.Session.ID, &s.Session.OrganizationID, &s.Session.DepartmentCode,
		&s.Session.Kind, &s.Session.PractitionerID, &s.Session.PractitionerName, &s.Session.Location, &s.Session.Start, &s.Session.End,
		&s.Session.SlotMinutes, &s.Session.Grade, &s.Session.EquipmentID, &s.Session.TemplateID, &s.SessionState,
		&d.Name, &d.Modality, &d.Preparation, &d.PreparationEnglish)
	s.Free = free == 1
	return s, err
}

// terms are the conditions of a query and their arguments.
type terms struct {
	where []string
	args  []any
	// session has conditions on the session of a slot, as its columns. They are asked of the slots that are left by the others: as terms about the
	// joined s, SQLite with statistics reads every session first, for a filter that pays only when thousands of slots follow.
	session []string
}

// add puts a condition with a %s for each value.
func (t *terms) add(format string, values ...any) {
	numbers := make([]any, len(values))
	for i, v := range values {
		numbers[i] = t.arg(v)
	}
	t.where = append(t.where, fmt.Sprintf(format, numbers...))
}

// arg is the placeholder of another argument.
func (t *terms) arg(v any) string {
	t.args = append(t.args, v)
	return "$" + strconv.Itoa(len(t.args))
}

// in narrows a column to some values; none are all.
func (t *terms) in(column string, values []string) {
	switch len(values) {
	case 0:
	case 1:
		t.add(column+" = %s", values[0])
	default:
		numbers := make([]string, len(values))
		for i, v := range values {
			numbers[i] = t.arg(v)
		}
		t.where = append(t.where, column+" IN ("+strings.Join(numbers, ", ")+")")
	}
}

func (t *terms) String() string {
	where := " WHERE " + strings.Join(t.where, " AND ")
	if len(t.session) == 0 {
		return where
	}
	return where + " AND EXISTS (SELECT 1 FROM session q WHERE q.county_code = sl.county_code AND q.id = sl.session_id AND " + strings.Join(t.session, " AND ") + ")"
}

// ofSession narrows a column of the session to a value; an empty one is any.
func (t *terms) ofSession(column, value string) {
	if value != "" {
		t.session = append(t.session, "q."+column+" = "+t.arg(value))
	}
}

// ofSlots are terms about slots of $1, seen at $2.
func ofSlots(args ...any) terms {
	return terms{args: args, where: []string{"sl.county_code = $1", "s.county_code = sl.county_code AND s.id = sl.session_id"}}
}

// may leaves slots that nobody has, that are open and may be taken by now: the one condition for whatever gives a place away.
func (t *terms) may(b app.Bounds) {
	t.where = append(t.where, slotIsFree, "sl.closed_by = ''")
	t.session = append(t.session, "q.state = 'OPEN'")
	reserved := "sl.start_time < " + t.arg(b.Reserved.UTC())
	if !b.Expert.Equal(b.Reserved) {
		reserved = "(s.kind <> 'EXPERT' AND " + reserved + " OR s.kind = 'EXPERT' AND sl.start_time < " + t.arg(b.Expert.UTC()) + ")"
	}
	t.where = append(t.where, "(sl.pool <> 'RESERVED' AND sl.start_time < "+t.arg(b.Common.UTC())+" OR sl.pool = 'RESERVED' AND "+reserved+")")
}

// ofSlotQuery are the terms of a query, but for its page.
func ofSlotQuery(q app.SlotQuery, now time.Time) terms {
	t := ofSlots(q.County, now)
	t.where = append(t.where, "sl.start_time > $2")
	t.add("sl.organization_id = %s", q.OrganizationID)
	t.add("sl.start_time >= %s AND sl.start_time < %s", q.From.UTC(), q.To.UTC())
	if q.Department != "" {
		t.add("sl.department_code = %s", q.Department)
	}
	if q.Modality != "" {
		t.add("e.modality = %s", q.Modality)
	}
	if q.SlotID != "" {
		t.add("sl.id = %s", q.SlotID)
	}
	t.ofSession("kind", q.Kind)
	if q.FreeOnly {
		t.may(q.Before)
	}
	return t
}

// FreeStarts implements app.Store.
func (s *Store) FreeStarts(ctx context.Context, q app.SlotQuery) (starts []app.FreeStart, err error) {
	q.FreeOnly = true
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		t := ofSlotQuery(q, tx.Now())
		rows, err := tx.Query(ctx, "SELECT sl.start_time, count(*)"+slotTables+t.String()+" GROUP BY sl.start_time ORDER BY sl.start_time", t.args...)
		if err != nil {
			return err
		}
		starts, err = collect(rows, func(r scanner) (f app.FreeStart, err error) {
			err = r.Scan(&f.At, &f.Free)
			return f, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("count free slots: %w", err)
	}
	return starts, nil
}

// Slots implements app.Store.
func (s *Store) Slots(ctx context.Context, q app.SlotQuery) (slots []app.SlotView, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		t := ofSlotQuery(q, tx.Now())
		if q.AfterID != "" {
			t.add("(sl.start_time, sl.id) > (%s, %s)", q.AfterStart, q.AfterID)
		}
		rows, err := tx.Query(ctx, "SELECT "+slotColumns+slotTables+t.String()+" ORDER BY sl.start_time, sl.id LIMIT "+t.arg(q.Limit), t.args...)
		if err != nil {
			return err
		}
		slots, err = collect(rows, scanSlot)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list slots: %w", err)
	}
	return slots, nil
}

// Wards implements app.Store.
func (s *Store) Wards(ctx context.Context, county, organizationID, department string) (wards []domain.WardCount, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT w.organization_id, w.department_code, w.name, count(b.id),
			sum(CASE WHEN (o.hold_id IS NULL OR o.until_time <= $4) AND b.out_reason = '' AND (b.cleaning_until IS NULL OR b.cleaning_until <= $4)
			THEN 1 ELSE 0 END) FROM ward w JOIN bed b ON b.county_code = w.county_code AND b.ward_id = w.id
			LEFT JOIN occupancy o ON o.county_code = b.county_code AND o.place_id = b.id
			WHERE w.county_code = $1 AND w.organization_id = $2 AND b.out_reason <> 'CLOSED' AND ($3 = '' OR w.department_code = $3)
			GROUP BY w.organization_id, w.department_code, w.name, w.id ORDER BY w.department_code, w.name, w.id`,
			county, organizationID, department, tx.Now())
		if err != nil {
			return err
		}
		wards, err = collect(rows, func(r scanner) (w domain.WardCount, err error) {
			err = r.Scan(&w.OrganizationID, &w.DepartmentCode, &w.Ward, &w.Total, &w.Free)
			return w, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("count beds: %w", err)
	}
	return wards, nil
}

func selectView() string {
	return "SELECT " + holdColumns("h.") + `, coalesce(s.practitioner_name, ''), coalesce(s.location, ''),
	coalesce(w.name, ''), coalesce(b.label, ''), coalesce(s.kind, ''), coalesce(s.state, ''),
	coalesce(e.name, ''), coalesce(e.modality, ''), coalesce(e.preparation, ''), coalesce(e.preparation_english, '') FROM hold h
	LEFT JOIN slot sl ON sl.county_code = h.county_code AND sl.id = h.slot_id
	LEFT JOIN session s ON s.county_code = sl.county_code AND s.id = sl.session_id
	LEFT JOIN equipment e ON e.county_code = s.county_code AND e.id = s.equipment_id AND s.equipment_id <> ''
	LEFT JOIN bed b ON b.county_code = h.county_code AND b.id = h.bed_id
	LEFT JOIN ward w ON w.county_code = b.county_code AND w.id = b.ward_id `
}

func scanView(row scanner) (v app.HoldView, err error) {
	v.HoldData, err = scanHold(row, &v.PractitionerName, &v.Location, &v.Ward, &v.Bed, &v.SessionKind, &v.SessionState,
		&v.Device.Name, &v.Device.Modality, &v.Device.Preparation, &v.Device.PreparationEnglish)
	return v, err
}

// Hold implements app.Store.
func (s *Store) Hold(ctx context.Context, county, id string) (app.HoldView, error) {
	return s.view(ctx, "hold", "h.id = $2", county, id)
}

// Holds implements app.Store.
func (s *Store) Holds(ctx context.Context, county string, ids []string) (views []app.HoldView, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		frag, arg := tx.List("h.id", 2, ids)
		rows, err := tx.Query(ctx, selectView()+"WHERE h.county_code = $1 AND "+frag, county, arg)
		if err != nil {
			return err
		}
		views, err = collect(rows, scanView)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read holds: %w", err)
	}
	return views, nil
}

// Booking implements app.Store.
func (s *Store) Booking(ctx context.Context, county, bookingID string) (app.HoldView, error) {
	return s.view(ctx, "booking", "h.booking_id = $2", county, bookingID)
}

func (s *Store) view(ctx context.Context, what, where string, args ...any) (v app.HoldView, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		v, err = scanView(tx.QueryRow(ctx, selectView()+"WHERE h.county_code = $1 AND "+where, args...))
		if sqldb.NoRows(err) {
			return errs.NotFound(what)
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", what, err)
		}
		return nil
	})
	return v, err
}

// Live implements app.Store.
func (s *Store) Live(ctx context.Context, county, after string, limit int) (views []app.HoldView, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, selectView()+`JOIN occupancy o ON o.county_code = h.county_code AND o.hold_id = h.id
			WHERE o.county_code = $1 AND o.hold_id > $2 AND (o.until_time IS NULL OR o.until_time > $3) ORDER BY h.id LIMIT $4`,
			county, after, tx.Now(), limit)
		if err != nil {
			return err
		}
		views, err = collect(rows, scanView)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list live holds: %w", err)
	}
	return views, nil
}

// Overdue implements app.Store.
func (s *Store) Overdue(ctx context.Context, limit int) ([]domain.HoldData, error) {
	return s.due(ctx, `JOIN occupancy o ON o.county_code = h.county_code AND o.hold_id = h.id
		WHERE o.until_time <= $1 ORDER BY o.until_time LIMIT $2`, limit)
}

// ToSettle implements app.Store.
func (s *Store) ToSettle(ctx context.Context, limit int) ([]domain.HoldData, error) {
	return s.due(ctx, "WHERE h.check_time <= $1 ORDER BY h.check_time, h.id LIMIT $2", limit)
}

func (s *Store) due(ctx context.Context, rest string, limit int) (holds []domain.HoldData, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, "SELECT "+holdColumns("h.")+" FROM hold h "+rest, tx.Now(), limit)
		if err != nil {
			return err
		}
		holds, err = collect(rows, func(r scanner) (domain.HoldData, error) { return scanHold(r) })
		return err
	})
	return holds, err
}
