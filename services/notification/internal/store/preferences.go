package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

const preferenceColumns = "account_id, version, urgent, routine, quiet_from, quiet_to, digest_times, language, sound_for_urgent"

type personal struct {
	account string
	domain.Preferences
}

func scanPreferences(row scanner) (p personal, err error) {
	var urgent, routine, digests string
	err = row.Scan(&p.account, &p.Version, &urgent, &routine, &p.QuietFrom, &p.QuietTo, &digests, &p.Language, &p.SoundForUrgent)
	p.Urgent, p.Routine, p.DigestTimes = strings.Fields(urgent), strings.Fields(routine), strings.Fields(digests)
	return p, err
}

func readPreferences(ctx context.Context, tx *sqldb.Tx, county string, ids []string) (map[string]domain.Preferences, error) {
	out := make(map[string]domain.Preferences, len(ids))
	for _, id := range ids {
		out[id] = domain.DefaultPreferences()
	}
	if len(ids) == 0 {
		return out, nil
	}
	frag, arg := tx.List("account_id", 2, ids)
	rows, err := tx.Query(ctx, "SELECT "+preferenceColumns+" FROM preference WHERE county_code = $1 AND "+frag, county, arg)
	if err != nil {
		return nil, fmt.Errorf("load preferences: %w", err)
	}
	found, err := collect(rows, scanPreferences)
	if err != nil {
		return nil, fmt.Errorf("load preferences: %w", err)
	}
	for _, p := range found {
		out[p.account] = p.Preferences
	}
	return out, nil
}

func readCountyRules(ctx context.Context, tx *sqldb.Tx, county string) (domain.CountyRules, error) {
	var r domain.CountyRules
	var allowed, emergency, urgent string
	err := tx.QueryRow(ctx, `SELECT version, allowed, always_emergency, always_urgent, quiet_allowed, quiet_hours_most, ring_seconds, call_minutes, patient_sms
		FROM county_rules WHERE county_code = $1`, county).
		Scan(&r.Version, &allowed, &emergency, &urgent, &r.QuietAllowed, &r.QuietHoursMost, &r.RingSeconds, &r.CallMinutes, &r.PatientSMS)
	if sqldb.NoRows(err) {
		return domain.DefaultCountyRules(), nil
	}
	if err != nil {
		return r, fmt.Errorf("load rules of the county: %w", err)
	}
	r.Allowed, r.AlwaysEmergency, r.AlwaysUrgent = strings.Fields(allowed), strings.Fields(emergency), strings.Fields(urgent)
	return r, nil
}

// Preferences implements app.AlarmStore.
func (s *Store) Preferences(ctx context.Context, county, accountID string) (p domain.Preferences, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		found, err := readPreferences(ctx, tx, county, []string{accountID})
		p = found[accountID]
		return err
	})
	return p, err
}

// CountyRules implements app.AlarmStore.
func (s *Store) CountyRules(ctx context.Context, county string) (r domain.CountyRules, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		r, err = readCountyRules(ctx, tx, county)
		return err
	})
	return r, err
}

// Preferences implements app.AlarmUnit.
func (u *unit) Preferences(ctx context.Context, ids []string) (map[string]domain.Preferences, error) {
	return readPreferences(ctx, u.tx, u.county, ids)
}

// CountyRules implements app.AlarmUnit: once in a change.
func (u *unit) CountyRules(ctx context.Context) (domain.CountyRules, error) {
	if u.rules == nil {
		r, err := readCountyRules(ctx, u.tx, u.county)
		if err != nil {
			return r, err
		}
		u.rules = &r
	}
	return *u.rules, nil
}

// SavePreferences implements app.AlarmUnit. Somebody who writes at the same moment is refused.
func (u *unit) SavePreferences(accountID string, p domain.Preferences) {
	u.plan(1, `INSERT INTO preference (county_code, account_id, version, urgent, routine, quiet_from, quiet_to, digest_times, language, sound_for_urgent, update_time)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (county_code, account_id) DO UPDATE SET version = excluded.version, urgent = excluded.urgent, routine = excluded.routine,
		quiet_from = excluded.quiet_from, quiet_to = excluded.quiet_to, digest_times = excluded.digest_times, language = excluded.language,
		sound_for_urgent = excluded.sound_for_urgent, update_time = excluded.update_time WHERE preference.version = excluded.version - 1`,
		u.county, accountID, p.Version, strings.Join(p.Urgent, " "), strings.Join(p.Routine, " "), p.QuietFrom, p.QuietTo, strings.Join(p.DigestTimes, " "),
		p.Language, p.SoundForUrgent, u.Now())
	u.note("notification.set_preferences", "account", accountID)
}

// SaveCountyRules implements app.AlarmUnit.
func (u *unit) SaveCountyRules(r domain.CountyRules) {
	u.plan(1, `INSERT INTO county_rules (county_code, version, allowed, always_emergency, always_urgent, quiet_allowed, quiet_hours_most, ring_seconds,
		call_minutes, patient_sms, update_time) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (county_code) DO UPDATE SET version = excluded.version, allowed = excluded.allowed, always_emergency = excluded.always_emergency,
		always_urgent = excluded.always_urgent, quiet_allowed = excluded.quiet_allowed, quiet_hours_most = excluded.quiet_hours_most,
		ring_seconds = excluded.ring_seconds, call_minutes = excluded.call_minutes, patient_sms = excluded.patient_sms, update_time = excluded.update_time
		WHERE county_rules.version = excluded.version - 1`,
		u.county, r.Version, strings.Join(r.Allowed, " "), strings.Join(r.AlwaysEmergency, " "), strings.Join(r.AlwaysUrgent, " "), r.QuietAllowed,
		r.QuietHoursMost, r.RingSeconds, r.CallMinutes, r.PatientSMS, u.Now())
	u.note("notification.set_rules", "county", u.county)
}

// note adds an audit entry of what the change does beside entries.
func (u *unit) note(action, objectType, objectID string) {
	u.planned = append(u.planned, audit.Stmt(audit.Entry{
		County: u.county, AccountID: u.by.AccountID, OrganizationID: u.by.OrganizationID, Action: action, ObjectType: objectType, ObjectID: objectID,
	}, id.New(), u.Now()))
}
