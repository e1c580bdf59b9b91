package bench

import (
	"context"
	"fmt"
	"sync"
	"time"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
)

const (
	callTimeout = 10 * time.Second
	// renewBefore is how long before its end a call token is traded for a new one.
	renewBefore = time.Minute
	// attempts of one call while a service is away.
	attempts = 5
)

// person is somebody who signed in; several workers may act as one person.
type person struct {
	directory directoryv1.DirectoryServiceClient
	clock     clock.Clock
	account   *directoryv1.Account
	secret    string

	mu    sync.Mutex
	token string
	until time.Time
}

// signIn starts a session for an account.
func (r *runner) signIn(ctx context.Context, account *directoryv1.Account) (*person, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	session, err := r.Directory.SignIn(ctx, &directoryv1.SignInRequest{Account: account.GetLogin(), Password: r.options.Password})
	if errs.ReasonOf(err) == errs.ReasonBadCredentials {
		return nil, fmt.Errorf("county %s has no demo accounts: %q does not take the demo password; bench writes invented patients and referrals, so it runs on a demo county only (TONGZHEN_DEMO_PASSWORD or --password names another password)",
			r.options.County, account.GetLogin())
	}
	if err != nil {
		return nil, fmt.Errorf("sign in %s: %w", account.GetLogin(), err)
	}
	return &person{directory: r.Directory, clock: r.options.Clock, account: account, secret: session.GetAccessToken()}, nil
}

// as is ctx with the person's call token, a fresh one when the old one is about to end.
func (p *person) as(ctx context.Context) (context.Context, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.clock.Now().Add(renewBefore).After(p.until) {
		t, err := p.directory.ExchangeSession(ctx, &directoryv1.ExchangeSessionRequest{AccessToken: p.secret})
		if err != nil {
			return nil, err
		}
		p.token, p.until = t.GetToken(), t.GetExpiresAt().AsTime()
	}
	return rpc.WithToken(ctx, p.token), nil
}

// step is one call of one person.
type step struct {
	name string
	who  *person
}

// timed makes the call and takes its time. While a service is away it is repeated; each failure counts by its reason.
func timed[T any](ctx context.Context, r *runner, s step, call func(context.Context) (T, error)) (T, error) {
	for attempt := 1; ; attempt++ {
		answer, err := once(ctx, r, s, call)
		if err == nil || ctx.Err() != nil {
			return answer, err
		}
		r.meter.fail(s.name, errs.ReasonOf(err))
		if errs.KindOf(err) != errs.KindUnavailable || attempt == attempts {
			return answer, fmt.Errorf("%s: %w", s.name, err)
		}
		if err := pause(ctx, time.Duration(attempt)*100*time.Millisecond); err != nil {
			return answer, err
		}
	}
}

func once[T any](ctx context.Context, r *runner, s step, call func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	ctx, err := s.who.as(ctx)
	if err != nil {
		var none T
		return none, err
	}
	from := r.options.Clock.Now()
	answer, err := call(ctx)
	if err == nil {
		r.meter.add(s.name, from, r.options.Clock.Now())
	}
	return answer, err
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
