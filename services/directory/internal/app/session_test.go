package app_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// Invariant 7.
func TestACallTokenCarriesWhatTheAccountIs(t *testing.T) {
	t.Parallel()
	h := one(t)
	in := h.signedIn(t)
	token, err := h.app.ExchangeSession(t.Context(), in.Secret, false)
	if err != nil {
		t.Fatal(err)
	}
	if !token.ExpiresAt.Equal(h.clk.Now().Add(5*time.Minute)) || !token.SessionExpiresAt.Equal(in.ExpiresAt) {
		t.Errorf("ends %s, session %s", token.ExpiresAt, token.SessionExpiresAt)
	}
	who, err := h.verifier.Verify(t.Context(), token.Token)
	if err != nil {
		t.Fatal(err)
	}
	d := in.View.Account.Data()
	if who.Subject != d.ID || who.Organization != h.ids["450321101"] || who.Department != "02" || who.County != county ||
		who.Name != "莫秀英" || !who.Has("TOWNSHIP_DOCTOR") || who.SessionID == "" || who.SessionID == in.Secret {
		t.Errorf("got %+v", who)
	}
	current, err := h.app.CurrentSession(t.Context(), who)
	if err != nil || current.Secret != "" || current.View.Account.Data().ID != d.ID || !current.ExpiresAt.Equal(in.ExpiresAt) {
		t.Errorf("got %+v, %v", current, err)
	}
	other := who
	other.Subject = "somebody else"
	_, err = h.app.CurrentSession(t.Context(), other)
	expect(t, err, errs.ReasonSessionExpired)
}

// Invariant 6.
func TestASessionEndsWhenIdle(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		secret := h.signedIn(t).Secret
		for range 3 {
			h.clk.Advance(29 * time.Minute)
			if _, err := h.app.ExchangeSession(t.Context(), secret, false); err != nil {
				t.Fatal(err)
			}
		}
		// What a page asks by itself does not keep it.
		for range 2 {
			h.clk.Advance(10 * time.Minute)
			if _, err := h.app.ExchangeSession(t.Context(), secret, true); err != nil {
				t.Fatal(err)
			}
		}
		h.clk.Advance(10 * time.Minute)
		_, err := h.app.ExchangeSession(t.Context(), secret, false)
		expect(t, err, errs.ReasonSessionExpired)
	})
}

// Invariants 6 and 7.
func TestASessionAndItsLastTokenEndAfterTwelveHoursOfUse(t *testing.T) {
	t.Parallel()
	h := one(t)
	in := h.signedIn(t)
	for range 35 {
		h.clk.Advance(20 * time.Minute)
		if _, err := h.app.ExchangeSession(t.Context(), in.Secret, false); err != nil {
			t.Fatal(err)
		}
	}
	h.clk.Advance(18 * time.Minute)
	token, err := h.app.ExchangeSession(t.Context(), in.Secret, false)
	if err != nil || !token.ExpiresAt.Equal(in.ExpiresAt) {
		t.Errorf("the last token ends %s, the session %s, %v", token.ExpiresAt, in.ExpiresAt, err)
	}
	h.clk.Advance(2 * time.Minute)
	_, err = h.app.ExchangeSession(t.Context(), in.Secret, false)
	expect(t, err, errs.ReasonSessionExpired)
}

func TestUseIsWrittenAtMostOnceAMinute(t *testing.T) {
	t.Parallel()
	h := one(t)
	secret := h.signedIn(t).Secret
	use := func(after time.Duration) (moved bool) {
		t.Helper()
		h.clk.Advance(after)
		if _, err := h.app.ExchangeSession(t.Context(), secret, false); err != nil {
			t.Fatal(err)
		}
		return h.count(t, "SELECT count(*) FROM session WHERE last_seen_time = $1", h.clk.Now()) == 1
	}
	if use(59*time.Second) || !use(time.Second) || use(30*time.Second) {
		t.Error("the last use is not written when it should be")
	}
}

func TestSigningOutEndsTheSessionAtOnceAndTwiceIsNoError(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		in := h.signedIn(t)
		other := h.signedIn(t)
		for _, secret := range []string{in.Secret, in.Secret, "", "no such secret"} {
			if err := h.app.SignOut(t.Context(), secret); err != nil {
				t.Error(err)
			}
		}
		_, err := h.app.ExchangeSession(t.Context(), in.Secret, false)
		expect(t, err, errs.ReasonSessionExpired)
		if _, err := h.app.ExchangeSession(t.Context(), other.Secret, false); err != nil {
			t.Errorf("the other session: %v", err)
		}
		if n := h.count(t, "SELECT count(*) FROM audit_entry WHERE action = 'sign_out'"); n != 1 {
			t.Errorf("%d sign-outs audited", n)
		}
	})
}

func TestADisabledAccountsSessionsAreOver(t *testing.T) {
	t.Parallel()
	h := one(t)
	in := h.signedIn(t)
	leaver := doctor()
	leaver.Data.Disabled = true
	if _, err := h.importAccounts(t.Context(), leaver); err != nil {
		t.Fatal(err)
	}
	_, err := h.app.ExchangeSession(t.Context(), in.Secret, false)
	expect(t, err, errs.ReasonSessionExpired)
}

func TestAnUnknownSecretIsNoSession(t *testing.T) {
	t.Parallel()
	h := one(t)
	_, err := h.app.ExchangeSession(t.Context(), "no such secret", false)
	expect(t, err, errs.ReasonSessionExpired)
	_, err = h.app.CurrentSession(t.Context(), authn.Identity{Subject: "a", County: county, SessionID: "none"})
	expect(t, err, errs.ReasonSessionExpired)
}

func TestPurgingForgetsSessionsOfLongAgo(t *testing.T) {
	t.Parallel()
	h := one(t)
	h.signedIn(t)
	_, _ = h.signIn(t.Context(), "township", "wrong")
	h.clk.Advance(31 * 24 * time.Hour)
	h.signedIn(t)
	if err := h.app.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	if sessions, guards := h.count(t, "SELECT count(*) FROM session"), h.count(t, "SELECT count(*) FROM sign_in_guard"); sessions != 1 || guards != 0 {
		t.Errorf("%d sessions, %d guards", sessions, guards)
	}
}
