package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

var _ app.Deadlines = (*Store)(nil)

// deadlines stops the main step and starts the one that the last change of state began; the steps aside as each change says.
func (u *unit) deadlines(changes []domain.Change, isNew bool) {
	var start domain.Deadline
	stop := false
	for _, c := range changes {
		if !c.KeepDeadline {
			stop, start = true, c.Deadline
		}
	}
	s := changes[len(changes)-1].After
	if stop && !isNew {
		u.stopSteps(s, domain.MainSteps()...)
	}
	u.startStep(s, start)
	for _, c := range changes {
		for _, d := range c.Aside {
			if d.Due.IsZero() && !isNew {
				u.stopSteps(s, d.Step)
			}
			u.startStep(s, d)
		}
	}
}

func (u *unit) stopSteps(s domain.Snapshot, steps ...domain.Step) {
	names := make([]string, len(steps))
	for i, step := range steps {
		names[i] = string(step)
	}
	among, list := u.tx.List("step", 4, names)
	u.plan(-1, `UPDATE deadline SET state = 'STOPPED', stop_time = $3 WHERE county_code = $1 AND referral_id = $2 AND state = 'OPEN' AND `+among,
		s.County, s.ID, u.Now(), list)
}

// startStep lets a step run, from its beginning if it ran before: who has claimed a rung of that writes nothing any more. One that has no
// end is not watched.
func (u *unit) startStep(s domain.Snapshot, d domain.Deadline) {
	if d.Due.IsZero() {
		return
	}
	u.plan(1, `INSERT INTO deadline (county_code, referral_id, step, due_time, state, start_time, level, next_time)
		VALUES ($1, $2, $3, $4, 'OPEN', $5, 0, $4)
		ON CONFLICT (county_code, referral_id, step) DO UPDATE SET due_time = $4, state = 'OPEN', start_time = $5, stop_time = NULL,
			level = 0, next_time = $4, lease_owner = '', lease_until = NULL, fence = deadline.fence + 1`,
		s.County, s.ID, string(d.Step), d.Due, u.Now())
}

// dueRows are the rungs that are due and not claimed. A row without next_time has told its last, or was left by an earlier release and has
// to be begun first.
const dueRows = `SELECT county_code, referral_id, step, due_time, level, next_time, fence FROM deadline
	WHERE state = 'OPEN' AND next_time <= $1 AND (lease_until IS NULL OR lease_until <= $1)
	ORDER BY next_time LIMIT $2`

// Claim implements [app.Deadlines].
func (s *Store) Claim(ctx context.Context, owner string, lease time.Duration, n int) (out []app.Claim, err error) {
	err = s.DB.Update(ctx, func(tx *sqldb.Tx) error {
		if out, err = due(ctx, tx, n); err != nil {
			return err
		}
		stmts := make([]sqldb.Stmt, len(out))
		for i := range out {
			c := &out[i]
			c.Fence++
			stmts[i] = sqldb.Stmt{
				SQL: `UPDATE deadline SET lease_owner = $4, lease_until = $5, fence = $6
					WHERE county_code = $1 AND referral_id = $2 AND step = $3`,
				Args: []any{c.County, c.ReferralID, string(c.Step), owner, tx.Now().Add(lease), c.Fence}, Want: 1,
			}
		}
		return tx.Batch(ctx, stmts...)
	})
	if err != nil {
		return nil, fmt.Errorf("claim %d rungs: %w", n, err)
	}
	return out, nil
}

func due(ctx context.Context, tx *sqldb.Tx, n int) ([]app.Claim, error) {
	rows, err := tx.Query(ctx, dueRows+tx.SkipLocked(), tx.Now(), n)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []app.Claim
	for rows.Next() {
		var c app.Claim
		if err := rows.Scan(&c.County, &c.ReferralID, &c.Step, &c.Limit, &c.Level, &c.Due, &c.Fence); err != nil {
			return nil, err
		}
		c.Level++
		c.Limit, c.Due = c.Limit.UTC(), c.Due.UTC()
		out = append(out, c)
	}
	return out, rows.Err()
}

// errOvertaken: the step has ended, or another holds the claim.
var errOvertaken = errors.New("the claim is not the present one")

// Fire implements [app.Deadlines].
func (s *Store) Fire(ctx context.Context, c app.Claim, decide func(app.Unit, *domain.Referral) (time.Time, error)) (bool, error) {
	var u *unit
	err := s.DB.Update(ctx, func(tx *sqldb.Tx) error {
		u = &unit{s: s, tx: tx, cmd: app.Command{Caller: authn.Identity{Subject: app.Self, County: c.County}}}
		r, err := u.Referral(ctx, c.ReferralID)
		if err != nil {
			return err
		}
		next, err := decide(u, r)
		if err != nil {
			return err
		}
		u.told(c, next)
		u.Save(r)
		if err := u.tellDeadline(c, r, next); err != nil {
			return err
		}
		return u.write(ctx)
	})
	var lost *sqldb.ConditionError
	if errors.As(err, &lost) {
		err = u.lost(ctx, lost.Index)
	}
	if errors.Is(err, errOvertaken) {
		return false, nil
	}
	return err == nil, err
}

// told raises the level, if the step is still open and nobody has claimed the rung since.
func (u *unit) told(c app.Claim, next time.Time) {
	u.plan(1, `UPDATE deadline SET level = $4, next_time = $5, lease_owner = '', lease_until = NULL
		WHERE county_code = $1 AND referral_id = $2 AND step = $3 AND state = 'OPEN' AND level = $4 - 1 AND fence = $6`,
		c.County, c.ReferralID, string(c.Step), c.Level, null(next), c.Fence).lost = func(context.Context) error { return errOvertaken }
}

func (u *unit) tellDeadline(c app.Claim, r *domain.Referral, next time.Time) error {
	f, err := u.s.Wire.Deadline(app.DeadlineFired{
		ID: id.New(), Claim: c, From: r.Loaded().State, Referral: r.Snapshot(), At: u.Now(), Next: next,
	})
	if err != nil {
		return fmt.Errorf("envelope a deadline: %w", err)
	}
	u.facts = append(u.facts, f)
	return nil
}
