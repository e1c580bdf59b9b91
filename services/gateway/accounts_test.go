package gateway_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

const (
	findAccounts    = directoryv1.AccountService_SearchAccounts_FullMethodName
	getAccount      = directoryv1.AccountService_GetAccount_FullMethodName
	createAccount   = directoryv1.AccountService_CreateAccount_FullMethodName
	updateAccount   = directoryv1.AccountService_UpdateAccount_FullMethodName
	disableAccount  = directoryv1.AccountService_DisableAccount_FullMethodName
	enableAccount   = directoryv1.AccountService_EnableAccount_FullMethodName
	resetAccount    = directoryv1.AccountService_ResetPassword_FullMethodName
	importAccounts  = directoryv1.AccountService_ImportAccountFile_FullMethodName
	accountChanges  = directoryv1.AccountService_ListAccountChanges_FullMethodName
	changePassword  = directoryv1.AccountService_ChangePassword_FullMethodName
	accountsPage    = "/settings/accounts"
	keptAccountID   = "0192f0c1-0000-7000-8000-0000000000b1"
	onePage         = accountsPage + "/" + keptAccountID
	oneTimePassword = "abcd-efgh-jkmn"
)

func sampleKept() *directoryv1.Account {
	return &directoryv1.Account{
		Id: keptAccountID, Version: 3, Login: "chen", Name: "陈<b>医生", OrganizationId: hospitalID, OrganizationName: "阳朔县人民医院", DepartmentCode: "0304",
		County: "450321", Roles: []commonv1.Role_Code{commonv1.Role_SPECIALIST, commonv1.Role_DEPARTMENT_HEAD}, Phone: "0773-1", Email: "chen@hospital.example",
	}
}

func keptDetail() *directoryv1.AccountDetail {
	return &directoryv1.AccountDetail{
		Account: sampleKept(), State: directoryv1.AccountState_NEW, Editable: true,
		Posts: []*directoryv1.Post{{OrganizationId: hospitalID, DepartmentCode: "DESK"}, {OrganizationId: hospitalID, DepartmentCode: "0304"}},
	}
}

// keepingAccounts answers the methods of looking after accounts.
func keepingAccounts() map[string]proto.Message {
	before := sampleKept()
	before.Version, before.Roles, before.Phone, before.Email = 1, before.GetRoles()[:1], "", "old@hospital.example"
	off := sampleKept()
	off.Disabled = true
	admin := &commonv1.Actor{AccountId: "a", Name: "刘<i>波"}
	gone := &directoryv1.AccountDetail{Account: off, State: directoryv1.AccountState_DISABLED, Editable: true}
	grantable := []commonv1.Role_Code{commonv1.Role_TOWNSHIP_DOCTOR, commonv1.Role_SPECIALIST, commonv1.Role_DEPARTMENT_HEAD, commonv1.Role_COUNTY_ADMIN}
	return map[string]proto.Message{
		findAccounts: &directoryv1.SearchAccountsResponse{Accounts: []*directoryv1.AccountDetail{keptDetail(), gone}, NextPageToken: "next", GrantableRoles: grantable},
		getAccount:   keptDetail(), createAccount: &directoryv1.IssuedAccount{Account: sampleKept(), OneTimePassword: oneTimePassword},
		updateAccount: sampleKept(), disableAccount: off, enableAccount: sampleKept(),
		resetAccount: &directoryv1.IssuedAccount{Account: sampleKept(), OneTimePassword: oneTimePassword},
		accountChanges: &directoryv1.ListAccountChangesResponse{Changes: []*directoryv1.AccountChange{
			{Account: sampleKept(), Action: "RESET_PASSWORD", Actor: &commonv1.Actor{AccountId: "service:cli"}, Time: in(0)},
			{Account: sampleKept(), Action: "UPDATE", Actor: admin, Time: in(0)},
			{Account: before, Action: "KNOWN", Actor: &commonv1.Actor{}, Time: in(0)},
		}},
		importAccounts: &directoryv1.ImportAccountFileResponse{Accounts: []*directoryv1.ImportedAccount{
			{Line: 2, Account: sampleKept(), Outcome: "CREATED"}, {Line: 3, Account: sampleKept(), Outcome: "UPDATED"}, {Line: 4, Account: sampleKept(), Outcome: "UNCHANGED"},
		}},
		changePassword: &emptypb.Empty{},
	}
}

func typedAccount() url.Values {
	v := form("name", "王<script>小明", "login", "wangxm", "place", hospitalID+"/0304", "phone", "138<", "email", "w@h.example", "requestId", "0192f0c1-0000-7000-8000-0000000000e9", "version", "3")
	v["roles"] = []string{"SPECIALIST", "COUNTY_ADMIN"}
	return v
}

