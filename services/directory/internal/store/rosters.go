package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/tongzhen/tongzhen/services/directory/internal/app"
	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// Rosters implements app.Store.
func (s *Store) Rosters(ctx context.Context, q app.RosterQuery) (out []domain.Roster, err error) {
	err = s.db.View(ctx, func(tx *sqldb.Tx) error {
		out, err = readRosters(ctx, tx, q)
		return err
	})
	return out, err
}

// PostOfHandOver implements app.Store.
func (s *Store) PostOfHandOver(ctx context.Context, county, id string) (p domain.Post, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		p, err = postOfHandOver(ctx, tx, county, id)
		return err
	})
	return p, err
}

// PostOfHandOver implements app.Unit.
func (u *unit) PostOfHandOver(ctx context.Context, county, id string) (domain.Post, error) {
	return postOfHandOver(ctx, u.tx, county, id)
}

func postOfHandOver(ctx context.Context, tx *sqldb.Tx, county, id string) (domain.Post, error) {
	p := domain.Post{County: county}
	err := tx.QueryRow(ctx, `SELECT organization_id, department_code FROM hand_over WHERE county_code = $1 AND id = $2`, county, id).
		Scan(&p.OrganizationID, &p.Department)
	switch {
	case sqldb.NoRows(err):
		return p, errs.NotFound("hand_over")
	case err != nil:
		return p, fmt.Errorf("load hand-over: %w", err)
	}
	return p, nil
}

// Roster implements app.Unit. The organisation is locked by whoever changes it.
func (u *unit) Roster(ctx context.Context, p domain.Post) (domain.Roster, error) {
	found, err := readRosters(ctx, u.tx, app.RosterQuery{County: p.County, OrganizationID: p.OrganizationID, Department: &p.Department, Since: u.Now()})
	if err != nil || len(found) == 0 {
		return domain.RestoreRoster(p, 0, nil, nil), err
	}
	return found[0], nil
}

// AccountsOf implements app.Unit.
func (u *unit) AccountsOf(ctx context.Context, county, organizationID string) (out []app.AccountView, err error) {
	err = each(ctx, u.tx, func(rows *sql.Rows) error {
		var c accountColumns
		err := rows.Scan(append(c.targets(), &c.organizationName)...)
		out = append(out, c.view())
		return err
	}, selectAccount+` `+fromAccount+` WHERE a.county_code = $1 AND a.organization_id = $2 ORDER BY a.id`, county, organizationID)
	if err != nil {
		return nil, fmt.Errorf("load accounts of an organisation: %w", err)
	}
	return out, nil
}

// readRosters reads whole rosters in the order of county, organisation and department.
func readRosters(ctx context.Context, tx *sqldb.Tx, q app.RosterQuery) ([]domain.Roster, error) {
	department := sql.NullString{}
	if q.Department != nil {
		department = sql.NullString{String: *q.Department, Valid: true}
	}
	const which = ` WHERE ($1 = '' OR county_code = $1) AND ($2 = '' OR organization_id = $2) AND (NOT $3 OR department_code = $4)`
	args := []any{q.County, q.OrganizationID, department.Valid, department.String}
	var posts []domain.Post
	versions, shifts, overs := map[domain.Post]int32{}, map[domain.Post][]domain.Shift{}, map[domain.Post][]domain.HandOver{}
	err := each(ctx, tx, func(rows *sql.Rows) error {
		var p domain.Post
		var version int32
		err := rows.Scan(&p.County, &p.OrganizationID, &p.Department, &version)
		posts, versions[p] = append(posts, p), version
		return err
	}, `SELECT county_code, organization_id, department_code, version FROM roster`+which+
		` ORDER BY county_code, organization_id, department_code`, args...)
	if err == nil {
		err = each(ctx, tx, func(rows *sql.Rows) error {
			var p domain.Post
			var s domain.Shift
			err := rows.Scan(&p.County, &p.OrganizationID, &p.Department, &s.Weekday, &s.From, &s.To, &s.AccountID, &s.Line, &s.FirstDay, &s.LastDay)
			shifts[p] = append(shifts[p], s)
			return err
		}, `SELECT county_code, organization_id, department_code, weekday, start_clock, end_clock, account_id, line, first_day, last_day
			FROM roster_shift`+which, args...)
	}
	if err == nil {
		err = each(ctx, tx, func(rows *sql.Rows) error {
			var p domain.Post
			var h domain.HandOver
			err := rows.Scan(&p.County, &p.OrganizationID, &p.Department, &h.ID, &h.From, &h.To, &h.Start, &h.End, &h.Note, &h.AccountID, &h.CreateTime)
			h.Start, h.End, h.CreateTime = h.Start.UTC(), h.End.UTC(), h.CreateTime.UTC()
			overs[p] = append(overs[p], h)
			return err
		}, `SELECT county_code, organization_id, department_code, id, from_account_id, to_account_id, start_time, end_time, note, account_id, create_time
			FROM hand_over`+which+` AND end_time > $5 AND start_time < end_time ORDER BY id`, append(args, q.Since)...)
	}
	if err != nil {
		return nil, fmt.Errorf("load rosters: %w", err)
	}
	out := make([]domain.Roster, len(posts))
	for i, p := range posts {
		out[i] = domain.RestoreRoster(p, versions[p], shifts[p], overs[p])
	}
	return out, nil
}

// requested tells whether the command's request was made before; stmt records it.
func requested(ctx context.Context, tx *sqldb.Tx, by app.Command, now time.Time) (before bool, stmt sqldb.Stmt, err error) {
	r := sqldb.Request{County: by.County, Account: by.AccountID, Method: by.Request.Method, ID: by.Request.ID, BodyHash: by.Request.Hash}
	_, before, err = tx.FindRequest(ctx, r)
	return before, sqldb.RequestStmt(r, []byte{}, now), err
}
