package app_test

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/directory/internal/app"
	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/directory/internal/store"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/cache"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// overtaken does something between what is read for a sign-in and what is written, once.
type overtaken struct {
	app.Store
	by func()
}

func (o *overtaken) SignInState(ctx context.Context, login, guardKey string) (app.SignInState, error) {
	state, err := o.Store.SignInState(ctx, login, guardKey)
	if by := o.by; by != nil {
		o.by = nil
		by()
	}
	return state, err
}

// overtaken is the house's app where something happens while a password is checked.
func (h house) overtaken(by func()) *app.App {
	return app.New(app.Deps{
		Store: &overtaken{store.New(h.db, func() {}), by}, Limiter: cache.Memory(h.clk), Clock: h.clk, Zone: time.UTC, Entropy: rand.Reader,
	}, app.Limits{PerLogin: 60, PerAddress: 60, OneTime: 72 * time.Hour})
}

func TestAnOldPasswordDoesNotOutliveAResetOrADisablingThatOvertakesIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		ctx, admin := t.Context(), h.person(t, "admin", domain.CountyAdmin)
		secret := h.signedIn(t).Secret
		token, err := h.app.ExchangeSession(ctx, secret, false)
		if err != nil {
			t.Fatal(err)
		}
		caller, err := h.verifier.Verify(ctx, token.Token)
		if err != nil {
			t.Fatal(err)
		}
		known := password
		reset := func() {
			got, err := h.app.ResetPassword(ctx, admin, app.AccountWrite{RequestID: id.New(), ID: caller.Subject})
			if err != nil {
				t.Error(err)
			}
			known = got.Password
		}
		expect(t, h.overtaken(reset).ChangePassword(ctx, caller, app.PasswordChange{Current: password, New: "my own word"}), errs.ReasonSessionExpired)
		refused := func(by func()) {
			t.Helper()
			old := known
			_, err := h.overtaken(by).SignIn(ctx, app.SignInRequest{Login: "township", Password: old})
			expect(t, err, errs.ReasonBadCredentials)
		}
		refused(reset)
		refused(func() {
			kept, err := h.app.GetAccount(ctx, admin, county, caller.Subject)
			if err == nil {
				_, err = h.app.DisableAccount(ctx, admin, app.AccountWrite{RequestID: id.New(), ID: caller.Subject, Version: kept.Account.Version()})
			}
			if err != nil {
				t.Error(err)
			}
		})
		if n := h.count(t, "SELECT count(*) FROM session WHERE end_time IS NULL"); n != 0 {
			t.Errorf("%d sessions live", n)
		}
	})
}

// The same session may change its password twice at once: the second is checked against what the first chose.
func TestAPasswordThatWasChosenMeanwhileIsAskedFor(t *testing.T) {
	t.Parallel()
	h := one(t)
	var caller authn.Identity
	token, err := h.app.ExchangeSession(t.Context(), h.signedIn(t).Secret, false)
	if err == nil {
		caller, err = h.verifier.Verify(t.Context(), token.Token)
	}
	if err != nil {
		t.Fatal(err)
	}
	first := func() {
		if err := h.app.ChangePassword(t.Context(), caller, app.PasswordChange{Current: password, New: "my own word"}); err != nil {
			t.Error(err)
		}
	}
	err = h.overtaken(first).ChangePassword(t.Context(), caller, app.PasswordChange{Current: password, New: "another word"})
	expectField(t, err, "currentPassword", errs.ReasonFieldInvalid)
	if err := h.app.ChangePassword(t.Context(), caller, app.PasswordChange{Current: "my own word", New: "a third word"}); err != nil {
		t.Error(err)
	}
}
