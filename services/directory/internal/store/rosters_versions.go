package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tongzhen/tongzhen/services/directory/internal/app"
	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/directory/internal/events"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// The body of a version as JSON. The names are stored: they may be added to, never changed.
type (
	storedShift struct {
		Weekday   int    `json:"weekday"`
		From      string `json:"from"`
		To        string `json:"to"`
		AccountID string `json:"accountId"`
		Line      int    `json:"line"`
		FirstDay  string `json:"firstDay,omitempty"`
		LastDay   string `json:"lastDay,omitempty"`
	}
	storedHandOver struct {
		ID         string    `json:"id"`
		From       string    `json:"from"`
		To         string    `json:"to"`
		Start      time.Time `json:"start"`
		End        time.Time `json:"end"`
		Note       string    `json:"note"`
		AccountID  string    `json:"accountId"`
		CreateTime time.Time `json:"createTime"`
	}
	storedRoster struct {
		Shifts   []storedShift   `json:"shifts"`
		HandOver *storedHandOver `json:"handOver,omitempty"`
	}
)

// SaveRoster implements app.Unit.
func (u *unit) SaveRoster(was, r domain.Roster, c app.RosterAction) {
	p := r.Post()
	u.write(1, `INSERT INTO roster (county_code, organization_id, department_code, version, update_time) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (county_code, organization_id, department_code) DO UPDATE SET version = excluded.version, update_time = excluded.update_time
		WHERE roster.version = excluded.version - 1`, p.County, p.OrganizationID, p.Department, r.Version(), u.Now())
	u.write(-1, `DELETE FROM roster_shift WHERE county_code = $1 AND organization_id = $2 AND department_code = $3`, p.County, p.OrganizationID, p.Department)
	for _, s := range r.Shifts() {
		u.write(1, `INSERT INTO roster_shift (county_code, organization_id, department_code, weekday, start_clock, end_clock, account_id, line,
			first_day, last_day) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			p.County, p.OrganizationID, p.Department, s.Weekday, s.From, s.To, s.AccountID, s.Line, s.FirstDay, s.LastDay)
	}
	for _, h := range r.HandOvers() {
		u.write(1, `INSERT INTO hand_over (county_code, id, organization_id, department_code, from_account_id, to_account_id, start_time, end_time,
			note, account_id, create_time) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
			ON CONFLICT (county_code, id) DO UPDATE SET end_time = excluded.end_time`,
			p.County, h.ID, p.OrganizationID, p.Department, h.From, h.To, h.Start, h.End, h.Note, h.AccountID, h.CreateTime)
	}
	if was.Version() > 0 {
		u.rosterVersion(was, app.RosterVersion{Action: app.RosterAction{Code: app.RosterBefore}})
	}
	u.rosterVersion(r, app.RosterVersion{Action: c, AccountID: u.by.AccountID, AccountName: u.by.AccountName})
	switch c.Code {
	case app.RosterSet, app.RosterReplace:
		u.audit("roster.set", "organization", p.OrganizationID)
	case app.RosterHandOver:
		u.audit("roster.hand_over", "organization", p.OrganizationID)
	case app.RosterTakeBack:
		u.audit("roster.take_back", "organization", p.OrganizationID)
	}
	u.publish(events.RosterChanged(u.meta(p.OrganizationID, r.Version(), "org:"+p.OrganizationID), r))
}

// rosterVersion keeps a version, unless it is known.
func (u *unit) rosterVersion(r domain.Roster, v app.RosterVersion) {
	var body storedRoster
	for _, s := range r.Shifts() {
		body.Shifts = append(body.Shifts, storedShift(s))
	}
	if h := v.Action.HandOver; h.ID != "" {
		stored := storedHandOver(h)
		body.HandOver = &stored
	}
	text, err := json.Marshal(body)
	if err != nil {
		u.failure = fmt.Errorf("encode a version of a roster: %w", err)
		return
	}
	p := r.Post()
	u.write(-1, `INSERT INTO roster_version (county_code, organization_id, department_code, version, action, body, account_id, account_name, change_time)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
		p.County, p.OrganizationID, p.Department, r.Version(), v.Action.Code, string(text), v.AccountID, v.AccountName, u.Now())
}

// RosterVersions implements app.Store.
func (s *Store) RosterVersions(ctx context.Context, p domain.Post, limit int) (out []app.RosterVersion, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		out = nil
		return each(ctx, tx, func(rows *sql.Rows) error {
			var v app.RosterVersion
			var text string
			if err := rows.Scan(&v.Version, &v.Action.Code, &text, &v.AccountID, &v.AccountName, &v.Time); err != nil {
				return err
			}
			var body storedRoster
			if err := json.Unmarshal([]byte(text), &body); err != nil {
				return err
			}
			v.Time = v.Time.UTC()
			for _, s := range body.Shifts {
				v.Shifts = append(v.Shifts, domain.Shift(s))
			}
			if body.HandOver != nil {
				v.Action.HandOver = domain.HandOver(*body.HandOver)
			}
			out = append(out, v)
			return nil
		}, `SELECT version, action, body, account_id, account_name, change_time FROM roster_version
			WHERE county_code = $1 AND organization_id = $2 AND department_code = $3 ORDER BY version DESC LIMIT $4`,
			p.County, p.OrganizationID, p.Department, limit)
	})
	if err != nil {
		return nil, fmt.Errorf("list versions of a roster: %w", err)
	}
	return out, nil
}
