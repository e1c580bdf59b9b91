package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

func (u *unit) FreeBeds(ctx context.Context, w domain.BedWish, pivot string) ([]domain.Bed, error) {
	t := terms{args: []any{u.county(), u.Now()}, where: []string{"b.county_code = $1", nobodyHas, "b.out_reason = ''"}}
	t.add("(b.cleaning_until IS NULL OR b.cleaning_until <= %s)", w.From.UTC())
	t.add("(w.sex = '' OR w.sex = %s) AND (b.sex = '' OR b.sex = %s)", w.Sex, w.Sex)
	for _, c := range []struct{ column, value string }{
		{"b.id", w.BedID}, {"b.ward_id", w.WardID}, {"b.organization_id", w.OrganizationID}, {"b.department_code", w.DepartmentCode}, {"w.class", w.Class},
	} {
		if c.value != "" {
			t.add(c.column+" = %s", c.value)
		}
	}
	rows, err := u.tx.Query(ctx, `SELECT b.id, b.ward_id, b.organization_id, b.department_code, b.label FROM bed b
		JOIN ward w ON w.county_code = b.county_code AND w.id = b.ward_id
		LEFT JOIN occupancy o ON o.county_code = b.county_code AND o.place_id = b.id`+t.String()+
		" ORDER BY CASE WHEN b.id > "+t.arg(pivot)+" THEN 0 ELSE 1 END, b.id", t.args...)
	if err != nil {
		return nil, fmt.Errorf("find free beds: %w", err)
	}
	beds, err := collect(rows, func(r scanner) (b domain.Bed, err error) {
		err = r.Scan(&b.ID, &b.WardID, &b.OrganizationID, &b.DepartmentCode, &b.Label)
		return b, err
	})
	if err != nil {
		return nil, fmt.Errorf("find free beds: %w", err)
	}
	return beds, nil
}

func (u *unit) Clean(ctx context.Context, bedID string) error {
	var minutes int
	err := u.tx.QueryRow(ctx, `SELECT w.cleaning_minutes FROM bed b JOIN ward w ON w.county_code = b.county_code AND w.id = b.ward_id
		WHERE b.county_code = $1 AND b.id = $2`, u.county(), bedID).Scan(&minutes)
	if sqldb.NoRows(err) || err == nil && minutes == 0 {
		return nil
	}
	if err == nil {
		_, err = u.tx.Exec(ctx, "UPDATE bed SET cleaning_until = $3 WHERE county_code = $1 AND id = $2", u.county(), bedID,
			u.Now().Add(time.Duration(minutes)*time.Minute))
	}
	if err != nil {
		return fmt.Errorf("let a bed be cleaned: %w", err)
	}
	return nil
}

const wardColumns = "w.id, w.organization_id, w.department_code, w.name, w.class, w.sex, w.cleaning_minutes, w.version"

func wardFields(w *domain.WardData) []any {
	return []any{&w.ID, &w.OrganizationID, &w.DepartmentCode, &w.Name, &w.Class, &w.Sex, &w.CleaningMinutes, &w.Version}
}

func (u *unit) Ward(ctx context.Context, id string) (w domain.WardData, err error) {
	err = u.tx.QueryRow(ctx, "SELECT "+wardColumns+" FROM ward w WHERE w.county_code = $1 AND w.id = $2"+u.tx.ForUpdate(), u.county(), id).Scan(wardFields(&w)...)
	return w, loaded("ward", err)
}

func (u *unit) Bed(ctx context.Context, id string) (b domain.BedData, err error) {
	var cleaning sql.NullTime
	err = u.tx.QueryRow(ctx, `SELECT b.id, b.ward_id, b.organization_id, b.department_code, b.label, b.sex, b.out_reason, b.cleaning_until, b.version
		FROM bed b WHERE b.county_code = $1 AND b.id = $2`+u.tx.ForUpdate(), u.county(), id).
		Scan(&b.ID, &b.WardID, &b.OrganizationID, &b.DepartmentCode, &b.Label, &b.Sex, &b.OutReason, &cleaning, &b.Version)
	b.CleaningUntil = cleaning.Time
	return b, loaded("bed", err)
}

func (u *unit) LockBeds(ctx context.Context, wardID string) error {
	return u.lockRows(ctx, "bed", "ward_id = $2", wardID)
}

