package app

import (
	"context"
	"slices"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// linked notes on other referrals what a transition means for them, in its own transaction: an up-referral learns of the down-referral
// that answers it, and a patient who is back at the county too soon is a bounce-back on both. Saved before the referral itself, which is
// the answer.
func (s *Service) linked(ctx context.Context, u Unit, c domain.Command, r *domain.Referral) error {
	now := r.Snapshot()
	if now.Direction == domain.Up {
		if err := s.sentUp(ctx, u, c, r); err != nil {
			return err
		}
	}
	switch {
	case now.Direction == domain.Down && now.LinkKind == domain.LinkAnswers:
		if err := s.answersUp(ctx, u, c, now); err != nil {
			return err
		}
		return s.sentDown(ctx, u, c, now)
	case now.Direction == domain.Down:
		return s.sentDown(ctx, u, c, now)
	case now.Direction == domain.Up && c.Action == domain.ActionUndoArrive && now.BounceBackOf != "":
		return s.bounce(ctx, u, c, bounced{r, now.BounceBackOf, "", 0})
	}
	return nil
}

// answersUp: the up-referral is answered from the moment at which a down-referral is sent until the last that was is taken back or
// refused. Of several the latest answers, until the patient of one has come: that return counts, whatever is sent after it.
func (s *Service) answersUp(ctx context.Context, u Unit, c domain.Command, down domain.Snapshot) error {
	steps := []domain.Action{domain.ActionSubmit, domain.ActionArrive, domain.ActionUndoArrive, domain.ActionDecline, domain.ActionCancel}
	if down.Number == "" || !slices.Contains(steps, c.Action) {
		return nil
	}
	up, err := u.Referral(ctx, down.ReplyTo)
	if err != nil {
		return err
	}
	was, by := up.Snapshot(), Answering{down.ID, down.ArriveTime}
	switch c.Action {
	case domain.ActionSubmit, domain.ActionArrive:
		// Who never came, or whose arrival was undone since the draft was written, is not sent back.
		if c.Action == domain.ActionSubmit && was.ArriveTime.IsZero() {
			return errs.Invalid(errs.Bad("replyTo", errs.ReasonFieldCombination))
		}
		if !was.DownArrived.IsZero() {
			return nil
		}
	default:
		if was.DownReferral != down.ID {
			return nil
		}
		other, err := u.Answering(ctx, was.ID, down.ID)
		if err != nil {
			return err
		}
		if c.Action != domain.ActionUndoArrive || !other.Arrived.IsZero() {
			by = other
		}
	}
	up.AnsweredBy(by.DownID, by.Arrived, c)
	u.Save(up)
	return nil
}

// bounced is an up-referral, the down-referral that it bounces off, and what that is to name: the up-referral, or nothing any more.
type bounced struct {
	up     *domain.Referral
	downID string
	by     string
	// days is how long after a down-referral an arrival counts.
	days int
}

func (s *Service) bounce(ctx context.Context, u Unit, c domain.Command, b bounced) error {
	down, err := u.Referral(ctx, b.downID)
	if err != nil {
		return err
	}
	// Meanwhile it may have been taken back, or another arrival was faster.
	taken := down.Snapshot().BouncedBy
	if up := b.up.Snapshot(); b.by != "" && (taken != "" || !up.InPlaceOf(down.Snapshot(), up.ArriveTime, b.days)) {
		return nil
	}
	down.Bounced(b.by, c)
	u.Save(down)
	if b.by == "" {
		b.up.Bounced("", c)
	} else {
		b.up.Bounced(b.downID, c)
	}
	return nil
}

// earlier finds the down-referral that an arrival now would be a bounce-back of. It is looked for outside the transaction and judged
// again inside.
func (s *Service) earlier(ctx context.Context, up domain.Snapshot, at time.Time) (string, error) {
	if up.Direction != domain.Up || up.Kind == domain.KindAdvice || up.Condition() == "" {
		return "", nil
	}
	cal, err := s.Calendars.Calendar(ctx, up.County)
	if err != nil {
		return "", err
	}
	return s.Reader.LatestDown(ctx, up, domain.Window{From: at.AddDate(0, 0, -cal.BounceBackDays()), To: at})
}

// Arrive notes that the patient came, and whether that is a bounce-back.
func (s *Service) Arrive(ctx context.Context, cmd Command, in Step) (View, error) {
	in.Action = domain.ActionArrive
	return s.once(ctx, cmd, func() (View, error) {
		now := s.Clock.Now()
		before, err := s.rehearse(ctx, cmd.Caller, in.ID, domain.Command{Action: in.Action, Version: in.Version, Carry: in.Carry})
		if err != nil {
			return View{}, err
		}
		down, err := s.earlier(ctx, before, now)
		if err != nil {
			return View{}, err
		}
		return s.change(ctx, cmd, func(u Unit, cal domain.Calendar) error {
			r, c, err := s.apply(ctx, u, cmd, in, cal)
			if err != nil {
				return err
			}
			if down != "" {
				if err := s.bounce(ctx, u, c, bounced{r, down, in.ID, cal.BounceBackDays()}); err != nil {
					return err
				}
			}
			u.Save(r)
			return nil
		})
	})
}

// replyTo refuses a down-referral that answers what it cannot: it must be an up-referral of the same patient that came to the caller.
func (s *Service) replyTo(ctx context.Context, cmd Command, d *domain.Draft) error {
	if d.ReplyTo == "" {
		return nil
	}
	if d.Direction != domain.Down {
		return errs.Invalid(errs.Bad("replyTo", errs.ReasonFieldCombination))
	}
	up, err := s.Reader.Get(ctx, cmd.Caller, d.ReplyTo)
	switch {
	case errs.KindOf(err) == errs.KindNotFound:
		return errs.Invalid(errs.Bad("replyTo", errs.ReasonFieldUnknown))
	case err != nil:
		return err
	case up.Side(cmd.Caller.Organization) != domain.Receiver || up.Direction != domain.Up:
		return errs.Invalid(errs.Bad("replyTo", errs.ReasonFieldUnknown))
	case up.PatientID != d.PatientID || up.ArriveTime.IsZero():
		return errs.Invalid(errs.Bad("replyTo", errs.ReasonFieldCombination))
	}
	d.LinkKind = domain.LinkAnswers
	return nil
}

// Link is a referral that another follows or is followed by.
type Link struct {
	Kind     string
	Referral domain.Snapshot
	// Readable: the caller's organisation is a side of it.
	Readable bool
}

// Links of a referral in both ways, oldest first.
func (s *Service) Links(ctx context.Context, cmd Command, id string) ([]Link, error) {
	v, err := s.visible(ctx, cmd.Caller, id)
	if err != nil {
		return nil, err
	}
	followers, err := s.Reader.Followers(ctx, v.County, id)
	if err != nil {
		return nil, err
	}
	// The same one may be named twice: a patient who got worse came back too soon as well.
	names := []struct{ id, kind string }{{v.ReplyTo, string(v.LinkKind)}, {v.BounceBackOf, "BOUNCE_BACK_OF"}, {v.BouncedBy, "BOUNCED_BY"}}
	others, err := s.Reader.Batch(ctx, cmd.Caller, []string{v.ReplyTo, v.BounceBackOf, v.BouncedBy})
	if err != nil {
		return nil, err
	}
	var out []Link
	for _, name := range names {
		if i := slices.IndexFunc(others, func(o View) bool { return o.ID == name.id }); i >= 0 {
			out = append(out, Link{name.kind, others[i].Snapshot, others[i].Side(cmd.Caller.Organization) != ""})
		}
	}
	back := map[domain.LinkKind]string{
		domain.LinkAnswers: "ANSWERED_BY", domain.LinkWorsened: "ESCALATED_TO", domain.LinkConverted: "CONVERTED_TO",
	}
	for _, f := range followers {
		// A draft that is not the caller's own is nobody else's business.
		if readable := f.Side(cmd.Caller.Organization) != ""; readable || f.Number != "" {
			out = append(out, Link{back[f.LinkKind], f.Snapshot, readable})
		}
	}
	slices.SortStableFunc(out, func(a, b Link) int { return a.Referral.CreateTime.Compare(b.Referral.CreateTime) })
	return out, nil
}
