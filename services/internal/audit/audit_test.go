package audit_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

func sets() []sqldb.MigrationSet { return []sqldb.MigrationSet{sqldb.Migrations, audit.Migrations} }

func signer(t *testing.T) *authn.Signer {
	t.Helper()
	text, err := authn.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	s, err := authn.NewSigner(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func keysOf(signers ...*authn.Signer) audit.Keys {
	return func(_ context.Context, kid string) (ed25519.PublicKey, error) {
		for _, s := range signers {
			if id, key := s.Public(); id == kid {
				return key, nil
			}
		}
		return nil, errs.NotFound("signing key")
	}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func entry(county string, i int) audit.Entry {
	return audit.Entry{
		County: county, AccountID: "account-" + strconv.Itoa(i), OrganizationID: "org", Action: "record.read",
		ObjectType: "record", ObjectID: "record-" + strconv.Itoa(i), PatientID: "patient", Detail: "TREATMENT",
	}
}

func write(t *testing.T, db *sqldb.DB, county string, n int) {
	t.Helper()
	err := db.Update(t.Context(), func(tx *sqldb.Tx) error {
		for i := range n {
			if err := audit.Append(t.Context(), tx, entry(county, i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func exec(t *testing.T, db *sqldb.DB, query string, args ...any) {
	t.Helper()
	err := db.Update(t.Context(), func(tx *sqldb.Tx) error {
		n, err := tx.Exec(t.Context(), query, args...)
		if err == nil && n == 0 {
			return fmt.Errorf("%s touched nothing", query)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func verify(t *testing.T, db *sqldb.DB, keys audit.Keys, known ...audit.Head) audit.Report {
	t.Helper()
	report, err := audit.Verify(t.Context(), db, keys, known...)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// sealed is a database with two counties of ten entries, sealed and signed, and one with a second head.
func sealed(t *testing.T, db *sqldb.DB, s *authn.Signer, logger *slog.Logger) {
	t.Helper()
	sealer := audit.NewSealer(db, audit.Signing{Signer: s, Heads: audit.HeadFile{Service: "test"}}, "test", logger, clock.System())
	for range 2 {
		write(t, db, "450321", 5)
		write(t, db, "450322", 5)
		if err := sealer.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnUntouchedRecordVerifiesAndItsTailIsReported(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		s := signer(t)
		if r := verify(t, db, keysOf(s)); !r.OK() || len(r.Counties) != 0 {
			t.Errorf("empty: %+v", r)
		}
		sealed(t, db, s, quiet())
		write(t, db, "450321", 3)
		r := verify(t, db, keysOf(s))
		if !r.OK() || len(r.Counties) != 2 {
			t.Fatalf("report %+v", r)
		}
		c := r.Counties[0]
		if c.County != "450321" || c.Sealed != 10 || c.Signed != 10 || c.Unsealed != 3 || c.OldestUnsealed.IsZero() || c.Late != 0 {
			t.Errorf("report %+v", c)
		}
		if c := r.Counties[1]; c.Sealed != 10 || c.Unsealed != 0 || !c.OldestUnsealed.IsZero() {
			t.Errorf("report %+v", c)
		}
	})
}

func TestEveryWayToTamperIsFound(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		"an account":           "UPDATE audit_entry SET account_id = 'other' WHERE county_code = '450321' AND seq = 4",
		"an organisation":      "UPDATE audit_entry SET organization_id = 'other' WHERE county_code = '450321' AND seq = 4",
		"an action":            "UPDATE audit_entry SET action = 'other' WHERE county_code = '450321' AND seq = 4",
		"an object's type":     "UPDATE audit_entry SET object_type = 'other' WHERE county_code = '450321' AND seq = 4",
		"an object":            "UPDATE audit_entry SET object_id = 'other' WHERE county_code = '450321' AND seq = 4",
		"a patient":            "UPDATE audit_entry SET patient_id = '' WHERE county_code = '450321' AND seq = 4",
		"a detail":             "UPDATE audit_entry SET detail = 'other' WHERE county_code = '450321' AND seq = 4",
		"text moved over":      "UPDATE audit_entry SET action = action || object_type, object_type = '' WHERE county_code = '450321' AND seq = 4",
		"a time":               "UPDATE audit_entry SET entry_time = (SELECT max(sign_time) FROM audit_head) WHERE county_code = '450321' AND seq = 4",
		"an id":                "UPDATE audit_entry SET id = 'other' WHERE county_code = '450321' AND seq = 4",
		"the last entry":       "UPDATE audit_entry SET action = 'other' WHERE county_code = '450321' AND seq = 10",
		"a hash":               "UPDATE audit_entry SET hash = (SELECT hash FROM audit_entry WHERE county_code = '450321' AND seq = 5) WHERE county_code = '450321' AND seq = 4",
		"a county":             "UPDATE audit_entry SET county_code = '450399' WHERE county_code = '450321' AND seq = 4",
		"a number":             "UPDATE audit_entry SET seq = 99 WHERE county_code = '450321' AND seq = 4",
		"a number taken away":  "UPDATE audit_entry SET seq = NULL, hash = NULL WHERE county_code = '450321' AND seq = 4",
		"deleted inside":       "DELETE FROM audit_entry WHERE county_code = '450321' AND seq = 4",
		"deleted first":        "DELETE FROM audit_entry WHERE county_code = '450321' AND seq = 1",
		"deleted last":         "DELETE FROM audit_entry WHERE county_code = '450321' AND seq = 10",
		"deleted all":          "DELETE FROM audit_entry WHERE county_code = '450321'",
		"inserted at the end":  "INSERT INTO audit_entry (" + columns + ", seq, hash) SELECT county_code, 'new', " + rest + ", 11, hash FROM audit_entry WHERE county_code = '450321' AND seq = 10",
		"inserted before all":  "INSERT INTO audit_entry (" + columns + ", seq, hash) SELECT county_code, 'new', " + rest + ", 0, hash FROM audit_entry WHERE county_code = '450321' AND seq = 10",
		"the end of the chain": "UPDATE audit_chain SET seq = 9, hash = (SELECT hash FROM audit_entry WHERE county_code = '450321' AND seq = 9) WHERE county_code = '450321'",
		"a head's hash":        "UPDATE audit_head SET hash = (SELECT hash FROM audit_entry WHERE county_code = '450321' AND seq = 4) WHERE county_code = '450321' AND seq = 5",
		"a head's number":      "UPDATE audit_head SET seq = 6 WHERE county_code = '450321' AND seq = 5",
		"a head's time":        "UPDATE audit_head SET sign_time = (SELECT entry_time FROM audit_entry WHERE county_code = '450321' AND seq = 1) WHERE county_code = '450321' AND seq = 5",
		"a head's key":         "UPDATE audit_head SET key_id = 'other' WHERE county_code = '450321' AND seq = 5",
		"a head's county":      "UPDATE audit_head SET county_code = '450399' WHERE county_code = '450321' AND seq = 5",
	}
	for name, query := range cases {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			tampered(t, query)
		})
	}
}

const (
	columns = "county_code, id, entry_time, account_id, organization_id, action, object_type, object_id, patient_id, detail"
	rest    = "entry_time, account_id, organization_id, action, object_type, object_id, patient_id, detail"
)

func tampered(t *testing.T, query string) {
	t.Helper()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		s := signer(t)
		sealed(t, db, s, quiet())
		if r := verify(t, db, keysOf(s)); !r.OK() {
			t.Fatalf("before: %+v", r)
		}
		exec(t, db, query)
		r := verify(t, db, keysOf(s))
		if r.OK() {
			t.Errorf("not found: %s", query)
		}
		for _, c := range r.Counties {
			if c.County == "450322" && len(c.Problems) > 0 {
				t.Errorf("the other county is blamed: %+v", c)
			}
		}
	})
}

// logged collects the heads that the sealer writes to the log.
func logged(t *testing.T, text string) []audit.Head {
	t.Helper()
	var out []audit.Head
	for line := range strings.Lines(text) {
		var l struct {
			County, Hash, Signature string
			Seq                     int64
			Head                    time.Time
			KeyID                   string `json:"key_id"`
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		h := audit.Head{County: l.County, Seq: l.Seq, Time: l.Head, KeyID: l.KeyID}
		var e1, e2 error
		h.Hash, e1 = hex.DecodeString(l.Hash)
		h.Signature, e2 = hex.DecodeString(l.Signature)
		if err := errors.Join(e1, e2); err != nil {
			t.Fatal(err)
		}
		out = append(out, h)
	}
	return out
}

func TestARecordCutOffWithItsHeadsIsFoundByAHeadFromTheLog(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		var out bytes.Buffer
		s := signer(t)
		sealed(t, db, s, slog.New(slog.NewJSONHandler(&out, nil)))
		heads := logged(t, out.String())
		if len(heads) != 4 {
			t.Fatalf("%d heads in the log", len(heads))
		}
		if r := verify(t, db, keysOf(s), heads...); !r.OK() {
			t.Fatalf("before: %+v", r)
		}
		exec(t, db, "DELETE FROM audit_entry WHERE county_code = '450321' AND seq > 5")
		exec(t, db, "DELETE FROM audit_head WHERE county_code = '450321' AND seq > 5")
		exec(t, db, "UPDATE audit_chain SET seq = 5, hash = (SELECT hash FROM audit_entry WHERE county_code = '450321' AND seq = 5) WHERE county_code = '450321'")
		if r := verify(t, db, keysOf(s)); !r.OK() {
			t.Errorf("the cut is clean: %+v", r)
		}
		r := verify(t, db, keysOf(s), heads...)
		if r.OK() || !slices.Contains(r.Counties[0].Problems, audit.Problem{Kind: audit.ProblemLost, Seq: 10}) {
			t.Errorf("report %+v", r)
		}
		exec(t, db, "DELETE FROM audit_entry WHERE county_code = '450321'")
		exec(t, db, "DELETE FROM audit_head WHERE county_code = '450321'")
		exec(t, db, "DELETE FROM audit_chain WHERE county_code = '450321'")
		if r := verify(t, db, keysOf(s), heads...); r.OK() {
			t.Errorf("a county that vanished is not missed: %+v", r)
		}
	})
}

func TestAChainThatWasWrittenAnewDoesNotFitItsSignedHead(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		good, forger := signer(t), signer(t)
		sealed(t, db, good, quiet())
		// Whoever owns the database can unseal everything, change it, and let a sealer with another key build it again.
		exec(t, db, "UPDATE audit_entry SET seq = NULL, hash = NULL, action = 'nothing'")
		exec(t, db, "DELETE FROM audit_chain")
		if err := audit.NewSealer(db, audit.Signing{Signer: forger, Heads: audit.HeadFile{Service: "test"}}, "test", quiet(), clock.System()).Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		r := verify(t, db, keysOf(good, forger))
		if r.OK() {
			t.Error("the old heads do not fit, and nobody says so")
		}
		exec(t, db, "DELETE FROM audit_head")
		if err := audit.NewSealer(db, audit.Signing{Signer: forger, Heads: audit.HeadFile{Service: "test"}}, "test", quiet(), clock.System()).Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if r := verify(t, db, keysOf(good)); r.OK() {
			t.Error("heads of an unknown key pass")
		}
	})
}

func TestAnEntrySlippedInLateIsCounted(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		s := signer(t)
		sealed(t, db, s, quiet())
		err := db.Update(t.Context(), func(tx *sqldb.Tx) error {
			return tx.Batch(t.Context(), audit.Stmt(entry("450321", 1), "slipped", tx.Now().Add(-time.Hour)))
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := audit.NewSealer(db, audit.Signing{Signer: s, Heads: audit.HeadFile{Service: "test"}}, "test", quiet(), clock.System()).Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if r := verify(t, db, keysOf(s)); r.Counties[0].Late != 1 {
			t.Errorf("report %+v", r)
		}
	})
}

func TestSeveralSealersMakeOneChainAndStopSealedAndSigned(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		s := signer(t)
		ctx, cancel := context.WithCancel(t.Context())
		var sealers sync.WaitGroup
		for i := range 3 {
			sealers.Go(func() {
				if err := audit.NewSealer(db, audit.Signing{Signer: s, Heads: audit.HeadFile{Service: "test"}}, strconv.Itoa(i), quiet(), clock.System()).Run(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		var writers sync.WaitGroup
		for i := range 4 {
			writers.Go(func() {
				for range 10 {
					write(t, db, "45032"+strconv.Itoa(i%2), 30)
				}
			})
		}
		writers.Wait()
		cancel()
		sealers.Wait()
		r := verify(t, db, keysOf(s))
		if !r.OK() || len(r.Counties) != 2 {
			t.Fatalf("report %+v", r)
		}
		for _, c := range r.Counties {
			if c.Sealed != 600 || c.Signed != 600 || c.Unsealed != 0 {
				t.Errorf("report %+v", c)
			}
		}
	})
}

func TestASealerThatWasOvertakenWritesNothing(t *testing.T) {
	t.Parallel()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			clk := dbtest.Clock(t)
			db := dbtest.OpenClock(t, engine, clk, sets())
			s := signer(t)
			first := audit.NewSealer(db, audit.Signing{Signer: s, Heads: audit.HeadFile{Service: "test"}}, "first", quiet(), clk)
			write(t, db, "450321", 2)
			if err := first.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			// The first believes in its lease; the database has given it to another.
			exec(t, db, "UPDATE lease SET fence = fence + 1, holder = 'second'")
			write(t, db, "450321", 2)
			if err := first.Flush(t.Context()); !errors.Is(err, sqldb.ErrConditionFailed) {
				t.Errorf("the overtaken sealer got %v", err)
			}
			if r := verify(t, db, keysOf(s)); !r.OK() || r.Counties[0].Sealed != 2 || r.Counties[0].Unsealed != 2 {
				t.Errorf("report %+v", r)
			}
			if err := first.Flush(t.Context()); err != nil {
				t.Errorf("a sealer without the lease got %v, want nothing to do", err)
			}
			clk.Advance(time.Minute)
			if err := first.Flush(t.Context()); err != nil {
				t.Error(err)
			}
			if r := verify(t, db, keysOf(s)); !r.OK() || r.Counties[0].Signed != 4 {
				t.Errorf("report %+v", r)
			}
		})
	}
}

func TestVerifyThatCannotGetTheKeysSaysSo(t *testing.T) {
	t.Parallel()
	db := dbtest.SQLite(t, sets())
	sealed(t, db, signer(t), quiet())
	away := func(context.Context, string) (ed25519.PublicKey, error) {
		return nil, errs.Unavailable("directory", nil)
	}
	if _, err := audit.Verify(t.Context(), db, away); errs.KindOf(err) != errs.KindUnavailable {
		t.Errorf("error %v", err)
	}
}
