package host_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/host"
	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// sealedLongAgo is a data folder whose referral service recorded some entries four years ago.
func sealedLongAgo(t *testing.T) host.Settings {
	t.Helper()
	settings := host.Settings{DataDir: t.TempDir()}
	check(t, host.Migrate(t.Context(), settings, []string{host.Referral}, func(string, sqldb.SetStatus) {}, true))
	key := filepath.Join(settings.DataDir, "signing.pem")
	check(t, authn.GenerateKeyFile(key))
	signer, err := authn.LoadSigner(key)
	check(t, err)
	then := clock.NewFixed(clock.System().Now().AddDate(-4, 0, 0))
	db, err := sqldb.Open(t.Context(), sqldb.Config{URL: "sqlite:" + filepath.Join(settings.DataDir, "referral.db")}, then)
	check(t, err)
	defer func() { check(t, db.Close()) }()
	check(t, db.Update(t.Context(), func(tx *sqldb.Tx) error {
		for i := range 5 {
			if err := audit.Append(t.Context(), tx, audit.Entry{County: "450321", AccountID: "a", Action: "referral.read", ObjectID: strconv.Itoa(i)}); err != nil {
				return err
			}
		}
		return nil
	}))
	signing := audit.Signing{Signer: signer, Heads: audit.HeadFile{Service: host.Referral}}
	check(t, audit.NewSealer(db, signing, "test", slog.New(slog.DiscardHandler), then).Flush(t.Context()))
	return settings
}

func TestOldEntriesGoIntoAnArchiveThatIsVerifiedAlsoAfterAnotherSigningKey(t *testing.T) {
	t.Parallel()
	settings := sealedLongAgo(t)
	verified := func() audit.CountyReport {
		reports, err := host.VerifyAudit(t.Context(), settings, host.AuditCheck{Services: []string{host.Referral}})
		check(t, err)
		if r := reports[host.Referral]; !r.OK() || len(r.Counties) != 1 {
			t.Fatalf("%+v", r)
		}
		return reports[host.Referral].Counties[0]
	}
	file := filepath.Join(t.TempDir(), "archive.jsonl")
	what := host.AuditArchive{Service: host.Referral, County: "450321", Before: clock.System().Now().AddDate(-1, 0, 0), File: file, By: "service:cli:test"}
	if _, err := host.ArchiveAudit(t.Context(), settings, what); err == nil || !strings.Contains(err.Error(), "TONGZHEN_AUDIT_KEEP") {
		t.Errorf("entries that must be kept were archived: %v", err)
	}
	what.Before = clock.System().Now().AddDate(-5, 0, 0)
	if _, err := host.ArchiveAudit(t.Context(), settings, what); !errors.Is(err, audit.ErrNothingToArchive) {
		t.Errorf("nothing is that old: %v", err)
	}
	former, next, err := host.NewSigningKey(settings)
	if err != nil || former == next {
		t.Fatalf("from %s to %s: %v", former, next, err)
	}
	if r := verified(); r.Signed != 5 {
		t.Errorf("what the former key signed: %+v", r)
	}
	what.Before = clock.System().Now().AddDate(-3, 0, -30)
	a, err := host.ArchiveAudit(t.Context(), settings, what)
	if err != nil || a.Entries != 5 || a.KeyID != next {
		t.Fatalf("%+v, %v", a.Entries, err)
	}
	if r := verified(); r.Archived != 5 || r.Unsealed != 1 {
		t.Errorf("after: %+v", r)
	}
	if _, problems, err := host.VerifyArchive(t.Context(), settings, file, nil); err != nil || len(problems) > 0 {
		t.Errorf("the archive: %v, %v", problems, err)
	}
	text, err := os.ReadFile(file)
	check(t, err)
	check(t, os.WriteFile(file, bytes.Replace(text, []byte(`"objectId":"3"`), []byte(`"objectId":"9"`), 1), 0o600))
	if _, problems, err := host.VerifyArchive(t.Context(), settings, file, nil); err != nil || len(problems) == 0 {
		t.Errorf("a changed archive: %v, %v", problems, err)
	}
	if _, err := host.ArchiveAudit(t.Context(), settings, what); err == nil {
		t.Error("a file that exists was replaced")
	}
}

// A chain that is not what was sealed is not archived: what is wrong stays where it can be looked at.
func TestWhatIsNotWholeIsNotTakenOut(t *testing.T) {
	t.Parallel()
	settings := sealedLongAgo(t)
	db, err := sqldb.Open(t.Context(), sqldb.Config{URL: "sqlite:" + filepath.Join(settings.DataDir, "referral.db")}, clock.System())
	check(t, err)
	check(t, db.Update(t.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.Exec(t.Context(), "UPDATE audit_entry SET object_id = 'x' WHERE seq = 2")
		return err
	}))
	check(t, db.Close())
	file := filepath.Join(t.TempDir(), "archive.jsonl")
	_, err = host.ArchiveAudit(t.Context(), settings, host.AuditArchive{
		Service: host.Referral, County: "450321", Before: clock.System().Now().Add(-3 * 366 * 24 * time.Hour), File: file, By: "service:cli",
	})
	if err == nil || !strings.Contains(err.Error(), "nothing was taken out") {
		t.Errorf("it was archived: %v", err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a file that is no archive was left")
	}
	reports, err := host.VerifyAudit(t.Context(), settings, host.AuditCheck{Services: []string{host.Referral}})
	if err != nil || reports[host.Referral].OK() || reports[host.Referral].Counties[0].Sealed != 5 {
		t.Errorf("%+v, %v", reports, err)
	}
}
