// Package store keeps referrals in SQL, on both engines.
//
// Owns: the tables of its migrations, and the one write path [Store.Change] that derives row, history, deadlines, audit, request log and
// facts from the domain's changes. Refuses: to decide anything about a referral; to keep patient data unsealed. Its contract is that of
// the ports in package app; storetest holds every engine to it. A [Store] is safe for concurrent use.
package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

//go:embed migrations
var files embed.FS

// Migrations are the tables of this service.
var Migrations = sqldb.MigrationSet{Name: "referral", FS: files}

// Wire turns what leaves the store into bytes and back.
type Wire interface {
	// Fact is the envelope and subject of a fact; Told, whether there is one of an action.
	Fact(f app.Fact) (outbox.Fact, error)
	Told(a domain.Action) bool
	// Deadline is the same of a limit that passed.
	Deadline(d app.DeadlineFired) (outbox.Fact, error)
	// Candidate is the same of a candidate that was found or dismissed.
	Candidate(c app.CandidateTold) (outbox.Fact, error)
	// EncodeAnswer and DecodeAnswer keep an answer in the request log.
	EncodeAnswer(v app.View) ([]byte, error)
	DecodeAnswer(b []byte) (app.View, error)
}

// Deps is what a store stands on. Wake is called after each commit that wrote facts; figures count in the local days of Zone, which is UTC
// if not given.
type Deps struct {
	DB   *sqldb.DB
	Ring *crypt.Ring
	Wire Wire
	Wake func()
	Zone *time.Location
}

// Store implements the ports Referrals, Reader, Numbers and Organizations.
type Store struct{ Deps }

// New makes a store of a migrated database.
func New(d Deps) *Store {
	if d.Zone == nil {
		d.Zone = time.UTC
	}
	return &Store{d}
}

// The two statements are put together once.
var insertStatement, updateStatement = insertReferral(), updateReferral()

var (
	_ app.Referrals     = (*Store)(nil)
	_ app.Reader        = (*Store)(nil)
	_ app.Numbers       = (*Store)(nil)
	_ app.Organizations = (*Store)(nil)
)

// Change implements [app.Referrals].
func (s *Store) Change(ctx context.Context, cmd app.Command, decide func(app.Unit) error) (app.View, error) {
	var out app.View
	var u *unit
	err := s.DB.Update(ctx, func(tx *sqldb.Tx) error {
		answer, found, err := s.replay(ctx, tx, cmd)
		if found || err != nil {
			out = answer
			return err
		}
		u = &unit{s: s, tx: tx, cmd: cmd}
		if err := decide(u); err != nil {
			return err
		}
		out = app.View{Snapshot: u.answer}
		return u.write(ctx)
	})
	if err == nil {
		return out, nil
	}
	var lost *sqldb.ConditionError
	switch {
	case u == nil:
	case errors.As(err, &lost):
		return app.View{}, u.lost(ctx, lost.Index)
	case sqldb.ViolatesUnique(err, "referral_guard"):
		return app.View{}, s.openReferral(ctx, cmd.Caller.Organization, u.saved)
	}
	return app.View{}, err
}

// Replay implements [app.Referrals].
func (s *Store) Replay(ctx context.Context, cmd app.Command) (out app.View, found bool, err error) {
	if cmd.RequestID == "" {
		return app.View{}, false, nil
	}
	err = s.DB.Read(ctx, func(tx *sqldb.Tx) error {
		out, found, err = s.replay(ctx, tx, cmd)
		return err
	})
	return out, found, err
}

// request is what is remembered. The hash is over what a doctor typed, so only its HMAC is kept.
func (s *Store) request(cmd app.Command) sqldb.Request {
	hashes := s.Ring.Tokens("request", string(cmd.BodyHash))
	return sqldb.Request{
		County: cmd.Caller.County, Account: cmd.Caller.Subject, Method: cmd.Method, ID: cmd.RequestID, BodyHash: hashes[0], FormerHashes: hashes[1:],
	}
}

func (s *Store) replay(ctx context.Context, tx *sqldb.Tx, cmd app.Command) (app.View, bool, error) {
	sealed, found, err := tx.FindRequest(ctx, s.request(cmd))
	if !found || err != nil {
		return app.View{}, false, err
	}
	plain, err := s.Ring.Open("request_log", "response", cmd.RequestID, sealed)
	if err != nil {
		return app.View{}, false, err
	}
	v, err := s.Wire.DecodeAnswer(plain)
	return v, true, err
}

// openReferral names the referral that holds the guard which another wanted, to its own two sides: who gives a referral on to where one
// lies learns no more than that.
func (s *Store) openReferral(ctx context.Context, organizationID string, saved []*domain.Referral) error {
	refused := errs.Conflict(errs.ReasonOpenReferralExists, "the patient has an open referral of this kind between the two organisations")
	for _, r := range saved {
		wanted := r.Snapshot()
		if wanted.Guard() == "" || wanted.Side(organizationID) == "" {
			continue
		}
		err := s.DB.Read(ctx, func(tx *sqldb.Tx) error {
			var other string
			var number domain.Number
			err := tx.QueryRow(ctx, "SELECT id, number FROM referral WHERE county_code = $1 AND guard = $2 AND id <> $3",
				wanted.County, wanted.Guard(), wanted.ID).Scan(&other, &number)
			if err == nil {
				refused = refused.With("referralId", other).With("number", number.Printed())
			}
			if sqldb.NoRows(err) {
				return nil
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("find the open referral: %w", err)
		}
	}
	return refused
}

// NoteRead implements [app.Reader].
func (s *Store) NoteRead(ctx context.Context, caller authn.Identity, r domain.Snapshot) error {
	return s.DB.Update(ctx, func(tx *sqldb.Tx) error {
		return tx.Last(ctx, audit.Stmt(entry(caller, r, "read"), id.New(), tx.Now()))
	})
}

// NoteListed implements [app.Reader].
func (s *Store) NoteListed(ctx context.Context, caller authn.Identity, list []domain.Snapshot) error {
	if len(list) == 0 {
		return nil
	}
	return s.DB.Update(ctx, func(tx *sqldb.Tx) error {
		stmts := make([]sqldb.Stmt, 0, len(list))
		for _, r := range list {
			stmts = append(stmts, audit.Stmt(entry(caller, r, "village_list"), id.New(), tx.Now()))
		}
		return tx.Last(ctx, stmts...)
	})
}

func entry(caller authn.Identity, r domain.Snapshot, action string) audit.Entry {
	return audit.Entry{
		County: r.County, AccountID: caller.Subject, OrganizationID: caller.Organization, Action: "referral." + action,
		ObjectType: "referral", ObjectID: r.ID, PatientID: r.PatientID, Detail: "version " + strconv.Itoa(int(r.Version)),
	}
}

// fact envelopes a change of a referral.
func (s *Store) fact(c domain.Change, cmd app.Command) (outbox.Fact, error) {
	return s.Wire.Fact(app.Fact{ID: id.New(), Change: c, CauseID: cmd.RequestID})
}
