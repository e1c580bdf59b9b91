package host_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/host"
	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

func TestTamperingInADatabaseIsFoundAndTheNumberNamed(t *testing.T) {
	t.Parallel()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(fmt.Sprint(engine), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			settings := host.Settings{DataDir: dir}
			config := sqldb.Config{URL: "sqlite:" + filepath.Join(dir, "referral.db")}
			if engine == sqldb.Postgres {
				config = dbtest.Config(t, engine)
				settings.DatabaseURL, settings.ReferralDatabaseURL = "", config.URL
			}
			if engine == sqldb.Postgres && config.Schema != "" {
				separator := "?"
				if strings.Contains(config.URL, "?") {
					separator = "&"
				}
				settings.ReferralDatabaseURL = config.URL + separator + "search_path=" + config.Schema
			}
			tamper(t, settings, config)
		})
	}
}

func tamper(t *testing.T, settings host.Settings, config sqldb.Config) {
	t.Helper()
	key := filepath.Join(settings.DataDir, "signing.pem")
	check(t, authn.GenerateKeyFile(key))
	signer, err := authn.LoadSigner(key)
	check(t, err)
	db, err := sqldb.Open(t.Context(), config, clock.System())
	check(t, err)
	defer func() { check(t, db.Close()) }()
	check(t, sqldb.Migrate(t.Context(), db, sqldb.Migrations, audit.Migrations))
	heads := filepath.Join(settings.DataDir, "heads")
	for round := range 2 {
		check(t, db.Update(t.Context(), func(tx *sqldb.Tx) error {
			for i := range 5 {
				if err := audit.Append(t.Context(), tx, audit.Entry{County: "450321", AccountID: "a", Action: "patient.read", ObjectID: strconv.Itoa(round*5 + i)}); err != nil {
					return err
				}
			}
			return nil
		}))
		signing := audit.Signing{Signer: signer, Heads: audit.HeadFile{Path: heads, Service: host.Referral}}
		check(t, audit.NewSealer(db, signing, "test", slog.New(slog.DiscardHandler), clock.System()).Flush(t.Context()))
	}
	verify := func() audit.Report {
		reports, err := host.VerifyAudit(t.Context(), settings, host.AuditCheck{Services: []string{host.Referral}})
		check(t, err)
		return reports[host.Referral]
	}
	if r := verify(); !r.OK() || len(r.Counties) != 1 || r.Counties[0].Sealed != 10 || r.Counties[0].Signed != 10 {
		t.Fatalf("before: %+v", r)
	}
	for _, c := range []struct {
		kind, query string
		seq         int64
	}{
		{audit.ProblemChanged, "UPDATE audit_entry SET object_id = 'x' WHERE seq = 3", 3},
		{audit.ProblemMissing, "DELETE FROM audit_entry WHERE seq = 7", 7},
		{audit.ProblemEnd, "DELETE FROM audit_entry WHERE seq = 10", 10},
	} {
		check(t, db.Update(t.Context(), func(tx *sqldb.Tx) error {
			_, err := tx.Exec(t.Context(), c.query)
			return err
		}))
		found := false
		for _, p := range verify().Counties[0].Problems {
			found = found || (p.Kind == c.kind && p.Seq == c.seq)
		}
		if !found {
			t.Errorf("%s: no %s at %d", c.query, c.kind, c.seq)
		}
	}
}

func TestAuditIsKeptAsLongAsTheLawAsks(t *testing.T) {
	t.Parallel()
	_, err := host.Open(t.Context(), host.Settings{DataDir: t.TempDir(), AuditKeep: 30 * 24 * time.Hour}, host.Options{})
	if err == nil || !strings.Contains(err.Error(), "TONGZHEN_AUDIT_KEEP") || !strings.Contains(err.Error(), "4320h") {
		t.Errorf("%v does not say what to do", err)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
