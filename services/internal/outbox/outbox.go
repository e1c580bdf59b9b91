// Package outbox makes a change and the facts it causes commit together, and a fact be acted on once.
//
// It owns both ends: rows that the producer writes in the transaction of the change, the relay that publishes them,
// and the inbox by which a consumer knows a fact that it has handled. It refuses to know what a fact means.
//
// Invariants:
//  1. A committed fact is published at least once: its row waits until the bus has acknowledged it. A fact whose
//     transaction rolled back is never published.
//  2. Any number of relays may run on one database: one publishes at a time, under a lock that ends with its process's
//     connection. No transaction is open and no row is locked while the bus is spoken to.
//  3. Order is a best effort by time of occurrence: consumers must not need it.
//  4. An effect and its inbox row commit together, so a repeated fact has no second effect for as long as the inbox
//     keeps it. The inbox keeps longer than the outbox, which keeps longer than the stream.
package outbox

import (
	"context"
	"embed"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/propagation"

	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

//go:embed migrations
var files embed.FS

// Migrations are the tables outbox and inbox.
var Migrations = sqldb.MigrationSet{Name: "outbox", FS: files}

const (
	// Kept is how long a published row stays, so that a lost stream can be filled again.
	Kept = 30 * 24 * time.Hour
	// InboxKept is how long a repeat is recognised.
	InboxKept = 90 * 24 * time.Hour
)

// Fact is something that happened and that others may act on.
type Fact struct {
	ID      string // unique; see package id
	County  string
	Subject string // e.g. referral.v1.450321.submitted; no patient data
	Type    string // full name of the protobuf message
	Payload []byte // that message
	// OccurTime is Tx.Now of the change.
	OccurTime time.Time
}

// Stmts writes the facts; put them into the batch of the change. The trace of ctx goes with them.
func Stmts(ctx context.Context, facts ...Fact) []sqldb.Stmt {
	parent := traceparent(ctx)
	stmts := make([]sqldb.Stmt, len(facts))
	for i, f := range facts {
		stmts[i] = sqldb.Stmt{
			SQL: `INSERT INTO outbox (county_code, fact_id, subject, type, payload, traceparent, occur_time)
				VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			Args: []any{f.County, f.ID, f.Subject, f.Type, notNil(f.Payload), parent, f.OccurTime},
			Want: 1,
		}
	}
	return stmts
}

// Append writes the facts in tx.
func Append(ctx context.Context, tx *sqldb.Tx, facts ...Fact) error {
	if err := tx.Batch(ctx, Stmts(ctx, facts...)...); err != nil {
		return fmt.Errorf("append facts: %w", err)
	}
	return nil
}

// Seen notes in tx that the consumer handles the fact. already means that it did so before: do nothing and commit.
// Two that handle the same fact at the same moment wait for one another.
func Seen(ctx context.Context, tx *sqldb.Tx, consumer, factID string) (already bool, err error) {
	n, err := tx.Exec(ctx, "INSERT INTO inbox (consumer, fact_id, handled_time) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
		consumer, factID, tx.Now())
	if err != nil {
		return false, fmt.Errorf("note fact %s in the inbox: %w", factID, err)
	}
	return n == 0, nil
}

const traceHeader = "traceparent"

func traceparent(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier[traceHeader]
}

// notNil: a message with default values only has no bytes, which is not NULL.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
