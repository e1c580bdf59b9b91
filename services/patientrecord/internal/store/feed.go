package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// Kinds of hashes of messages. The control id is hashed too: some systems make it of a patient's number.
const (
	controlKind = "feed-control"
	rawKind     = "feed-content"
)

// feedChange is a new or changed message; raw is the content of a new one.
type feedChange struct {
	message domain.FeedMessage
	raw     []byte
}

const feedColumns = `m.id, m.version, m.organization_id, m.account_id, m.sender, m.type, m.state, m.is_first, m.reason, m.position, m.receive_time,
	m.settle_time, m.settle_reason`

// feedRow reads feedColumns and what more is asked for.
func feedRow(scan func(...any) error, more ...any) (domain.FeedMessage, error) {
	var m domain.FeedMessage
	var settled sql.NullTime
	err := scan(append([]any{
		&m.ID, &m.Version, &m.Organization, &m.Account, &m.Sender, &m.Type, &m.State, &m.First, &m.Problem.Reason, &m.Problem.Position, &m.Received,
		&settled, &m.SettleReason,
	}, more...)...)
	m.Received = m.Received.UTC()
	if settled.Valid {
		m.Settled = settled.Time.UTC()
	}
	return m, err
}

// SameMessage implements app.Unit.
func (u *unit) SameMessage(ctx context.Context, sender, control string, raw []byte) (same domain.FeedMessage, known, other bool, err error) {
	q := query{args: []any{u.county, u.cmd.Organization, sender}}
	contents := u.ring.Tokens(rawKind, string(raw))
	controls := u.ring.Tokens(controlKind, control)
	if control == "" {
		controls = nil
		for _, content := range contents {
			controls = append(controls, u.ring.Tokens(controlKind, string(content))...)
		}
	}
	text := "SELECT " + feedColumns + `, m.content_token FROM feed_message m WHERE m.county_code = $1 AND m.organization_id = $2 AND m.sender = $3
		AND m.control_token IN (` +
		places(&q, controls) + ")" + u.tx.ForUpdate()
	rows, err := u.tx.Query(ctx, text, q.args...)
	if err != nil {
		return same, false, false, fmt.Errorf("look for a message: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var content []byte
		m, err := feedRow(rows.Scan, &content)
		if err != nil {
			return same, false, false, fmt.Errorf("look for a message: %w", err)
		}
		other = true
		if slices.ContainsFunc(contents, func(c []byte) bool { return string(c) == string(content) }) {
			same, known = m, true
		}
	}
	return same, known, other, rows.Err()
}

// FeedMessage implements app.Unit.
func (u *unit) FeedMessage(ctx context.Context, id string) (domain.FeedMessage, error) {
	return u.feedMessage(ctx, id, u.tx.ForUpdate())
}

// PutFeedMessage implements app.Unit.
func (u *unit) PutFeedMessage(m domain.FeedMessage, raw []byte) {
	u.feed = append(u.feed, feedChange{m, raw})
}

// EntryOf implements app.Unit.
func (u *unit) EntryOf(ctx context.Context, patient, system, identity string) (domain.Entry, bool, error) {
	q := query{args: []any{u.county, patient}}
	text := "SELECT " + entryColumns + ` FROM clinical_entry e WHERE e.county_code = $1 AND ` + u.kin("e.patient_id", "$2") + ` AND e.is_current AND e.source_token IN (` +
		places(&q, u.ring.Tokens(sourceKind, sourceText(system, identity))) + ")"
	rows, err := u.tx.Query(ctx, text, q.args...)
	if err != nil {
		return domain.Entry{}, false, fmt.Errorf("load an entry of patient %s: %w", patient, err)
	}
	defer rows.Close()
	if !rows.Next() {
		return domain.Entry{}, false, rows.Err()
	}
	e, err := u.scanEntry(rows)
	if err != nil {
		return e, false, fmt.Errorf("load an entry of patient %s: %w", patient, err)
	}
	e.SourceSystem, e.SourceIdentity = system, identity
	return e, true, nil
}

func (c scope) feedMessage(ctx context.Context, id, lock string) (domain.FeedMessage, error) {
	var sealed []byte
	m, err := feedRow(c.tx.QueryRow(ctx, "SELECT "+feedColumns+", m.raw FROM feed_message m WHERE m.county_code = $1 AND m.id = $2"+lock, c.county, id).Scan, &sealed)
	switch {
	case sqldb.NoRows(err):
		return m, errs.NotFound("message")
	case err != nil:
		return m, fmt.Errorf("load message %s: %w", id, err)
	case len(sealed) == 0:
		return m, nil
	}
	if m.Raw, err = c.ring.Open("feed_message", "raw", c.row(id), sealed); err != nil {
		return m, fmt.Errorf("open message %s: %w", id, err)
	}
	return m, nil
}

// feed writes a message: its content only in quarantine, and audited only then, because what is stored is audited as such.
func (d *derived) feed(c feedChange) {
	u, m := d.u, c.message
	raw := c.raw
	if m.Version > 1 {
		raw = m.Raw
	}
	var sealed any
	if m.Open() {
		text, err := u.ring.Seal("feed_message", "raw", u.row(m.ID), raw)
		d.fail(err)
		sealed = text
	}
	if m.Version > 1 {
		d.write(1, `UPDATE feed_message SET version = $3, state = $4, reason = $5, position = $6, settle_time = $7, settle_reason = $8, raw = $9
			WHERE county_code = $1 AND id = $2 AND version = $3 - 1`,
			u.county, m.ID, m.Version, string(m.State), m.Problem.Reason, m.Problem.Position, nullTime(m.Settled), m.SettleReason, sealed)
		return
	}
	control, content := m.Control, u.ring.Token(rawKind, string(raw))
	if control == "" {
		control = string(content)
	}
	d.write(1, `INSERT INTO feed_message (county_code, id, version, organization_id, account_id, sender, control_token, content_token, is_first, type,
		state, reason, position, receive_time, settle_time, settle_reason, raw)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
		u.county, m.ID, m.Version, m.Organization, m.Account, m.Sender, u.ring.Token(controlKind, control), content, m.First, m.Type,
		string(m.State), m.Problem.Reason, m.Problem.Position, m.Received, nullTime(m.Settled), m.SettleReason, sealed)
	if m.Open() {
		d.audit("feed.quarantine", "feed_message", m.ID, "", m.Problem.Reason)
	}
}

// FeedMessage implements app.Store.
func (s *Store) FeedMessage(ctx context.Context, county, id string) (out domain.FeedMessage, err error) {
	err = s.read(ctx, county, func(c scope) error {
		out, err = c.feedMessage(ctx, id, "")
		return err
	})
	return out, err
}

// FeedMessages implements app.Store.
func (s *Store) FeedMessages(
	ctx context.Context, county, organization string, state domain.FeedState, after app.Cursor, limit int,
) (out []domain.FeedMessage, err error) {
	q := query{args: []any{county, string(state)}}
	where := []string{"m.county_code = $1", "m.state = $2"}
	if organization != "" {
		where = append(where, "m.organization_id = "+q.arg(organization))
	}
	if after != (app.Cursor{}) {
		t, id := q.arg(after.Time), q.arg(after.ID)
		where = append(where, "(m.receive_time < "+t+" OR m.receive_time = "+t+" AND m.id < "+id+")")
	}
	text := "SELECT " + feedColumns + " FROM feed_message m WHERE " + strings.Join(where, " AND ") +
		" ORDER BY m.receive_time DESC, m.id DESC LIMIT " + q.arg(limit)
	err = s.read(ctx, county, func(c scope) error {
		out = nil
		rows, err := c.tx.Query(ctx, text, q.args...)
		if err != nil {
			return fmt.Errorf("list messages: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			m, err := feedRow(rows.Scan)
			if err != nil {
				return fmt.Errorf("list messages: %w", err)
			}
			out = append(out, m)
		}
		return rows.Err()
	})
	return out, err
}