// visitAccounts opens the pages of accounts in every state, asked and refused.
func (w *world) visitAccounts(clerk *browser, see func(*browser, string, ...string), look func(string, *browser, *httptest.ResponseRecorder)) {
	admin, system := w.admin(), w.as("system", commonv1.Role_SYSTEM_ADMIN)
	admin.language, system.language = clerk.language, clerk.language
	for _, path := range []string{accountsPage, accountsPage + "?state=NEW&role=SPECIALIST", accountsPage + "/new", onePage, onePage + "/disable", onePage + "/reset", accountsPage + "/file", "/account/password"} {
		see(admin, path)
	}
	see(system, accountsPage)
	look("new account", admin, admin.post(accountsPage+"/new", typedAccount()))
	look("reset", admin, admin.post(onePage+"/reset", form("requestId", "r")))
	look("file", admin, admin.sendFile(accountsPage+"/file", "账号.csv", "x", "do", "try"))
	look("file done", admin, admin.post(accountsPage+"/file", form("content", "eA==", "name", "a.csv", "do", "import")))
	w.always(importAccounts, &directoryv1.ImportAccountFileResponse{Problems: []*directoryv1.AccountFileProblem{{Line: 2, Field: "roles", Reason: "FIELD_UNKNOWN"}, {Line: 1, Reason: "FIELD_INVALID"}}})
	look("bad file", admin, admin.sendFile(accountsPage+"/file", "账号.csv", "x", "do", "try"))
	look("no file", admin, admin.post(accountsPage+"/file", form("do", "try")))
	w.refuse(createAccount, errs.Invalid(errs.Bad("account.login", errs.ReasonFieldTaken), errs.Bad("account.roles", errs.ReasonFieldRequired), errs.Bad("account.departmentCode", errs.ReasonFieldUnknown)))
	look("refused account", admin, admin.post(accountsPage+"/new", typedAccount()))
	w.refuse(updateAccount, errs.Stale(4, ""))
	look("stale account", admin, admin.post(onePage, typedAccount()))
	w.refuse(disableAccount, errs.New(errs.KindWrongState, errs.ReasonLastAdministrator, "", nil))
	look("last administrator", admin, admin.post(onePage+"/disable", form("version", "3")))
	w.refuse(changePassword, errs.Invalid(errs.Bad("currentPassword", errs.ReasonFieldInvalid)))
	look("password", admin, admin.post("/account/password", form("newPassword", "x", "again", "x")))
	theirs := keptDetail()
	theirs.Editable = false
	w.always(getAccount, theirs)
	see(admin, onePage)
	theirs = keptDetail()
	theirs.Own = true
	w.always(getAccount, theirs)
	see(admin, onePage)
	theirs = keptDetail()
	theirs.State, theirs.Posts = directoryv1.AccountState_DISABLED, nil
	w.always(getAccount, theirs)
	see(admin, onePage)
	see(admin, onePage+"/disable")
	w.always(findAccounts, &directoryv1.SearchAccountsResponse{})
	see(admin, accountsPage)
}

func TestAccountsAreSearchedByTheAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.admin()
	body := sound(t, "list", b.get(accountsPage+"?q=%3Cchen&organization="+hospitalID+"&role=SPECIALIST&state=NEW&page=p2"))
	asked := lastly[*directoryv1.SearchAccountsRequest](t, w, findAccounts)
	if asked.GetQuery() != "<chen" || asked.GetOrganizationId() != hospitalID || asked.GetRole() != commonv1.Role_SPECIALIST || asked.GetState() != directoryv1.AccountState_NEW || asked.GetPageToken() != "p2" {
		t.Errorf("%v", asked)
	}
	shows(t, body, "陈&lt;b&gt;医生", `value="&lt;chen"`, "specialist, head of department", "first password not changed", "disabled", "0773-1", "Cardiology",
		"page=next&amp;q=%3Cchen&amp;role=SPECIALIST&amp;state=NEW", accountsPage+"/new?organization="+hospitalID, `<option value="SPECIALIST" selected>`)
	if strings.Contains(body, "陈<b>") {
		t.Error("a name is markup")
	}
	shows(t, b.get("/settings/all").Body.String(), `href="`+accountsPage+`"`)
	w.always(findAccounts, &directoryv1.SearchAccountsResponse{})
	shows(t, b.get(accountsPage).Body.String(), "No account fits")
}

func TestOthersAreRefusedTheAccounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, method := range []string{findAccounts, getAccount, createAccount, updateAccount, disableAccount, enableAccount, resetAccount, importAccounts, accountChanges} {
		w.refuse(method, errs.Denied(errs.ReasonRole))
	}
	b := w.browser("township")
	for _, path := range []string{accountsPage, accountsPage + "/new", onePage, onePage + "/disable", onePage + "/reset"} {
		if got := b.get(path); got.Code != http.StatusForbidden {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
	for _, path := range []string{"/new", "/" + keptAccountID, "/" + keptAccountID + "/disable", "/" + keptAccountID + "/enable", "/" + keptAccountID + "/reset"} {
		if got := b.post(accountsPage+path, typedAccount()); got.Code != http.StatusForbidden {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
	if got := b.sendFile(accountsPage+"/file", "a.csv", "x", "do", "import"); got.Code != http.StatusForbidden {
		t.Errorf("%d", got.Code)
	}
	if got := w.browser("").get(accountsPage); got.Code != http.StatusSeeOther {
		t.Errorf("a stranger: %d", got.Code)
	}
}

func TestANewAccountsSlipIsShownOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.admin()
	got := b.post(accountsPage+"/new", typedAccount())
	body := sound(t, "slip", got)
	shows(t, body, oneTimePassword, "<code>chen</code>", "陈&lt;b&gt;医生", "shown here, once", "data-print")
	if got.Header().Get("Cache-Control") != "no-store" || strings.Contains(b.overt.String(), oneTimePassword) {
		t.Error("the password is kept on the way")
	}
	sent := lastly[*directoryv1.CreateAccountRequest](t, w, createAccount)
	want := &directoryv1.Account{
		Login: "wangxm", Name: "王<script>小明", OrganizationId: hospitalID, DepartmentCode: "0304", Phone: "138<", Email: "w@h.example",
		Roles: []commonv1.Role_Code{commonv1.Role_SPECIALIST, commonv1.Role_COUNTY_ADMIN},
	}
	if !proto.Equal(sent.GetAccount(), want) || sent.GetRequestId() != typedAccount().Get("requestId") {
		t.Errorf("%v", sent)
	}
	w.always(createAccount, &directoryv1.IssuedAccount{Account: sampleKept()})
	body = sound(t, "again", b.post(accountsPage+"/new", typedAccount()))
	shows(t, body, "was sent before", `href="`+onePage+`/reset"`)
	if strings.Contains(body, "data-print") {
		t.Error("an empty slip can be printed")
	}
	if strings.Contains(w.log.String(), oneTimePassword) {
		t.Error("a password is in the log")
	}
}

func TestARefusedAccountKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.refuse(createAccount, errs.Invalid(errs.Bad("account.login", errs.ReasonFieldTaken), errs.Bad("account.departmentCode", errs.ReasonFieldUnknown), errs.Bad("account.roles", errs.ReasonFieldNotGrantable)))
	b := w.admin()
	got := b.post(accountsPage+"/new", typedAccount())
	body := sound(t, "refused", got)
	if got.Code != http.StatusBadRequest {
		t.Errorf("%d", got.Code)
	}
	shows(t, body, `value="王&lt;script&gt;小明"`, `value="138&lt;"`, `value="wangxm"`, `value="`+hospitalID+`/0304" selected`, `value="SPECIALIST" checked`, `value="COUNTY_ADMIN" checked`,
		`href="#f-login"`, `href="#f-place"`, `href="#f-roles"`, "account is taken", "organisation and department", "cannot give")
	if strings.Contains(body, "<script>小明") || strings.Contains(body, `value="TOWNSHIP_DOCTOR" checked`) {
		t.Error("what was typed is markup, or more is ticked")
	}
	w.refuse(createAccount, errs.Unavailable("directory", nil))
	w.refuse(findAccounts, errs.Unavailable("directory", nil))
	body = sound(t, "away", b.post(accountsPage+"/new", typedAccount()))
	if hidden(t, body, "requestId") != typedAccount().Get("requestId") || !strings.Contains(body, `value="wangxm"`) {
		t.Error("a lost answer would be asked for by another request, or what was typed is lost")
	}
}

func TestAnAccountChangedBySomebodyElseSaysWhatChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.admin()
	body := sound(t, "one", b.get(onePage))
	shows(t, body, `name="was.name" value="陈&lt;b&gt;医生"`, `name="was.roles" value="SPECIALIST DEPARTMENT_HEAD"`, `name="version" value="3"`, `value="DEPARTMENT_HEAD" checked`,
		"刘&lt;i&gt;波", "a command on the server", "before changes were recorded", "<del>specialist</del> → <ins>specialist, head of department</ins>", "password reset")
	typed := with(typedAccount(), "was.name", "陈<b>医生", "was.place", hospitalID+"/0304", "was.roles", "SPECIALIST", "was.phone", "0773-0", "was.email", "w@h.example", "place", hospitalID+"/0304")
	typed["roles"] = []string{"SPECIALIST"}
	if got := b.post(onePage, typed); got.Code != http.StatusSeeOther || got.Header().Get("Location") != onePage {
		t.Fatalf("%d", got.Code)
	}
	if sent := lastly[*directoryv1.UpdateAccountRequest](t, w, updateAccount); sent.GetVersion() != 3 || sent.GetId() != keptAccountID || len(sent.GetAccount().GetRoles()) != 1 {
		t.Errorf("%v", sent)
	}
	now := keptDetail()
	now.Account.Version, now.Account.Phone = 4, "0773-9"
	w.always(getAccount, now)
	w.refuse(updateAccount, errs.Stale(4, ""))
	got := b.post(onePage, typed)
	body = sound(t, "stale", got)
	if got.Code != http.StatusConflict || hidden(t, body, "version") != "4" {
		t.Errorf("%d, version %s", got.Code, hidden(t, body, "version"))
	}
	// The name was typed, the phone too; the roles and the e-mail were not touched and show what stands.
	shows(t, body, `value="王&lt;script&gt;小明"`, `value="138&lt;"`, "0773-9", "Somebody else just made them", `value="DEPARTMENT_HEAD" checked`, `value="chen@hospital.example"`)
}

