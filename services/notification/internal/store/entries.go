package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

const entryColumns = `county_code, id, account_id, fact_id, event, referral_id, referral_number, urgency, reason_code,
	from_organization_id, step, level, candidate_id, glass_id, patient_id, encounter_id,
	alarm_id, rings, booking_id, session_id, waitlist_id, start_time, occur_time, create_time, acknowledge_time`

type scanner interface{ Scan(dest ...any) error }

func scanEntry(row scanner) (d domain.EntryData, err error) {
	var start, occurred, acknowledged sql.NullTime
	err = row.Scan(&d.County, &d.ID, &d.AccountID, &d.FactID, &d.Event, &d.ReferralID, &d.ReferralNumber, &d.Urgency,
		&d.ReasonCode, &d.FromOrganizationID, &d.Step, &d.Level, &d.CandidateID, &d.GlassID,
		&d.PatientID, &d.EncounterID, &d.AlarmID, &d.Rings, &d.BookingID, &d.SessionID, &d.WaitlistID, &start, &occurred, &d.CreateTime, &acknowledged)
	d.Start, d.OccurTime, d.AcknowledgeTime = start.Time, occurred.Time, acknowledged.Time
	return d, err
}

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

func insertEntry(d domain.EntryData) sqldb.Stmt {
	return sqldb.Stmt{
		SQL: "INSERT INTO entry (" + entryColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
			$22, $23, $24, NULL)`,
		Args: []any{
			d.County, d.ID, d.AccountID, d.FactID, d.Event, d.ReferralID, d.ReferralNumber, d.Urgency, d.ReasonCode, d.FromOrganizationID,
			d.Step, d.Level, d.CandidateID, d.GlassID, d.PatientID, d.EncounterID,
			d.AlarmID, d.Rings, d.BookingID, d.SessionID, d.WaitlistID, nullTime(d.Start), nullTime(d.OccurTime),
			d.CreateTime,
		},
		Want: 1,
	}
}

func acknowledgeEntry(d domain.EntryData) sqldb.Stmt {
	return sqldb.Stmt{
		SQL:  "UPDATE entry SET acknowledge_time = $3 WHERE county_code = $1 AND id = $2 AND acknowledge_time IS NULL",
		Args: []any{d.County, d.ID, d.AcknowledgeTime}, Want: 1,
	}
}

// unit implements app.Unit on one transaction.
type unit struct {
	tx       *sqldb.Tx
	county   string
	loaded   map[string]*domain.Entry
	order    []*domain.Entry
	resolved map[string]resolved

	cancelled, dispatched []sqldb.Stmt // messages that leave the house

	by       app.Caller
	alarms   []*domain.Alarm
	calls    []*domain.Call
	planned  []sqldb.Stmt // written after entries and alarms
	happened []app.AlarmHappened
	rules    *domain.CountyRules
}

func (u *unit) Now() time.Time { return u.tx.Now() }

func (u *unit) Add(e *domain.Entry) {
	u.loaded[e.Data().ID] = e
	u.order = append(u.order, e)
}

// keep gives an entry one instance in the unit.
func (u *unit) keep(d domain.EntryData) *domain.Entry {
	if e, ok := u.loaded[d.ID]; ok {
		return e
	}
	e := domain.RestoreEntry(d)
	u.Add(e)
	return e
}

func (u *unit) Entry(ctx context.Context, accountID, id string) (*domain.Entry, error) {
	if e, here := u.loaded[id]; here && e.Data().AccountID == accountID {
		return e, nil
	}
	d, err := scanEntry(u.tx.QueryRow(ctx, "SELECT "+entryColumns+" FROM entry WHERE county_code = $1 AND id = $2 AND account_id = $3"+
		u.tx.ForUpdate(), u.county, id, accountID))
	if sqldb.NoRows(err) {
		return nil, errs.NotFound("notification")
	}
	if err != nil {
		return nil, fmt.Errorf("load notification: %w", err)
	}
	return u.keep(d), nil
}

func (u *unit) Exists(ctx context.Context, id string) (bool, error) {
	if _, here := u.loaded[id]; here {
		return true, nil
	}
	var n int
	err := u.tx.QueryRow(ctx, "SELECT count(*) FROM entry WHERE county_code = $1 AND id = $2", u.county, id).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look up notification: %w", err)
	}
	return n == 1, nil
}

func (u *unit) OpenEntries(ctx context.Context, accountID, referralID string) ([]*domain.Entry, error) {
	return u.open(ctx, "account_id = $2 AND referral_id = $3", u.county, accountID, referralID)
}

func (u *unit) OpenDeadlines(ctx context.Context, referralID string) ([]*domain.Entry, error) {
	return u.open(ctx, "event = $2 AND referral_id = $3", u.county, domain.DeadlinePassed, referralID)
}

// OpenOf implements app.AlarmUnit.
func (u *unit) OpenOf(ctx context.Context, factID string) ([]*domain.Entry, error) {
	return u.open(ctx, "fact_id = $2", u.county, factID)
}

func (u *unit) open(ctx context.Context, where string, args ...any) ([]*domain.Entry, error) {
	rows, err := u.tx.Query(ctx, "SELECT "+entryColumns+" FROM entry WHERE county_code = $1 AND "+where+
		" AND acknowledge_time IS NULL ORDER BY id"+u.tx.ForUpdate(), args...)
	if err != nil {
		return nil, fmt.Errorf("load open notifications: %w", err)
	}
	found, err := collect(rows, scanEntry)
	if err != nil {
		return nil, fmt.Errorf("load open notifications: %w", err)
	}
	entries := make([]*domain.Entry, len(found))
	for i, d := range found {
		entries[i] = u.keep(d)
	}
	return entries, nil
}

// Entries implements app.Store.
func (s *Store) Entries(ctx context.Context, q app.EntryQuery) (entries []domain.EntryData, open int, err error) {
	where := []string{"county_code = $1", "account_id = $2"}
	args := []any{q.County, q.AccountID}
	switch q.State {
	case "OPEN":
		where = append(where, "acknowledge_time IS NULL")
	case "ACKNOWLEDGED":
		where = append(where, "acknowledge_time IS NOT NULL")
	}
	if q.BeforeID != "" {
		where = append(where, "(create_time, id) < ($3, $4)")
		args = append(args, q.BeforeTime, q.BeforeID)
	}
	args = append(args, q.Limit)
	query := "SELECT " + entryColumns + " FROM entry WHERE " + strings.Join(where, " AND ") +
		" ORDER BY create_time DESC, id DESC LIMIT $" + strconv.Itoa(len(args))
	err = s.db.View(ctx, func(tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		if entries, err = collect(rows, scanEntry); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT count(*) FROM entry WHERE county_code = $1 AND account_id = $2 AND acknowledge_time IS NULL`,
			q.County, q.AccountID).Scan(&open)
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list notifications: %w", err)
	}
	return entries, open, nil
}

// Delivered implements app.Store.
func (s *Store) Delivered(ctx context.Context, county, referralID string, p app.Page) (entries []domain.EntryData, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, "SELECT "+entryColumns+` FROM entry WHERE county_code = $1 AND ($2 = '' OR referral_id = $2) AND id > $3
			ORDER BY id LIMIT $4`, county, referralID, p.After, p.Limit)
		if err != nil {
			return err
		}
		entries, err = collect(rows, scanEntry)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list delivered notifications: %w", err)
	}
	return entries, nil
}
