package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// selectView begins a query for views: $1 is the county, $2 the account whose marks count. They are counted because PostgreSQL would read
// all marks of the account into memory for a NOT EXISTS, and does this row by row.
const selectView = `SELECT ` + columns + `, (SELECT count(*) FROM mark m WHERE m.county_code = r.county_code AND m.referral_id = r.id
	AND m.name = 'seen' AND m.account_id = $2) = 0 FROM referral r WHERE r.county_code = $1 AND `

// Get implements [app.Reader].
func (s *Store) Get(ctx context.Context, caller authn.Identity, id string) (app.View, error) {
	return s.one(ctx, caller, "r.id = $3", id)
}

// ByNumber implements [app.Reader].
func (s *Store) ByNumber(ctx context.Context, caller authn.Identity, n domain.Number) (app.View, error) {
	return s.one(ctx, caller, "r.number = $3 AND r.number <> ''", string(n))
}

func (s *Store) one(ctx context.Context, caller authn.Identity, condition, key string) (app.View, error) {
	var out app.View
	err := s.DB.Read(ctx, func(tx *sqldb.Tx) (err error) {
		out.Snapshot, err = s.scan(tx.QueryRow(ctx, selectView+condition, caller.County, caller.Subject, key), &out.Unread)
		return err
	})
	if sqldb.NoRows(err) {
		return app.View{}, errs.NotFound("referral")
	}
	if err != nil {
		return app.View{}, fmt.Errorf("read referral: %w", err)
	}
	return out, nil
}

// Batch implements [app.Reader].
func (s *Store) Batch(ctx context.Context, caller authn.Identity, ids []string) (out []app.View, err error) {
	err = s.DB.Read(ctx, func(tx *sqldb.Tx) error {
		condition, list := tx.List("r.id", 3, ids)
		out, err = s.views(ctx, tx, selectView+condition, caller.County, caller.Subject, list)
		return err
	})
	return out, err
}

