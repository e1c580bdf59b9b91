package app

import (
	"context"
	"fmt"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// consentsConsumer names this service's reading of referrals' consents in the inbox.
const consentsConsumer = "patientrecord-consents"

// ReferralConsent is what a referral says of its consent: given, put off, or both.
type ReferralConsent struct {
	PatientID, Originator, Receiver string
	// Giving is nil while it is put off; its By is not set.
	Giving         *domain.Giving
	DeferredReason string
	// Due may be zero.
	Due time.Time
}

// TakeConsent writes what a referral says of its consent into the patient's consents, once for each fact: nobody is asked twice. It is asked of the
// referral service before the change; while that is away the answer is Unavailable, and the fact comes again. What is there already stays.
func (a *App) TakeConsent(ctx context.Context, f ReferralFact) error {
	said, err := a.referrals.Consent(ctx, f.County, f.Standing.ReferralID)
	if errs.KindOf(err) == errs.KindNotFound {
		return nil
	}
	if err != nil {
		return fmt.Errorf("ask for the consent of referral %s: %w", f.Standing.ReferralID, err)
	}
	cmd := Command{County: f.County, Account: f.Account, Organization: f.Organization, Consumer: consentsConsumer, FactID: f.FactID}
	return a.store.Change(ctx, cmd, func(u Unit) error {
		p, err := u.Patient(ctx, said.PatientID)
		if err != nil {
			return fmt.Errorf("load patient %s: %w", said.PatientID, err)
		}
		last, found, err := lastOf(ctx, u, f.Standing.ReferralID)
		if err != nil {
			return err
		}
		base := domain.Consent{
			ID: id.New(), PatientID: p.ID(), Scope: domain.ConsentReferral, ReferralID: f.Standing.ReferralID, Ordinal: last.Ordinal + 1, Receiver: said.Receiver,
		}
		by := domain.Recorder{Account: f.Account, Organization: said.Originator, At: f.Standing.At}
		next, news := said.follow(last, found, base, by)
		if !news {
			return nil
		}
		u.PutConsent(next)
		if !last.Withheld() {
			return nil
		}
		return a.withhold(ctx, u, next)
	})
}

// follow is what is to be written after the last consent of the referral; base is a new one with nothing said. news is false if nothing is.
func (said ReferralConsent) follow(last domain.Consent, found bool, base domain.Consent, by domain.Recorder) (next domain.Consent, news bool) {
	switch {
	case !found && said.DeferredReason != "":
		due := said.Due
		if due.IsZero() {
			due = by.At.Add(domain.DeferredWithin)
		}
		next = base.Defer(said.DeferredReason, due, by)
		if said.Giving != nil {
			next = next.Give(*said.Giving, by)
		}
		return next, true
	case said.Giving == nil:
		return last, false
	case !found:
		return base.Give(*said.Giving, by), true
	case last.Withdrawal != nil && !said.Giving.At.After(last.Withdrawal.By.At), last.SameGiving(*said.Giving):
		return last, false
	case last.Giving == nil && last.Withdrawal == nil:
		return last.Give(*said.Giving, by), true
	}
	// Another one was taken, before it was sent again.
	return base.Give(*said.Giving, by), true
}

// lastOf is the last consent of a referral.
func lastOf(ctx context.Context, u Unit, referral string) (last domain.Consent, found bool, err error) {
	list, err := u.Consents(ctx, ConsentQuery{Scope: domain.ConsentReferral, ReferralID: referral, Limit: consentsOfOne})
	return latest(list), len(list) > 0, err
}

func latest(list []domain.Consent) (last domain.Consent) {
	for _, c := range list {
		if c.Ordinal > last.Ordinal {
			last = c
		}
	}
	return last
}

// withheld: the last consent of the referral was withdrawn. The patient's row is held: a withdrawal at the same time goes before or after, and
// what it ends is not granted meanwhile.
func withheld(ctx context.Context, u Unit, s domain.Standing) (bool, error) {
	if _, err := u.Patient(ctx, s.PatientID); err != nil && errs.KindOf(err) != errs.KindNotFound {
		return false, err
	}
	last, _, err := lastOf(ctx, u, s.ReferralID)
	return last.Withheld(), err
}

// withhold brings the relations of a referral to what its last consent, which is not stored yet, allows.
func (a *App) withhold(ctx context.Context, u Unit, c domain.Consent) error {
	if c.Scope != domain.ConsentReferral {
		return nil
	}
	s, ok, err := u.Standing(ctx, c.ReferralID)
	if err != nil || !ok {
		return err
	}
	s.Withheld = c.Withheld()
	return a.resettle(ctx, u, s)
}

func (a *App) resettle(ctx context.Context, u Unit, s domain.Standing) error {
	held, err := u.ReferralRelations(ctx, s.ReferralID)
	if err != nil {
		return err
	}
	u.PutRelations(domain.Resettle(held, s, u.Now(), a.spans.Closed)...)
	return nil
}

// barred: the referral's consent was withdrawn, and the organisation is not the one that sent it: what the referral service says of it does not count.
func (a *App) barred(ctx context.Context, county, referral, organization string) (bool, error) {
	if referral == "" {
		return false, nil
	}
	list, err := a.store.Consents(ctx, county, ConsentQuery{Scope: domain.ConsentReferral, ReferralID: referral, Limit: consentsOfOne})
	last := latest(list)
	return last.Withheld() && last.Recorded.Organization != organization, err
}

// refusedSensitive: the patient took back the consent by which the caller's organisation was shown what is sensitive.
func (a *App) refusedSensitive(ctx context.Context, caller authn.Identity, p domain.Patient) (bool, error) {
	list, err := a.store.Consents(ctx, caller.County, ConsentQuery{
		PatientID: p.ID(), Scope: domain.ConsentSensitive, Receiver: caller.Organization, Limit: 1,
	})
	return len(list) > 0 && list[0].Withdrawal != nil, err
}

// DeferredConsent is one that is still to come. Patient is masked, and the zero Shown where the organisation has no relation any more.
type DeferredConsent struct {
	domain.Consent
	Patient Shown
}

// DeferredConsents is a page of those that the caller's organisation put off, the one due first above; next is zero on the last.
func (a *App) DeferredConsents(ctx context.Context, caller authn.Identity, after Cursor, size int) (page []DeferredConsent, next Cursor, err error) {
	if caller.Organization == "" {
		return nil, Cursor{}, errs.Denied(errs.ReasonRole)
	}
	if size == 0 {
		size = defaultConsents
	}
	list, err := a.store.Consents(ctx, caller.County, ConsentQuery{Organization: caller.Organization, Deferred: true, After: after, Limit: size + 1})
	if err != nil {
		return nil, Cursor{}, err
	}
	if len(list) > size {
		list = list[:size]
		next = Cursor{Time: list[size-1].Due, ID: list[size-1].ID}
	}
	looks := make([]Access, len(list))
	for i, c := range list {
		one := DeferredConsent{Consent: c}
		held, err := a.store.Relations(ctx, caller.County, c.PatientID, caller.Organization)
		if err != nil {
			return nil, Cursor{}, err
		}
		if level := domain.LevelOf(held, a.clk.Now()); level >= domain.LevelPackage {
			p, err := a.store.Patient(ctx, caller.County, c.PatientID)
			if err != nil {
				return nil, Cursor{}, err
			}
			one.Patient = show(p, level, true)
		}
		page = append(page, one)
		looks[i] = look(caller, "consent.deferred", c.PatientID)
		looks[i].ObjectType, looks[i].ObjectID = "consent", c.ID
	}
	return page, next, a.store.Audit(ctx, caller.County, looks...)
}

// CountDeferred is how many there are, and how many of them are overdue.
func (a *App) CountDeferred(ctx context.Context, caller authn.Identity) (count, overdue int, err error) {
	if caller.Organization == "" {
		return 0, 0, nil
	}
	return a.store.CountDeferred(ctx, caller.County, caller.Organization, a.clk.Now())
}
