package gateway_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// oneTime makes the doctor one who signed in with a one-time password, until it was changed.
func (w *world) oneTime() {
	on(w, exchange, func(ctx context.Context, in *directoryv1.ExchangeSessionRequest) (*directoryv1.CallToken, error) {
		token, err := w.exchange(ctx, in)
		if err == nil {
			w.mu.Lock()
			token.PasswordChangeRequired = len(w.calls[changePassword]) == 0
			w.mu.Unlock()
		}
		return token, err
	})
}

func TestWhoHasAOneTimePasswordChangesItAndDoesNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.oneTime()
	b := w.browser("township")
	for _, path := range []string{"/", "/referrals", "/patients/" + patientID, "/settings/accounts", "/no-such-page"} {
		if got := b.get(path); got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/account/password" {
			t.Errorf("%s: %d %s", path, got.Code, got.Header().Get("Location"))
		}
	}
	if got := b.post("/patients", typedPatient()); got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/account/password" {
		t.Errorf("a form: %d", got.Code)
	}
	if got := b.get("/alarms", "X-Fragment", "alarms"); got.Code != http.StatusForbidden {
		t.Errorf("a fragment: %d", got.Code)
	}
	if got := b.get("/events"); got.Code != http.StatusForbidden {
		t.Errorf("the stream: %d", got.Code)
	}
	for _, path := range []string{"/sessions/current", "/referrals"} {
		if got := w.api("GET", path, "township", ""); got.Code != http.StatusForbidden || !strings.Contains(got.Body.String(), "PASSWORD_CHANGE_REQUIRED") {
			t.Errorf("%s: %d %s", path, got.Code, got.Body)
		}
	}
	body := sound(t, "password", b.get("/account/password"))
	if strings.Contains(body, `name="currentPassword"`) || !strings.Contains(body, "one-time password") || strings.Contains(body, `class="rail"`) {
		t.Error("the page asks for what was just typed, or shows what cannot be done yet")
	}
	shows(t, body, `action="/display"`, `name="back" value="/account/password"`, `name="language"`, `name="type" value="large"`)
	got := b.post("/account/password", form("newPassword", "my own word", "again", "my own wort"))
	if body := sound(t, "not alike", got); got.Code != http.StatusBadRequest || strings.Contains(body, "my own wor") || !strings.Contains(body, `href="#f-again"`) {
		t.Errorf("%d: a password is shown, or the mistake is not", got.Code)
	}
	if got := b.post("/account/password", form("newPassword", "my own word", "again", "my own word")); got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/" {
		t.Errorf("%d", got.Code)
	}
	if got := b.get("/referrals"); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), "The password is changed") {
		t.Errorf("after the change: %d", got.Code)
	}
	if strings.Contains(b.overt.String()+w.log.String(), "my own word") {
		t.Error("a password is in an address or in the log")
	}
}

func TestAnAPIClientChangesAOneTimePasswordToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.oneTime()
	if got := w.api("POST", "/sessions/current:changePassword", "township", `{"newPassword":"my own word"}`); got.Code != http.StatusOK {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	if sent := lastly[*directoryv1.ChangePasswordRequest](t, w, changePassword); sent.GetNewPassword() != "my own word" {
		t.Errorf("%v", sent)
	}
}

func TestAPasswordIsChangedByWhoKnowsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	shows(t, sound(t, "password", b.get("/account/password")), `name="currentPassword"`, `autocomplete="new-password"`, `class="rail"`)
	shows(t, b.get("/preferences").Body.String(), `href="/account/password"`)
	w.refuse(changePassword, errs.Invalid(errs.Bad("currentPassword", errs.ReasonFieldInvalid)))
	got := b.post("/account/password", form("currentPassword", "guess-1", "newPassword", "my own word", "again", "my own word"))
	if body := sound(t, "wrong", got); got.Code != http.StatusBadRequest || !strings.Contains(body, `href="#f-currentPassword"`) || strings.Contains(body, "guess-1") {
		t.Errorf("%d", got.Code)
	}
	w.refuse(changePassword, errs.New(errs.KindLimited, errs.ReasonLocked, "", nil))
	if got := b.post("/account/password", form("newPassword", "my own word", "again", "my own word")); got.Code != http.StatusTooManyRequests || !strings.Contains(got.Body.String(), "15 minutes") {
		t.Errorf("%d %s", got.Code, got.Body)
	}
}

