package app_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/directory/internal/app"
	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

func TestAOneTimePasswordThatWasNotUsedInTimeSignsNobodyIn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		admin := h.person(t, "admin", domain.CountyAdmin)
		made := h.made(t, admin, "lixm")
		if want := h.clk.Now().Add(72 * time.Hour); !made.Expires.Equal(want) {
			t.Errorf("told until %s, want %s", made.Expires, want)
		}
		h.clk.Advance(72*time.Hour - time.Second)
		in, err := h.signIn(t.Context(), "lixm", made.Password)
		if err != nil || !in.ChangePassword {
			t.Fatalf("a second before the end: %v", err)
		}
		h.clk.Advance(time.Second)
		_, err = h.signIn(t.Context(), "lixm", made.Password)
		if expect(t, err, errs.ReasonOneTimeExpired); errs.KindOf(err) != errs.KindUnauthenticated {
			t.Errorf("%v", err)
		}
		_, err = h.signIn(t.Context(), "lixm", "wrong")
		expect(t, err, errs.ReasonBadCredentials)
		one, err := h.app.GetAccount(t.Context(), admin, county, made.View.Account.Data().ID)
		if err != nil || !one.Expires.Equal(made.Expires) {
			t.Errorf("who looks after it sees %s, %v", one.Expires, err)
		}
		again, err := h.app.ResetPassword(t.Context(), admin, app.AccountWrite{ID: made.View.Account.Data().ID, RequestID: id.New()})
		if err != nil || !again.Expires.Equal(h.clk.Now().Add(72*time.Hour)) {
			t.Fatalf("%s, %v", again.Expires, err)
		}
		if in, err = h.signIn(t.Context(), "lixm", again.Password); err != nil {
			t.Fatal(err)
		}
		// Whoever is in by it has time for the choice, and what was chosen lasts.
		token, err := h.app.ExchangeSession(t.Context(), in.Secret, false)
		if err != nil {
			t.Fatal(err)
		}
		caller, err := h.verifier.Verify(t.Context(), token.Token)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.app.ChangePassword(t.Context(), caller, app.PasswordChange{New: "li-xm-2026"}); err != nil {
			t.Fatal(err)
		}
		h.clk.Advance(2000 * time.Hour)
		if _, err := h.signIn(t.Context(), "lixm", "li-xm-2026"); err != nil {
			t.Errorf("a chosen password: %v", err)
		}
		if one, err = h.app.GetAccount(t.Context(), admin, county, made.View.Account.Data().ID); err != nil || !one.Expires.IsZero() {
			t.Errorf("%s, %v", one.Expires, err)
		}
	})
}

func TestThePasswordsOfAFileExpireAsWell(t *testing.T) {
	t.Parallel()
	h := one(t)
	done, err := h.app.ImportAccountFile(t.Context(), h.person(t, "admin", domain.CountyAdmin), app.AccountFile{Content: []byte(fileHeader + "new1,张一,H01,0304,专科医生,138,,\n")})
	if err != nil || len(done.Accounts) != 1 || !done.Accounts[0].Expires.Equal(h.clk.Now().Add(72*time.Hour)) {
		t.Fatalf("%+v, %v", done, err)
	}
	h.clk.Advance(72 * time.Hour)
	_, err = h.signIn(t.Context(), "new1", done.Accounts[0].Password)
	expect(t, err, errs.ReasonOneTimeExpired)
}

func TestAnImportedPasswordIsHeldAgainstTheSameRuleAsAChosenOne(t *testing.T) {
	t.Parallel()
	h := one(t)
	for password, reason := range map[string]string{"12345678": errs.ReasonFieldCombination, "abc12345": errs.ReasonFieldInvalid, "newcomer-1": errs.ReasonFieldInvalid} {
		bad := doctor()
		bad.Data.Login, bad.Password = "newcomer-1", password
		_, err := h.importAccounts(t.Context(), bad)
		expectField(t, err, "accounts[0].password", reason)
	}
}
