package seed_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/seed"
	"github.com/tongzhen/tongzhen/services/directory"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/authz"
	"github.com/tongzhen/tongzhen/services/internal/bustest"
	"github.com/tongzhen/tongzhen/services/internal/cache"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/internal/telemetry"
	"github.com/tongzhen/tongzhen/services/patientrecord"
	"github.com/tongzhen/tongzhen/services/scheduling"
)

// service is what the three services have in common.
type service interface {
	Register(r grpc.ServiceRegistrar)
	Policy() authz.Table
}

// town is the three services that are filled, behind gRPC. Nothing calls the referral service while seeding.
type town struct {
	t       *testing.T
	signer  *authn.Signer
	clk     clock.Clock
	network *rpc.Network
}

func (w town) dial(self, target string) *grpc.ClientConn {
	w.t.Helper()
	conn, err := w.network.Dial(w.t.Context(), self, target, rpc.ClientConfig{Signer: w.signer, Clock: w.clk, Timeout: time.Minute})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func (w town) serve(name string, s service, err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	server, err := rpc.NewServer(rpc.ServerConfig{
		Service: name, Table: s.Policy(), Verifier: authn.NewVerifier(authn.KeysOf(w.signer), w.clk), Clock: w.clk,
		Logger: telemetry.Discard().Logger,
	}, s.Register)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx, w.network.Listen(name)) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	})
}

func (w town) database(sets []sqldb.MigrationSet) *sqldb.DB {
	return dbtest.OpenClock(w.t, sqldb.SQLite, w.clk, sets)
}

func openTown(t *testing.T) seed.Clients {
	t.Helper()
	text, err := authn.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	signer, err := authn.NewSigner(text)
	if err != nil {
		t.Fatal(err)
	}
	w := town{t: t, signer: signer, clk: clock.NewFixed(asOf()), network: rpc.InProcess()}
	b, tel := bustest.Embedded(t), telemetry.Discard()
	d, err := directory.New(t.Context(), directory.Config{}, directory.Deps{
		DB: w.database(directory.Migrations()), Bus: b, Cache: cache.Memory(w.clk), Signer: signer, Clock: w.clk, Telemetry: tel,
	})
	w.serve("directory", d, err)
	s, err := scheduling.New(t.Context(), scheduling.Config{}, scheduling.Deps{
		DB: w.database(scheduling.Migrations()), Bus: b, Peers: scheduling.Peers{Referral: w.dial("scheduling", "referral")},
		Signer: signer, Clock: w.clk, Telemetry: tel,
	})
	w.serve("scheduling", s, err)
	p, err := patientrecord.New(t.Context(), patientrecord.Config{}, patientrecord.Deps{
		DB: w.database(patientrecord.Migrations()), Bus: b, Cache: cache.Memory(w.clk), Peers: patientrecord.Peers{Referral: w.dial("patientrecord", "referral"), Directory: w.dial("patientrecord", "directory")},
		Ring: crypt.TestRing(), Signer: signer, Clock: w.clk, Telemetry: tel,
	})
	w.serve("patientrecord", p, err)
	return seed.Clients{
		Directory:     directoryv1.NewDirectoryServiceClient(w.dial("cli", "directory")),
		Roster:        directoryv1.NewRosterServiceClient(w.dial("cli", "directory")),
		Scheduling:    schedulingv1.NewSchedulingServiceClient(w.dial("cli", "scheduling")),
		Calendar:      schedulingv1.NewCalendarServiceClient(w.dial("cli", "scheduling")),
		PatientRecord: patientrecordv1.NewPatientRecordServiceClient(w.dial("cli", "patientrecord")),
	}
}

func TestTheServicesTakeTheCountyAndASecondRunChangesNothing(t *testing.T) {
	t.Parallel()
	clients := openTown(t)
	first, err := seed.County(t.Context(), clients, options(demo), func(int, int, string) {})
	if err != nil {
		t.Fatal(err)
	}
	if first.Organizations != 17 || first.Medicines < 700 || first.Accounts < 50 || first.Rosters != 6 || first.Slots < 4000 || first.Beds < 600 || first.Patients != 12 || first.Changed != 0 {
		t.Errorf("first run: %+v", first)
	}
	second, err := seed.County(t.Context(), clients, options(demo), func(int, int, string) {})
	if err != nil {
		t.Fatal(err)
	}
	second.County, second.DemoAccounts = "", nil
	if second.Organizations+second.Accounts+second.Rosters+second.Medicines+second.Slots+second.Beds+second.Patients+second.Changed != 0 {
		t.Errorf("second run: %+v", second)
	}
}

// savings counts what is written into the calendar.
type savings struct {
	schedulingv1.CalendarServiceClient
	n int
}

func (s *savings) SaveTemplate(ctx context.Context, in *schedulingv1.SaveTemplateRequest, opts ...grpc.CallOption) (*schedulingv1.SaveTemplateResponse, error) {
	s.n++
	return s.CalendarServiceClient.SaveTemplate(ctx, in, opts...)
}

