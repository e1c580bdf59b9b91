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

var _ app.Settings = (*Store)(nil)

// storedSettings is the body as JSON. The names are stored: they may be added to, never changed.
type storedSettings struct {
	Limits         []storedLimit `json:"limits,omitempty"`
	Opens          string        `json:"opens,omitempty"`
	Closes         string        `json:"closes,omitempty"`
	Holidays       []string      `json:"holidays,omitempty"`
	Workdays       []string      `json:"workdays,omitempty"`
	BounceBackDays int           `json:"bounceBackDays,omitempty"`
}

type storedLimit struct {
	Step          domain.Step      `json:"step"`
	Direction     domain.Direction `json:"direction"`
	Urgency       domain.Urgency   `json:"urgency"`
	Minutes       int              `json:"minutes,omitempty"`
	WorkingDays   int              `json:"workingDays,omitempty"`
	RepeatMinutes int              `json:"repeatMinutes,omitempty"`
}

func encodeSettings(s domain.Settings) []byte {
	b := storedSettings{Opens: s.Opens, Closes: s.Closes, Holidays: s.Holidays, Workdays: s.Workdays, BounceBackDays: s.BounceBackDays}
	for _, l := range s.Limits {
		b.Limits = append(b.Limits, storedLimit(l))
	}
	return encode(b)
}

func decodeSettings(version int32, body []byte) (domain.Settings, error) {
	var b storedSettings
	if err := json.Unmarshal(body, &b); err != nil {
		return domain.Settings{}, fmt.Errorf("decode settings: %w", err)
	}
	s := domain.Settings{
		Version: version, Opens: b.Opens, Closes: b.Closes, Holidays: b.Holidays, Workdays: b.Workdays, BounceBackDays: b.BounceBackDays,
	}
	for _, l := range b.Limits {
		s.Limits = append(s.Limits, domain.Limit(l))
	}
	return s, nil
}

// Settings implements [app.Settings].
func (s *Store) Settings(ctx context.Context, county string) (domain.Settings, error) {
	var version int32
	var body string
	err := s.DB.Read(ctx, func(tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, "SELECT version, body FROM county_setting WHERE county_code = $1", county).Scan(&version, &body)
	})
	if sqldb.NoRows(err) {
		return domain.Settings{}, nil
	}
	if err != nil {
		return domain.Settings{}, fmt.Errorf("read the settings of county %s: %w", county, err)
	}
	return decodeSettings(version, []byte(body))
}

// PutSettings implements [app.Settings]. The request's answer is the version alone: its body is the one that was sent.
func (s *Store) PutSettings(ctx context.Context, cmd app.Command, set domain.Settings) (domain.Settings, error) {
	county, next := cmd.Caller.County, set
	next.Version++
	err := s.DB.Update(ctx, func(tx *sqldb.Tx) error {
		if _, found, err := tx.FindRequest(ctx, s.request(cmd)); found || err != nil {
			return err
		}
		write := sqldb.Stmt{
			SQL:  `UPDATE county_setting SET version = $3, body = $4, update_time = $5 WHERE county_code = $1 AND version = $2`,
			Args: []any{county, set.Version, next.Version, string(encodeSettings(next)), tx.Now()}, Want: 1,
		}
		if set.Version == 0 {
			write.SQL = `INSERT INTO county_setting (county_code, version, body, update_time) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`
			write.Args = []any{county, next.Version, string(encodeSettings(next)), tx.Now()}
		}
		kept := versionStmt(cmd, app.SubjectSettings, next.Version, encodeSettings(next), tx)
		return tx.Last(ctx, write, kept, s.settingsEntry(cmd, next, tx), sqldb.RequestStmt(s.request(cmd), []byte{}, tx.Now()))
	})
	if errors.Is(err, sqldb.ErrConditionFailed) {
		now, err := s.Settings(ctx, county)
		if err != nil {
			return domain.Settings{}, err
		}
		return domain.Settings{}, errs.Stale(now.Version, "")
	}
	if err != nil {
		return domain.Settings{}, fmt.Errorf("write the settings of county %s: %w", county, err)
	}
	return next, nil
}

func (s *Store) settingsEntry(cmd app.Command, set domain.Settings, tx *sqldb.Tx) sqldb.Stmt {
	return audit.Stmt(audit.Entry{
		County: cmd.Caller.County, AccountID: cmd.Caller.Subject, OrganizationID: cmd.Caller.Organization, Action: "referral.update_settings",
		ObjectType: "county_setting", ObjectID: cmd.Caller.County, Detail: "version " + strconv.Itoa(int(set.Version)),
	}, id.New(), tx.Now())
}
