package store_test

import (
	"encoding/json"
	"fmt"
	"path"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/internal/stats"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/events"
	"github.com/tongzhen/tongzhen/services/referral/internal/store"
	"github.com/tongzhen/tongzhen/services/referral/internal/store/storetest"
)

func sets() []sqldb.MigrationSet {
	return []sqldb.MigrationSet{sqldb.Migrations, outbox.Migrations, audit.Migrations, stats.Migrations, store.Migrations}
}

func TestTheStoreKeepsItsContractOnEveryEngine(t *testing.T) {
	t.Parallel()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			storetest.Suite(t, func(t *testing.T) storetest.Fixture { return fixture(t, engine) })
		})
	}
}

// wire keeps answers as JSON; facts are the real ones.
type wire struct{}

func (wire) Fact(f app.Fact) (outbox.Fact, error)               { return events.Encode(f) }
func (wire) Told(a domain.Action) bool                          { return events.Told(a) }
func (wire) Deadline(d app.DeadlineFired) (outbox.Fact, error)  { return events.EncodeDeadline(d) }
func (wire) Candidate(c app.CandidateTold) (outbox.Fact, error) { return events.EncodeCandidate(c) }
func (wire) EncodeAnswer(v app.View) ([]byte, error)            { return json.Marshal(v) }
func (wire) DecodeAnswer(b []byte) (v app.View, err error) {
	return v, json.Unmarshal(b, &v)
}

func fixture(t *testing.T, engine sqldb.Engine) storetest.Fixture {
	t.Helper()
	clk := dbtest.Clock(t)
	db := dbtest.OpenClock(t, engine, clk, sets())
	var woken atomic.Int64
	return storetest.Fixture{
		Store: store.New(store.Deps{DB: db, Ring: crypt.TestRing(), Wire: wire{}, Wake: func() { woken.Add(1) }}),
		Clock: clk, Woken: func() int { return int(woken.Load()) },
		Facts: func(t *testing.T) []string {
			subjects := column(t, db, "SELECT subject FROM outbox ORDER BY occur_time, fact_id")
			for i, s := range subjects {
				subjects[i] = strings.TrimPrefix(path.Ext(s), ".")
			}
			return subjects
		},
		Entries: func(t *testing.T) []string {
			return column(t, db, "SELECT action FROM audit_entry ORDER BY entry_time, id")
		},
		Deadlines: func(t *testing.T) []string {
			return column(t, db, "SELECT step || ' ' || state FROM deadline ORDER BY step")
		},
		Dump: func(t *testing.T) string { return dump(t, db) },
	}
}

func column(t *testing.T, db *sqldb.DB, query string) (out []string) {
	t.Helper()
	err := db.View(t.Context(), func(tx *sqldb.Tx) error {
		rows, err := tx.Query(t.Context(), query)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var s string
			if err := rows.Scan(&s); err != nil {
				return err
			}
			out = append(out, s)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// dump prints every column of every table that a change writes to.
func dump(t *testing.T, db *sqldb.DB) string {
	t.Helper()
	var out strings.Builder
	for _, table := range []string{"referral", "history", "mark", "deadline", "booking_attempt", "former_receiver", "request_log", "outbox", "audit_entry", "candidate", "stay_watch",
		"note", "follow_up_task"} {
		err := db.View(t.Context(), func(tx *sqldb.Tx) error {
			rows, err := tx.Query(t.Context(), "SELECT * FROM "+table)
			if err != nil {
				return err
			}
			defer rows.Close()
			names, err := rows.Columns()
			if err != nil {
				return err
			}
			for rows.Next() {
				values, places := make([]any, len(names)), make([]any, len(names))
				for i := range values {
					places[i] = &values[i]
				}
				if err := rows.Scan(places...); err != nil {
					return err
				}
				for _, v := range values {
					_, _ = fmt.Fprintf(&out, "%s\n", v)
				}
			}
			return rows.Err()
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

// What a submission writes, per transaction: the rows of referral, two of history, deadline, audit, request and two of the outbox.
func BenchmarkSubmit(b *testing.B) {
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		b.Run(string(engine), func(b *testing.B) {
			db := dbtest.OpenClock(b, engine, dbtest.Clock(b), sets())
			s := store.New(store.Deps{DB: db, Ring: crypt.TestRing(), Wire: wire{}, Wake: func() {}})
			var n atomic.Int64
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					i := n.Add(1)
					number, err := domain.NewNumber(storetest.County, 2026, i)
					if err != nil {
						b.Error(err)
						return
					}
					caller := storetest.Doctor()
					cmd := app.Command{Caller: caller, Method: "/bench/Submit", RequestID: fmt.Sprint(i), BodyHash: []byte{1}}
					_, err = s.Change(b.Context(), cmd, func(u app.Unit) error {
						r, err := storetest.Creation(u, caller, storetest.Draft(fmt.Sprint("patient-", i), domain.KindOutpatient), number)
						u.Save(r)
						return err
					})
					if err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}
