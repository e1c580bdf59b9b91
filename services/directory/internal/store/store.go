// Package store keeps the directory on either engine of sqldb. It owns the schema, the one write path and the
// queries; it refuses to decide anything. Facts and audit entries are derived from changes in derive.go and nowhere
// else.
package store

import (
	"context"
	"embed"
	"errors"
	"slices"
	"time"

	"github.com/tongzhen/tongzhen/services/directory/internal/app"
	"github.com/tongzhen/tongzhen/services/directory/internal/events"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

//go:embed migrations
var files embed.FS

// Migrations are the tables of the directory; they stand beside those of sqldb, outbox and audit.
var Migrations = sqldb.MigrationSet{Name: "directory", FS: files}

// Store implements app.Store. Safe for concurrent use.
type Store struct {
	db   *sqldb.DB
	wake func()
}

var _ app.Store = (*Store)(nil)

// New keeps in db. wake is called after every commit that left facts in the outbox.
func New(db *sqldb.DB, wake func()) *Store { return &Store{db: db, wake: wake} }

// Change implements app.Store.
func (s *Store) Change(ctx context.Context, by app.Command, fn func(app.Unit) error) error {
	err := s.db.Update(ctx, func(tx *sqldb.Tx) error {
		before, logged, err := requested(ctx, tx, by, tx.Now())
		if err != nil || before {
			return err
		}
		u := &unit{tx: tx, by: by, before: map[versionKey]string{}}
		if err := fn(u); err != nil {
			return err
		}
		if u.failure != nil {
			return u.failure
		}
		stmts := slices.Concat(u.stmts, []sqldb.Stmt{logged})
		if len(u.facts) > 0 {
			stmts = append(stmts, outbox.Stmts(ctx, u.facts...)...)
			tx.OnCommit(s.wake)
		}
		return tx.Last(ctx, stmts...)
	})
	return classify(err)
}

// classify tells a lost race from a fault.
func classify(err error) error {
	if name, ok := sqldb.IsUnique(err); ok {
		return errs.New(errs.KindStale, errs.ReasonStaleVersion, "made by somebody else at the same moment: "+name, err)
	}
	if errors.Is(err, sqldb.ErrConditionFailed) {
		return errs.New(errs.KindStale, errs.ReasonStaleVersion, "changed by somebody else meanwhile", err)
	}
	return err
}

// unit implements app.Unit: it reads in the transaction and collects what to write.
type unit struct {
	tx      *sqldb.Tx
	by      app.Command
	stmts   []sqldb.Stmt
	facts   []outbox.Fact
	before  map[versionKey]string // what subjects said as they were read
	failure error                 // of encoding a fact or a version
}

var _ app.Unit = (*unit)(nil)

// Now implements app.Unit.
func (u *unit) Now() time.Time { return u.tx.Now() }

func (u *unit) meta(aggregateID string, version int32, audience ...string) events.Meta {
	return events.Meta{
		County: u.by.County, AccountID: u.by.AccountID, OrganizationID: u.by.OrganizationID,
		AggregateID: aggregateID, Version: version, Time: u.tx.Now(), Audience: audience,
	}
}
