package app

import (
	"cmp"
	"context"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// Sessions of an organisation in local dates, half-open; default today and 14 days.
func (p *Planner) Sessions(ctx context.Context, by Planning, q SessionQuery, now time.Time) ([]SessionView, error) {
	if err := by.read(q.OrganizationID); err != nil {
		return nil, err
	}
	first, last, err := p.span(Span{From: q.From, To: q.To}, now, daysAhead)
	if err != nil {
		return nil, err
	}
	q.County, q.From, q.To = by.County, domain.Date(first), domain.Date(last)
	list, err := p.app.store.Sessions(ctx, q)
	if err != nil {
		return nil, err
	}
	policy, err := p.app.store.Policy(ctx, by.County, q.OrganizationID)
	for i := range list {
		p.fallBack(policy, &list[i], now)
	}
	return list, err
}

// fallBack leaves a session of which the last slot has fallen back no reserve.
func (p *Planner) fallBack(policy BookingPolicy, s *SessionView, now time.Time) {
	last := s.End.Add(-time.Duration(s.SlotMinutes) * time.Minute)
	if policy.PoolAt(domain.Reserved, last.In(p.app.zone), now) != domain.Reserved {
		s.Reserved = 0
	}
}

// Session with its slots and who has them. Another organisation's is NOT_FOUND. Who plans the whole county sees that somebody has a slot, not who; so
// does CancelSession answer.
func (p *Planner) Session(ctx context.Context, by Planning, sessionID string, now time.Time) (SessionView, []SlotUse, error) {
	s, err := p.app.store.Session(ctx, by.County, sessionID)
	if err != nil {
		return s, nil, err
	}
	if !by.sees(s.OrganizationID) {
		return SessionView{}, nil, errs.NotFound("session")
	}
	policy, err := p.app.store.Policy(ctx, by.County, s.OrganizationID)
	if err != nil {
		return s, nil, err
	}
	p.fallBack(policy, &s, now)
	uses, err := p.app.store.Uses(ctx, by.County, sessionID)
	for i := range uses {
		slot := &uses[i].Slot
		slot.Pool = policy.PoolAt(slot.Pool, slot.Start.In(p.app.zone), now)
	}
	if by.Whole {
		for i, use := range uses {
			uses[i].Hold, uses[i].Number = domain.HoldData{State: use.Hold.State}, ""
		}
	}
	return s, uses, err
}

// Substitution is who holds a session instead, and where. An empty place leaves the old one.
type Substitution struct {
	SessionID                                  string
	Version                                    int32
	PractitionerID, PractitionerName, Location string
}

// Substitute puts another practitioner or room into a session; bookings stay and are told. STALE_VERSION, ROLE, ACTION_NOT_AVAILABLE for one that is
// over or cancelled. All are told in the same transaction: there is nobody who would go on with the rest.
func (p *Planner) Substitute(ctx context.Context, by Planning, in Substitution) (SessionView, error) {
	if err := by.checkRequest(); err != nil {
		return SessionView{}, err
	}
	if in.PractitionerID == "" && in.PractitionerName == "" && in.Location == "" {
		return SessionView{}, errs.Invalid(errs.Required("practitionerId"))
	}
	err := p.write(ctx, by.command("SubstituteSession", in), in.SessionID, func(u Unit) error {
		s, err := p.lockOpen(ctx, u, by, in.SessionID, "substitute")
		if err != nil {
			return err
		}
		if err := version(in.Version, s.Version); err != nil {
			return err
		}
		was := s
		if in.PractitionerID != "" || in.PractitionerName != "" {
			s.PractitionerID, s.PractitionerName = in.PractitionerID, in.PractitionerName
		}
		s.Location = cmp.Or(in.Location, s.Location)
		u.Note("session.substitute", "session", s.ID, "")
		if err := u.Substitute(ctx, s); err != nil {
			return err
		}
		is := s
		is.ByHand = true
		if err := u.Record(ctx, changeOfSession(ChangeBefore, was), changeOfSession(ChangeSubstituted, is)); err != nil {
			return err
		}
		return tellAll(ctx, u, s.ID)
	})
	if err != nil {
		return SessionView{}, err
	}
	return p.app.store.Session(ctx, by.County, in.SessionID)
}

// tellAll tells everybody who has a place in a session that it is not as it was.
func tellAll(ctx context.Context, u Unit, sessionID string) (err error) {
	for after := ""; ; {
		if after, err = tellSome(ctx, u, sessionID, after); err != nil || after == "" {
			return err
		}
	}
}

// tellSome tells those who have a place in a session that it is not as it was, and answers after whom it goes on; empty at the end.
func tellSome(ctx context.Context, u Unit, sessionID, after string) (string, error) {
	holds, err := u.HoldsIn(ctx, sessionID, after, rebookBatch)
	if err != nil {
		return "", err
	}
	for _, h := range holds {
		if h.Data().State == domain.Held {
			continue // nobody's referral knows of it
		}
		if err := h.Move(h.Data().Place, "", u.Now()); err != nil {
			return "", classify("substitute", err)
		}
	}
	if len(holds) < rebookBatch {
		return "", nil
	}
	return holds[len(holds)-1].Data().ID, nil
}

// lockOpen is a session that the caller plans, that takes place and is not over.
func (p *Planner) lockOpen(ctx context.Context, u Unit, by Planning, sessionID, action string) (SessionView, error) {
	s, err := u.LockSession(ctx, sessionID)
	if err != nil {
		return s, err
	}
	if err := by.check(s.OrganizationID, s.DepartmentCode); err != nil {
		return s, err
	}
	if s.Cancelled {
		return s, errs.WrongState(action, "CANCELLED")
	}
	if !u.Now().Before(s.End) {
		return s, errs.WrongState(action, "PAST")
	}
	return s, nil
}
