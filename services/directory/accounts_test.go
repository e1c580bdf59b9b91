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
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/bustest"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// accounts calls in the name of a service, or through it for a person.
func (h house) accounts(t *testing.T, service string) directoryv1.AccountServiceClient {
	t.Helper()
	conn, err := h.network.Dial(t.Context(), service, "directory", rpc.ClientConfig{Signer: h.signer, Clock: h.clk, Timeout: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return directoryv1.NewAccountServiceClient(conn)
}

// with is a call of somebody with the roles.
func (h house) with(t *testing.T, roles ...string) context.Context {
	t.Helper()
	token, err := h.signer.Sign(authn.Identity{Subject: "0192f0c1-0000-7000-8000-0000000000aa", County: county, Roles: roles}, time.Minute, h.clk.Now())
	if err != nil {
		t.Fatal(err)
	}
	return rpc.WithToken(t.Context(), token)
}

func TestTheWholeLifeOfAnAccountAsTheContractHasIt(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, directory.Migrations(), func(t *testing.T, db *sqldb.DB) {
		h := open(t, db)
		h.imported(t)
		facts := make(chan bus.Msg, 16)
		bustest.Start(t, h.bus, bus.Consumer{Name: "test-accounts", Subjects: []string{"directory.v1.*.account_changed"}}, func(_ context.Context, m bus.Msg) error {
			facts <- m
			return nil
		})
		_ = bustest.Receive(t, facts, "the import")
		gateway, admin := h.accounts(t, "gateway"), h.with(t, "COUNTY_ADMIN")
		list, err := gateway.SearchAccounts(admin, &directoryv1.SearchAccountsRequest{Query: "specialist", Role: commonv1.Role_SPECIALIST, State: directoryv1.AccountState_ACTIVE})
		if err != nil || len(list.GetAccounts()) != 1 || !list.GetAccounts()[0].GetEditable() || list.GetAccounts()[0].GetAccount().GetPhone() == "" || len(list.GetGrantableRoles()) != 8 {
			t.Fatalf("%v, %v", list, err)
		}
		organization := list.GetAccounts()[0].GetAccount().GetOrganizationId()
		request := &directoryv1.CreateAccountRequest{RequestId: id.New(), Account: &directoryv1.Account{
			Login: "lixm", Name: "李小明", OrganizationId: organization, DepartmentCode: "0304", Roles: []commonv1.Role_Code{commonv1.Role_SPECIALIST}, Phone: "138", Email: "a@b.cn",
			// Not the caller's to say.
			Disabled: true, County: "450322", PractitionerId: "p", Id: id.New(),
		}}
		made, err := gateway.CreateAccount(admin, request)
		if err != nil || made.GetOneTimePassword() == "" {
			t.Fatal(err)
		}
		account := made.GetAccount()
		want := proto.CloneOf(request.GetAccount())
		want.Disabled, want.County, want.PractitionerId, want.Id, want.Version, want.OrganizationName = false, county, "", account.GetId(), 1, "阳朔县人民医院"
		if !proto.Equal(account, want) || account.GetId() == request.GetAccount().GetId() {
			t.Errorf("%v", account)
		}
		again, err := gateway.CreateAccount(admin, request)
		if err != nil || again.GetOneTimePassword() != "" || !proto.Equal(again.GetAccount(), account) {
			t.Errorf("%v, %v", again, err)
		}
		h.chooses(t, made)
		account, err = gateway.UpdateAccount(admin, &directoryv1.UpdateAccountRequest{Id: account.GetId(), Version: 2, Account: func() *directoryv1.Account { account.Phone = "139"; return account }()})
		if err != nil || account.GetVersion() != 3 || account.GetPhone() != "139" {
			t.Fatalf("%v, %v", account, err)
		}
		account, err = gateway.DisableAccount(admin, &directoryv1.SwitchAccountRequest{Id: account.GetId(), Version: 3, RequestId: id.New()})
		if err != nil || !account.GetDisabled() {
			t.Fatalf("%v, %v", account, err)
		}
		account, err = gateway.EnableAccount(admin, &directoryv1.SwitchAccountRequest{Id: account.GetId(), Version: 4, RequestId: id.New()})
		if err != nil || account.GetDisabled() {
			t.Fatalf("%v, %v", account, err)
		}
		changes, err := gateway.ListAccountChanges(admin, &directoryv1.ListAccountChangesRequest{Id: account.GetId()})
		var actions []string
		for _, c := range changes.GetChanges() {
			actions = append(actions, c.GetAction())
		}
		if err != nil || strings.Join(actions, " ") != "ENABLE DISABLE UPDATE CHANGE_PASSWORD CREATE" || changes.GetChanges()[3].GetActor().GetName() != "李小明" {
			t.Errorf("%v, %v", actions, err)
		}
		if one, err := gateway.GetAccount(admin, &directoryv1.GetAccountRequest{Id: account.GetId()}); err != nil || one.GetState() != directoryv1.AccountState_ACTIVE || len(one.GetPosts()) != 0 {
			t.Errorf("%v, %v", one, err)
		}
		// Whoever keeps a copy of accounts learns every change, and never a password.
		for version := int32(1); version <= 5; version++ {
			m := bustest.Receive(t, facts, "fact")
			var fact directoryv1.AccountChanged
			if err := proto.Unmarshal(m.Payload, &fact); err != nil || fact.GetAccount().GetVersion() != version || fact.GetMeta().GetAggregateVersion() != version ||
				fact.GetAccount().GetDisabled() != (version == 4) || strings.Contains(string(m.Payload), made.GetOneTimePassword()) {
				t.Errorf("version %d: %v, %v", version, &fact, err)
			}
		}
	})
}

// chooses signs in with the slip and chooses a password.
func (h house) chooses(t *testing.T, made *directoryv1.IssuedAccount) {
	t.Helper()
	door := h.as(t, "gateway")
	session, err := door.SignIn(t.Context(), &directoryv1.SignInRequest{Account: made.GetAccount().GetLogin(), Password: made.GetOneTimePassword()})
	if err != nil || !session.GetPasswordChangeRequired() {
		t.Fatalf("%v, %v", session.GetPasswordChangeRequired(), err)
	}
	token, err := door.ExchangeSession(t.Context(), &directoryv1.ExchangeSessionRequest{AccessToken: session.GetAccessToken()})
	if err != nil || !token.GetPasswordChangeRequired() {
		t.Fatalf("%v, %v", token.GetPasswordChangeRequired(), err)
	}
	person := rpc.WithToken(t.Context(), token.GetToken())
	if current, err := door.GetCurrentSession(person, &directoryv1.GetCurrentSessionRequest{}); err != nil || !current.GetPasswordChangeRequired() {
		t.Errorf("%v, %v", current, err)
	}
	if _, err := h.accounts(t, "gateway").ChangePassword(person, &directoryv1.ChangePasswordRequest{NewPassword: "my own word"}); err != nil {
		t.Fatal(err)
	}
	if token, err = door.ExchangeSession(t.Context(), &directoryv1.ExchangeSessionRequest{AccessToken: session.GetAccessToken()}); err != nil || token.GetPasswordChangeRequired() {
		t.Errorf("%v, %v", token.GetPasswordChangeRequired(), err)
	}
}

func TestAccountsAreLookedAfterByAdministratorsAndTheMachineAlone(t *testing.T) {
	t.Parallel()
	h := open(t, dbtest.SQLite(t, directory.Migrations()))
	h.imported(t)
	gateway := h.accounts(t, "gateway")
	for _, role := range []string{"TOWNSHIP_DOCTOR", "CENTRE_HEAD", "DEPARTMENT_HEAD", "SECURITY_ADMIN", "AUDITOR", "INTEGRATION"} {
		person := h.with(t, role)
		_, err := gateway.SearchAccounts(person, &directoryv1.SearchAccountsRequest{})
		expect(t, err, errs.ReasonRole)
		_, err = gateway.CreateAccount(person, &directoryv1.CreateAccountRequest{Account: &directoryv1.Account{}})
		expect(t, err, errs.ReasonRole)
		_, err = gateway.ImportAccountFile(person, &directoryv1.ImportAccountFileRequest{Content: []byte("account\n")})
		expect(t, err, errs.ReasonRole)
	}
	_, err := gateway.SearchAccounts(t.Context(), &directoryv1.SearchAccountsRequest{County: county})
	expect(t, err, errs.ReasonRole) // the gateway itself is nobody
	_, err = gateway.SearchAccounts(h.with(t, "COUNTY_ADMIN"), &directoryv1.SearchAccountsRequest{County: "450322"})
	expect(t, err, errs.ReasonRole)
	_, err = gateway.CreateAccount(h.with(t, "SYSTEM_ADMIN"), &directoryv1.CreateAccountRequest{})
	expect(t, err, errs.ReasonFieldRequired)
	cli := h.accounts(t, "cli")
	content := []byte("账号,姓名,机构代码,角色\nauditor,审计,H01,审计员\nx,,H01,审计员\n")
	done, err := cli.ImportAccountFile(rpc.WithCounty(t.Context(), county), &directoryv1.ImportAccountFileRequest{County: county, Content: content})
	if err != nil || len(done.GetAccounts()) != 1 || done.GetAccounts()[0].GetOneTimePassword() == "" || done.GetAccounts()[0].GetOutcome() != "CREATED" ||
		len(done.GetProblems()) != 1 || done.GetProblems()[0].GetLine() != 3 || done.GetProblems()[0].GetField() != "name" || done.GetProblems()[0].GetReason() != errs.ReasonFieldRequired {
		t.Errorf("%v, %v", done, err)
	}
	reset, err := cli.ResetPassword(rpc.WithCounty(t.Context(), county), &directoryv1.ResetPasswordRequest{County: county, Id: done.GetAccounts()[0].GetAccount().GetId()})
	if err != nil || reset.GetOneTimePassword() == "" {
		t.Errorf("%v, %v", reset, err)
	}
}
