package app

import (
	"context"
	"fmt"
	"time"

	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// TokenLife is how long a call token is good for; it never outlives its session's absolute limit.
const TokenLife = 5 * time.Minute

// CallToken is what the gateway puts on the calls of a person.
type CallToken struct {
	Token            string
	ExpiresAt        time.Time
	SessionExpiresAt time.Time
	View             AccountView
	// ChangePassword: the token holds no roles until the one-time password was changed.
	ChangePassword bool
}

// ExchangeSession trades a session's secret for a call token and, unless nobody is there (idle), marks the session as used, in writing at most once
// a minute. Everything but a live session of an enabled account is SESSION_EXPIRED.
func (a *App) ExchangeSession(ctx context.Context, secret string, idle bool) (CallToken, error) {
	state, err := a.live(ctx, sessionID(secret))
	if err != nil {
		return CallToken{}, err
	}
	now := a.deps.Clock.Now()
	if touched, worth := state.Session.Touch(now); worth && !idle {
		err := a.deps.Store.Change(ctx, commandOf(state.View), func(u Unit) error {
			u.TouchSession(touched)
			return nil
		})
		if err != nil {
			return CallToken{}, fmt.Errorf("mark session as used: %w", err)
		}
	}
	ends := state.Session.EndsAt()
	life := min(TokenLife, ends.Sub(now))
	token, err := a.deps.Signer.Sign(identity(state), life, now)
	if err != nil {
		return CallToken{}, fmt.Errorf("sign call token: %w", err)
	}
	return CallToken{Token: token, ExpiresAt: now.Add(life), SessionExpiresAt: ends, View: state.View, ChangePassword: state.OneTime}, nil
}

// SignOut ends the session of a secret. One that is unknown or over is no error.
func (a *App) SignOut(ctx context.Context, secret string) error {
	state, err := a.deps.Store.SessionState(ctx, sessionID(secret))
	if errs.KindOf(err) == errs.KindNotFound {
		return nil
	}
	if err != nil {
		return fmt.Errorf("load session: %w", err)
	}
	return a.deps.Store.Change(ctx, commandOf(state.View), func(u Unit) error {
		session, err := u.Session(ctx, state.Session.ID())
		if err != nil {
			return err
		}
		if ended, changed := session.End(u.Now()); changed {
			u.EndSession(ended)
		}
		return nil
	})
}

// CurrentSession is the caller's own session.
func (a *App) CurrentSession(ctx context.Context, caller authn.Identity) (SignedIn, error) {
	state, err := a.live(ctx, caller.SessionID)
	if err != nil {
		return SignedIn{}, err
	}
	if state.Session.AccountID() != caller.Subject {
		return SignedIn{}, expired()
	}
	return SignedIn{ExpiresAt: state.Session.EndsAt(), View: state.View, ChangePassword: state.OneTime}, nil
}

// sessionsKept is how long the rows of sessions stay; who signed in when is in the audit for good.
const sessionsKept = 30 * 24 * time.Hour

// Purge forgets sessions and wrong passwords that count no longer.
func (a *App) Purge(ctx context.Context) error {
	now := a.deps.Clock.Now()
	return a.deps.Store.Purge(ctx, now.Add(-sessionsKept), now.Add(-domain.GuardMemory))
}

// live is a session that may be used now, or SESSION_EXPIRED.
func (a *App) live(ctx context.Context, id string) (SessionState, error) {
	state, err := a.deps.Store.SessionState(ctx, id)
	if errs.KindOf(err) == errs.KindNotFound {
		return SessionState{}, expired()
	}
	if err != nil {
		return SessionState{}, fmt.Errorf("load session: %w", err)
	}
	if !state.Session.Live(a.deps.Clock.Now()) || state.View.Account.Data().Disabled {
		return SessionState{}, expired()
	}
	return state, nil
}

func expired() error {
	return errs.New(errs.KindUnauthenticated, errs.ReasonSessionExpired, "the session is over", nil)
}

func identity(s SessionState) authn.Identity {
	d := s.View.Account.Data()
	roles := make([]string, len(d.Roles))
	for i, r := range d.Roles {
		roles[i] = string(r)
	}
	if s.OneTime {
		roles = nil
	}
	return authn.Identity{
		Subject: d.ID, Organization: d.OrganizationID, Department: d.DepartmentCode, County: d.County,
		Name: d.Name, Roles: roles, SessionID: s.Session.ID(),
	}
}
