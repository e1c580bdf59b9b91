package audit_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

var noon = time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)

// trail writes n entries, a second apart, oldest first; every third is about patient p and by account a.
func trail(t *testing.T, db *sqldb.DB, n int) {
	t.Helper()
	err := db.Update(t.Context(), func(tx *sqldb.Tx) error {
		for i := range n {
			e := audit.Entry{County: "450321", AccountID: "b", OrganizationID: "o" + strconv.Itoa(i%2), Action: "referral.submit", ObjectType: "referral", ObjectID: strconv.Itoa(i)}
			if i%3 == 0 {
				e.AccountID, e.PatientID, e.Action = "a", "p", "patient.read"
			}
			if err := tx.Batch(t.Context(), audit.Stmt(e, id.New(), noon.Add(time.Duration(i)*time.Second))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// search counts its own entries, which stand at the real time, out.
func search(t *testing.T, db *sqldb.DB, q audit.Query) []audit.Found {
	t.Helper()
	if q.County == "" {
		q.County = "450321"
	}
	if q.To.IsZero() {
		q.To = noon.Add(time.Hour)
	}
	if q.Limit == 0 {
		q.Limit = 100
	}
	found, err := audit.Search(t.Context(), db, q, audit.Entry{County: "450321", AccountID: "auditor", Action: "audit.search", ObjectType: "audit"})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestEntriesAreFoundByWhoWhatWhenAndAboutWhom(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		trail(t, db, 30)
		for name, c := range map[string]struct {
			q    audit.Query
			want int
		}{
			"all": {audit.Query{}, 30}, "patient": {audit.Query{Patient: "p"}, 10}, "account": {audit.Query{Account: "b"}, 20},
			"organisation": {audit.Query{Organization: "o1"}, 15}, "action": {audit.Query{Actions: []string{"patient.read"}}, 10},
			"kind of action": {audit.Query{Actions: []string{"referral.*"}}, 20}, "either": {audit.Query{Actions: []string{"referral.*", "patient.read"}}, 30},
			"only a whole kind": {audit.Query{Actions: []string{"refer.*"}}, 0},
			"time, half open":   {audit.Query{From: noon.Add(5 * time.Second), To: noon.Add(8 * time.Second)}, 3},
			"together":          {audit.Query{Patient: "p", Account: "a", Organization: "o0", Actions: []string{"patient.*"}}, 5},
			"another county":    {audit.Query{County: "450322"}, 0},
		} {
			if got := search(t, db, c.q); len(got) != c.want {
				t.Errorf("%s: %d found, want %d", name, len(got), c.want)
			}
		}
	})
}

func TestPagesGoOnWhereTheLastOneEndedAndNothingIsTwice(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		trail(t, db, 25)
		seen, last := map[string]bool{}, time.Time{}
		after := audit.Cursor{}
		for {
			page := search(t, db, audit.Query{After: after, Limit: 7})
			for _, f := range page {
				if seen[f.ID] || (!last.IsZero() && f.Time.After(last)) {
					t.Fatalf("%s comes twice or too late", f.ID)
				}
				seen[f.ID], last = true, f.Time
			}
			if len(page) < 7 {
				break
			}
			after = audit.Cursor{Time: page[6].Time, ID: page[6].ID}
		}
		if len(seen) != 25 {
			t.Errorf("%d entries seen", len(seen))
		}
	})
}

func TestASearchIsItselfRecorded(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		search(t, db, audit.Query{Patient: "p"})
		got := search(t, db, audit.Query{Account: "auditor", To: time.Now().Add(time.Hour)})
		if len(got) != 1 || got[0].Action != "audit.search" {
			t.Errorf("%+v", got)
		}
	})
}

func TestAChainCheckedInPartsIsCheckedWhole(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		s := signer(t)
		sealed(t, db, s, quiet())
		walk := func() (problems []audit.Problem, parts int) {
			for at, done := (audit.Position{}), false; !done; parts++ {
				part, err := audit.VerifyPart(t.Context(), db, audit.Chain{County: "450321", Keys: keysOf(s), Limit: 3}, at)
				if err != nil {
					t.Fatal(err)
				}
				problems, at, done = append(problems, part.Problems...), part.Next, part.Done
			}
			return problems, parts
		}
		if problems, parts := walk(); len(problems) != 0 || parts != 4 {
			t.Fatalf("%d parts, %v", parts, problems)
		}
		for name, c := range map[string]struct {
			query string
			seq   int64
		}{
			"changed": {"UPDATE audit_entry SET detail = 'other' WHERE county_code = '450321' AND seq = 7", 7},
			"deleted": {"DELETE FROM audit_entry WHERE county_code = '450321' AND seq = 4", 4},
			"head":    {"UPDATE audit_head SET seq = 6 WHERE county_code = '450321' AND seq = 5", 6},
		} {
			exec(t, db, c.query)
			problems, _ := walk()
			found := false
			for _, p := range problems {
				found = found || p.Seq == c.seq
			}
			if !found {
				t.Errorf("%s: number %d is not named in %v", name, c.seq, problems)
			}
		}
	})
}

func TestHeadsInAFileAreThoseOfTheLogAndFindACutEnd(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		path := filepath.Join(t.TempDir(), "heads.jsonl")
		var log bytes.Buffer
		s := signer(t)
		for range 2 {
			write(t, db, "450321", 5)
			signing := audit.Signing{Signer: s, Heads: audit.HeadFile{Path: path, Service: "referral"}}
			if err := audit.NewSealer(db, signing, "test", slog.New(slog.NewJSONHandler(&log, nil)), dbtest.Clock(t)).Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		fromFile, err := audit.ReadHeads(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		fromLog, err := audit.ReadHeads(&log)
		if err != nil {
			t.Fatal(err)
		}
		if len(fromFile["referral"]) != 2 || len(fromLog["referral"]) != 2 {
			t.Fatalf("%d heads in the file, %d in the log", len(fromFile["referral"]), len(fromLog["referral"]))
		}
		if r := verify(t, db, keysOf(s), fromFile["referral"]...); !r.OK() {
			t.Fatalf("before: %+v", r)
		}
		exec(t, db, "DELETE FROM audit_entry WHERE seq > 5")
		exec(t, db, "DELETE FROM audit_head WHERE seq > 5")
		exec(t, db, "UPDATE audit_chain SET seq = 5, hash = (SELECT hash FROM audit_entry WHERE seq = 5)")
		for _, heads := range [][]audit.Head{fromFile["referral"], fromLog["referral"]} {
			if r := verify(t, db, keysOf(s), heads...); r.OK() || r.Counties[0].Problems[0] != (audit.Problem{Kind: audit.ProblemLost, Seq: 10}) {
				t.Errorf("the cut end is not found: %+v", r)
			}
		}
	})
}
