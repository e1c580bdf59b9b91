package store

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// unit collects what one transaction writes. write is the one place where what follows from a change is derived.
type unit struct {
	s     *Store
	tx    *sqldb.Tx
	cmd   app.Command
	saved []*domain.Referral
	// candidates are written after the referrals that their limits belong to.
	candidates []*domain.Candidate
	// ofPatient are those that were loaded, by patient.
	ofPatient  map[string][]*domain.Candidate
	discharged []reported
	plans      []plan
	facts      []outbox.Fact
	answer     domain.Snapshot
	touched    bool
	err        error
}

// plan is a statement and what it means when the row was not as it must be.
type plan struct {
	sqldb.Stmt
	lost func(ctx context.Context) error
}

// Now implements [app.Unit].
func (u *unit) Now() time.Time { return u.tx.Now() }

// Referral implements [app.Unit].
func (u *unit) Referral(ctx context.Context, id string) (*domain.Referral, error) {
	row := u.tx.QueryRow(ctx, "SELECT "+columns+" FROM referral r WHERE county_code = $1 AND id = $2"+u.tx.ForUpdate(), u.cmd.Caller.County, id)
	snapshot, err := u.s.scan(row)
	if sqldb.NoRows(err) {
		return nil, errs.NotFound("referral")
	}
	if err != nil {
		return nil, fmt.Errorf("load referral %s: %w", id, err)
	}
	return domain.Restore(snapshot), nil
}

// Save implements [app.Unit].
func (u *unit) Save(r *domain.Referral) {
	u.saved = append(u.saved, r)
	u.answer, u.touched = r.Snapshot(), true
}

// Seen implements [app.Unit].
func (u *unit) Seen(ctx context.Context, r *domain.Referral) error {
	s, by := r.Snapshot(), u.cmd.Caller
	u.answer, u.touched = s, true
	var n int
	err := u.tx.QueryRow(ctx, "SELECT count(*) FROM mark WHERE county_code = $1 AND referral_id = $2 AND name = $3 AND account_id = $4",
		s.County, s.ID, string(domain.MarkSeen), by.Subject).Scan(&n)
	if err != nil {
		return fmt.Errorf("look for a mark on referral %s: %w", s.ID, err)
	}
	if n > 0 {
		return nil
	}
	u.plan(1, `INSERT INTO mark (county_code, referral_id, name, account_id, account_name, organization_id, occur_time)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`, s.County, s.ID, string(domain.MarkSeen), by.Subject, by.Name, by.Organization, u.Now())
	u.tell(domain.Change{
		Action: domain.MarkSeen, Mark: true, From: s.State, At: u.Now(), After: s,
		By: domain.Actor{AccountID: by.Subject, Name: by.Name, OrganizationID: by.Organization},
	})
	u.stmt(audit.Stmt(entry(by, s, string(domain.MarkSeen)), id.New(), u.Now()))
	return nil
}

// write derives everything from what was collected and sends it at once.
func (u *unit) write(ctx context.Context) error {
	for _, r := range u.saved {
		changes := r.Changes()
		if len(changes) == 0 {
			continue
		}
		u.row(r)
		for _, c := range changes {
			if c.Mark {
				u.note(c)
			} else {
				u.history(c)
			}
			if u.s.Wire.Told(c.Action) {
				u.tell(c)
			}
		}
		last := changes[len(changes)-1]
		u.deadlines(changes, r.Loaded().Version == 0)
		u.tasks(r, changes)
		u.stmt(audit.Stmt(entry(u.cmd.Caller, last.After, string(last.Action)), id.New(), u.Now()))
	}
	u.writeCandidates()
	if err := u.linkDischarges(ctx); err != nil {
		return err
	}
	u.writeDischarges()
	u.settleRegistrations()
	u.figures()
	if u.touched && u.cmd.RequestID != "" {
		u.log()
	}
	if u.err != nil {
		return u.err
	}
	stmts := make([]sqldb.Stmt, 0, len(u.plans)+len(u.facts))
	for _, p := range u.plans {
		stmts = append(stmts, p.Stmt)
	}
	stmts = append(stmts, outbox.Stmts(ctx, u.facts...)...)
	if len(stmts) == 0 {
		return nil
	}
	if len(u.facts) > 0 {
		u.tx.OnCommit(u.s.Wake)
	}
	return u.tx.Last(ctx, stmts...)
}

