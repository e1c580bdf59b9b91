package rekey_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/rekey"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

const rows = 450 // more than four batches

// paper is a table with a sealed column and a key of a text and a number.
func paper() sqldb.MigrationSet {
	table := func(bytes string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte("-- +goose Up\nCREATE TABLE paper (county_code text NOT NULL, id text NOT NULL, version integer NOT NULL, content " + bytes +
			", stamp " + bytes + ", PRIMARY KEY (county_code, id, version));\n")}
	}
	return sqldb.MigrationSet{Name: "paper", FS: fstest.MapFS{"migrations/postgres/0001_paper.sql": table("bytea"), "migrations/sqlite/0001_paper.sql": table("BLOB")}}
}

func column() rekey.Column {
	return rekey.Column{
		Table: "paper", Name: "content", Key: []string{"county_code", "id", "version"},
		Row: func(key []string) string { return strings.Join(key, "/") },
	}
}

// stamp is a second sealed column, which stays empty.
func stamp() rekey.Column {
	c := column()
	c.Name = "stamp"
	return c
}

func sets() []sqldb.MigrationSet {
	return []sqldb.MigrationSet{sqldb.Migrations, rekey.Migrations, paper()}
}

type desk struct {
	t    *testing.T
	db   *sqldb.DB
	text []byte
	ring *crypt.Ring
}

func newDesk(t *testing.T, db *sqldb.DB) *desk {
	t.Helper()
	text, err := crypt.NewRing()
	if err != nil {
		t.Fatal(err)
	}
	ring, err := crypt.ParseRing(text)
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, db: db, text: text, ring: ring}
	for n := range rows {
		if err := d.put(n, "first"); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func (d *desk) walker() *rekey.Walker {
	return rekey.New(rekey.Deps{DB: d.db, Ring: d.ring, Columns: []rekey.Column{column(), stamp()}, Holder: id.New(), Logger: slog.New(slog.DiscardHandler)})
}

func row(n int) string { return fmt.Sprintf("450321/p%04d/%d", n, n%3) }

// put writes a row's content; every tenth has none.
func (d *desk) put(n int, what string) error {
	var sealed any
	if n%10 != 0 {
		s, err := d.ring.Seal("paper", "content", row(n), []byte(what))
		if err != nil {
			return err
		}
		sealed = s
	}
	return d.db.Update(context.Background(), func(tx *sqldb.Tx) error {
		_, err := tx.Exec(context.Background(), `INSERT INTO paper (county_code, id, version, content) VALUES ('450321', $1, $2, $3)
			ON CONFLICT (county_code, id, version) DO UPDATE SET content = excluded.content`, fmt.Sprintf("p%04d", n), n%3, sealed)
		return err
	})
}

// get is a row's content as it is read.
func (d *desk) get(n int) (string, error) {
	var sealed []byte
	err := d.db.Read(context.Background(), func(tx *sqldb.Tx) error {
		return tx.QueryRow(context.Background(), "SELECT content FROM paper WHERE county_code = '450321' AND id = $1", fmt.Sprintf("p%04d", n)).Scan(&sealed)
	})
	if err != nil || sealed == nil {
		return "", err
	}
	plain, err := d.ring.Open("paper", "content", row(n), sealed)
	return string(plain), err
}

func (d *desk) newKey() {
	d.t.Helper()
	text, key, err := crypt.AddKey(d.text, crypt.DataKeys)
	if err == nil {
		text, err = crypt.MakeCurrent(text, crypt.DataKeys, key)
	}
	if err == nil {
		err = d.ring.Replace(text)
	}
	if err != nil {
		d.t.Fatal(err)
	}
	d.text = text
}

func (d *desk) status() rekey.Status {
	d.t.Helper()
	list, err := d.walker().Status(d.t.Context(), true)
	if err != nil || len(list) != 2 {
		d.t.Fatalf("status %v: %v", list, err)
	}
	return list[0]
}

func TestEverythingComesUnderTheCurrentKeyWhilePeopleWork(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		d := newDesk(t, db)
		d.newKey()
		if s := d.status(); s.Done || s.Remaining != rows-rows/10 {
			t.Fatalf("before the walk: %+v", s)
		}
		stop := make(chan struct{})
		var busy sync.WaitGroup
		rest := sync.OnceFunc(func() {
			close(stop)
			busy.Wait()
		})
		defer rest()
		for worker := range 4 {
			busy.Go(func() {
				for n := worker; ; n = (n + 7) % rows {
					select {
					case <-stop:
						return
					default:
					}
					if err := d.put(n, "second"); err != nil {
						t.Errorf("write: %v", err)
						return
					}
					if got, err := d.get((n + 3) % rows); err != nil || got != "" && got != "first" && got != "second" {
						t.Errorf("read %q: %v", got, err)
						return
					}
				}
			})
		}
		// Killed in the middle, three times, each time as a new process.
		for range 3 {
			ctx, kill := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- d.walker().Walk(ctx) }()
			before := d.status().Remaining
			for d.status().Remaining == before && before > 0 && len(ended) == 0 {
			}
			kill()
			// Cut off in the middle of a statement, the database is away for it.
			if err := <-ended; err != nil && !errors.Is(err, context.Canceled) && errs.KindOf(err) != errs.KindUnavailable {
				t.Fatalf("walk: %v", err)
			}
			release(t, db)
		}
		if err := d.walker().Walk(t.Context()); err != nil {
			t.Fatal(err)
		}
		rest()
		if s := d.status(); !s.Done || s.Remaining != 0 {
			t.Fatalf("after the walk: %+v", s)
		}
		for n := range rows {
			got, err := d.get(n)
			if err != nil || got == "" && n%10 != 0 {
				t.Fatalf("row %d: %q, %v", n, got, err)
			}
		}
	})
}