func TestOnlyTheOwnNameAndContactAreOnesOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	own := keptDetail()
	own.Own = true
	w.always(getAccount, own)
	body := sound(t, "own", w.admin().get(onePage))
	if strings.Contains(body, onePage+"/disable") || strings.Contains(body, onePage+"/reset") || strings.Contains(body, `type="checkbox" name="roles"`) {
		t.Error("somebody may take away the own access")
	}
	shows(t, body, `type="hidden" name="roles" value="SPECIALIST"`, `href="/account/password"`)
	own.Own, own.Editable = false, false
	w.always(getAccount, own)
	if body := sound(t, "theirs", w.admin().get(onePage)); strings.Contains(body, "<button class=\"primary\"") || !strings.Contains(body, "not change it") {
		t.Error("an account that is not the visitor's to change has a form")
	}
}

func TestDisablingAsksAndSaysWhatHangsOnThePerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.admin()
	body := sound(t, "ask", b.get(onePage+"/disable"))
	shows(t, body, "signed out of every computer", "People&#39;s Hospital · intake desk", "People&#39;s Hospital · Cardiology", `href="/rosters/post?department=0304&amp;leaves=`+keptAccountID, `name="version" value="3"`)
	if got := b.post(onePage+"/disable", form("version", "3", "requestId", "r1")); got.Code != http.StatusSeeOther {
		t.Errorf("%d", got.Code)
	}
	if sent := lastly[*directoryv1.SwitchAccountRequest](t, w, disableAccount); sent.GetVersion() != 3 || sent.GetRequestId() != "r1" || sent.GetId() != keptAccountID {
		t.Errorf("%v", sent)
	}
	shows(t, b.get(onePage).Body.String(), "signed out everywhere")
	w.refuse(disableAccount, errs.New(errs.KindWrongState, errs.ReasonLastAdministrator, "", nil))
	got := b.post(onePage+"/disable", form("version", "3"))
	if got.Code != http.StatusPreconditionFailed {
		t.Errorf("%d", got.Code)
	}
	shows(t, got.Body.String(), "last administrator", `action="`+onePage+`/disable"`)
	shows(t, b.post(onePage+"/reset", form("requestId", "r2")).Body.String(), oneTimePassword)
	if sent := lastly[*directoryv1.ResetPasswordRequest](t, w, resetAccount); sent.GetId() != keptAccountID || sent.GetRequestId() != "r2" {
		t.Errorf("%v", sent)
	}
	if got := b.post(onePage+"/enable", form("version", "3")); got.Code != http.StatusSeeOther {
		t.Errorf("%d", got.Code)
	}
	w.refuse(enableAccount, errs.Stale(5, ""))
	if got := b.post(onePage+"/enable", form("version", "3")); got.Code != http.StatusConflict {
		t.Errorf("%d", got.Code)
	}
}