// lost explains a statement that found its row otherwise.
func (u *unit) lost(ctx context.Context, index int) error {
	if index < len(u.plans) && u.plans[index].lost != nil {
		return u.plans[index].lost(ctx)
	}
	return fmt.Errorf("statement %d of a change: %w", index, sqldb.ErrConditionFailed)
}

func (u *unit) stmt(s sqldb.Stmt) { u.plans = append(u.plans, plan{Stmt: s}) }

func (u *unit) plan(want int64, text string, args ...any) *plan {
	u.stmt(sqldb.Stmt{SQL: text, Args: args, Want: want})
	return &u.plans[len(u.plans)-1]
}

// seal encrypts a value for its column; nil becomes NULL. The first error is kept for write.
func (u *unit) seal(table, column, row string, plain []byte) any {
	if plain == nil || u.err != nil {
		return nil
	}
	sealed, err := u.s.Ring.Seal(table, column, row, plain)
	u.err = err
	return sealed
}

// row inserts a new referral, or updates the one of the version that was read. Sealed columns are written when they changed.
func (u *unit) row(r *domain.Referral) {
	s := r.Snapshot()
	if r.Loaded().Version == 0 {
		args := append(fixed(s), changing(s)...)
		args = append(args,
			u.seal("referral", "patient", s.ID, encode(patientOf(s))),
			u.seal("referral", "content", s.ID, encode(contentOf(s))),
			u.seal("referral", "result", s.ID, some(encode(resultOf(s)))),
			u.seal("referral", "plan", s.ID, some(encode(planOf(s)))))
		u.plan(1, insertStatement, args...)
		return
	}
	old := r.Loaded()
	var content, result, plan any
	if now := encode(contentOf(s)); !bytes.Equal(now, encode(contentOf(old))) {
		content = u.seal("referral", "content", s.ID, now)
	}
	if now := encode(resultOf(s)); !bytes.Equal(now, encode(resultOf(old))) {
		result = u.seal("referral", "result", s.ID, now)
	}
	if now := encode(planOf(s)); !bytes.Equal(now, encode(planOf(old))) {
		plan = u.seal("referral", "plan", s.ID, now)
	}
	args := append([]any{s.County, s.ID, r.Loaded().Version}, changing(s)...)
	args = append(args, content, result, plan)
	u.plan(1, updateStatement, args...).lost = func(ctx context.Context) error { return u.s.stale(ctx, s.County, s.ID) }
}

func (u *unit) history(c domain.Change) {
	s := c.After
	key := fmt.Sprintf("%s/%d", s.ID, s.Version)
	u.plan(1, `INSERT INTO history (county_code, referral_id, version, action, from_state, to_state, account_id, account_name, organization_id,
		occur_time, reason_code, remark) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		s.County, s.ID, s.Version, string(c.Action), string(c.From), string(s.State), c.By.AccountID, c.By.Name, c.By.OrganizationID,
		c.At, c.Reason, u.seal("history", "remark", key, some(encode(remarkOf(c)))))
	if c.FormerReceiver != "" {
		u.plan(-1, `INSERT INTO former_receiver (county_code, referral_id, organization_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
			s.County, s.ID, c.FormerReceiver)
	}
}

// note keeps a mark for the timeline.
func (u *unit) note(c domain.Change) {
	s, key := c.After, id.New()
	u.plan(1, `INSERT INTO note (county_code, id, referral_id, name, account_id, account_name, organization_id, occur_time, reason_code, remark)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		s.County, key, s.ID, string(c.Action), c.By.AccountID, c.By.Name, c.By.OrganizationID, c.At, c.Reason,
		u.seal("note", "remark", key, some(encode(remarkOf(c)))))
}

func (u *unit) tell(c domain.Change) {
	f, err := u.s.fact(c, u.cmd)
	if err != nil && u.err == nil {
		u.err = fmt.Errorf("envelope %s: %w", c.Action, err)
	}
	u.facts = append(u.facts, f)
}

func (u *unit) log() {
	answer, err := u.s.Wire.EncodeAnswer(app.View{Snapshot: u.answer})
	if err != nil && u.err == nil {
		u.err = fmt.Errorf("encode the answer: %w", err)
	}
	sealed, _ := u.seal("request_log", "response", u.cmd.RequestID, answer).([]byte)
	u.stmt(sqldb.RequestStmt(u.s.request(u.cmd), sealed, u.Now()))
}
