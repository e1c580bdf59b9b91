// Package store keeps capacity, holds and bookings in SQL, one text for both engines.
//
// Invariants:
//  1. occupancy has one row for each slot or bed that is taken, and its primary key is the slot or bed: a second
//     taker cannot be written.
//  2. Change writes holds, occupancy, facts, audit and request record in one transaction, derived in one place.
package store

import (
	"context"
	"embed"
	"fmt"

	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

//go:embed migrations
var files embed.FS

// Migrations are the tables of this service.
var Migrations = sqldb.MigrationSet{Name: "scheduling", FS: files}

// Encoder makes the fact of what happened; false if nobody is told.
type Encoder func(app.Happened) (outbox.Fact, bool, error)

// Store implements app.Store.
type Store struct {
	db     *sqldb.DB
	encode Encoder
	wake   func()
}

var _ app.Store = (*Store)(nil)

// New keeps to db; wake is called after each commit that left facts.
func New(db *sqldb.DB, encode Encoder, wake func()) *Store {
	return &Store{db: db, encode: encode, wake: wake}
}

// Change implements app.Store.
func (s *Store) Change(ctx context.Context, cmd app.Command, fn func(app.Unit) error) error {
	err := s.db.Update(ctx, func(tx *sqldb.Tx) error {
		if cmd.FactID != "" {
			already, err := outbox.Seen(ctx, tx, cmd.Consumer, cmd.FactID)
			if err != nil || already {
				return err
			}
		}
		u := &unit{tx: tx, cmd: cmd, loaded: map[string]*domain.Hold{}}
		if err := fn(u); err != nil {
			return err
		}
		stmts, facts, err := s.derive(u)
		if err != nil || len(stmts) == 0 {
			return err
		}
		if len(facts) > 0 {
			stmts = append(stmts, outbox.Stmts(ctx, facts...)...)
			tx.OnCommit(s.wake)
		}
		if err := tx.Last(ctx, stmts...); err != nil {
			return fmt.Errorf("write change: %w", err)
		}
		return nil
	})
	if sqldb.ViolatesUnique(err, "waitlist_live") {
		return app.ErrOnList
	}
	return err
}

// derive is the one place where the rows of a change follow from what happened.
func (s *Store) derive(u *unit) (stmts []sqldb.Stmt, facts []outbox.Fact, err error) {
	now, changed := u.tx.Now(), changedPlaces{}
	stmts = u.notes
	if facts, err = s.cancelled(u); err != nil {
		return nil, nil, err
	}
	for _, h := range u.order {
		fresh, dirty, events := h.Changes()
		if !dirty {
			continue
		}
		d := h.Data()
		if fresh {
			d.Version = 1
			stmts = append(stmts, insertHold(d, now))
			if d.State != domain.Held {
				stmts = append(stmts, occupancyStmt(d)) // tied at once, it lasts longer than Take wrote
			}
		} else {
			stmts = append(stmts, updateHold(d, now), occupancyStmt(d))
			d.Version++
		}
		for _, e := range events {
			e.Hold.Version = d.Version
			what := u.happened()
			what.Event = e
			fact, told, err := s.encode(what)
			if err != nil {
				return nil, nil, fmt.Errorf("encode fact of %s: %w", d, err)
			}
			if told {
				facts = append(facts, fact)
			}
			stmts = append(stmts, auditStmt(what))
			changed.note(e)
		}
	}
	listed, told, err := s.deriveEntries(u)
	if err != nil {
		return nil, nil, err
	}
	stmts, facts = append(append(append(stmts, listed...), u.changes...), changed.stmts(now)...), append(facts, told...)
	if u.answer != "" {
		stmts = append(stmts, sqldb.RequestStmt(u.request(), []byte(u.answer), now))
	}
	return stmts, facts, nil
}

// happened is something that the command did, with an id of its own.
func (u *unit) happened() app.Happened {
	what := app.Happened{FactID: id.New(), Time: u.tx.Now(), By: u.cmd.Caller, CauseID: u.cmd.FactID}
	if what.CauseID == "" {
		what.CauseID = u.cmd.Request.ID
	}
	return what
}

// cancelled makes the facts of sessions that ended.
func (s *Store) cancelled(u *unit) (facts []outbox.Fact, err error) {
	for _, session := range u.cancelled {
		what := u.happened()
		what.Cancelled = &session
		fact, told, err := s.encode(what)
		if err != nil {
			return nil, fmt.Errorf("encode fact of session %s: %w", session.ID, err)
		}
		if told {
			facts = append(facts, fact)
		}
	}
	return facts, nil
}

func auditStmt(w app.Happened) sqldb.Stmt {
	return audit.Stmt(audit.Entry{
		County: w.Event.Hold.County, AccountID: w.By.AccountID, OrganizationID: w.By.OrganizationID,
		Action: "hold." + string(w.Event.Action), ObjectType: "hold", ObjectID: w.Event.Hold.ID,
		PatientID: w.Event.Hold.PatientID,
	}, id.New(), w.Time)
}
