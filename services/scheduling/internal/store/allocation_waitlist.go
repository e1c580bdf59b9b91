package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// entryColumns are the columns of scanEntry; prefix is an alias with its dot, or empty.
func entryColumns(prefix string) string {
	columns := []string{"county_code", "id", "version", "state", "referral_id", "referral_version", "number", "patient_id", "urgency", "organization_id",
		"department_code", "sender_organization_id", "account_id", "kind", "modality", "practitioner_id", "first_day", "last_day", "sex", "ward_class",
		"hold_id", "offer_start", "offer_until", "displaced_booking_id", "create_time"}
	return prefix + strings.Join(columns, ", "+prefix)
}

// scanEntry reads entryColumns and then more.
func scanEntry(row scanner, more ...any) (domain.EntryData, error) {
	var d domain.EntryData
	var start, until sql.NullTime
	w := &d.Wish
	err := row.Scan(append([]any{&d.County, &d.ID, &d.Version, &d.State, &d.ReferralID, &d.ReferralVersion, &d.Number, &d.PatientID, &d.Urgency,
		&d.OrganizationID, &d.DepartmentCode, &d.SenderOrganizationID, &d.AccountID, &w.Kind, &w.Modality, &w.PractitionerID, &w.FirstDay,
		&w.LastDay, &w.Sex, &w.Class, &d.HoldID, &start, &until, &d.DisplacedBookingID, &d.CreateTime}, more...)...)
	d.OfferStart, d.OfferUntil = start.Time, until.Time
	return d, err
}

func insertEntry(d domain.EntryData, now time.Time) sqldb.Stmt {
	w := d.Wish
	return sqldb.Stmt{
		SQL: "INSERT INTO waitlist_entry (" + entryColumns("") + `, place_rank, update_time) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
			$13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27)`,
		Args: []any{d.County, d.ID, d.Version, string(d.State), d.ReferralID, d.ReferralVersion, d.Number, d.PatientID, d.Urgency, d.OrganizationID,
			d.DepartmentCode, d.SenderOrganizationID, d.AccountID, w.Kind, w.Modality, w.PractitionerID, w.FirstDay, w.LastDay, w.Sex, w.Class,
			d.HoldID, instant(d.OfferStart), instant(d.OfferUntil), d.DisplacedBookingID, d.CreateTime, d.Rank(), now},
		Want: 1,
	}
}

// updateEntry refuses a version that is not the one that was loaded.
func updateEntry(d domain.EntryData, now time.Time) sqldb.Stmt {
	w := d.Wish
	return sqldb.Stmt{
		SQL: `UPDATE waitlist_entry SET state = $4, referral_version = $5, urgency = $6, place_rank = $7, kind = $8, modality = $9, practitioner_id = $10,
			first_day = $11, last_day = $12, sex = $13, ward_class = $14, hold_id = $15, offer_start = $16, offer_until = $17, displaced_booking_id = $18,
			version = version + 1, update_time = $19 WHERE county_code = $1 AND id = $2 AND version = $3`,
		Args: []any{d.County, d.ID, d.Version, string(d.State), d.ReferralVersion, d.Urgency, d.Rank(), w.Kind, w.Modality, w.PractitionerID,
			w.FirstDay, w.LastDay, w.Sex, w.Class, d.HoldID, instant(d.OfferStart), instant(d.OfferUntil), d.DisplacedBookingID, now},
		Want: 1,
	}
}

