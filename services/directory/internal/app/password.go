package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// oneTime makes a password that is told once, and how it is kept. It is made before any transaction: hashing is slow on purpose.
func (a *App) oneTime() (string, Credential, error) {
	password, err := domain.OneTimePassword(a.deps.Entropy)
	if err != nil {
		return "", Credential{}, err
	}
	hash, err := authn.HashPassword(password)
	if err != nil {
		return "", Credential{}, fmt.Errorf("hash password: %w", err)
	}
	return password, Credential{Hash: hash, OneTime: true}, nil
}

// until is when a one-time password that was given at a moment stops signing in; zero for none.
func (a *App) until(issued time.Time) time.Time {
	if issued.IsZero() {
		return time.Time{}
	}
	return issued.Add(a.limits.OneTime)
}

// ResetPassword gives a one-time password, ends the person's sessions and opens a login that wrong passwords locked. A repeat answers the
// account alone.
func (a *App) ResetPassword(ctx context.Context, caller authn.Identity, w AccountWrite) (IssuedAccount, error) {
	county, err := rosterCounty(caller, w.County)
	if err != nil {
		return IssuedAccount{}, err
	}
	password, credential, err := a.oneTime()
	if err != nil {
		return IssuedAccount{}, err
	}
	var out IssuedAccount
	by := requestBy(caller, county, Request{Method: "ResetPassword", ID: w.RequestID, Hash: hashOf(w.ID)})
	err = a.deps.Store.Change(ctx, by, func(u Unit) error {
		view, err := u.Account(ctx, county, w.ID)
		if err != nil {
			return err
		}
		if w.ID == caller.Subject {
			return errs.Denied(errs.ReasonOwnAccount)
		}
		next := view.Account.Rekeyed()
		if err := keeperOf(caller).Admits(view.Account, next); err != nil {
			return refusedBy(err, "account")
		}
		view.Account = next
		u.SetPassword(view, credential, "", "account.reset_password")
		u.ForgetFailures(guardKey(next.Data().Login))
		out = IssuedAccount{View: view, Password: password, Expires: a.until(u.Now())}
		return nil
	})
	if err != nil {
		return IssuedAccount{}, err
	}
	if out.Password == "" {
		kept, err := a.deps.Store.KeptAccount(ctx, county, w.ID)
		return IssuedAccount{View: kept.AccountView}, err
	}
	return out, nil
}

// PasswordChange is what a person chose. Current is not needed while it is a one-time password: the session has just proved it.
type PasswordChange struct{ Current, New string }

// ChangePassword of the caller ends the other sessions. A wrong current password counts like one at sign-in, so that an open browser is no way round
// the lock-out. It needs no request id: a repeat finds the new password in force.
func (a *App) ChangePassword(ctx context.Context, caller authn.Identity, c PasswordChange) error {
	session, err := a.live(ctx, caller.SessionID)
	if err != nil {
		return err
	}
	d := session.View.Account.Data()
	if d.ID != caller.Subject {
		return expired()
	}
	if err := domain.CheckPassword("newPassword", d.Login, c.New); err != nil {
		return at(err, "")
	}
	key := guardKey(d.Login)
	if err := a.limit(ctx, key, ""); err != nil {
		return err
	}
	state, err := a.deps.Store.SignInState(ctx, d.Login, key)
	if err != nil {
		return fmt.Errorf("load sign-in: %w", err)
	}
	if until, locked := state.Guard.Locked(a.deps.Clock.Now()); locked {
		return tooMany(lockedUntil(until))
	}
	kept := state.Credential
	same := authn.CheckPassword(kept.Hash, c.New)
	switch {
	case !kept.OneTime && !authn.CheckPassword(kept.Hash, c.Current):
		if same {
			return nil // a repeat
		}
		if err := a.refuse(ctx, key, state); errs.ReasonOf(err) != errs.ReasonBadCredentials {
			return tooMany(err)
		}
		return errs.Invalid(errs.Bad("currentPassword", errs.ReasonFieldInvalid))
	case same:
		return errs.Invalid(errs.Bad("newPassword", errs.ReasonFieldSame))
	}
	err = a.keepChosen(ctx, caller, state, c.New)
	if errors.Is(err, errRekeyed) {
		return a.ChangePassword(ctx, caller, c) // what was checked no longer stands, nor perhaps the session
	}
	return err
}

// errRekeyed: the password is no longer the one that was checked.
var errRekeyed = errors.New("the password was changed meanwhile")

func (a *App) keepChosen(ctx context.Context, caller authn.Identity, checked SignInState, password string) error {
	hash, err := authn.HashPassword(password)
	if err != nil {
		return fmt.Errorf("hash password: %w", err)
	}
	return a.deps.Store.Change(ctx, commandOf(checked.View), func(u Unit) error {
		now, credential, err := keyed(ctx, u, checked.View.Account.Data())
		if err != nil {
			return err
		}
		if credential.Hash != checked.Credential.Hash {
			return errRekeyed
		}
		now.Account = now.Account.Rekeyed()
		u.SetPassword(now, Credential{Hash: hash}, caller.SessionID, "account.change_password")
		return nil
	})
}

// tooMany is a lock as it meets somebody who is signed in: signing in again would not help.
func tooMany(err error) error {
	e, ok := errs.As(err)
	if !ok || e.Reason != errs.ReasonLocked {
		return err
	}
	limited := errs.New(errs.KindLimited, errs.ReasonLocked, e.Message, nil)
	for k, v := range e.Meta {
		limited = limited.With(k, v)
	}
	return limited
}
