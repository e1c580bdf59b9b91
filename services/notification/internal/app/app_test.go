package app_test

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
	"github.com/tongzhen/tongzhen/services/notification/internal/events"
	"github.com/tongzhen/tongzhen/services/notification/internal/rules"
	"github.com/tongzhen/tongzhen/services/notification/internal/store"
)

const (
	county   = "450321"
	consumer = "notification-referral"
)

// directory answers for the directory service.
type directory struct {
	mu       sync.Mutex
	accounts []domain.Account
	rosters  []app.Roster
	away     bool
	read     int
}

func (d *directory) Accounts(context.Context, string) ([]domain.Account, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.away {
		return nil, errs.Unavailable("directory", nil)
	}
	d.read++
	return slices.Clone(d.accounts), nil
}

func (d *directory) Rosters(context.Context, string) ([]app.Roster, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.rosters), nil
}

func (d *directory) Telephones(context.Context, string, string) (map[string]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.away {
		return nil, errs.Unavailable("directory", nil)
	}
	out := map[string]string{"": "0000-8820120"}
	for _, a := range d.accounts {
		out[a.ID] = "120 " + a.ID
	}
	return out, nil
}

// texts are what is said outside the house: the name of the template.
type texts struct{}

func (texts) Plain(language, template string) string { return language + " " + template }

func (d *directory) add(accountID, organization string, roles ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.accounts = append(d.accounts, domain.Account{County: county, ID: accountID, Version: 1, OrganizationID: organization,
		DepartmentCode: "0304", Name: "name of " + accountID, Roles: roles})
}

// fixture is the use cases on a real database.
type fixture struct {
	*app.App
	t         *testing.T
	db        *sqldb.DB
	clk       *clock.Fixed
	directory *directory
}

// each runs the test on every engine, with one desk, two doctors of a centre and its head, a specialist, a head, and the administrator.
func each(t *testing.T, test func(*fixture)) {
	t.Helper()
	t.Parallel()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			clk := dbtest.Clock(t)
			db := dbtest.OpenClock(t, engine, clk, []sqldb.MigrationSet{sqldb.Migrations, outbox.Migrations, audit.Migrations, store.Migrations})
			d := &directory{}
			d.add("desk", "hospital", "INTAKE_DESK")
			d.add("specialist", "hospital", "SPECIALIST")
			d.add("head", "hospital", "SPECIALIST", "DEPARTMENT_HEAD")
			d.add("doctor", "centre", "TOWNSHIP_DOCTOR")
			d.add("colleague", "centre", "TOWNSHIP_DOCTOR")
			d.add("centre head", "centre", "CENTRE_HEAD")
			d.add("admin", "authority", "COUNTY_ADMIN")
			table, err := rules.New(nil)
			if err != nil {
				t.Fatal(err)
			}
			a := app.New(app.Deps{
				Store: store.New(db, crypt.TestRing(), events.Encode, store.Wakes{}), Directory: d, Clock: clk, Logger: slog.New(slog.DiscardHandler), Table: table,
				Zone: time.FixedZone("county", 8*3600), Texts: texts{},
			})
			test(&fixture{App: a, t: t, db: db, clk: clk, directory: d})
		})
	}
}

// fact is of a referral from the doctor to the hospital.
func (f *fixture) fact(event string) app.ReferralFact {
	return app.ReferralFact{Consumer: consumer, County: county, Fact: domain.Fact{
		ID: id.New(), Event: event, OccurTime: f.clk.Now(), Direction: domain.Up, ReferralID: "r", ReferralNumber: "n", Urgency: "ROUTINE", PreviousState: "SUBMITTED",
		OriginatorAccountID: "doctor", OriginatorOrganizationID: "centre", ReceiverOrganizationID: "hospital", ReceiverDepartmentCode: "0304",
	}}
}

func (f *fixture) handle(fact app.ReferralFact) {
	f.t.Helper()
	if err := f.OnReferral(f.t.Context(), fact); err != nil {
		f.t.Fatal(err)
	}
}

// wantTold checks who has entries of the fact, one each.
func (f *fixture) wantTold(fact app.ReferralFact, want ...string) {
	f.t.Helper()
	all, err := f.Delivered(f.t.Context(), county, "", app.Page{Limit: 100})
	if err != nil {
		f.t.Fatal(err)
	}
	var got []string
	for _, e := range all {
		if e.FactID == fact.ID {
			got = append(got, e.AccountID)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		f.t.Errorf("%s told %v, want %v", fact.Event, got, want)
	}
}

func (f *fixture) count(query string, args ...any) (n int) {
	f.t.Helper()
	err := f.db.View(f.t.Context(), func(tx *sqldb.Tx) error {
		return tx.QueryRow(f.t.Context(), query, args...).Scan(&n)
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return n
}