// deriveEntries is derive for the fallback list.
func (s *Store) deriveEntries(u *unit) (stmts []sqldb.Stmt, facts []outbox.Fact, err error) {
	now, changed := u.tx.Now(), changedPlaces{}
	for _, entry := range u.entries {
		fresh, events := entry.Changes()
		if len(events) == 0 {
			continue
		}
		d := entry.Data()
		if fresh {
			d.Version = 1
			stmts = append(stmts, insertEntry(d, now))
		} else {
			stmts = append(stmts, updateEntry(d, now))
			d.Version++
		}
		changed[app.Department{County: d.County, OrganizationID: d.OrganizationID, Code: d.DepartmentCode}] = true
		for _, e := range events {
			e.Entry.Version = d.Version
			what := app.Happened{FactID: id.New(), Entry: e, Time: now, By: u.cmd.Caller, CauseID: u.cmd.FactID}
			if what.CauseID == "" {
				what.CauseID = u.cmd.Request.ID
			}
			if h, ok := u.loaded[e.Entry.HoldID]; ok {
				what.Event = domain.Event{Hold: h.Data()}
			}
			fact, told, err := s.encode(what)
			if err != nil {
				return nil, nil, fmt.Errorf("encode fact of %s: %w", d, err)
			}
			if told {
				facts = append(facts, fact)
			}
			stmts = append(stmts, audit.Stmt(audit.Entry{
				County: d.County, AccountID: what.By.AccountID, OrganizationID: what.By.OrganizationID, Action: "waitlist." + string(e.Action),
				ObjectType: "waitlist", ObjectID: d.ID, PatientID: d.PatientID,
			}, id.New(), now))
		}
	}
	return append(stmts, changed.stmts(now)...), facts, nil
}

func (u *unit) Taken(id string) *domain.Hold { return u.loaded[id] }

func (u *unit) AddEntry(e *domain.Entry) { u.entries = append(u.entries, e) }

func (u *unit) Entry(ctx context.Context, id string) (*domain.Entry, error) {
	e, err := u.loadEntry(ctx, "id = $2", id)
	if err == nil && e == nil {
		return nil, errs.NotFound("entry")
	}
	return e, err
}

func (u *unit) EntryOf(ctx context.Context, referralID string) (*domain.Entry, error) {
	return u.loadEntry(ctx, "referral_id = $2 AND state IN ('WAITING', 'OFFERED')", referralID)
}

func (u *unit) loadEntry(ctx context.Context, where, arg string) (*domain.Entry, error) {
	d, err := scanEntry(u.tx.QueryRow(ctx, "SELECT "+entryColumns("")+" FROM waitlist_entry WHERE county_code = $1 AND "+where+u.tx.ForUpdate(), u.county(), arg))
	if sqldb.NoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load entry of the fallback list: %w", err)
	}
	for _, known := range u.entries {
		if known.Data().ID == d.ID {
			return known, nil
		}
	}
	e := domain.RestoreEntry(d)
	u.entries = append(u.entries, e)
	return e, nil
}

// position is the place of the entry w among those who wait for the same department.
const position = `CASE WHEN w.state = 'WAITING' THEN (SELECT count(*) FROM waitlist_entry x WHERE x.county_code = w.county_code
	AND x.organization_id = w.organization_id AND x.department_code = w.department_code AND x.state IN ('WAITING', 'OFFERED') AND x.state = 'WAITING'
	AND (x.place_rank, x.create_time, x.id) <= (w.place_rank, w.create_time, w.id)) ELSE 0 END`

// Entries implements app.AllocationStore.
func (s *Store) Entries(ctx context.Context, q app.EntryQuery) ([]domain.EntryData, error) {
	t := terms{args: []any{q.County}, where: []string{"w.county_code = $1"}}
	if q.EntryID != "" {
		t.add("w.id = %s", q.EntryID)
	}
	if q.OrganizationID != "" {
		t.add("(w.organization_id = %s OR w.sender_organization_id = %s)", q.OrganizationID, q.OrganizationID)
	}
	if q.ReferralID != "" {
		t.add("w.referral_id = %s", q.ReferralID)
	}
	if q.Department != "" {
		t.add("w.department_code = %s", q.Department)
	}
	if !q.Ended {
		t.where = append(t.where, "w.state IN ('WAITING', 'OFFERED')")
	}
	t.after(q.After)
	return s.entries(ctx, t, position, q.Limit)
}

// after goes on where a page ended.
func (t *terms) after(k app.EntryKey) {
	if k.ID != "" {
		t.add("(w.place_rank, w.create_time, w.id) > (%s, %s, %s)", k.Rank, k.CreateTime, k.ID)
	}
}

// WaitingFor implements app.AllocationStore.
func (s *Store) WaitingFor(ctx context.Context, d app.Department, after app.EntryKey, limit int) ([]domain.EntryData, error) {
	t := terms{args: []any{d.County}, where: []string{"w.county_code = $1", "w.state IN ('WAITING', 'OFFERED')", "w.state = 'WAITING'",
		"w.displaced_booking_id = ''", "w.place_rank > 0"}}
	t.add("w.organization_id = %s AND w.department_code = %s", d.OrganizationID, d.Code)
	t.after(after)
	return s.entries(ctx, t, "0", limit)
}

