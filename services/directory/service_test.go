package directory_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/directory"
	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/bustest"
	"github.com/tongzhen/tongzhen/services/internal/cache"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/internal/telemetry"
)

const (
	county   = "450321"
	password = "right-password"
)

// house is the whole service behind gRPC, running, and everybody who calls it.
type house struct {
	db      *sqldb.DB
	bus     bus.Bus
	signer  *authn.Signer
	clk     clock.Clock
	network *rpc.Network
	stop    func()
}

func open(t *testing.T, db *sqldb.DB) house {
	t.Helper()
	text, err := authn.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	signer, err := authn.NewSigner(text)
	if err != nil {
		t.Fatal(err)
	}
	h := house{db: db, bus: bustest.Embedded(t), signer: signer, clk: clock.System(), network: rpc.InProcess()}
	tel := telemetry.Discard()
	s, err := directory.New(t.Context(), directory.Config{}, directory.Deps{
		DB: db, Bus: h.bus, Cache: cache.Memory(h.clk), Signer: signer, Clock: h.clk, Telemetry: tel,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Health(t.Context()); err != nil {
		t.Fatal(err)
	}
	server, err := rpc.NewServer(rpc.ServerConfig{
		Service: "directory", Table: s.Policy(), Logger: tel.Logger, Clock: h.clk,
		Verifier: authn.NewVerifier(authn.KeysOf(signer), h.clk),
	}, s.Register)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 2)
	lis := h.network.Listen("directory")
	go func() { done <- server.Serve(ctx, lis) }()
	go func() { done <- s.Run(ctx) }()
	stopped := false
	h.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	t.Cleanup(h.stop)
	return h
}

// as calls in the name of a service.
func (h house) as(t *testing.T, service string) directoryv1.DirectoryServiceClient {
	t.Helper()
	conn, err := h.network.Dial(t.Context(), service, "directory", rpc.ClientConfig{Signer: h.signer, Clock: h.clk, Timeout: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return directoryv1.NewDirectoryServiceClient(conn)
}

func (h house) imported(t *testing.T) {
	t.Helper()
	ctx := rpc.WithCounty(t.Context(), county)
	cli := h.as(t, "cli")
	_, err := cli.ImportOrganizations(ctx, &directoryv1.ImportOrganizationsRequest{
		County: county, CountyName: "阳朔县", Organizations: []*directoryv1.OrganizationEntry{{
			Organization: &directoryv1.Organization{Code: "H01", Name: "阳朔县人民医院", Type: directoryv1.OrganizationType_COUNTY_HOSPITAL},
			Departments:  []*directoryv1.Department{{Code: "0304", Name: "心血管内科"}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = cli.ImportAccounts(ctx, &directoryv1.ImportAccountsRequest{
		County: county, Accounts: []*directoryv1.AccountEntry{{
			Account: &directoryv1.Account{
				Login: "specialist", Name: "莫秀英", DepartmentCode: "0304", Phone: "13800138000", Roles: []commonv1.Role_Code{commonv1.Role_SPECIALIST},
			},
			OrganizationCode: "H01", Password: password,
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAPersonSignsInWorksAndSignsOutThroughTheGateway(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, directory.Migrations(), func(t *testing.T, db *sqldb.DB) {
		h := open(t, db)
		h.imported(t)
		ctx, gateway := t.Context(), h.as(t, "gateway")
		session, err := gateway.SignIn(ctx, &directoryv1.SignInRequest{Account: "specialist", Password: password})
		if err != nil {
			t.Fatal(err)
		}
		token, err := gateway.ExchangeSession(ctx, &directoryv1.ExchangeSessionRequest{AccessToken: session.GetAccessToken()})
		if err != nil {
			t.Fatal(err)
		}
		person := rpc.WithToken(ctx, token.GetToken())
		current, err := gateway.GetCurrentSession(person, &directoryv1.GetCurrentSessionRequest{})
		if err != nil || current.GetAccessToken() != "" || current.GetAccount().GetName() != "莫秀英" || current.GetAccount().GetCounty() != county {
			t.Errorf("got %v, %v", current, err)
		}
		list, err := gateway.ListOrganizations(person, &directoryv1.ListOrganizationsRequest{})
		if err != nil || len(list.GetOrganizations()) != 1 || list.GetCountyName() != "阳朔县" {
			t.Errorf("got %v, %v", list, err)
		}
		one, err := gateway.GetOrganization(person, &directoryv1.GetOrganizationRequest{Id: list.GetOrganizations()[0].GetId()})
		if err != nil || one.GetName() != "阳朔县人民医院" {
			t.Errorf("got %v, %v", one, err)
		}
		if _, err := gateway.SignOut(ctx, &directoryv1.SignOutRequest{AccessToken: session.GetAccessToken()}); err != nil {
			t.Error(err)
		}
		_, err = gateway.ExchangeSession(ctx, &directoryv1.ExchangeSessionRequest{AccessToken: session.GetAccessToken()})
		expect(t, err, errs.ReasonSessionExpired)
		_, err = gateway.GetCurrentSession(person, &directoryv1.GetCurrentSessionRequest{})
		expect(t, err, errs.ReasonSessionExpired)
	})
}

func TestWhoMayCallWhat(t *testing.T) {
	t.Parallel()
	h := open(t, dbtest.SQLite(t, directory.Migrations()))
	h.imported(t)
	ctx := t.Context()
	gateway, referral := h.as(t, "gateway"), h.as(t, "referral")
	_, err := referral.SignIn(ctx, &directoryv1.SignInRequest{Account: "specialist", Password: password})
	expect(t, err, errs.ReasonRole)
	_, err = gateway.ImportAccounts(ctx, &directoryv1.ImportAccountsRequest{County: county})
	expect(t, err, errs.ReasonRole)
	session, err := gateway.SignIn(ctx, &directoryv1.SignInRequest{Account: "specialist", Password: password})
	if err != nil {
		t.Fatal(err)
	}
	token, err := gateway.ExchangeSession(ctx, &directoryv1.ExchangeSessionRequest{AccessToken: session.GetAccessToken()})
	if err != nil {
		t.Fatal(err)
	}
	person := rpc.WithToken(ctx, token.GetToken())
	_, err = gateway.ImportOrganizations(person, &directoryv1.ImportOrganizationsRequest{County: county})
	expect(t, err, errs.ReasonRole)
	keys, err := referral.ListSigningKeys(ctx, &directoryv1.ListSigningKeysRequest{})
	kid, pub := h.signer.Public()
	if err != nil || len(keys.GetKeys()) != 1 || keys.GetKeys()[0].GetKeyId() != kid || string(keys.GetKeys()[0].GetPublicKey()) != string(pub) {
		t.Errorf("got %v, %v", keys, err)
	}
	for service, sees := range map[string]bool{"notification": true, "cli": true, "gateway": true, "referral": false} {
		all, err := h.as(t, service).ListAccounts(ctx, &directoryv1.ListAccountsRequest{})
		if sees != (err == nil && len(all.GetAccounts()) == 1) || !sees && errs.ReasonOf(err) != errs.ReasonRole {
			t.Errorf("%s sees %v, %v", service, all, err)
		}
		if service == "gateway" && all.GetAccounts()[0].GetPhone() != "" {
			t.Error("the gateway, which looks at the accounts of feeds, is told telephones")
		}
	}
	_, err = gateway.ListAccounts(person, &directoryv1.ListAccountsRequest{}) // a doctor sees the own organisation's only
	expect(t, err, errs.ReasonNotFound)
	for role, sees := range map[string]bool{"SYSTEM_ADMIN": true, "SYSTEM": true, "SECURITY_ADMIN": false, "AUDITOR": false} {
		token, err := h.signer.Sign(authn.Identity{Subject: "p", County: county, Roles: []string{role}}, time.Minute, h.clk.Now())
		if err != nil {
			t.Fatal(err)
		}
		all, err := gateway.ListAccounts(rpc.WithToken(ctx, token), &directoryv1.ListAccountsRequest{})
		if err != nil || len(all.GetAccounts()) != 1 || (all.GetAccounts()[0].GetPhone() != "") != sees {
			t.Errorf("%s sees telephones, or no account: %v, %v", role, all, err)
		}
	}
	security, err := h.signer.Sign(authn.Identity{Subject: "s", County: county, Roles: []string{"SECURITY_ADMIN"}}, time.Minute, h.clk.Now())
	if err != nil {
		t.Fatal(err)
	}
	all, err := gateway.ListAccounts(rpc.WithToken(ctx, security), &directoryv1.ListAccountsRequest{})
	if err != nil || len(all.GetAccounts()) != 1 {
		t.Errorf("the security administrator sees %v, %v", all, err)
	}
	_, err = gateway.SignIn(ctx, &directoryv1.SignInRequest{Account: "specialist"})
	if e, ok := errs.As(err); !ok || e.Kind != errs.KindInvalid || e.Fields[0].Name != "password" {
		t.Errorf("got %v", err)
	}
}

// Invariants 3 and 9.
func TestImportsReachTheBusAndTheSealedAudit(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, directory.Migrations(), func(t *testing.T, db *sqldb.DB) {
		h := open(t, db)
		facts := make(chan bus.Msg, 8)
		bustest.Start(t, h.bus, bus.Consumer{Name: "test-directory", Subjects: []string{"directory.v1.>"}}, func(_ context.Context, m bus.Msg) error {
			facts <- m
			return nil
		})
		h.imported(t)
		got := map[string]bus.Msg{}
		for range 2 {
			m := bustest.Receive(t, facts, "fact")
			got[m.Subject] = m
		}
		var organization directoryv1.OrganisationChanged
		m := got["directory.v1.450321.organisation_changed"]
		if err := proto.Unmarshal(m.Payload, &organization); err != nil || m.Type != "tongzhen.directory.v1.OrganisationChanged" ||
			organization.GetOrganization().GetCode() != "H01" || len(organization.GetDepartments()) != 1 ||
			organization.GetMeta().GetFactId() != m.ID || organization.GetMeta().GetAggregateVersion() != 1 ||
			organization.GetMeta().GetActor().GetAccountId() != "service:cli" {
			t.Errorf("got %v, %v", &organization, err)
		}
		var account directoryv1.AccountChanged
		if err := proto.Unmarshal(got["directory.v1.450321.account_changed"].Payload, &account); err != nil ||
			account.GetAccount().GetLogin() != "specialist" || account.GetAccount().GetOrganizationName() != "阳朔县人民医院" {
			t.Errorf("got %v, %v", &account, err)
		}
		h.stop()
		report, err := audit.Verify(t.Context(), db, audit.Keys(authn.KeysOf(h.signer)))
		if err != nil || !report.OK() || len(report.Counties) != 1 || report.Counties[0].Signed != 2 || report.Counties[0].Unsealed != 0 {
			t.Errorf("got %+v, %v", report, err)
		}
	})
}

func TestAServiceWithoutItsDependenciesIsNotMade(t *testing.T) {
	t.Parallel()
	if _, err := directory.New(t.Context(), directory.Config{}, directory.Deps{}); err == nil {
		t.Error("made")
	}
	for _, span := range []time.Duration{time.Minute, 721 * time.Hour, -time.Hour} {
		if _, err := directory.New(t.Context(), directory.Config{OneTimePassword: span}, directory.Deps{}); err == nil || !strings.Contains(err.Error(), "one-time-password") {
			t.Errorf("%s: %v", span, err)
		}
	}
}

func expect(t *testing.T, err error, reason string) {
	t.Helper()
	if errs.ReasonOf(err) != reason {
		t.Errorf("got %v, want %q", err, reason)
	}
}
