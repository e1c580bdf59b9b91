package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

var _ app.RecognitionStore = (*Store)(nil)

// itemJSON is an item as a county set it. The names are stored: they may be added to, never changed.
type itemJSON struct {
	Name         string         `json:"name"`
	NameEn       string         `json:"nameEn,omitempty"`
	Kind         string         `json:"kind"`
	Codes        []string       `json:"codes,omitempty"`
	Parts        [][]string     `json:"parts,omitempty"`
	Methods      []string       `json:"methods,omitempty"`
	Unit         string         `json:"unit,omitempty"`
	Range        string         `json:"range"`
	Mark         string         `json:"mark"`
	Days         map[string]int `json:"days"`
	NeedsQuality bool           `json:"needsQuality,omitempty"`
	Qualified    []string       `json:"qualified,omitempty"`
	Price        int64          `json:"price,omitempty"`
	Note         string         `json:"note,omitempty"`
	Disabled     bool           `json:"disabled,omitempty"`
}

type directionsJSON struct {
	Upper   bool `json:"upper"`
	Lower   bool `json:"lower"`
	Peers   bool `json:"peers"`
	Unknown bool `json:"unknown"`
}

// settingBody is the body of a change; "" for as shipped again.
func settingBody(c app.RecognitionPut) (string, error) {
	var v any
	switch {
	case c.Item != nil:
		i := c.Item
		j := itemJSON{
			Name: i.Name, NameEn: i.NameEn, Kind: i.Kind, Codes: i.Codes, Parts: i.Parts, Methods: i.Methods, Unit: i.Unit,
			Range: string(i.Range), Mark: i.Mark, Days: map[string]int{}, NeedsQuality: i.NeedsQuality, Qualified: i.Qualified,
			Price: i.Price, Note: i.Note, Disabled: i.Disabled,
		}
		for s, d := range i.Days {
			j.Days[string(s)] = d
		}
		v = j
	case c.Directions != nil:
		v = directionsJSON{c.Directions.Upper, c.Directions.Lower, c.Directions.Peers, c.Directions.Unknown}
	default:
		return "", nil
	}
	text, err := json.Marshal(v)
	return string(text), err
}

func readItem(code string, version int32, body string) (domain.Item, error) {
	var j itemJSON
	if err := json.Unmarshal([]byte(body), &j); err != nil {
		return domain.Item{}, fmt.Errorf("decode recognition item %s: %w", code, err)
	}
	i := domain.Item{
		Code: code, Version: version, Name: j.Name, NameEn: j.NameEn, Kind: j.Kind, Codes: j.Codes, Parts: j.Parts, Methods: j.Methods,
		Unit: j.Unit, Range: domain.Reach(j.Range), Mark: j.Mark, Days: map[domain.Setting]int{}, NeedsQuality: j.NeedsQuality,
		Qualified: j.Qualified, Price: j.Price, Note: j.Note, Disabled: j.Disabled,
	}
	for s, d := range j.Days {
		i.Days[domain.Setting(s)] = d
	}
	return i, nil
}

func readDirections(version int32, body string) (domain.Directions, error) {
	var j directionsJSON
	if err := json.Unmarshal([]byte(body), &j); err != nil {
		return domain.Directions{}, fmt.Errorf("decode directions of recognition: %w", err)
	}
	return domain.Directions{Version: version, Upper: j.Upper, Lower: j.Lower, Peers: j.Peers, Unknown: j.Unknown}, nil
}