// List implements [app.Reader]: each side is read in the order of its own index, then the two are merged.
func (s *Store) List(ctx context.Context, q app.Query) (out []app.View, err error) {
	err = s.DB.View(ctx, func(tx *sqldb.Tx) error {
		out = nil
		if q.Village {
			text, args := listQuery(tx, q, villages)
			out, err = s.views(ctx, tx, text, args...)
			return err
		}
		if q.Inbox {
			text, args := listQuery(tx, q, receiving)
			page, err := s.views(ctx, tx, text, args...)
			if err != nil {
				return err
			}
			out = append(out, page...)
		}
		if q.Outbox {
			text, args := listQuery(tx, q, sending)
			page, err := s.views(ctx, tx, text, args...)
			if err != nil {
				return err
			}
			out = append(out, page...)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list referrals: %w", err)
	}
	slices.SortFunc(out, func(a, b app.View) int { return compare(a.Snapshot, b.Snapshot, q.ByDue) })
	return out[:min(len(out), q.Limit)], nil
}

func compare(a, b domain.Snapshot, byDue bool) int {
	x, y := app.Place(a, byDue), app.Place(b, byDue)
	if !byDue {
		x, y = y, x
	}
	return cmp.Or(cmp.Compare(x.Rank, y.Rank), x.Time.Compare(y.Time), cmp.Compare(x.ID, y.ID))
}

// Count implements [app.Reader].
func (s *Store) Count(ctx context.Context, q app.Query) (map[domain.State]app.StateCount, error) {
	out := map[domain.State]app.StateCount{}
	err := s.DB.Read(ctx, func(tx *sqldb.Tx) error {
		side := receiving
		if !q.Inbox {
			side = sending
		}
		parts, args := conditions(tx, q, side)
		args = append(args, tx.Now())
		rows, err := tx.Query(ctx, fmt.Sprintf("SELECT r.state, count(*), count(CASE WHEN r.due_time < $%d THEN 1 END) FROM referral r WHERE r.county_code = $1 AND $2 <> '' AND %s GROUP BY r.state",
			len(args), strings.Join(parts, " AND ")), args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var state string
			var n app.StateCount
			if err := rows.Scan(&state, &n.N, &n.Late); err != nil {
				return err
			}
			out[domain.State(state)] = n
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("count referrals: %w", err)
	}
	return out, nil
}

// The sides of a list, with the caller's organisation.
const receiving, sending, villages = "r.receiver_org = $3 AND r.number <> ''", "r.originator_org = $3", "r.village_id = $3 AND r.village_id <> '' AND r.number <> ''"

// conditions puts the filters together; every part is fixed text, what the caller sent are arguments.
func conditions(tx *sqldb.Tx, q app.Query, side string) ([]string, []any) {
	args := []any{q.Caller.County, q.Caller.Subject, q.Caller.Organization}
	parts := []string{side}
	add := func(format string, values ...any) {
		places := make([]any, len(values))
		for i, v := range values {
			args = append(args, v)
			places[i] = len(args)
		}
		parts = append(parts, fmt.Sprintf(format, places...))
	}
	is := func(column, value string) {
		if value != "" {
			add(column+" = $%d", value)
		}
	}
	is("r.direction", string(q.Direction))
	is("r.urgency", string(q.Urgency))
	is("r.receiver_department", q.Department)
	is("r.originator_org", q.Sender)
	if q.PatientID != "" {
		add(person(tx.Engine(), "r.patient_id", "$%d"), q.PatientID)
	}
	if len(q.PatientIDs) > 0 {
		frag, list := anyPerson(tx, len(args)+1, q.PatientIDs)
		parts, args = append(parts, frag), append(args, list...)
	}
	if q.Number != "" {
		add("replace(r.number, '-', '') LIKE $%d", "%"+q.Number+"%")
	}
	when := func(condition string, at time.Time) {
		if !at.IsZero() {
			add(condition, at)
		}
	}
	when("r.submit_time >= $%d", q.Sent.From)
	when("r.submit_time < $%d", q.Sent.To)
	when("r.close_time >= $%d", q.ClosedFrom)
	among := func(column string, values []string) {
		if len(values) == 1 {
			add(column+" = $%d", values[0])
		} else if len(values) > 1 {
			frag, list := tx.List(column, len(args)+1, values)
			parts, args = append(parts, frag), append(args, list)
		}
	}
	among("r.state", words(q.States))
	among("r.kind", words(q.Kinds))
	if q.OnTheWay {
		parts = append(parts, "r.depart_time IS NOT NULL")
	}
	if q.WithoutHold {
		parts = append(parts, "r.hold_id = ''")
	}
	if q.Late {
		add("r.due_time < $%d", tx.Now())
	}
	if !q.Expected.From.IsZero() {
		add("r.expected_from < $%d AND r.expected_to > $%d", q.Expected.To, q.Expected.From)
	}
	return parts, args
}

// anyPerson is the condition for referrals of any of these patients, whose ids are the arguments from first on.
func anyPerson(tx *sqldb.Tx, first int, ids []string) (string, []any) {
	each, args := make([]string, len(ids)), make([]any, len(ids))
	for i, patient := range ids {
		each[i], args[i] = person(tx.Engine(), "r.patient_id", fmt.Sprintf("$%d", first+i)), patient
	}
	return "(" + strings.Join(each, " OR ") + ")", args
}

func words[W ~string](list []W) []string {
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = string(w)
	}
	return out
}

func listQuery(tx *sqldb.Tx, q app.Query, side string) (string, []any) {
	parts, args := conditions(tx, q, side)
	order := "r.create_time DESC, r.id DESC"
	if q.ByDue {
		order = "r.urgency_rank, r.due_order, r.id"
	}
	switch a := q.After; {
	case a != nil && q.ByDue:
		parts = append(parts, fmt.Sprintf("(r.urgency_rank, r.due_order, r.id) > ($%d, $%d, $%d)", len(args)+1, len(args)+2, len(args)+3))
		args = append(args, a.Rank, a.Time, a.ID)
	case a != nil:
		parts = append(parts, fmt.Sprintf("(r.create_time, r.id) < ($%d, $%d)", len(args)+1, len(args)+2))
		args = append(args, a.Time, a.ID)
	}
	args = append(args, q.Limit)
	return fmt.Sprintf("%s%s ORDER BY %s LIMIT $%d", selectView, strings.Join(parts, " AND "), order, len(args)), args
}

func (s *Store) views(ctx context.Context, tx *sqldb.Tx, query string, args ...any) ([]app.View, error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []app.View
	for rows.Next() {
		var v app.View
		if v.Snapshot, err = s.scan(rows, &v.Unread); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// History implements [app.Reader].
func (s *Store) History(ctx context.Context, county, id string) (out []app.HistoryRow, err error) {
	err = s.DB.View(ctx, func(tx *sqldb.Tx) error {
		transitions, err := s.transitions(ctx, tx, county, id)
		if err != nil {
			return err
		}
		marks, err := marks(ctx, tx, county, id)
		if err != nil {
			return err
		}
		notes, err := s.notes(ctx, tx, county, id, "")
		out = slices.Concat(transitions, marks, notes)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the history of referral %s: %w", id, err)
	}
	// Stable: transitions of one instant stay in the order of their versions.
	slices.SortStableFunc(out, func(a, b app.HistoryRow) int { return a.At.Compare(b.At) })
	return out, nil
}

func (s *Store) transitions(ctx context.Context, tx *sqldb.Tx, county, id string) ([]app.HistoryRow, error) {
	rows, err := tx.Query(ctx, `SELECT version, action, from_state, to_state, account_id, account_name, organization_id, occur_time, reason_code,
		remark FROM history WHERE county_code = $1 AND referral_id = $2 ORDER BY version`, county, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []app.HistoryRow
	for rows.Next() {
		var h app.HistoryRow
		var sealed []byte
		if err := rows.Scan(&h.Version, &h.Action, &h.From, &h.To, &h.By.AccountID, &h.By.Name, &h.By.OrganizationID, &h.At, &h.Reason, &sealed); err != nil {
			return nil, err
		}
		h.At = h.At.UTC()
		if err := s.openRemark(&h, "history", fmt.Sprintf("%s/%d", id, h.Version), sealed); err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, rows.Err()
}

func marks(ctx context.Context, tx *sqldb.Tx, county, id string) ([]app.HistoryRow, error) {
	rows, err := tx.Query(ctx, `SELECT name, account_id, account_name, organization_id, occur_time FROM mark
		WHERE county_code = $1 AND referral_id = $2 ORDER BY occur_time, account_id`, county, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []app.HistoryRow
	for rows.Next() {
		h := app.HistoryRow{Mark: true}
		if err := rows.Scan(&h.Action, &h.By.AccountID, &h.By.Name, &h.By.OrganizationID, &h.At); err != nil {
			return nil, err
		}
		h.At = h.At.UTC()
		out = append(out, h)
	}
	return out, rows.Err()
}

// WasReceiver implements [app.Reader].
func (s *Store) WasReceiver(ctx context.Context, county, id, organizationID string) (was bool, err error) {
	err = s.DB.Read(ctx, func(tx *sqldb.Tx) error {
		var n int
		err := tx.QueryRow(ctx, "SELECT count(*) FROM former_receiver WHERE county_code = $1 AND referral_id = $2 AND organization_id = $3",
			county, id, organizationID).Scan(&n)
		was = n > 0
		return err
	})
	return was, err
}

// Standings implements [app.Reader].
func (s *Store) Standings(ctx context.Context, county, patientID, organizationID string) (out []app.Standing, err error) {
	err = s.DB.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT id, kind, state, originator_org, COALESCE(close_time, update_time) FROM referral WHERE county_code = $1 AND `+person(tx.Engine(), "patient_id", "$2")+`
			AND number <> '' AND (originator_org = $3 OR receiver_org = $3) ORDER BY update_time DESC`, county, patientID, organizationID)
		if err != nil {
			return err
		}
		defer rows.Close()
		out, err = standings(rows, organizationID)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the standings of patient %s: %w", patientID, err)
	}
	return out, nil
}

func standings(rows *sql.Rows, organizationID string) ([]app.Standing, error) {
	var out []app.Standing
	for rows.Next() {
		st := app.Standing{Side: domain.Receiver}
		var originator string
		if err := rows.Scan(&st.ReferralID, &st.Kind, &st.State, &originator, &st.UpdateTime); err != nil {
			return nil, err
		}
		if originator == organizationID {
			st.Side = domain.Originator
		}
		st.UpdateTime = st.UpdateTime.UTC()
		out = append(out, st)
	}
	return out, rows.Err()
}