// release stands for the time after which a killed process's lease runs out.
func release(t *testing.T, db *sqldb.DB) {
	t.Helper()
	err := db.Update(t.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.Exec(t.Context(), "DELETE FROM lease")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAValueThatALaggingProcessWroteIsFoundAndTheColumnWalkedAgain(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		d := newDesk(t, db)
		lagging, err := crypt.ParseRing(d.text)
		if err != nil {
			t.Fatal(err)
		}
		d.newKey()
		if err := d.walker().Walk(t.Context()); err != nil {
			t.Fatal(err)
		}
		behind := desk{t: t, db: db, ring: lagging}
		if err := behind.put(1, "late"); err != nil {
			t.Fatal(err)
		}
		if s := d.status(); s.Remaining != 1 {
			t.Fatalf("%+v: the late value is not seen", s)
		}
		if err := d.walker().Walk(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s := d.status(); !s.Done || s.Remaining != 0 || s.Resealed != int64(rows-rows/10)+1 {
			t.Errorf("%+v", s)
		}
		if got, err := d.get(1); err != nil || got != "late" {
			t.Errorf("%q, %v", got, err)
		}
	})
}

func TestADamagedValueHoldsUpNothingAndAnEmptyOneIsNone(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		d := newDesk(t, db)
		damaged, err := d.ring.Seal("paper", "content", "another row", []byte("first"))
		if err != nil {
			t.Fatal(err)
		}
		stamped, err := d.ring.Seal("paper", "stamp", row(7), []byte("stamp"))
		if err != nil {
			t.Fatal(err)
		}
		err = db.Update(t.Context(), func(tx *sqldb.Tx) error {
			for _, q := range []struct {
				text string
				args []any
			}{
				{"UPDATE paper SET content = $1 WHERE id IN ('p0003', 'p0404')", []any{damaged}},
				{"UPDATE paper SET content = $1 WHERE id = 'p0005'", []any{[]byte{}}},
				{"UPDATE paper SET stamp = $1 WHERE id = 'p0007'", []any{stamped}},
			} {
				if _, err := tx.Exec(t.Context(), q.text, q.args...); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		d.newKey()
		w := d.walker()
		if err := w.Walk(t.Context()); err != nil {
			t.Fatal(err)
		}
		list, err := w.Status(t.Context(), true)
		if err != nil || len(list) != 2 {
			t.Fatal(list, err)
		}
		if s := list[0]; !s.Done || s.Remaining != 2 || s.Unreadable != 2 || s.Resealed != rows-rows/10-3 {
			t.Errorf("the column with damaged values: %+v", s)
		}
		if s := list[1]; !s.Done || s.Remaining != 0 || s.Resealed != 1 {
			t.Errorf("the column behind it: %+v", s)
		}
	})
}

func TestAFormerIndexKeyIsNeededAsLongAsItsRowsAreThere(t *testing.T) {
	t.Parallel()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			clk := dbtest.Clock(t)
			db := dbtest.OpenClock(t, engine, clk, []sqldb.MigrationSet{sqldb.Migrations, rekey.Migrations})
			text, err := crypt.NewRing()
			check(t, err)
			ring, err := crypt.ParseRing(text)
			check(t, err)
			w := rekey.New(rekey.Deps{
				DB: db, Ring: ring, Hashed: []rekey.Hashed{{Table: "request_log", Time: "create_time"}}, Holder: id.New(), Logger: slog.New(slog.DiscardHandler),
			})
			ask := func(ids ...string) {
				check(t, db.Update(t.Context(), func(tx *sqldb.Tx) error {
					for _, id := range ids {
						r := sqldb.Request{County: "450321", Account: "a", Method: "m", ID: id, BodyHash: []byte{1}}
						if err := tx.Batch(t.Context(), sqldb.RequestStmt(r, []byte{2}, tx.Now())); err != nil {
							return err
						}
					}
					return nil
				}))
			}
			walked := func() (settled bool, needs []rekey.Need) {
				check(t, w.Walk(t.Context()))
				settled, err := w.IndexSettled(t.Context())
				check(t, err)
				needs, err = w.Needs(t.Context())
				check(t, err)
				return settled, needs
			}
			ask("one", "two")
			if settled, needs := walked(); !settled || len(needs) != 0 {
				t.Errorf("the first key has been used since ever: settled %v, %+v", settled, needs)
			}
			clk.Advance(time.Hour)
			former := ring.Keys().Index
			text, key, err := crypt.AddKey(text, crypt.IndexKeys)
			check(t, err)
			text, err = crypt.MakeCurrent(text, crypt.IndexKeys, key)
			check(t, err)
			check(t, ring.Replace(text))
			if settled, needs := walked(); settled || len(needs) != 1 || needs[0] != (rekey.Need{Key: former, Table: "request_log", Rows: 2}) {
				t.Errorf("after another key: settled %v, %+v", settled, needs)
			}
			clk.Advance(time.Hour)
			ask("three")
			if settled, needs := walked(); !settled || len(needs) != 1 || needs[0].Rows != 2 {
				t.Errorf("rows of the new key: settled %v, %+v", settled, needs)
			}
			clk.Advance(sqldb.RequestsKept - time.Hour)
			_, err = sqldb.PruneRequests(t.Context(), db, 10)
			check(t, err)
			if _, needs := walked(); len(needs) != 0 {
				t.Errorf("nothing of the former key is left: %+v", needs)
			}
		})
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