func (s *Store) entries(ctx context.Context, t terms, position string, limit int) (out []domain.EntryData, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, "SELECT "+entryColumns("w.")+", "+position+" FROM waitlist_entry w"+t.String()+
			" ORDER BY w.place_rank, w.create_time, w.id LIMIT "+t.arg(limit), t.args...)
		if err != nil {
			return err
		}
		out, err = collect(rows, func(r scanner) (domain.EntryData, error) {
			var at int
			d, err := scanEntry(r, &at)
			d.Position = at
			return d, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the fallback list: %w", err)
	}
	return out, nil
}

// ToEnd implements app.AllocationStore.
func (s *Store) ToEnd(ctx context.Context, today string, limit int) ([]app.EndedOffer, error) {
	over, err := s.ended(ctx, "WHERE w.state = 'WAITING' AND w.last_day < $1 AND w.displaced_booking_id = '' LIMIT $2", today, limit)
	if err != nil {
		return nil, err
	}
	for i := range over {
		over[i].Hold = ""
	}
	// A hold that has ended and one whose time is over alike take no place.
	unused, err := s.ended(ctx, `WHERE w.state = 'OFFERED' AND NOT EXISTS (SELECT 1 FROM occupancy o WHERE o.county_code = w.county_code
		AND o.hold_id = w.hold_id AND (o.until_time IS NULL OR o.until_time > $1)) LIMIT $2`, time.Time{}, limit)
	return append(over, unused...), err
}

// Replaced implements app.AllocationStore.
func (s *Store) Replaced(ctx context.Context, limit int) ([]app.EndedOffer, error) {
	return s.ended(ctx, `LEFT JOIN slot sl ON sl.county_code = h.county_code AND sl.id = h.slot_id
		LEFT JOIN session s ON s.county_code = sl.county_code AND s.id = sl.session_id
		WHERE w.state IN ('WAITING', 'OFFERED') AND w.displaced_booking_id <> ''
		AND (h.state NOT IN ('ATTACHED', 'UNSETTLED', 'LIVE') OR s.state = 'OPEN' OR `+notAwaited+`) LIMIT $1`, limit)
}

// ended reads entries with the state of their hold. An argument that is the zero time stands for the instant of the query.
func (s *Store) ended(ctx context.Context, rest string, args ...any) (out []app.EndedOffer, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		args := slices.Clone(args)
		for i, a := range args {
			if a == (time.Time{}) {
				args[i] = tx.Now()
			}
		}
		rows, err := tx.Query(ctx, "SELECT "+entryColumns("w.")+`, coalesce(h.state, '') FROM waitlist_entry w
			LEFT JOIN hold h ON h.county_code = w.county_code AND h.id = w.hold_id AND w.hold_id <> '' `+rest, args...)
		if err != nil {
			return err
		}
		out, err = collect(rows, func(r scanner) (e app.EndedOffer, err error) {
			e.Entry, err = scanEntry(r, &e.Hold)
			return e, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list entries that are over: %w", err)
	}
	return out, nil
}

// DisplacedUnlisted implements app.AllocationStore.
func (s *Store) DisplacedUnlisted(ctx context.Context, limit int) (views []app.HoldView, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, selectView()+`JOIN occupancy o ON o.county_code = h.county_code AND o.hold_id = h.id
			WHERE h.displaced_time IS NOT NULL AND s.end_time > $1 AND h.referral_id IS NOT NULL AND (o.until_time IS NULL OR o.until_time > $1)
			AND NOT `+notAwaited+` AND NOT EXISTS (SELECT 1 FROM waitlist_entry w WHERE w.county_code = h.county_code AND w.referral_id = h.referral_id
			AND w.state IN ('WAITING', 'OFFERED')) LIMIT $2`, tx.Now(), limit)
		if err != nil {
			return err
		}
		views, err = collect(rows, scanView)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list displaced bookings: %w", err)
	}
	return views, nil
}
