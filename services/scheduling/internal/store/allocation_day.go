package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// Day implements app.AllocationStore.
func (s *Store) Day(ctx context.Context, d app.Department, from, to time.Time) (sessions []app.DaySession, err error) {
	err = s.db.View(ctx, func(tx *sqldb.Tx) error {
		if sessions, err = daySessions(ctx, tx, d, from, to); err != nil {
			return err
		}
		at := map[string]int{}
		for i, session := range sessions {
			at[session.Session.ID] = i
		}
		return dayPatients(ctx, tx, d, from, to, func(sessionID string, p app.DayPatient) {
			if i, ok := at[sessionID]; ok {
				sessions[i].Patients = append(sessions[i].Patients, p)
			}
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read a day: %w", err)
	}
	return sessions, nil
}

func daySessions(ctx context.Context, tx *sqldb.Tx, d app.Department, from, to time.Time) ([]app.DaySession, error) {
	rows, err := tx.Query(ctx, `SELECT s.id, s.organization_id, s.department_code, s.kind, s.practitioner_id, s.practitioner_name, s.location,
		s.start_time, s.end_time, s.state, coalesce(e.name, ''), count(sl.id),
		sum(CASE WHEN `+nobodyHas+` AND sl.closed_by = '' AND s.state = 'OPEN' AND sl.start_time > $2 THEN 1 ELSE 0 END)
		FROM session s JOIN slot sl ON sl.county_code = s.county_code AND sl.session_id = s.id
		LEFT JOIN equipment e ON e.county_code = s.county_code AND e.id = s.equipment_id AND s.equipment_id <> ''
		LEFT JOIN occupancy o ON o.county_code = sl.county_code AND o.place_id = sl.id
		WHERE s.county_code = $1 AND s.organization_id = $3 AND s.start_time >= $4 AND s.start_time < $5 AND ($6 = '' OR s.department_code = $6)
		GROUP BY s.id, s.organization_id, s.department_code, s.kind, s.practitioner_id, s.practitioner_name, s.location, s.start_time, s.end_time, s.state, e.name
		ORDER BY s.start_time, s.department_code, s.id`, d.County, tx.Now(), d.OrganizationID, from.UTC(), to.UTC(), d.Code)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(r scanner) (out app.DaySession, err error) {
		x := &out.Session
		err = r.Scan(&x.ID, &x.OrganizationID, &x.DepartmentCode, &x.Kind, &x.PractitionerID, &x.PractitionerName, &x.Location, &x.Start, &x.End,
			&out.State, &out.Device.Name, &out.Slots, &out.Free)
		return out, err
	})
}

// dayPatients tells of those who have a slot, and of those whose booking was freed because they did not come or were admitted from it.
func dayPatients(ctx context.Context, tx *sqldb.Tx, d app.Department, from, to time.Time, tell func(string, app.DayPatient)) error {
	const tables = ` FROM session s JOIN slot sl ON sl.county_code = s.county_code AND sl.session_id = s.id `
	const where = ` WHERE s.county_code = $1 AND s.organization_id = $3 AND s.start_time >= $4 AND s.start_time < $5 AND ($6 = '' OR s.department_code = $6)`
	const columns = `sl.session_id AS session_id, sl.id AS slot_id, sl.start_time AS start_time, sl.end_time AS end_time, h.id AS hold_id, h.state AS state,
		h.booking_id AS booking_id, h.referral_id AS referral_id, h.reader_organization_id AS reader, c.number AS number, c.state AS case_state,
		c.sender_organization_id AS sender`
	rows, err := tx.Query(ctx, "SELECT session_id, slot_id, start_time, end_time, hold_id, state, booking_id, referral_id, reader, number, case_state, sender FROM (SELECT "+
		columns+tables+`JOIN occupancy o ON o.county_code = sl.county_code AND o.place_id = sl.id AND (o.until_time IS NULL OR o.until_time > $2)
		JOIN hold h ON h.county_code = o.county_code AND h.id = o.hold_id
		LEFT JOIN referral_case c ON c.county_code = h.county_code AND c.referral_id = h.referral_id`+where+
		" UNION ALL SELECT "+columns+tables+`JOIN hold h ON h.county_code = sl.county_code AND h.slot_id = sl.id AND h.state = 'RELEASED' AND h.booking_id IS NOT NULL
		JOIN referral_case c ON c.county_code = h.county_code AND c.referral_id = h.referral_id AND (c.state = 'NO_SHOW' OR h.admitted_time IS NOT NULL)`+where+
		") of_day ORDER BY start_time, slot_id, hold_id", d.County, tx.Now(), d.OrganizationID, from.UTC(), to.UTC(), d.Code)
	if err != nil {
		return err
	}
	_, err = collect(rows, func(r scanner) (none struct{}, err error) {
		var p app.DayPatient
		var session string
		var booking, referral, number, state, sender sql.NullString
		h := &p.Hold
		if err := r.Scan(&session, &h.Place.SlotID, &h.Place.Start, &h.Place.End, &h.ID, &h.State, &booking, &referral, &h.ReaderOrganizationID,
			&number, &state, &sender); err != nil {
			return none, err
		}
		h.BookingID, h.ReferralID = booking.String, referral.String
		p.Case = domain.Case{ReferralID: referral.String, Number: number.String, State: state.String, SenderOrganizationID: sender.String}
		tell(session, p)
		return none, nil
	})
	return err
}
