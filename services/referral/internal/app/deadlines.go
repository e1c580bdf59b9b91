package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// Self is the actor of what the service does for its own account.
const Self = "service:referral"

// Deadlines keeps the limits that run.
type Deadlines interface {
	// Claim takes at most n rungs that are due and that nobody has claimed, the longest due first. Until the lease runs out they are
	// owner's, who is one process; what was not fired by then is anybody's again.
	Claim(ctx context.Context, owner string, lease time.Duration, n int) ([]Claim, error)
	// Fire runs decide on the claim's referral in one transaction, which writes what it changed, that the rung was told, and the fact
	// deadline_passed. decide answers when the next rung is due, zero for none; it may run more than once, and what it refuses writes nothing. False: the
	// step has ended or another has claimed the rung meanwhile, and nothing was written.
	Fire(ctx context.Context, c Claim, decide func(u Unit, r *domain.Referral) (next time.Time, err error)) (bool, error)
	// Left are at most n limits that began before any were told, by referral and step; none of them is claimed before Begin.
	Left(ctx context.Context, after LeftLimit, n int) ([]LeftLimit, error)
	// Begin writes when such a limit is due and when its first rung is, as decide says; zero takes it away. A limit that ended or was begun
	// meanwhile stays as it is.
	Begin(ctx context.Context, l LeftLimit, decide func(r domain.Snapshot, now time.Time) (due, next time.Time)) error
}

// Claim is a rung that is due, held by one process.
type Claim struct {
	County, ReferralID string
	domain.Rung
	// Limit is when the step itself was due: that of the first rung.
	Limit time.Time
	// Fence grows with every claim: an older one writes nothing.
	Fence int64
}

// DeadlineFired is a rung that is told. Referral is as it is after it, From its state before.
type DeadlineFired struct {
	ID       string
	Claim    Claim
	From     domain.State
	Referral domain.Snapshot
	At, Next time.Time
}

const (
	claimBatch = 100
	// claimLease is long beside the firing of a batch and short beside the wait for a person.
	claimLease = time.Minute
)

// FireDeadlines tells every rung that is due by now, in batches. Any number of instances may do so at once: each rung is told by one of
// them, and what one leaves behind is taken over when its lease has run out. One that cannot be told does not stop the others.
func (s *Service) FireDeadlines(ctx context.Context, owner string) error {
	var failed []error
	for ctx.Err() == nil {
		claims, err := s.Deadlines.Claim(ctx, owner, claimLease, claimBatch)
		if err != nil {
			return errors.Join(append(failed, fmt.Errorf("claim deadlines: %w", err))...)
		}
		for _, c := range claims {
			if err := s.fire(ctx, c); err != nil {
				failed = append(failed, fmt.Errorf("fire %s of referral %s: %w", c.Step, c.ReferralID, err))
			}
		}
		if len(claims) < claimBatch {
			break
		}
	}
	return errors.Join(failed...)
}

func (s *Service) fire(ctx context.Context, c Claim) error {
	cal, err := s.Calendars.Calendar(ctx, c.County)
	if err != nil {
		return err
	}
	_, err = s.Deadlines.Fire(ctx, c, func(u Unit, r *domain.Referral) (time.Time, error) {
		by, now := domain.Actor{AccountID: Self}, u.Now()
		next := r.Expire(c.Rung, by, now, cal)
		// Who did not come is not on the way up any more.
		return next, s.sentUp(ctx, u, domain.Command{By: by, At: now, Carry: domain.Carry{DecisionDue: cal.DecisionDue(now)}}, r)
	})
	return err
}
