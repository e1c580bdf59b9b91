package audit_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// archive is what WriteArchive writes of all that is signed by now.
func archive(t *testing.T, db *sqldb.DB, s *authn.Signer) (audit.Archived, []byte) {
	t.Helper()
	now := clock.System().Now()
	var out bytes.Buffer
	a, err := audit.WriteArchive(t.Context(), db, audit.Archiving{Service: "test", County: "450321", Before: now.Add(time.Hour), Signer: s, Now: now}, &out)
	if err != nil {
		t.Fatal(err)
	}
	return a, out.Bytes()
}

func readBack(t *testing.T, text []byte, keys audit.Keys) (audit.Archived, []audit.Problem) {
	t.Helper()
	a, problems, err := audit.ReadArchive(t.Context(), bytes.NewReader(text), keys)
	if err != nil {
		t.Fatal(err)
	}
	return a, problems
}

func kinds(problems []audit.Problem) (out []string) {
	for _, p := range problems {
		out = append(out, p.Kind)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func countyOf(r audit.Report) audit.CountyReport {
	for _, c := range r.Counties {
		if c.County == "450321" {
			return c
		}
	}
	return audit.CountyReport{}
}

func TestWhatWasArchivedStaysVerifiable(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		s := signer(t)
		sealed(t, db, s, quiet())
		_, err := audit.WriteArchive(t.Context(), db, audit.Archiving{
			Service: "test", County: "450321", Before: clock.System().Now().Add(-time.Hour), Signer: s, Now: clock.System().Now(),
		}, &bytes.Buffer{})
		if !errors.Is(err, audit.ErrNothingToArchive) {
			t.Errorf("nothing is that old: %v", err)
		}
		a, text := archive(t, db, s)
		if a.ToSeq != 10 || a.Entries != 10 || a.FromSeq != 0 {
			t.Fatalf("archived %d to %d, %d entries", a.FromSeq, a.ToSeq, a.Entries)
		}
		back, problems := readBack(t, text, keysOf(s))
		if len(problems) > 0 || back.Entries != 10 || back.ToSeq != 10 || back.Service != "test" || back.County != "450321" {
			t.Errorf("read back %+v: %v", back.ToSeq, problems)
		}
		if r := countyOf(verify(t, db, keysOf(s))); r.Sealed != 10 || r.Archived != 0 {
			t.Errorf("writing changed the database: %+v", r)
		}
		if err := audit.Forget(t.Context(), db, a, audit.Entry{AccountID: "service:cli"}); err != nil {
			t.Fatal(err)
		}
		if known, err := audit.Knows(t.Context(), db, back); err != nil || !known {
			t.Errorf("the database does not know the archive: %v", err)
		}
		if err := audit.Forget(t.Context(), db, a, audit.Entry{AccountID: "service:cli"}); err == nil {
			t.Error("the same was taken out twice")
		}
		write(t, db, "450321", 4)
		sealer := audit.NewSealer(db, audit.Signing{Signer: s, Heads: audit.HeadFile{Service: "test"}}, "test", quiet(), clock.System())
		if err := sealer.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		// Four, and the entry about the archive.
		report := verify(t, db, keysOf(s))
		if r := countyOf(report); !report.OK() || r.Sealed != 5 || r.Archived != 10 || r.Signed != 15 {
			t.Errorf("after: %+v", r)
		}
		a, text = archive(t, db, s)
		if _, problems := readBack(t, text, keysOf(s)); len(problems) > 0 || a.FromSeq != 10 || a.ToSeq != 15 {
			t.Errorf("the next archive is %d to %d: %v", a.FromSeq, a.ToSeq, problems)
		}
		if err := audit.Forget(t.Context(), db, a, audit.Entry{AccountID: "service:cli"}); err != nil {
			t.Fatal(err)
		}
		if r := verify(t, db, keysOf(s)); !r.OK() || countyOf(r).Archived != 15 {
			t.Errorf("with nothing left but the entry about it: %+v", countyOf(r))
		}
	})
}

