package app

import (
	"cmp"
	"context"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// Recording is a referral of what has happened already: a patient who came without one, or who left the county.
type Recording struct {
	Action       domain.Action // record_arrival or record_out
	Draft        domain.Draft
	At           time.Time
	Date         string // instead of At: a local day
	Destination  string
	Reason, Note string
}

// Record makes such a referral. Errors: fields, OPEN_REFERRAL_EXISTS, PEER_AWAY when patient-record does not answer.
func (s *Service) Record(ctx context.Context, cmd Command, in Recording) (View, error) {
	return s.first(ctx, cmd, func() (View, error) { return s.record(ctx, cmd, in) })
}

func (s *Service) record(ctx context.Context, cmd Command, in Recording) (View, error) {
	caller := cmd.Caller
	if err := s.knownReason(ctx, caller.County, in.Action, in.Reason); err != nil {
		return View{}, err
	}
	cal, err := s.Calendars.Calendar(ctx, caller.County)
	if err != nil {
		return View{}, err
	}
	id, now := referralID(cmd), s.Clock.Now()
	side, err := s.recorder(caller, &in, cal.Today(now))
	if err != nil {
		return View{}, err
	}
	if in.Date != "" {
		day, ok := cal.Day(in.Date)
		if !ok {
			return View{}, errs.Invalid(errs.Bad("date", errs.ReasonFieldInvalid))
		}
		in.At = day.From
	}
	decide := func(r *domain.Referral, number domain.Number, at time.Time) error {
		return refusal(r.Decide(domain.Command{
			Action: in.Action, Side: side, By: actor(caller), At: at, Carry: domain.Carry{
				Draft: &in.Draft, Number: number, Arrival: in.At, Destination: in.Destination, Reason: in.Reason, Note: in.Note,
			},
		}, cal))
	}
	rehearsed := domain.New(id, caller.County)
	bad, err := s.recordedParties(ctx, caller.County, in)
	if err != nil {
		return View{}, err
	}
	if err := gather(decide(rehearsed, "", now), bad); err != nil {
		return View{}, err
	}
	if in.Draft.Patient, err = s.Patients.Snapshot(ctx, in.Draft.PatientID, caller.Organization); err != nil {
		return View{}, patientError(err)
	}
	number, err := s.numbers.next(ctx, caller.County, cal.Year(now))
	if err != nil {
		return View{}, err
	}
	down, err := s.earlier(ctx, rehearsed.Snapshot(), rehearsed.Snapshot().ArriveTime)
	if err != nil {
		return View{}, err
	}
	return s.Referrals.Change(ctx, cmd, func(u Unit) error {
		r := domain.New(id, caller.County)
		if err := decide(r, number, u.Now()); err != nil {
			return err
		}
		c := domain.Command{Action: in.Action, By: actor(caller), At: u.Now()}
		if err := s.cameAgain(ctx, u, c, bounced{r, down, id, cal.BounceBackDays()}); err != nil {
			return err
		}
		u.Save(r)
		return nil
	})
}

// cameAgain notes on others what follows from an arrival that is recorded. Whoever changes a referral and its patient's candidates takes the referral
// first.
func (s *Service) cameAgain(ctx context.Context, u Unit, c domain.Command, b bounced) error {
	if b.downID != "" {
		if err := s.bounce(ctx, u, c, b); err != nil {
			return err
		}
	}
	return s.sentUp(ctx, u, c, b.up)
}

// recorder is the side that the caller is of what is recorded, which gets its organisation and, for a leave, the day.
func (s *Service) recorder(caller authn.Identity, in *Recording, today string) (domain.Side, error) {
	side := domain.Receiver
	in.Draft.Diagnoses = s.named(in.Draft.Diagnoses)
	if in.Action == domain.ActionRecordOut {
		side, in.Date = domain.Originator, cmp.Or(in.Date, today)
		in.Draft.Originator = domain.Party{OrganizationID: caller.Organization, DepartmentCode: caller.Department}
	} else {
		in.Draft.Receiver.OrganizationID = caller.Organization
	}
	if !domain.MayAct(in.Draft.Direction, side, caller.Roles) {
		return "", errs.Denied(errs.ReasonRole)
	}
	return side, nil
}

// recordedParties finds what is wrong with the organisations: a patient comes from a centre or clinic of the county and leaves for an
// outside hospital.
func (s *Service) recordedParties(ctx context.Context, county string, in Recording) ([]errs.Field, error) {
	if in.Action == domain.ActionRecordOut {
		return s.checkOrganization(ctx, county, in.Draft.Receiver, "receiver.organizationId", "EXTERNAL")
	}
	bad, err := s.checkOrganization(ctx, county, in.Draft.Originator, "originator.organizationId", "TOWNSHIP_CENTRE", "VILLAGE_CLINIC")
	if err != nil {
		return nil, err
	}
	_, wrong, err := s.checkReceiver(ctx, county, domain.Up, in.Draft.Receiver)
	for _, f := range wrong {
		if f.Name == "receiver.departmentCode" {
			f.Name = "departmentCode"
		}
		bad = append(bad, f)
	}
	return bad, err
}

// Escalation closes a follow-up and sends the patient up again.
type Escalation struct {
	ID      string
	Version int32
	Draft   domain.Draft
	HoldID  string
	Note    string
}

// Escalate writes both in one transaction: the new referral SUBMITTED and linked, the follow-up CLOSED. The answer is the closed one.
func (s *Service) Escalate(ctx context.Context, cmd Command, in Escalation) (View, error) {
	return s.once(ctx, cmd, func() (View, error) { return s.escalate(ctx, cmd, in) })
}

func (s *Service) escalate(ctx context.Context, cmd Command, in Escalation) (View, error) {
	made := referralID(cmd)
	step := Step{ID: in.ID, Version: in.Version, Action: domain.ActionEscalate, Carry: domain.Carry{Linked: made, Note: in.Note}}
	down, err := s.rehearse(ctx, cmd.Caller, in.ID, domain.Command{Action: step.Action, Version: step.Version, Carry: step.Carry})
	if err != nil {
		return View{}, err
	}
	if k := in.Draft.Kind; k != "" && !domain.Travels(k) {
		return View{}, errs.Invalid(errs.Bad("referral.kind", errs.ReasonFieldCombination))
	}
	in.Draft.Direction, in.Draft.PatientID, in.Draft.ReplyTo, in.Draft.LinkKind = domain.Up, down.PatientID, down.ID, domain.LinkWorsened
	creation := Creation{Draft: in.Draft, HoldID: in.HoldID, Submit: true}
	carry, err := s.prepareNew(ctx, cmd, made, &creation)
	if err != nil {
		return View{}, within("referral", err)
	}
	return s.change(ctx, cmd, func(u Unit, cal domain.Calendar) error {
		closing, c, err := s.apply(ctx, u, cmd, step, cal)
		if err != nil {
			return err
		}
		up := domain.New(made, cmd.Caller.County)
		if err := s.sendNew(up, cmd, creation, domain.Command{At: c.At, Carry: carry}, cal); err != nil {
			return err
		}
		if err := s.sentUp(ctx, u, c, up); err != nil {
			return err
		}
		u.Save(up)
		u.Save(closing)
		return nil
	})
}
