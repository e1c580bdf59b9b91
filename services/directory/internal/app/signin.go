package app

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// UnknownCounty is the county of audit entries about logins that do not exist.
const UnknownCounty = "000000"

// SignInRequest is one try. Address is where the person's browser is, "" if that is not known.
type SignInRequest struct {
	Login    string
	Password string
	Address  string
}

// SignedIn is a new session. Secret is told once and kept nowhere. ChangePassword tells that the password is a one-time password, and has to be
// changed first.
type SignedIn struct {
	Secret         string
	ExpiresAt      time.Time
	View           AccountView
	ChangePassword bool
}

// SignIn starts a session. An unknown login, a disabled account and a wrong password are answered alike, after the
// same work: BAD_CREDENTIALS, and LOCKED once the fifth in a row has locked the login. The right one-time password that was not used in time is
// ONE_TIME_PASSWORD_EXPIRED.
func (a *App) SignIn(ctx context.Context, r SignInRequest) (SignedIn, error) {
	login := domain.NormalLogin(r.Login)
	key := guardKey(login)
	if err := a.limit(ctx, key, r.Address); err != nil {
		return SignedIn{}, err
	}
	state, err := a.deps.Store.SignInState(ctx, login, key)
	if err != nil {
		return SignedIn{}, fmt.Errorf("load sign-in: %w", err)
	}
	if until, locked := state.Guard.Locked(a.deps.Clock.Now()); locked {
		return SignedIn{}, lockedUntil(until)
	}
	// Always checked, also without a hash, so that every refusal takes as long.
	right := authn.CheckPassword(state.Credential.Hash, r.Password)
	if !right || state.View.Account.Data().Disabled {
		return SignedIn{}, a.refuse(ctx, key, state)
	}
	// Only who knows the right one is told, and nothing is counted: whoever has it is no guesser.
	if c := state.Credential; c.OneTime && !a.deps.Clock.Now().Before(a.until(c.Set)) {
		return SignedIn{}, errs.New(errs.KindUnauthenticated, errs.ReasonOneTimeExpired, "the one-time password was not used in time", nil)
	}
	return a.start(ctx, key, state)
}

// refuse counts a wrong password.
func (a *App) refuse(ctx context.Context, key string, state SignInState) error {
	by := Command{County: UnknownCounty}
	failure := Failure{GuardKey: key}
	if state.Found {
		by.County = state.View.Account.Data().County
		failure.Account = &state.View
	}
	err := a.deps.Store.Change(ctx, by, func(u Unit) error {
		guard, err := u.OpenGuard(ctx, key)
		if err != nil {
			return err
		}
		// The others that tried at the same moment may have closed the lock meanwhile.
		if until, locked := guard.Locked(u.Now()); locked {
			return lockedUntil(until)
		}
		failure.Guard, failure.Locks = guard.Fail(u.Now())
		u.FailSignIn(failure)
		return nil
	})
	if err != nil {
		return err
	}
	return badCredentials()
}

func badCredentials() error {
	return errs.New(errs.KindUnauthenticated, errs.ReasonBadCredentials, "account or password is wrong", nil)
}

// start reads the account again: a password that was reset, or an account that was disabled, since it was checked starts nothing.
func (a *App) start(ctx context.Context, key string, state SignInState) (SignedIn, error) {
	secret := make([]byte, 32)
	if _, err := io.ReadFull(a.deps.Entropy, secret); err != nil {
		return SignedIn{}, fmt.Errorf("make session secret: %w", err)
	}
	out := SignedIn{Secret: base64.RawURLEncoding.EncodeToString(secret), ChangePassword: state.Credential.OneTime}
	checked := state.View.Account.Data()
	err := a.deps.Store.Change(ctx, commandOf(state.View), func(u Unit) error {
		view, credential, err := keyed(ctx, u, checked)
		if err != nil {
			return err
		}
		if credential.Hash != state.Credential.Hash || view.Account.Data().Disabled {
			return badCredentials()
		}
		out.View = view
		guard, err := u.Guard(ctx, key)
		if err != nil {
			return err
		}
		if until, locked := guard.Locked(u.Now()); locked {
			return lockedUntil(until)
		}
		session := domain.NewSession(sessionID(out.Secret), view.Account, u.Now())
		out.ExpiresAt = session.EndsAt()
		forget := key
		if guard.Clean() {
			forget = "" // nothing to forget, so nothing to write
		}
		u.StartSession(session, view, forget)
		return nil
	})
	if err != nil {
		return SignedIn{}, err
	}
	return out, nil
}

// keyed is an account with its password as they stand until the end of the change.
func keyed(ctx context.Context, u Unit, d domain.AccountData) (AccountView, Credential, error) {
	view, err := u.Account(ctx, d.County, d.ID)
	if err != nil {
		return AccountView{}, Credential{}, err
	}
	credential, err := u.Credential(ctx, d.County, d.ID)
	return view, credential, err
}

// limit asks the cache. When it is away the try goes on: the lock-out stands in the database.
func (a *App) limit(ctx context.Context, key, address string) error {
	checks := []struct {
		key string
		n   int
	}{{"signin:login:" + key, a.limits.PerLogin}}
	if address != "" {
		checks = append(checks, struct {
			key string
			n   int
		}{"signin:address:" + digest(address), a.limits.PerAddress})
	}
	for _, c := range checks {
		ok, after, err := a.deps.Limiter.Allow(ctx, c.key, c.n, LimitWindow)
		if err == nil && !ok {
			e := errs.New(errs.KindLimited, errs.ReasonRateLimited, "too many tries to sign in", nil)
			e.RetryAfter = after
			return e
		}
	}
	return nil
}

func lockedUntil(until time.Time) error {
	return errs.New(errs.KindUnauthenticated, errs.ReasonLocked, "locked after wrong passwords", nil).
		With("until", until.UTC().Format(time.RFC3339))
}

func commandOf(v AccountView) Command {
	d := v.Account.Data()
	return Command{County: d.County, AccountID: d.ID, OrganizationID: d.OrganizationID}
}

// guardKey names the guard of a login, known or not. What was typed is not kept: it may be a password in the wrong
// field.
func guardKey(login string) string { return digest("login:" + login) }

// sessionID names the session of a secret.
func sessionID(secret string) string { return digest(secret) }

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