func (s *savings) SaveEquipment(ctx context.Context, in *schedulingv1.SaveEquipmentRequest, opts ...grpc.CallOption) (*schedulingv1.Equipment, error) {
	s.n++
	return s.CalendarServiceClient.SaveEquipment(ctx, in, opts...)
}

// changedLists takes a medicine of the centre of 白沙 out of stock, and dialysis to what it can do.
func changedLists(ctx context.Context, t *testing.T, clients seed.Clients) (centre string) {
	t.Helper()
	item := &directoryv1.FormularyItem{Name: "阿司匹林肠溶片", Specification: "100mg", Atc: "B01AC06", Stock: directoryv1.StockState_OUT_OF_STOCK}
	_, err := clients.Directory.ImportFormulary(ctx, &directoryv1.ImportFormularyRequest{County: demo, Items: []*directoryv1.FormularyEntry{{OrganizationCode: "450321101", Item: item}}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = clients.Directory.ImportCapabilities(ctx, &directoryv1.ImportCapabilitiesRequest{County: demo, Entries: []*directoryv1.CapabilityEntry{
		{OrganizationCode: "450321101", Capabilities: []*directoryv1.Capability{{Code: "DIALYSIS"}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	places, err := clients.Directory.ListOrganizations(ctx, &directoryv1.ListOrganizationsRequest{PageSize: 200})
	if err != nil {
		t.Fatal(err)
	}
	return places.GetOrganizations()[slices.IndexFunc(places.GetOrganizations(), func(o *directoryv1.Organization) bool { return o.GetCode() == "450321101" })].GetId()
}

// Whoever starts the demo again finds the leaver disabled, the place closed and the lists of medicines as the county left them.
func TestWhatPeopleChangedStaysWhereTheCountyIsKept(t *testing.T) {
	t.Parallel()
	clients := openTown(t)
	if _, err := seed.County(t.Context(), clients, options(demo), func(int, int, string) {}); err != nil {
		t.Fatal(err)
	}
	ctx := rpc.WithCounty(t.Context(), demo)
	closed := &directoryv1.OrganizationEntry{Organization: &directoryv1.Organization{Code: "450321202", Name: "杨堤乡卫生院", Type: directoryv1.OrganizationType_TOWNSHIP_CENTRE, Disabled: true}}
	if _, err := clients.Directory.ImportOrganizations(ctx, &directoryv1.ImportOrganizationsRequest{County: demo, CountyName: "阳朔县", Organizations: []*directoryv1.OrganizationEntry{closed}}); err != nil {
		t.Fatal(err)
	}
	all, err := clients.Directory.ListAccounts(ctx, &directoryv1.ListAccountsRequest{PageSize: 200})
	if err != nil {
		t.Fatal(err)
	}
	leaver := all.GetAccounts()[slices.IndexFunc(all.GetAccounts(), func(a *directoryv1.Account) bool { return a.GetLogin() == "baisha2" })]
	leaver.Disabled = true
	if _, err := clients.Directory.ImportAccounts(ctx, &directoryv1.ImportAccountsRequest{County: demo, Accounts: []*directoryv1.AccountEntry{{Account: leaver}}}); err != nil {
		t.Fatal(err)
	}
	centre := changedLists(ctx, t, clients)
	calendar := &savings{CalendarServiceClient: clients.Calendar}
	clients.Calendar = calendar
	kept := options(demo)
	kept.Keep = true
	if _, err = seed.County(t.Context(), clients, kept, func(int, int, string) {}); err != nil {
		t.Fatal(err)
	}
	if all, err = clients.Directory.ListAccounts(ctx, &directoryv1.ListAccountsRequest{PageSize: 200}); err != nil {
		t.Fatal(err)
	}
	if i := slices.IndexFunc(all.GetAccounts(), func(a *directoryv1.Account) bool { return a.GetLogin() == "baisha2" }); !all.GetAccounts()[i].GetDisabled() {
		t.Error("who was disabled signs in again")
	}
	places, err := clients.Directory.ListOrganizations(ctx, &directoryv1.ListOrganizationsRequest{PageSize: 200})
	if err != nil {
		t.Fatal(err)
	}
	if i := slices.IndexFunc(places.GetOrganizations(), func(o *directoryv1.Organization) bool { return o.GetCode() == "450321202" }); !places.GetOrganizations()[i].GetDisabled() {
		t.Error("a closed place is open again")
	}
	list, err := clients.Directory.ListFormulary(ctx, &directoryv1.ListFormularyRequest{OrganizationId: centre, Query: "阿司匹林"})
	if err != nil || len(list.GetItems()) != 1 || list.GetItems()[0].GetStock() != directoryv1.StockState_OUT_OF_STOCK {
		t.Errorf("a medicine is in stock again: %v, %v", list, err)
	}
	able, err := clients.Directory.ListCapabilities(ctx, &directoryv1.ListCapabilitiesRequest{OrganizationId: centre})
	if err != nil || len(able.GetCapabilities()) != 1 {
		t.Errorf("a centre can do again what it could: %v, %v", able, err)
	}
	if calendar.n > 0 {
		t.Errorf("%d templates and devices were sent though they are there", calendar.n)
	}
}
