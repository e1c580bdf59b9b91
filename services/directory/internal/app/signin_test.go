package app_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/directory/internal/app"
	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

func TestTheRightPasswordStartsASessionOfTwelveHours(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		in, err := h.signIn(t.Context(), " Township", password)
		if err != nil {
			t.Fatal(err)
		}
		if len(in.Secret) != 43 || !in.ExpiresAt.Equal(h.clk.Now().Add(12*time.Hour)) || in.View.OrganizationName != "白沙镇卫生院" {
			t.Errorf("secret of %d characters, ends %s, at %s", len(in.Secret), in.ExpiresAt, in.View.OrganizationName)
		}
		if n := h.count(t, "SELECT count(*) FROM session WHERE id = $1", in.Secret); n != 0 {
			t.Error("the secret itself is kept")
		}
		if n := h.count(t, "SELECT count(*) FROM audit_entry WHERE action = 'sign_in' AND county_code = $1", county); n != 1 {
			t.Errorf("%d audit entries", n)
		}
	})
}

// Invariant 4.
func TestAnUnknownLoginADisabledAccountAndAWrongPasswordAreAnsweredAlike(t *testing.T) {
	t.Parallel()
	h := one(t)
	leaver := doctor()
	leaver.Data.Login, leaver.Data.Disabled = "leaver", true
	nameless := doctor()
	nameless.Data.Login, nameless.Password = "nameless", ""
	if _, err := h.importAccounts(t.Context(), leaver, nameless); err != nil {
		t.Fatal(err)
	}
	answers := map[string]bool{}
	for _, who := range []struct{ login, pw string }{
		{"township", "wrong"}, {"nobody", "wrong"}, {"nobody", password}, {"leaver", password}, {"nameless", ""}, {"nameless", "x"},
	} {
		_, err := h.signIn(t.Context(), who.login, who.pw)
		e, ok := errs.As(err)
		if !ok || e.Kind != errs.KindUnauthenticated || e.Reason != errs.ReasonBadCredentials || len(e.Meta) > 0 {
			t.Errorf("%s: %v", who.login, err)
			continue
		}
		answers[err.Error()] = true
	}
	if len(answers) != 1 {
		t.Errorf("answers %v", answers)
	}
	for range domain.MaxFailures {
		_, _ = h.signIn(t.Context(), "stranger", "wrong")
	}
	_, err := h.signIn(t.Context(), "stranger", "wrong")
	expect(t, err, errs.ReasonLocked)
	if n := h.count(t, "SELECT count(*) FROM audit_entry WHERE county_code = $1", app.UnknownCounty); n == 0 {
		t.Error("tries with unknown logins are not audited")
	}
	if n := h.count(t, "SELECT count(*) FROM audit_entry WHERE object_id LIKE '%stranger%' OR detail LIKE '%stranger%'"); n != 0 {
		t.Error("what was typed as login is kept")
	}
}

// Invariant 5.
func TestTheFifthWrongPasswordLocksAndTheLockOpensByTime(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		for i := range domain.MaxFailures {
			_, err := h.signIn(t.Context(), "township", "wrong")
			if errs.ReasonOf(err) != errs.ReasonBadCredentials {
				t.Fatalf("try %d: %v", i+1, err)
			}
		}
		_, err := h.signIn(t.Context(), "township", password)
		e, ok := errs.As(err)
		if !ok || e.Reason != errs.ReasonLocked || e.Meta["until"] != h.clk.Now().Add(15*time.Minute).Format(time.RFC3339) {
			t.Errorf("got %v", err)
		}
		h.clk.Advance(15*time.Minute - time.Second)
		_, err = h.signIn(t.Context(), "township", password)
		expect(t, err, errs.ReasonLocked)
		h.clk.Advance(time.Second)
		h.signedIn(t)
	})
}

func TestTheRightPasswordBeginsTheCountAnew(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		for range 2 {
			for range domain.MaxFailures - 1 {
				_, err := h.signIn(t.Context(), "township", "wrong")
				expect(t, err, errs.ReasonBadCredentials)
			}
			h.signedIn(t)
		}
	})
}

// Invariant 5.
func TestTwentyWrongPasswordsAtOnceAreFiveAndALock(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		reasons := map[string]int{}
		for range 20 {
			wg.Go(func() {
				_, err := h.signIn(t.Context(), "township", "wrong")
				mu.Lock()
				defer mu.Unlock()
				reasons[errs.ReasonOf(err)]++
			})
		}
		wg.Wait()
		if reasons[errs.ReasonBadCredentials] != domain.MaxFailures || reasons[errs.ReasonLocked] != 20-domain.MaxFailures {
			t.Errorf("answers %v", reasons)
		}
		if n := h.count(t, "SELECT failures FROM sign_in_guard"); n != domain.MaxFailures {
			t.Errorf("%d failures counted", n)
		}
		if n := h.count(t, "SELECT count(*) FROM audit_entry WHERE action = 'sign_in.fail'"); n != domain.MaxFailures {
			t.Errorf("%d failures audited", n)
		}
		if n := h.count(t, "SELECT count(*) FROM audit_entry WHERE action = 'sign_in.lock'"); n != 1 {
			t.Errorf("%d locks audited", n)
		}
	})
}

func TestTriesAreLimitedByLoginAndByAddress(t *testing.T) {
	t.Parallel()
	h := one(t)
	for i := range 60 {
		_, err := h.app.SignIn(t.Context(), app.SignInRequest{Login: "x" + strings.Repeat("y", i), Password: "wrong", Address: "10.0.0.1"})
		expect(t, err, errs.ReasonBadCredentials)
	}
	_, err := h.app.SignIn(t.Context(), app.SignInRequest{Login: "township", Password: password, Address: "10.0.0.1"})
	e, ok := errs.As(err)
	if !ok || e.Kind != errs.KindLimited || e.RetryAfter <= 0 {
		t.Errorf("got %v", err)
	}
	if _, err := h.app.SignIn(t.Context(), app.SignInRequest{Login: "township", Password: password, Address: "10.0.0.2"}); err != nil {
		t.Error(err)
	}
}

func TestWithTheCacheAwayPeopleStillSignIn(t *testing.T) {
	t.Parallel()
	newHouse(t, sqldb.SQLite, away{}).signedIn(t)
}