func TestAnArchiveThatWasTouchedIsFound(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		s := signer(t)
		sealed(t, db, s, quiet())
		a, text := archive(t, db, s)
		lines := slices.Collect(strings.Lines(string(text)))
		for name, c := range map[string]struct {
			text string
			want string
		}{
			"an entry was changed":  {strings.Replace(string(text), "record-3", "record-4", 1), audit.ProblemChanged},
			"an entry was left out": {strings.Join(slices.Delete(slices.Clone(lines), 4, 5), ""), audit.ProblemMissing},
			"the end was moved":     {strings.Replace(string(text), `"end":{"service":"test","county":"450321","seq":10`, `"end":{"service":"test","county":"450321","seq":9`, 1), audit.ProblemSignature},
		} {
			_, problems, err := audit.ReadArchive(t.Context(), strings.NewReader(c.text), keysOf(s))
			if err != nil || !slices.Contains(kinds(problems), c.want) {
				t.Errorf("%s: %v, %v", name, kinds(problems), err)
			}
		}
		for name, text := range map[string]string{
			"cut off": string(text[:len(text)-20]), "empty": "", "something follows": string(text) + "{}\n", "no beginning": strings.Join(lines[1:], ""),
		} {
			if _, _, err := audit.ReadArchive(t.Context(), strings.NewReader(text), keysOf(s)); err == nil {
				t.Errorf("%s: it was read", name)
			}
		}
		if err := audit.Forget(t.Context(), db, a, audit.Entry{AccountID: "service:cli"}); err != nil {
			t.Fatal(err)
		}
		exec(t, db, "UPDATE audit_archive SET entries = 9")
		if r := verify(t, db, keysOf(s)); !slices.Contains(kinds(countyOf(r).Problems), audit.ProblemSignature) {
			t.Errorf("a row that nobody signed counts: %+v", countyOf(r))
		}
		exec(t, db, "UPDATE audit_archive SET entries = 10")
		write(t, db, "450321", 1)
		exec(t, db, "UPDATE audit_entry SET seq = 3, hash = $1 WHERE county_code = '450321' AND account_id = 'account-0'", a.ToHash)
		if r := verify(t, db, keysOf(s)); !slices.Contains(kinds(countyOf(r).Problems), audit.ProblemChanged) {
			t.Errorf("an entry among those that are archived: %+v", countyOf(r))
		}
		exec(t, db, "DELETE FROM audit_entry WHERE county_code = '450321' AND seq = 3")
		exec(t, db, "DELETE FROM audit_archive")
		if r := verify(t, db, keysOf(s)); r.OK() {
			t.Error("entries that no archive covers are not missed")
		}
	})
}

func TestWhatAFormerKeySignedIsVerified(t *testing.T) {
	t.Parallel()
	db := dbtest.SQLite(t, sets())
	former, now := signer(t), signer(t)
	sealed(t, db, former, quiet())
	a, text := archive(t, db, former)
	pem, err := former.PublicPEM()
	if err != nil {
		t.Fatal(err)
	}
	known, err := authn.ParsePublicKeys(append(pem, pem...))
	if err != nil || len(known) != 2 {
		t.Fatalf("%d keys, %v", len(known), err)
	}
	both := audit.Keys(now.WithFormer(known...).KnownKeys())
	if r := verify(t, db, both); !r.OK() || countyOf(r).Signed != 10 {
		t.Errorf("with the former key: %+v", countyOf(r))
	}
	if _, problems := readBack(t, text, both); len(problems) > 0 {
		t.Errorf("an archive of the former key: %v", problems)
	}
	if err := audit.Forget(t.Context(), db, a, audit.Entry{AccountID: "service:cli"}); err != nil {
		t.Fatal(err)
	}
	if r := verify(t, db, both); !r.OK() || countyOf(r).Archived != 10 {
		t.Errorf("archived under the former key: %+v", countyOf(r))
	}
	if r := verify(t, db, audit.Keys(now.KnownKeys())); !slices.Contains(kinds(countyOf(r).Problems), audit.ProblemSignature) {
		t.Errorf("without the former key: %+v", countyOf(r))
	}
	// A call token of a former key is no token.
	if _, err := authn.KeysOf(now.WithFormer(known...))(t.Context(), authn.KeyID(known[0])); err == nil {
		t.Error("a former key is good for tokens")
	}
	if _, err := authn.ParsePublicKeys([]byte("-----BEGIN NOTHING-----")); err == nil {
		t.Error("something else was read as a key")
	}
}
