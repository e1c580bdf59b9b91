// Package store keeps the patient index, relations, clinical entries and packages on either engine of sqldb. It owns the schema, the one
// write path and the queries, and which columns are sealed; it decides nothing. Rows, search tokens, audit entries, facts and the
// request log are derived from what a unit collected in derive.go and nowhere else.
//
// What can be read without the key ring: ids, times, versions, organisations, kinds, categories and statuses.
package store

import (
	"context"
	"embed"
	"errors"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
)

//go:embed migrations
var files embed.FS

// Migrations are the tables of patient-record; they stand on those of sqldb, outbox and audit.
func Migrations() sqldb.MigrationSet { return sqldb.MigrationSet{Name: "patientrecord", FS: files} }

// Store implements app.Store. Safe for concurrent use.
type Store struct {
	db   *sqldb.DB
	ring *crypt.Ring
	wake func()
}

var _ app.Store = (*Store)(nil)

// New keeps in db, sealed with ring. wake is called after every commit that left facts in the outbox.
func New(db *sqldb.DB, ring *crypt.Ring, wake func()) *Store {
	return &Store{db: db, ring: ring, wake: wake}
}

// lostRaces bounds how often Change begins anew after somebody else wrote the same new thing first.
const lostRaces = 3

// Change implements app.Store. Two that register the same number, import the same source or hear of the same referral at the same
// moment race for a unique index; the loser runs again and then finds what the winner wrote.
func (s *Store) Change(ctx context.Context, cmd app.Command, fn func(app.Unit) error) error {
	var err error
	for range lostRaces {
		err = s.once(ctx, cmd, fn)
		if _, lost := sqldb.IsUnique(err); !lost && !errors.Is(err, sqldb.ErrConditionFailed) {
			return err
		}
	}
	return errs.New(errs.KindStale, errs.ReasonStaleVersion, "changed by somebody else meanwhile", err)
}

func (s *Store) once(ctx context.Context, cmd app.Command, fn func(app.Unit) error) error {
	return s.db.Update(ctx, func(tx *sqldb.Tx) error {
		if cmd.FactID != "" {
			already, err := outbox.Seen(ctx, tx, cmd.Consumer, cmd.FactID)
			if err != nil || already {
				return err
			}
		}
		u := s.unit(tx, cmd)
		if err := fn(u); err != nil {
			return err
		}
		return u.commit(ctx)
	})
}

// Audit implements app.Store.
func (s *Store) Audit(ctx context.Context, county string, looks ...app.Access) error {
	if len(looks) == 0 {
		return nil
	}
	return s.db.Update(ctx, func(tx *sqldb.Tx) error {
		stmts := make([]sqldb.Stmt, len(looks))
		for i, l := range looks {
			stmts[i] = lookStmt(county, l, tx.Now())
		}
		return tx.Last(ctx, stmts...)
	})
}

func lookStmt(county string, l app.Access, now time.Time) sqldb.Stmt {
	return audit.Stmt(audit.Entry{
		County: county, AccountID: l.Account, OrganizationID: l.Organization, Action: l.Action,
		ObjectType: l.ObjectType, ObjectID: l.ObjectID, PatientID: l.PatientID, Detail: l.Detail,
	}, id.New(), now)
}

// scope is what reads need in common: a transaction, a county and the ring.
type scope struct {
	tx     *sqldb.Tx
	ring   *crypt.Ring
	county string
}

func (s *Store) view(ctx context.Context, county string, fn func(scope) error) error {
	return s.db.View(ctx, func(tx *sqldb.Tx) error { return fn(scope{tx: tx, ring: s.ring, county: county}) })
}

// read is a view of one query.
func (s *Store) read(ctx context.Context, county string, fn func(scope) error) error {
	return s.db.Read(ctx, func(tx *sqldb.Tx) error { return fn(scope{tx: tx, ring: s.ring, county: county}) })
}

// row is a row's name in the sealing of its columns.
func (c scope) row(id string) string { return c.county + "/" + id }
