package store

import (
	"database/sql"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

type scanner interface{ Scan(dest ...any) error }

// collect reads all rows and closes them.
func collect[T any](rows *sql.Rows, scan func(scanner) (T, error)) ([]T, error) {
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// holdColumns are the columns of scanHold; prefix is an alias with its dot, or empty.
func holdColumns(prefix string) string {
	columns := []string{"county_code", "id", "version", "account_id", "reader_organization_id", "patient_id", "slot_id", "bed_id", "organization_id",
		"department_code", "start_time", "end_time", "state", "referral_id", "booking_id", "expire_time", "keep_until_time",
		"check_time", "create_time", "displaced_time", "admitted_time"}
	return prefix + strings.Join(columns, ", "+prefix)
}

// scanHold reads holdColumns and then more.
func scanHold(row scanner, more ...any) (domain.HoldData, error) {
	var d domain.HoldData
	var referral, booking sql.NullString
	var end, keep, check, displaced, admitted sql.NullTime
	dest := append([]any{&d.County, &d.ID, &d.Version, &d.AccountID, &d.ReaderOrganizationID, &d.PatientID, &d.Place.SlotID, &d.Place.BedID,
		&d.Place.OrganizationID, &d.Place.DepartmentCode, &d.Place.Start, &end, &d.State, &referral, &booking,
		&d.ExpireTime, &keep, &check, &d.CreateTime, &displaced, &admitted}, more...)
	if err := row.Scan(dest...); err != nil {
		return d, err
	}
	d.ReferralID, d.BookingID = referral.String, booking.String
	d.Place.End, d.KeepUntil, d.CheckTime, d.Displaced = end.Time, keep.Time, check.Time, displaced.Time
	d.Admitted = admitted.Time
	return d, nil
}

func insertHold(d domain.HoldData, now time.Time) sqldb.Stmt {
	return sqldb.Stmt{
		SQL: "INSERT INTO hold (" + holdColumns("") + `, update_time)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)`,
		Args: []any{d.County, d.ID, d.Version, d.AccountID, d.ReaderOrganizationID, d.PatientID, d.Place.SlotID, d.Place.BedID,
			d.Place.OrganizationID, d.Place.DepartmentCode, d.Place.Start, instant(d.Place.End), string(d.State),
			text(d.ReferralID), text(d.BookingID), d.ExpireTime, instant(d.KeepUntil), instant(d.CheckTime), d.CreateTime, instant(d.Displaced), instant(d.Admitted), now},
		Want: 1,
	}
}

// updateHold refuses a version that is not the one that was loaded.
func updateHold(d domain.HoldData, now time.Time) sqldb.Stmt {
	return sqldb.Stmt{
		SQL: `UPDATE hold SET state = $4, referral_id = $5, booking_id = $6, keep_until_time = $7, check_time = $8,
			reader_organization_id = $10, slot_id = $11, start_time = $12, end_time = $13, displaced_time = $14, admitted_time = $15,
			version = version + 1, update_time = $9 WHERE county_code = $1 AND id = $2 AND version = $3`,
		Args: []any{d.County, d.ID, d.Version, string(d.State), text(d.ReferralID), text(d.BookingID),
			instant(d.KeepUntil), instant(d.CheckTime), now, d.ReaderOrganizationID,
			d.Place.SlotID, d.Place.Start, instant(d.Place.End), instant(d.Displaced), instant(d.Admitted)},
		Want: 1,
	}
}

// occupancyStmt lets the place follow the hold. A hold that ended may have lost the place to its successor already.
func occupancyStmt(d domain.HoldData) sqldb.Stmt {
	if d.State.Takes() {
		return sqldb.Stmt{
			SQL:  "UPDATE occupancy SET until_time = $4 WHERE county_code = $1 AND place_id = $2 AND hold_id = $3",
			Args: []any{d.County, d.Place.ID(), d.ID, instant(d.Until())}, Want: 1,
		}
	}
	return sqldb.Stmt{
		SQL:  "DELETE FROM occupancy WHERE county_code = $1 AND place_id = $2 AND hold_id = $3",
		Args: []any{d.County, d.Place.ID(), d.ID}, Want: -1,
	}
}

func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func instant(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}
