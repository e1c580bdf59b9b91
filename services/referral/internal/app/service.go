package app

import (
	"context"
	"errors"
	"strconv"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// Service runs the use cases.
type Service struct {
	Ports
	numbers *numbers
	reasons keptReasons
}

// New builds the use cases over their ports, all of which are needed.
func New(p Ports) *Service {
	return &Service{Ports: p, numbers: newNumbers(p.Numbers)}
}

// notFound is the answer for no such referral and for no relation to it.
func notFound() error { return errs.NotFound("referral") }

// refusal puts the domain's no into the common vocabulary.
func refusal(err error) error {
	var r *domain.Refusal
	if !errors.As(err, &r) {
		return err
	}
	switch r.Why {
	case domain.NoVersion:
		return errs.Invalid(errs.Bad("version", errs.ReasonVersionRequired))
	case domain.Stale:
		return errs.Stale(r.Version, string(r.State))
	case domain.NotAvailable:
		return errs.WrongState(string(r.Action), string(r.State))
	case domain.Content:
	}
	return errs.Invalid(fields(r)...)
}

func fields(r *domain.Refusal) []errs.Field {
	out := make([]errs.Field, len(r.Fields))
	for i, f := range r.Fields {
		out[i] = errs.Field{Name: f.Name, Reason: f.Reason}
		if f.Low < f.High {
			plain := func(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
			out[i] = errs.Bad(f.Name, f.Reason, "cause", "RANGE", "min", plain(f.Low), "max", plain(f.High), "unit", f.Unit)
		}
	}
	return out
}

func actor(c authn.Identity) domain.Actor {
	return domain.Actor{AccountID: c.Subject, Name: c.Name, OrganizationID: c.Organization}
}

// change is Change with the calendar of the caller's county, which is read before the transaction begins.
func (s *Service) change(ctx context.Context, cmd Command, decide func(Unit, domain.Calendar) error) (View, error) {
	cal, err := s.Calendars.Calendar(ctx, cmd.Caller.County)
	if err != nil {
		return View{}, err
	}
	return s.Referrals.Change(ctx, cmd, func(u Unit) error { return decide(u, cal) })
}

// decide applies an action to a loaded referral for the caller.
func (s *Service) decide(r *domain.Referral, caller authn.Identity, c domain.Command, cal domain.Calendar) error {
	side, err := sideOf(r.Snapshot(), caller, c.Action)
	if err != nil {
		return err
	}
	c.Side, c.By = side, actor(caller)
	return refusal(r.Decide(c, cal))
}

// sideOf is the side for which the caller may act: NOT_FOUND if the organisation is none, ROLE if the caller's roles do not act for it, or
// never do this in the referral's direction.
func sideOf(r domain.Snapshot, caller authn.Identity, a domain.Action) (domain.Side, error) {
	side := r.Side(caller.Organization)
	switch {
	case side == "":
		return "", notFound()
	case !domain.MayAct(r.Direction, side, caller.Roles), !domain.MayDo(a, r.Direction, caller.Roles):
		return "", errs.Denied(errs.ReasonRole)
	}
	return side, nil
}

// once answers a request that was answered before, and else does it.
func (s *Service) once(ctx context.Context, cmd Command, do func() (View, error)) (View, error) {
	if v, done, err := s.Referrals.Replay(ctx, cmd); done || err != nil {
		return v, err
	}
	return s.first(ctx, cmd, do)
}

// first does what ends in Change, which looks for the request's answer itself. When it fails, the same request may have been answered,
// also meanwhile (a person clicked twice), and its change is what do ran into: then that answer counts.
func (s *Service) first(ctx context.Context, cmd Command, do func() (View, error)) (View, error) {
	v, err := do()
	if err == nil {
		return v, nil
	}
	first, done, lost := s.Referrals.Replay(ctx, cmd)
	switch {
	case done && lost == nil:
		return first, nil
	case errs.ReasonOf(lost) == errs.ReasonRequestIDReused:
		return View{}, lost
	}
	return View{}, err
}

// rehearse reads a referral and applies the action to the copy, so that what is refused is refused before a peer is asked. The
// answer is the referral as it is.
func (s *Service) rehearse(ctx context.Context, caller authn.Identity, id string, c domain.Command) (domain.Snapshot, error) {
	v, err := s.Reader.Get(ctx, caller, id)
	if err != nil {
		return domain.Snapshot{}, err
	}
	cal, err := s.Calendars.Calendar(ctx, caller.County)
	if err != nil {
		return domain.Snapshot{}, err
	}
	c.At = s.Clock.Now()
	return v.Snapshot, s.decide(domain.Restore(v.Snapshot), caller, c, cal)
}
