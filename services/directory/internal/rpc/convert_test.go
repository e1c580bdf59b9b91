package rpc_test

import (
	"context"
	"crypto/rand"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/directory/internal/app"
	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/directory/internal/rpc"
	"github.com/tongzhen/tongzhen/services/directory/internal/store"
	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/cache"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

const county = "450321"

// newServer answers on an empty SQLite database; the calls under ctx are those of the command line.
func newServer(t testing.TB) (s *rpc.Server, ctx context.Context) {
	t.Helper()
	db := dbtest.SQLite(t, []sqldb.MigrationSet{sqldb.Migrations, outbox.Migrations, audit.Migrations, store.Migrations})
	text, err := authn.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	signer, err := authn.NewSigner(text)
	if err != nil {
		t.Fatal(err)
	}
	clk := dbtest.Clock(t)
	a := app.New(app.Deps{
		Store: store.New(db, func() {}), Limiter: cache.Memory(clk), Signer: signer, Clock: clk, Entropy: rand.Reader,
	}, app.Limits{PerLogin: 60, PerAddress: 60, OneTime: 72 * time.Hour})
	return rpc.NewServer(a, signer), authn.WithIdentity(t.Context(), authn.Identity{Subject: "service:cli", Service: "cli", County: county})
}

func TestEveryRoleTypeAndStockOfTheContractIsOneOfTheDomain(t *testing.T) {
	t.Parallel()
	for n, name := range commonv1.Role_Code_name {
		if n != 0 && !slices.Contains(domain.Roles(), domain.Role(name)) {
			t.Errorf("role %s is unknown", name)
		}
	}
	for n, name := range directoryv1.OrganizationType_Code_name {
		if n != 0 && !slices.Contains(domain.OrganizationTypes(), domain.OrganizationType(name)) {
			t.Errorf("type %s is unknown", name)
		}
	}
	for n, name := range directoryv1.StockState_Code_name {
		if n != 0 && !slices.Contains(domain.Stocks(), domain.Stock(name)) {
			t.Errorf("stock %s is unknown", name)
		}
	}
}

func TestWhatIsImportedIsListedAsItWasSent(t *testing.T) {
	t.Parallel()
	s, ctx := newServer(t)
	o := &directoryv1.Organization{
		Id: id.New(), Version: 1, County: county, Code: "H01", Name: "阳朔县人民医院", NameEn: "Hospital",
		Type: directoryv1.OrganizationType_COUNTY_HOSPITAL, Address: "人民路1号", Phone: "1", Disabled: true,
	}
	dep := &directoryv1.Department{
		OrganizationId: o.GetId(), Code: "0304", Name: "心血管内科", NameEn: "Cardiology", Location: "3层", Phone: "2", HasBeds: true,
	}
	account := &directoryv1.Account{
		Id: id.New(), Version: 1, Login: "specialist", Name: "莫秀英", OrganizationId: o.GetId(), OrganizationName: o.GetName(),
		DepartmentCode: "0304", County: county, Roles: []commonv1.Role_Code{commonv1.Role_SPECIALIST, commonv1.Role_DEPARTMENT_HEAD},
		Phone: "3", Email: "mo@hospital.example", Disabled: true, PractitionerId: "P1",
	}
	_, err := s.ImportOrganizations(ctx, &directoryv1.ImportOrganizationsRequest{
		County: county, Organizations: []*directoryv1.OrganizationEntry{{Organization: o, Departments: []*directoryv1.Department{dep}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	result, err := s.ImportAccounts(ctx, &directoryv1.ImportAccountsRequest{County: county, Accounts: []*directoryv1.AccountEntry{{Account: account}}})
	if err != nil || result.GetCreated() != 1 || result.GetIds()["specialist"] != account.GetId() {
		t.Fatalf("got %v, %v", result, err)
	}
	organizations, err := s.ListOrganizations(ctx, &directoryv1.ListOrganizationsRequest{})
	if err != nil || len(organizations.GetOrganizations()) != 1 || !proto.Equal(organizations.GetOrganizations()[0], o) {
		t.Errorf("got %v, %v", organizations, err)
	}
	departments, err := s.ListDepartments(ctx, &directoryv1.ListDepartmentsRequest{OrganizationId: o.GetId()})
	if err != nil || len(departments.GetDepartments()) != 1 || !proto.Equal(departments.GetDepartments()[0], dep) {
		t.Errorf("got %v, %v", departments, err)
	}
	accounts, err := s.ListAccounts(ctx, &directoryv1.ListAccountsRequest{})
	if err != nil || len(accounts.GetAccounts()) != 1 || !proto.Equal(accounts.GetAccounts()[0], account) {
		t.Errorf("got %v, %v", accounts, err)
	}
}

// FuzzImport holds the translations to be total: whatever a message says, the answer is a refusal by field or the
// same again when it is listed.
func FuzzImport(f *testing.F) {
	f.Add("H01", "医院", int32(1), "0304", "login", int32(1))
	f.Add("", "", int32(0), "", "", int32(0))
	f.Add("x", "\xff", int32(99), "03.04", "A B", int32(-1))
	s, ctx := newServer(f)
	f.Fuzz(func(t *testing.T, code, name string, kind int32, department, login string, role int32) {
		// The context of f ends before that of t begins.
		ctx := context.WithoutCancel(ctx)
		_, err := s.ImportOrganizations(ctx, &directoryv1.ImportOrganizationsRequest{County: county, Organizations: []*directoryv1.OrganizationEntry{{
			Organization: &directoryv1.Organization{Code: code, Name: name, Type: directoryv1.OrganizationType_Code(kind)},
			Departments:  []*directoryv1.Department{{Code: department, Name: name}},
		}}})
		if k := errs.KindOf(err); k != 0 && k != errs.KindInvalid {
			t.Errorf("organisation: %v", err)
		}
		_, err = s.ImportAccounts(ctx, &directoryv1.ImportAccountsRequest{County: county, Accounts: []*directoryv1.AccountEntry{{
			Account:          &directoryv1.Account{Login: login, Name: name, Roles: []commonv1.Role_Code{commonv1.Role_Code(role)}, DepartmentCode: department},
			OrganizationCode: code,
		}}})
		if k := errs.KindOf(err); k != 0 && k != errs.KindInvalid {
			t.Errorf("account: %v", err)
		}
	})
}