func TestAFileOfAccountsIsTriedConfirmedAndExplained(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.admin()
	body := sound(t, "try", b.sendFile(accountsPage+"/file", "名<单.csv", "account", "do", "try"))
	shows(t, body, "名&lt;单.csv: 1 new, 1 changed, 1 as before, 0 problems", "Import 2 accounts", "Line 2", "陈&lt;b&gt;医生")
	if sent := lastly[*directoryv1.ImportAccountFileRequest](t, w, importAccounts); !sent.GetDryRun() || string(sent.GetContent()) != "account" {
		t.Errorf("%v", sent)
	}
	parts := 0
	on(w, importAccounts, func(_ context.Context, in *directoryv1.ImportAccountFileRequest) (*directoryv1.ImportAccountFileResponse, error) {
		parts++
		switch in.GetRow() {
		case 0:
			return &directoryv1.ImportAccountFileResponse{NextRow: 100, Problems: []*directoryv1.AccountFileProblem{{Line: 9, Field: "department", Reason: "FIELD_UNKNOWN"}},
				Accounts: []*directoryv1.ImportedAccount{{Line: 2, Account: sampleKept(), Outcome: "CREATED", OneTimePassword: oneTimePassword}}}, nil
		case 100:
			return &directoryv1.ImportAccountFileResponse{NextRow: 200, Problems: []*directoryv1.AccountFileProblem{{Line: 8, Field: "", Reason: "OWN_ACCOUNT"}}}, nil
		}
		return nil, errs.Unavailable("directory", nil)
	})
	confirmed := form("content", hidden(t, body, "content"), "name", "a.csv", "do", "import")
	got := b.post(accountsPage+"/file", confirmed)
	body = sound(t, "import", got)
	shows(t, body, "Imported: 1 new", oneTimePassword, "It stopped on the way", "Line 8", "your own account", "has no such department", "data-print")
	if parts != 3 || got.Header().Get("Cache-Control") != "no-store" || strings.Index(body, "Line 8") > strings.Index(body, "Line 9") {
		t.Errorf("%d parts", parts)
	}
	w.always(importAccounts, &directoryv1.ImportAccountFileResponse{Problems: []*directoryv1.AccountFileProblem{{Line: 3, Field: "roles", Reason: "FIELD_UNKNOWN"}}})
	got = b.post(accountsPage+"/file", with(confirmed, "do", "problems"))
	if want := "\ufeffline,column,problem,what to do\n3,roles,unknown,"; !strings.HasPrefix(got.Body.String(), want) || !strings.HasPrefix(got.Header().Get("Content-Type"), "text/csv") {
		t.Errorf("%s", got.Body)
	}
	if !lastly[*directoryv1.ImportAccountFileRequest](t, w, importAccounts).GetDryRun() {
		t.Error("asking for the problems writes")
	}
	shows(t, b.post(accountsPage+"/file", form("do", "try")).Body.String(), `href="#f-file"`)
	got = b.get(accountsPage + "/file/sample")
	if want := "\ufeffaccount,name,organization_code,department,roles,phone,email,state\nexample1,Zhang San,450321101,,township doctor"; !strings.HasPrefix(got.Body.String(), want) {
		t.Errorf("%s", got.Body)
	}
}

func TestAccountsAreLookedAfterByRESTToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.admin()
	got := w.api("POST", "/accounts", "admin", `{"account":{"login":"wangxm","name":"王","roles":["SPECIALIST"]}}`, "Idempotency-Key", keptAccountID)
	if got.Code != http.StatusOK || !strings.Contains(got.Body.String(), `"oneTimePassword":"`+oneTimePassword+`"`) || got.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v %s", got.Code, got.Header(), got.Body)
	}
	if sent := lastly[*directoryv1.CreateAccountRequest](t, w, createAccount); sent.GetRequestId() != keptAccountID || sent.GetAccount().GetRoles()[0] != commonv1.Role_SPECIALIST {
		t.Errorf("%v", sent)
	}
	if got := w.api("GET", "/accounts?query=chen&role=SPECIALIST", "admin", ""); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), `"state":"NEW"`) {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if got := w.api("PUT", "/accounts/"+keptAccountID, "admin", `{"account":{"name":"王"},"version":3}`); got.Code != http.StatusOK {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if sent := lastly[*directoryv1.UpdateAccountRequest](t, w, updateAccount); sent.GetVersion() != 3 || sent.GetId() != keptAccountID {
		t.Errorf("%v", sent)
	}
	if got := w.api("GET", "/accounts/"+keptAccountID+"/changes", "admin", ""); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), `"action":"RESET_PASSWORD"`) {
		t.Errorf("%d %s", got.Code, got.Body)
	}
}