// RecognitionSet implements app.RecognitionStore.
func (s *Store) RecognitionSet(ctx context.Context, county string) (out app.RecognitionSet, err error) {
	err = s.read(ctx, county, func(c scope) error {
		out = app.RecognitionSet{Items: map[string]domain.Item{}, Versions: map[string]int32{}}
		rows, err := c.tx.Query(ctx, "SELECT name, version, body FROM recognition_setting WHERE county_code = $1 AND is_current", county)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var name, body string
			var version int32
			if err := rows.Scan(&name, &version, &body); err != nil {
				return err
			}
			if err := put(&out, name, version, body); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err != nil {
		return app.RecognitionSet{}, fmt.Errorf("read recognition settings of county %s: %w", county, err)
	}
	return out, nil
}

func put(out *app.RecognitionSet, name string, version int32, body string) (err error) {
	code, isItem := strings.CutPrefix(name, app.ItemSetting)
	switch {
	case isItem:
		out.Versions[code] = version
		if body != "" {
			out.Items[code], err = readItem(code, version, body)
		}
	case body == "":
		out.Directions.Version = version
	default:
		out.HasOwn = true
		out.Directions, err = readDirections(version, body)
	}
	return err
}

// RecognitionChanges implements app.RecognitionStore.
func (s *Store) RecognitionChanges(ctx context.Context, county, name string) (out []app.RecognitionChange, err error) {
	err = s.read(ctx, county, func(c scope) error {
		out = nil
		rows, err := c.tx.Query(ctx, `SELECT version, body, account_id, organization_id, create_time FROM recognition_setting
			WHERE county_code = $1 AND name = $2 ORDER BY version DESC`, county, name)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var change app.RecognitionChange
			var body string
			if err := rows.Scan(&change.Version, &body, &change.Account, &change.Organization, &change.Time); err != nil {
				return err
			}
			change.Time = change.Time.UTC()
			set := app.RecognitionSet{Items: map[string]domain.Item{}, Versions: map[string]int32{}}
			if err := put(&set, name, change.Version, body); err != nil {
				return err
			}
			for _, item := range set.Items {
				change.Item = &item
			}
			if set.HasOwn {
				change.Directions = &set.Directions
			}
			out = append(out, change)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("read changes of recognition setting %s: %w", name, err)
	}
	return out, nil
}

// PutRecognition implements app.RecognitionStore.
func (s *Store) PutRecognition(ctx context.Context, cmd app.Command, change app.RecognitionPut) error {
	body, err := settingBody(change)
	if err != nil {
		return fmt.Errorf("encode recognition setting %s: %w", change.Name, err)
	}
	next := change.Version + 1
	err = s.db.Update(ctx, func(tx *sqldb.Tx) error {
		u := s.unit(tx, cmd)
		if _, found, err := tx.FindRequest(ctx, u.request); found || err != nil {
			return err
		}
		var stmts []sqldb.Stmt
		if change.Version > 0 {
			stmts = append(stmts, sqldb.Stmt{
				SQL:  `UPDATE recognition_setting SET is_current = FALSE WHERE county_code = $1 AND name = $2 AND version = $3 AND is_current`,
				Args: []any{cmd.County, change.Name, change.Version}, Want: 1,
			})
		}
		stmts = append(stmts, sqldb.Stmt{
			SQL: `INSERT INTO recognition_setting (county_code, name, version, is_current, body, account_id, organization_id, create_time)
				VALUES ($1, $2, $3, TRUE, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
			Args: []any{cmd.County, change.Name, next, body, cmd.Account, cmd.Organization, tx.Now()}, Want: 1,
		}, audit.Stmt(audit.Entry{
			County: cmd.County, AccountID: cmd.Account, OrganizationID: cmd.Organization, Action: "recognition.set",
			ObjectType: "recognition_setting", ObjectID: change.Name, Detail: fmt.Sprintf("version %d", next),
		}, id.New(), tx.Now()), sqldb.RequestStmt(u.request, []byte{}, tx.Now()))
		return tx.Last(ctx, stmts...)
	})
	if errors.Is(err, sqldb.ErrConditionFailed) {
		changes, err := s.RecognitionChanges(ctx, cmd.County, change.Name)
		if err != nil || len(changes) == 0 {
			return errs.Stale(0, "")
		}
		return errs.Stale(changes[0].Version, "")
	}
	if err != nil {
		return fmt.Errorf("write recognition setting %s: %w", change.Name, err)
	}
	return nil
}

// organizationConsumer names this service's reading of directory facts in the inbox.
const organizationConsumer = "patientrecord-organisations"

// Tiers implements app.RecognitionStore.
func (s *Store) Tiers(ctx context.Context, county string) (out map[string]domain.Tier, err error) {
	err = s.read(ctx, county, func(c scope) error {
		out = map[string]domain.Tier{}
		rows, err := c.tx.Query(ctx, "SELECT id, type FROM recognition_organization WHERE county_code = $1", county)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id, kind string
			if err := rows.Scan(&id, &kind); err != nil {
				return err
			}
			out[id] = domain.TierOf(kind)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("read organisations of county %s: %w", county, err)
	}
	return out, nil
}

// PutOrganization implements app.RecognitionStore.
func (s *Store) PutOrganization(ctx context.Context, factID string, o app.Organization) error {
	err := s.db.Update(ctx, func(tx *sqldb.Tx) error {
		if factID != "" {
			already, err := outbox.Seen(ctx, tx, organizationConsumer, factID)
			if already || err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `INSERT INTO recognition_organization (county_code, id, version, type, parent_id, name) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (county_code, id) DO UPDATE SET version = excluded.version, type = excluded.type, parent_id = excluded.parent_id,
			name = excluded.name WHERE recognition_organization.version <= excluded.version`, o.County, o.ID, o.Version, o.Type, o.Parent, o.Name)
		return err
	})
	if err != nil {
		return fmt.Errorf("store organisation %s: %w", o.ID, err)
	}
	return nil
}