// Who was disabled is out before the token that the gateway keeps would end.
func TestAChangedAccountIsAskedForAnewAtOnce(t *testing.T) {
	t.Parallel()
	l := newLiveWorld(t)
	b := l.browser("township")
	if got := b.get("/referrals"); got.Code != http.StatusOK {
		t.Fatal(got.Code)
	}
	stream := l.ready("township")
	delete(l.sessions, "township")
	if got := b.get("/referrals"); got.Code != http.StatusOK {
		t.Fatalf("the token is not kept, so that this test shows nothing: %d", got.Code)
	}
	fact := &directoryv1.AccountChanged{Meta: &commonv1.FactMeta{FactId: id.New()}, Account: doctor()}
	payload, err := proto.Marshal(fact)
	check(t, err)
	_, err = l.bus.Publish(t.Context(), bus.Msg{Subject: "directory.v1.450321.account_changed", ID: fact.GetMeta().GetFactId(), Type: "tongzhen.directory.v1.AccountChanged", Payload: payload, Time: now})
	check(t, err)
	stream.ends()
	if got := b.get("/referrals"); got.Code != http.StatusSeeOther || !strings.HasPrefix(got.Header().Get("Location"), "/sign-in") {
		t.Errorf("%d", got.Code)
	}
}

func TestHowLongAOneTimePasswordSignsInIsSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.admin()
	until := in(72 * time.Hour) // 09:30 in the county
	w.always(createAccount, &directoryv1.IssuedAccount{Account: sampleKept(), OneTimePassword: oneTimePassword, OneTimePasswordExpireTime: until})
	shows(t, sound(t, "slip", b.post(accountsPage+"/new", typedAccount())), "Sign in before 2026-03-05 09:30.")
	w.always(importAccounts, &directoryv1.ImportAccountFileResponse{Accounts: []*directoryv1.ImportedAccount{
		{Line: 2, Account: sampleKept(), Outcome: "CREATED", OneTimePassword: oneTimePassword, OneTimePasswordExpireTime: until},
	}})
	shows(t, sound(t, "slips of a file", b.post(accountsPage+"/file", form("content", "eA==", "name", "a.csv", "do", "import"))), "Sign in before 2026-03-05 09:30.")
	waits := keptDetail()
	waits.OneTimePasswordExpireTime = until
	w.always(getAccount, waits)
	shows(t, sound(t, "waits", b.get(onePage)), "signs in until 2026-03-05 09:30")
	late := keptDetail()
	late.OneTimePasswordExpireTime = in(0)
	w.always(getAccount, late)
	w.always(findAccounts, &directoryv1.SearchAccountsResponse{Accounts: []*directoryv1.AccountDetail{waits, late}})
	shows(t, sound(t, "late", b.get(onePage)), "expired at 2026-03-02 09:30")
	if n := strings.Count(sound(t, "list", b.get(accountsPage)), "One-time password expired"); n != 1 {
		t.Errorf("%d of the two have expired", n)
	}
}

func TestWhoseOneTimePasswordHasExpiredIsToldWhatToDo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.refuse(directoryv1.DirectoryService_SignIn_FullMethodName, errs.New(errs.KindUnauthenticated, errs.ReasonOneTimeExpired, "late", nil))
	b := w.browser("")
	b.language = "zh-CN"
	got := b.post("/sign-in", form("account", "chen", "password", oneTimePassword))
	if body := got.Body.String(); got.Code != http.StatusUnauthorized || !strings.Contains(body, "一次性密码已过期，请管理员重新发放") || !strings.Contains(body, `value="chen"`) || strings.Contains(body, oneTimePassword) {
		t.Errorf("%d %s", got.Code, body)
	}
}
