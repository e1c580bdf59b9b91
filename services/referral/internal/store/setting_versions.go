package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

var _ app.Versions = (*Store)(nil)

// The bodies as JSON. The names are stored: they may be added to, never changed.
type (
	storedTarget struct {
		Measure        string  `json:"measure"`
		OrganizationID string  `json:"organizationId,omitempty"`
		DepartmentCode string  `json:"departmentCode,omitempty"`
		FromMonth      string  `json:"fromMonth,omitempty"`
		ToMonth        string  `json:"toMonth,omitempty"`
		Value          float64 `json:"value"`
	}
	storedReason struct {
		Action domain.Action `json:"action"`
		Code   string        `json:"code"`
		Text   string        `json:"text,omitempty"`
		TextEn string        `json:"textEn,omitempty"`
		Hidden bool          `json:"hidden,omitempty"`
		// CountsAs of an own reason.
		CountsAs string `json:"countsAs,omitempty"`
	}
)

func encodeTargets(t domain.Targets) []byte {
	out := make([]storedTarget, len(t.Targets))
	for i, one := range t.Targets {
		out[i] = storedTarget(one)
	}
	return encode(out)
}

func encodeReasons(s domain.ReasonSettings) []byte {
	out := make([]storedReason, len(s.Reasons))
	for i, one := range s.Reasons {
		out[i] = storedReason(one)
	}
	return encode(out)
}

// decodeVersion puts a body into the part of a version that its subject names.
func decodeVersion(subject app.Subject, body string, into *app.SettingVersion) (err error) {
	switch subject {
	case app.SubjectSettings:
		into.Settings, err = decodeSettings(into.Version, []byte(body))
	case app.SubjectTargets:
		var all []storedTarget
		err = json.Unmarshal([]byte(body), &all)
		into.Targets.Version = into.Version
		for _, one := range all {
			into.Targets.Targets = append(into.Targets.Targets, domain.Target(one))
		}
	case app.SubjectReasons:
		var all []storedReason
		err = json.Unmarshal([]byte(body), &all)
		into.Reasons.Version = into.Version
		for _, one := range all {
			into.Reasons.Reasons = append(into.Reasons.Reasons, domain.ReasonSetting(one))
		}
	}
	if err != nil {
		return fmt.Errorf("decode %s of version %d: %w", subject, into.Version, err)
	}
	return nil
}

// SettingVersions implements [app.Settings].
func (s *Store) SettingVersions(ctx context.Context, county string, subject app.Subject, limit int) (out []app.SettingVersion, err error) {
	err = s.DB.Read(ctx, func(tx *sqldb.Tx) error {
		out = nil
		rows, err := tx.Query(ctx, `SELECT version, body, account_id, account_name, change_time FROM setting_version
			WHERE county_code = $1 AND subject = $2 ORDER BY version DESC LIMIT $3`, county, string(subject), limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var v app.SettingVersion
			var body string
			if err := rows.Scan(&v.Version, &body, &v.AccountID, &v.AccountName, &v.At); err != nil {
				return err
			}
			v.At = v.At.UTC()
			if err := decodeVersion(subject, body, &v); err != nil {
				return err
			}
			out = append(out, v)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("read the versions of %s of county %s: %w", subject, county, err)
	}
	return out, nil
}

// last is the version that stands; the zero version if nothing was set.
func (s *Store) last(ctx context.Context, county string, subject app.Subject) (app.SettingVersion, error) {
	found, err := s.SettingVersions(ctx, county, subject, 1)
	if err != nil || len(found) == 0 {
		return app.SettingVersion{}, err
	}
	return found[0], nil
}

// Targets implements [app.Settings].
func (s *Store) Targets(ctx context.Context, county string) (domain.Targets, error) {
	v, err := s.last(ctx, county, app.SubjectTargets)
	return v.Targets, err
}

// ReasonSettings implements [app.Settings].
func (s *Store) ReasonSettings(ctx context.Context, county string) (domain.ReasonSettings, error) {
	v, err := s.last(ctx, county, app.SubjectReasons)
	return v.Reasons, err
}

// PutTargets implements [app.Settings].
func (s *Store) PutTargets(ctx context.Context, cmd app.Command, t domain.Targets) (domain.Targets, error) {
	err := s.putVersion(ctx, cmd, app.SubjectTargets, t.Version, encodeTargets(t))
	t.Version++
	return t, err
}

// PutReasonSettings implements [app.Settings].
func (s *Store) PutReasonSettings(ctx context.Context, cmd app.Command, set domain.ReasonSettings) (domain.ReasonSettings, error) {
	err := s.putVersion(ctx, cmd, app.SubjectReasons, set.Version, encodeReasons(set))
	set.Version++
	return set, err
}

// versionAction is what the audit calls a new version.
func versionAction(subject app.Subject) string {
	if subject == app.SubjectTargets {
		return "referral.update_targets"
	}
	return "referral.update_reasons"
}

// putVersion writes the version after the one that was seen. Of two at once the second meets the first's row.
func (s *Store) putVersion(ctx context.Context, cmd app.Command, subject app.Subject, seen int32, body []byte) error {
	county := cmd.Caller.County
	err := s.DB.Update(ctx, func(tx *sqldb.Tx) error {
		if _, found, err := tx.FindRequest(ctx, s.request(cmd)); found || err != nil {
			return err
		}
		var stands int32
		err := tx.QueryRow(ctx, "SELECT COALESCE(max(version), 0) FROM setting_version WHERE county_code = $1 AND subject = $2", county, string(subject)).
			Scan(&stands)
		if err != nil {
			return err
		}
		if stands != seen {
			return errs.Stale(stands, "")
		}
		entry := audit.Stmt(audit.Entry{
			County: county, AccountID: cmd.Caller.Subject, OrganizationID: cmd.Caller.Organization, Action: versionAction(subject),
			ObjectType: "county_setting", ObjectID: county, Detail: "version " + strconv.Itoa(int(seen+1)),
		}, id.New(), tx.Now())
		return tx.Last(ctx, versionStmt(cmd, subject, seen+1, body, tx), entry, sqldb.RequestStmt(s.request(cmd), []byte{}, tx.Now()))
	})
	if errors.Is(err, sqldb.ErrConditionFailed) {
		v, err := s.last(ctx, county, subject)
		if err != nil {
			return err
		}
		return errs.Stale(v.Version, "")
	}
	if err != nil {
		return fmt.Errorf("write %s of county %s: %w", subject, county, err)
	}
	return nil
}

func versionStmt(cmd app.Command, subject app.Subject, version int32, body []byte, tx *sqldb.Tx) sqldb.Stmt {
	return sqldb.Stmt{
		SQL: `INSERT INTO setting_version (county_code, subject, version, body, account_id, account_name, change_time)
			VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
		Args: []any{cmd.Caller.County, string(subject), version, string(body), cmd.Caller.Subject, cmd.Caller.Name, tx.Now()}, Want: 1,
	}
}
