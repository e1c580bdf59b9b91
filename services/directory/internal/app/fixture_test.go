package app_test

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/directory/internal/app"
	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/directory/internal/store"
	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/cache"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

const (
	county   = "450321"
	password = "right-password"
)

// house is the app on a real database with one county: a hospital, a centre, and the doctor "township".
type house struct {
	app      *app.App
	clk      *clock.Fixed
	db       *sqldb.DB
	verifier *authn.Verifier
	ids      map[string]string
}

func cli() authn.Identity { return authn.Identity{Subject: "service:cli", Service: "cli"} }

// each runs fn on every engine.
func each(t *testing.T, fn func(t *testing.T, h house)) {
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			fn(t, newHouse(t, engine, nil))
		})
	}
}

// one runs on SQLite alone, for what no engine decides.
func one(t *testing.T) house {
	t.Helper()
	return newHouse(t, sqldb.SQLite, nil)
}

func newHouse(t *testing.T, engine sqldb.Engine, limiter app.Limiter) house {
	t.Helper()
	clk := dbtest.Clock(t)
	db := dbtest.OpenClock(t, engine, clk, []sqldb.MigrationSet{sqldb.Migrations, outbox.Migrations, audit.Migrations, store.Migrations})
	key, err := authn.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	signer, err := authn.NewSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	if limiter == nil {
		limiter = cache.Memory(clk)
	}
	h := house{
		clk: clk, db: db, verifier: authn.NewVerifier(authn.KeysOf(signer), clk),
		app: app.New(app.Deps{
			Store: store.New(db, func() {}), Limiter: limiter, Signer: signer, Clock: clk, Zone: time.FixedZone("county", 8*3600), Entropy: rand.Reader,
		}, app.Limits{PerLogin: 60, PerAddress: 60, OneTime: 72 * time.Hour}),
	}
	organizations, err := h.app.ImportOrganizations(t.Context(), cli(), app.OrganizationImport{
		County: county, CountyName: "阳朔县", Entries: organizationEntries(),
	})
	if err != nil {
		t.Fatal(err)
	}
	h.ids = organizations.IDs
	if _, err := h.importAccounts(t.Context(), doctor()); err != nil {
		t.Fatal(err)
	}
	return h
}

func organizationEntries() []app.OrganizationEntry {
	return []app.OrganizationEntry{
		{
			Data:        domain.OrganizationData{Code: "H01", Name: "阳朔县人民医院", Type: domain.CountyHospital},
			Departments: []domain.Department{{Code: "0304", Name: "心血管内科"}},
		},
		{
			Data:        domain.OrganizationData{Code: "450321101", Name: "白沙镇卫生院", Type: domain.TownshipCentre},
			Departments: []domain.Department{{Code: "02", Name: "全科医疗科"}},
		},
	}
}

func doctor() app.AccountEntry {
	return app.AccountEntry{
		Data: domain.AccountData{
			Login: "township", Name: "莫秀英", DepartmentCode: "02", Roles: []domain.Role{domain.TownshipDoctor},
		},
		OrganizationCode: "450321101", Password: password,
	}
}

func (h house) importAccounts(ctx context.Context, entries ...app.AccountEntry) (app.ImportResult, error) {
	return h.app.ImportAccounts(ctx, cli(), app.AccountImport{County: county, Entries: entries})
}

func (h house) signIn(ctx context.Context, login, pw string) (app.SignedIn, error) {
	return h.app.SignIn(ctx, app.SignInRequest{Login: login, Password: pw})
}

func (h house) signedIn(t *testing.T) app.SignedIn {
	t.Helper()
	in, err := h.signIn(t.Context(), "township", password)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// count is a number out of the database.
func (h house) count(t *testing.T, query string, args ...any) (n int) {
	t.Helper()
	err := h.db.View(t.Context(), func(tx *sqldb.Tx) error { return tx.QueryRow(t.Context(), query, args...).Scan(&n) })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func expect(t *testing.T, err error, reason string) {
	t.Helper()
	if errs.ReasonOf(err) != reason {
		t.Errorf("got %v, want %q", err, reason)
	}
}

// expectField also holds the refusal to one field.
func expectField(t *testing.T, err error, field, reason string) {
	t.Helper()
	e, ok := errs.As(err)
	if !ok || len(e.Fields) != 1 || e.Fields[0].Name != field || e.Fields[0].Reason != reason {
		t.Errorf("got %v, want %s %s", err, field, reason)
	}
}

// expectFields wants a refusal of exactly these fields, in any order.
func expectFields(t *testing.T, err error, fields ...string) {
	t.Helper()
	var got []string
	if e, ok := errs.As(err); ok {
		for _, f := range e.Fields {
			got = append(got, f.Name)
		}
	}
	if slices.Sort(got); !slices.Equal(got, fields) {
		t.Errorf("got %v, want %v", got, fields)
	}
}

// away is a cache that cannot be asked.
type away struct{}

func (away) Allow(context.Context, string, int, time.Duration) (bool, time.Duration, error) {
	return false, 0, errors.New("the cache is away")
}
