// Package store keeps entries and the projection of accounts in SQL, one text for both engines.
//
// Invariants:
//  1. An entry's key follows from the fact and the account, and the inbox row commits with the entries: a fact makes
//     an entry once.
//  2. Change derives facts and audit entries from what changed, in one place.
package store

import (
	"context"
	"embed"
	"errors"
	"fmt"

	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

//go:embed migrations
var files embed.FS

// Migrations are the tables of this service.
var Migrations = sqldb.MigrationSet{Name: "notification", FS: files}

// Encoder makes the fact of what happened.
type Encoder func(app.Happened) (outbox.Fact, error)

// Wakes are called after a commit that left facts, and after one that left messages to send. Either may be nil.
type Wakes struct{ Facts, Deliveries func() }

// Store implements app.Store.
type Store struct {
	db     *sqldb.DB
	ring   *crypt.Ring
	encode Encoder
	wakes  Wakes
}

var _ app.Store = (*Store)(nil)

// New keeps to db, and seals with ring.
func New(db *sqldb.DB, ring *crypt.Ring, encode Encoder, wakes Wakes) *Store {
	return &Store{db: db, ring: ring, encode: encode, wakes: wakes}
}

// onCommit wakes whoever waits for what the change leaves.
func onCommit(tx *sqldb.Tx, wake func(), left int) {
	if wake != nil && left > 0 {
		tx.OnCommit(wake)
	}
}

// Change implements app.Store.
func (s *Store) Change(ctx context.Context, cmd app.Command, fn func(app.Unit) error) error {
	err := s.db.Update(ctx, func(tx *sqldb.Tx) error {
		if already, err := seen(ctx, tx, cmd); err != nil || already {
			return err
		}
		request := requestOf(cmd)
		if _, before, err := tx.FindRequest(ctx, request); err != nil || before {
			return err
		}
		u := &unit{tx: tx, county: cmd.Caller.County, by: cmd.Caller, loaded: map[string]*domain.Entry{}, resolved: map[string]resolved{}}
		if err := fn(u); err != nil {
			return err
		}
		stmts, facts, err := s.derive(u, cmd)
		if err != nil {
			return err
		}
		stmts = append(stmts, u.planned...)
		stmts = append(stmts, u.cancelled...)
		stmts = append(stmts, u.dispatched...)
		if request.ID != "" {
			stmts = append(stmts, sqldb.RequestStmt(request, []byte{}, tx.Now()))
		}
		if len(stmts) == 0 {
			return nil
		}
		onCommit(tx, s.wakes.Facts, len(facts))
		onCommit(tx, s.wakes.Deliveries, len(u.dispatched))
		if err := tx.Last(ctx, append(stmts, outbox.Stmts(ctx, facts...)...)...); err != nil {
			return fmt.Errorf("write entries: %w", err)
		}
		return nil
	})
	if errors.Is(err, sqldb.ErrConditionFailed) {
		return errs.New(errs.KindStale, errs.ReasonStaleVersion, "changed by somebody else meanwhile", err)
	}
	return err
}

func requestOf(cmd app.Command) sqldb.Request {
	return sqldb.Request{
		County: cmd.Caller.County, Account: cmd.Caller.AccountID, Method: cmd.Request.Method, ID: cmd.Request.ID, BodyHash: cmd.Request.Hash,
	}
}

func seen(ctx context.Context, tx *sqldb.Tx, cmd app.Command) (bool, error) {
	if cmd.FactID == "" {
		return false, nil
	}
	return outbox.Seen(ctx, tx, cmd.Consumer, cmd.FactID)
}

// derive is the one place where the rows of a change follow from what happened.
func (s *Store) derive(u *unit, cmd app.Command) (stmts []sqldb.Stmt, facts []outbox.Fact, err error) {
	for _, e := range u.order {
		fresh, dirty := e.Changes()
		if !dirty {
			continue
		}
		d := e.Data()
		if fresh {
			stmts = append(stmts, insertEntry(d))
		} else {
			// Whoever knows it by now, on whatever device, is told nowhere else.
			u.CancelDeliveries(d.ID, "")
			stmts = append(stmts, acknowledgeEntry(d), audited(u.tx, cmd.Caller, acknowledgeAction(cmd), "notification", d.ID))
		}
		fact, err := s.encode(app.Happened{FactID: id.New(), Created: fresh, Entry: d, Time: u.tx.Now(), By: cmd.Caller, CauseID: cmd.FactID})
		if err != nil {
			return nil, nil, fmt.Errorf("encode fact of %s: %w", d, err)
		}
		facts = append(facts, fact)
	}
	for _, a := range u.alarms {
		if _, dirty := a.Changes(); dirty {
			stmts = append(stmts, alarmStmt(a))
		}
	}
	for _, c := range u.calls {
		if fresh, dirty := c.Changes(); dirty {
			if method := cmd.Request.Method; !fresh && method == "RecordCall" || method == "RecordTelephoned" {
				stmts = append(stmts, audit.Stmt(audit.Entry{
					County: u.county, AccountID: cmd.Caller.AccountID, OrganizationID: cmd.Caller.OrganizationID,
					Action: "call.record", ObjectType: "call", ObjectID: c.Data().ID,
				}, id.New(), u.tx.Now()))
			}
			written, err := callStmts(c)
			if err != nil {
				return nil, nil, err
			}
			stmts = append(stmts, written...)
		}
	}
	for _, h := range u.happened {
		fact, err := s.encode(app.Happened{FactID: id.New(), Alarm: &h, Time: u.tx.Now(), By: cmd.Caller, CauseID: cmd.FactID})
		if err != nil {
			return nil, nil, fmt.Errorf("encode fact of %s: %w", h.Alarm, err)
		}
		facts = append(facts, fact)
	}
	return stmts, facts, nil
}

// acknowledgeAction says in which way an entry was acknowledged.
func acknowledgeAction(cmd app.Command) string {
	if cmd.ByLink {
		return "notification.acknowledge_link"
	}
	return "notification.acknowledge"
}