func (u *unit) BedsOf(ctx context.Context, wardID string) ([]domain.BedData, error) {
	rows, err := u.tx.Query(ctx, `SELECT b.id, b.ward_id, b.organization_id, b.department_code, b.label, b.sex, b.out_reason, b.cleaning_until, b.version,
		coalesce(o.hold_id, '') FROM bed b
		LEFT JOIN occupancy o ON o.county_code = b.county_code AND o.place_id = b.id AND (o.until_time IS NULL OR o.until_time > $3)
		WHERE b.county_code = $1 AND b.ward_id = $2 ORDER BY b.label, b.id`, u.county(), wardID, u.Now())
	if err != nil {
		return nil, fmt.Errorf("read the beds of a ward: %w", err)
	}
	beds, err := collect(rows, func(r scanner) (b domain.BedData, err error) {
		var cleaning sql.NullTime
		err = r.Scan(&b.ID, &b.WardID, &b.OrganizationID, &b.DepartmentCode, &b.Label, &b.Sex, &b.OutReason, &cleaning, &b.Version, &b.Hold.ID)
		b.CleaningUntil = cleaning.Time
		return b, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the beds of a ward: %w", err)
	}
	return beds, nil
}

func (u *unit) AddBeds(beds []domain.Bed) {
	for _, b := range beds {
		u.changes = append(u.changes, bedStmt(u.county(), b))
	}
}

func loaded(what string, err error) error {
	if sqldb.NoRows(err) {
		return errs.NotFound(what)
	}
	if err != nil {
		return fmt.Errorf("load %s: %w", what, err)
	}
	return nil
}

func (u *unit) SetWard(_ context.Context, w domain.WardData) error {
	u.changes = append(u.changes, sqldb.Stmt{
		SQL:  `UPDATE ward SET class = $4, sex = $5, cleaning_minutes = $6, version = version + 1 WHERE county_code = $1 AND id = $2 AND version = $3`,
		Args: []any{u.county(), w.ID, w.Version, w.Class, w.Sex, w.CleaningMinutes}, Want: 1,
	}, u.placeAudit(audit.Entry{Action: "ward.set", ObjectType: "ward", ObjectID: w.ID}))
	u.placesChanged(w.OrganizationID, w.DepartmentCode)
	return nil
}

func (u *unit) SetBed(_ context.Context, b domain.BedData) error {
	u.changes = append(u.changes, sqldb.Stmt{
		SQL:  `UPDATE bed SET sex = $4, out_reason = $5, cleaning_until = $6, version = version + 1 WHERE county_code = $1 AND id = $2 AND version = $3`,
		Args: []any{u.county(), b.ID, b.Version, b.Sex, b.OutReason, instant(b.CleaningUntil)}, Want: 1,
	}, u.placeAudit(audit.Entry{Action: "bed.set", ObjectType: "bed", ObjectID: b.ID, Detail: b.OutReason}))
	u.placesChanged(b.OrganizationID, b.DepartmentCode)
	return nil
}

func (u *unit) placeAudit(e audit.Entry) sqldb.Stmt {
	e.County, e.AccountID, e.OrganizationID = u.county(), u.cmd.Caller.AccountID, u.cmd.Caller.OrganizationID
	return audit.Stmt(e, id.New(), u.Now())
}

func (u *unit) placesChanged(organizationID, department string) {
	u.changes = append(u.changes, changedPlaces{{County: u.county(), OrganizationID: organizationID, Code: department}: true}.stmts(u.Now())...)
}

// Board implements app.AllocationStore.
func (s *Store) Board(ctx context.Context, d app.Department) (wards []app.BoardWard, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, "SELECT "+wardColumns+`, b.id, b.label, b.sex, b.out_reason, b.cleaning_until, b.version,
			coalesce(h.id, ''), coalesce(h.state, ''), h.expire_time, h.keep_until_time, coalesce(h.booking_id, ''), coalesce(h.referral_id, ''), h.start_time,
			coalesce(h.reader_organization_id, ''), coalesce(c.number, ''), coalesce(c.state, ''), coalesce(c.sender_organization_id, '')
			FROM ward w JOIN bed b ON b.county_code = w.county_code AND b.ward_id = w.id
			LEFT JOIN occupancy o ON o.county_code = b.county_code AND o.place_id = b.id AND (o.until_time IS NULL OR o.until_time > $4)
			LEFT JOIN hold h ON h.county_code = o.county_code AND h.id = o.hold_id
			LEFT JOIN referral_case c ON c.county_code = h.county_code AND c.referral_id = h.referral_id
			WHERE w.county_code = $1 AND w.organization_id = $2 AND ($3 = '' OR w.department_code = $3)
			ORDER BY w.department_code, w.name, w.id, b.label, b.id`, d.County, d.OrganizationID, d.Code, tx.Now())
		if err != nil {
			return err
		}
		_, err = collect(rows, func(r scanner) (none struct{}, err error) {
			var w domain.WardData
			var b domain.BedData
			var cleaning, expire, keep, start sql.NullTime
			h, c := &b.Hold, &b.Case
			if err := r.Scan(append(wardFields(&w), &b.ID, &b.Label, &b.Sex, &b.OutReason, &cleaning, &b.Version, &h.ID, &h.State, &expire, &keep,
				&h.BookingID, &h.ReferralID, &start, &h.ReaderOrganizationID, &c.Number, &c.State, &c.SenderOrganizationID)...); err != nil {
				return none, err
			}
			b.WardID, b.OrganizationID, b.DepartmentCode = w.ID, w.OrganizationID, w.DepartmentCode
			b.CleaningUntil, h.ExpireTime, h.KeepUntil, h.Place.Start = cleaning.Time, expire.Time, keep.Time, start.Time
			if n := len(wards); n == 0 || wards[n-1].ID != w.ID {
				wards = append(wards, app.BoardWard{WardData: w})
			}
			last := &wards[len(wards)-1]
			last.Beds = append(last.Beds, b)
			return none, nil
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read bed board: %w", err)
	}
	return wards, nil
}
