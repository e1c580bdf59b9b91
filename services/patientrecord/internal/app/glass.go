package app

import (
	"context"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// Break is what a person says who opens a record in spite of having no relation to the patient.
type Break struct {
	Request Request
	// PatientID or IdentityNumber names the patient.
	PatientID, IdentityNumber string
	Reason, Note              string
}

// BreakGlass opens the whole record to this account for Spans.Glass; in an emergency what is sensitive as well. The home centre and the
// auditors are told at once, and somebody reviews it. Whoever sees the record anyway is refused: ACTION_NOT_AVAILABLE.
func (a *App) BreakGlass(ctx context.Context, caller authn.Identity, in Break) (domain.Glass, error) {
	if problems := domain.CheckGlass(in.Reason, in.Note); len(problems) > 0 {
		return domain.Glass{}, refused(problems, "")
	}
	patient, err := a.named(ctx, caller, in.PatientID, in.IdentityNumber)
	if err != nil {
		return domain.Glass{}, err
	}
	sees, err := a.seesAlready(ctx, caller, patient.ID())
	if err != nil {
		return domain.Glass{}, err
	}
	var out domain.Glass
	err = a.store.Change(ctx, command(caller, in.Request), func(u Unit) error {
		found, err := u.Replayed(ctx, &out)
		if err != nil || found {
			return err
		}
		if sees {
			return errs.WrongState("break_glass", "OPEN")
		}
		out = a.glass(caller, patient, u.Now())
		out.Way, out.Reason, out.Note, out.To = domain.BrokenGlass, in.Reason, in.Note, u.Now().Add(a.spans.Glass)
		u.PutGlass(out)
		if out.Emergency() {
			u.PutOpening(domain.Opening{
				ID: out.ID, Account: out.Account, Organization: out.Organization, PatientID: out.PatientID,
				Purpose: domain.PurposeEmergency, From: out.From, To: out.To,
			})
		}
		return u.Replay(out)
	})
	return out, err
}

// Arrive is a patient of another organisation who stands at the desk.
type Arrive struct {
	Request   Request
	PatientID string
	// IdentityNumber is read off the card, and must be the patient's.
	IdentityNumber string
}

// Visit gives the caller's organisation the whole record of a patient who is there today, for Spans.Visit. Who does primary care becomes
// the home of a patient who has none. The home centre is told.
func (a *App) Visit(ctx context.Context, caller authn.Identity, in Arrive) (domain.Glass, error) {
	if caller.Organization == "" {
		return domain.Glass{}, errs.Denied(errs.ReasonRole)
	}
	// A newborn's record has no number: nothing that was read off a card is that.
	number := domain.NormaliseNumber(in.IdentityNumber)
	if number == "" {
		return domain.Glass{}, errs.Invalid(errs.Required("identityNumber"))
	}
	if err := a.allowLookup(ctx, caller); err != nil {
		return domain.Glass{}, err
	}
	patient, err := a.store.Patient(ctx, caller.County, in.PatientID)
	if err != nil {
		return domain.Glass{}, err
	}
	if patient.Demographics().Details().IdentityNumber != number {
		return domain.Glass{}, errs.NotFound("patient")
	}
	var out domain.Glass
	err = a.store.Change(ctx, command(caller, in.Request), func(u Unit) error {
		found, err := u.Replayed(ctx, &out)
		if err != nil || found {
			return err
		}
		now := u.Now()
		out = a.glass(caller, patient, now)
		out.Way, out.To = domain.Visit, now.Add(a.spans.Visit)
		if err := adopt(ctx, u, caller, patient.ID()); err != nil {
			return err
		}
		u.PutRelations(domain.VisitRelation(out))
		u.PutGlass(out)
		return u.Replay(out)
	})
	return out, err
}

// adopt makes the caller's organisation the home of a patient who has none, if it does primary care.
func adopt(ctx context.Context, u Unit, caller authn.Identity, patient string) error {
	p, err := u.Patient(ctx, patient)
	if err != nil || p.Home() != "" || !primaryCare(caller) {
		return err
	}
	if corrected, changed := p.Correct(p.Demographics(), caller.Organization, u.Now()); changed {
		u.PutPatient(corrected)
		u.PutRelations(domain.HomeRelation(patient, caller.Organization, domain.FromRegistration, u.Now()))
	}
	return nil
}

func (a *App) glass(caller authn.Identity, p domain.Patient, now time.Time) domain.Glass {
	return domain.Glass{
		ID: id.New(), Version: 1, PatientID: p.ID(), Account: caller.Subject, AccountName: caller.Name, Organization: caller.Organization,
		Home: p.Home(), From: now,
	}
}

// named finds the patient by id or by exact identity number; look-ups by number are limited and written down.
func (a *App) named(ctx context.Context, caller authn.Identity, patient, number string) (domain.Patient, error) {
	number = domain.NormaliseNumber(number)
	switch {
	case patient != "":
		return a.store.Patient(ctx, caller.County, patient)
	case number == "":
		return domain.Patient{}, errs.Invalid(errs.Required("identityNumber"))
	}
	list, err := a.byNumber(ctx, caller, number)
	if err != nil {
		return domain.Patient{}, err
	}
	if len(list) != 1 {
		return domain.Patient{}, errs.NotFound("patient")
	}
	return a.store.Patient(ctx, caller.County, list[0].ID)
}

// seesAlready: a relation that is known here, or another use, shows the whole record. The referral service is not asked: an emergency does
// not wait for it.
func (a *App) seesAlready(ctx context.Context, caller authn.Identity, patient string) (bool, error) {
	held, err := a.store.Relations(ctx, caller.County, patient, caller.Organization)
	if err != nil || domain.LevelOf(held, a.clk.Now()) >= domain.LevelFull {
		return err == nil, err
	}
	return a.broken(ctx, caller, patient)
}

// broken: the caller broke the glass for this patient, and that still counts.
func (a *App) broken(ctx context.Context, caller authn.Identity, patient string) (bool, error) {
	if caller.IsService() {
		return false, nil
	}
	uses, err := a.store.Glasses(ctx, caller.County, GlassQuery{PatientID: patient, Account: caller.Subject, Limit: recentUses})
	if err != nil {
		return false, err
	}
	now := a.clk.Now()
	for _, g := range uses {
		if g.Holds(now) && g.Organization == caller.Organization {
			return true, nil
		}
	}
	return false, nil
}

// recentUses bounds how many uses of one account for one patient are looked at: far more than anybody makes in their time.
const recentUses = 20
