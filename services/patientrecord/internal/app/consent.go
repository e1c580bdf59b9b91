package app

import (
	"context"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// ConsentStore is what of a Store belongs to consents.
type ConsentStore interface {
	// Consent is one; errs.NotFound.
	Consent(ctx context.Context, county, id string) (domain.Consent, error)
	// Consents that the query asks for.
	Consents(ctx context.Context, county string, q ConsentQuery) ([]domain.Consent, error)
	// CountDeferred is how many an organisation put off that are still to come, and how many of them are overdue.
	CountDeferred(ctx context.Context, county, organization string, now time.Time) (count, overdue int, err error)
}

// ConsentUnit is what of a Unit belongs to consents.
type ConsentUnit interface {
	Consent(ctx context.Context, id string) (domain.Consent, error)
	Consents(ctx context.Context, q ConsentQuery) ([]domain.Consent, error)
	// PutConsent takes a new one, or the next version of one that was read in this unit. What is new about it is audited and published.
	PutConsent(c domain.Consent)
}

// ConsentQuery selects consents, newest first. Empty fields select all.
type ConsentQuery struct {
	PatientID            string
	Scope                domain.ConsentScope
	ReferralID, Receiver string
	// Organization that recorded it first.
	Organization string
	// Deferred selects those that are still to come, the one due first above; the cursor's time is when it is due.
	Deferred bool
	After    Cursor
	Limit    int
}

const (
	defaultConsents = 50
	// consentsOfOne bounds the consents of one referral, or for one organisation, that are looked at: one, and one more for each withdrawal.
	consentsOfOne = 100
)

// Agreeing is a consent as somebody records it: given, or put off.
type Agreeing struct {
	Request   Request
	PatientID string
	// ID and Version are of one that was put off; then the rest but Giving does not count.
	ID      string
	Version int32

	Scope                domain.ConsentScope
	ReferralID, Receiver string
	Giving               *domain.Giving
	DeferredReason       string
}

func recorder(caller authn.Identity, u Unit) domain.Recorder {
	return domain.Recorder{Account: caller.Subject, AccountName: caller.Name, Organization: caller.Organization, At: u.Now()}
}

// RecordConsent writes a new consent.
func (a *App) RecordConsent(ctx context.Context, caller authn.Identity, in Agreeing) (domain.Consent, error) {
	p, _, err := a.open(ctx, caller, in.PatientID, domain.LevelFull)
	if err != nil {
		return domain.Consent{}, err
	}
	if in.Scope == domain.ConsentSensitive && in.Receiver == "" {
		in.Receiver = caller.Organization
	}
	if err := a.checkAgreeing(ctx, caller, p, &in); err != nil {
		return domain.Consent{}, err
	}
	return a.consenting(ctx, caller, in.Request, func(u Unit) (domain.Consent, error) {
		// The patient's row is held: two who record the same go one after the other.
		if _, err := u.Patient(ctx, p.ID()); err != nil {
			return domain.Consent{}, err
		}
		base, standing, err := a.wanted(ctx, u, caller, p, in)
		if err != nil {
			return domain.Consent{}, err
		}
		by := recorder(caller, u)
		if in.Giving == nil {
			base = base.Defer(in.DeferredReason, u.Now().Add(domain.DeferredWithin), by)
		} else {
			base = base.Give(*in.Giving, by)
		}
		u.PutConsent(base)
		if standing.ReferralID != "" {
			return base, a.resettle(ctx, u, standing)
		}
		return base, nil
	})
}

// checkAgreeing tells all that is wrong with a new consent at once.
func (a *App) checkAgreeing(ctx context.Context, caller authn.Identity, p domain.Patient, in *Agreeing) error {
	var ps domain.Problems
	wrong := func(field, reason, cause string) {
		ps = append(ps, domain.Problem{Field: field, Reason: reason, Cause: cause})
	}
	switch in.Scope {
	case domain.ConsentSensitive:
		in.ReferralID = ""
		if in.Receiver == "" {
			wrong("receiverOrganizationId", domain.ReasonRequired, "")
		}
	case domain.ConsentSMS:
		// It covers no organisation and no referral, and nobody is told anything while it is put off.
		in.ReferralID, in.Receiver = "", ""
		if in.Giving == nil && in.DeferredReason != "" {
			wrong("deferredReason", domain.ReasonCombination, "scope")
		}
	case domain.ConsentReferral:
		if in.ReferralID == "" {
			wrong("referralId", domain.ReasonRequired, "")
		}
		if in.Giving == nil && in.DeferredReason != "" {
			wrong("deferredReason", domain.ReasonCombination, "scope")
		}
	case "":
		wrong("scope", domain.ReasonRequired, "")
	default:
		wrong("scope", domain.ReasonUnknown, "")
	}
	switch {
	case in.Giving != nil && in.DeferredReason != "":
		wrong("deferredReason", domain.ReasonCombination, "giving")
	case in.Giving == nil:
		ps = append(ps, domain.CheckReason("deferredReason", in.DeferredReason)...)
	default:
		more, err := a.checkGiving(ctx, caller, p, in.Giving)
		if err != nil {
			return err
		}
		ps = append(ps, more...)
	}
	if len(ps) > 0 {
		return refused(ps, "")
	}
	return nil
}

// checkGiving also looks for the signed sheet, which must be a document of this patient.
func (a *App) checkGiving(ctx context.Context, caller authn.Identity, p domain.Patient, g *domain.Giving) (domain.Problems, error) {
	ps := g.Check(p, a.today(), a.clk.Now())
	if g.AttachmentID == "" {
		return ps, nil
	}
	versions, err := a.store.AttachmentVersions(ctx, caller.County, g.AttachmentID)
	known := err == nil && versions[0].Counts()
	if known {
		owner, err := a.store.Patient(ctx, caller.County, versions[0].Keep().PatientID)
		if err != nil {
			return nil, err
		}
		known = owner.ID() == p.ID()
	} else if err != nil && errs.KindOf(err) != errs.KindNotFound {
		return nil, err
	}
	if !known {
		ps = append(ps, domain.Problem{Field: "giving.attachmentId", Reason: domain.ReasonUnknown})
	}
	return ps, nil
}

// wanted is the consent to be written, with nothing said yet; refused when it is there already. For a referral's the standing comes with it.
func (a *App) wanted(ctx context.Context, u Unit, caller authn.Identity, p domain.Patient, in Agreeing) (domain.Consent, domain.Standing, error) {
	out := domain.Consent{ID: id.New(), PatientID: p.ID(), Scope: in.Scope, Receiver: in.Receiver}
	exists := errs.Conflict(errs.ReasonConsentExists, "there is such a consent")
	if in.Scope == domain.ConsentSensitive || in.Scope == domain.ConsentSMS {
		list, err := u.Consents(ctx, ConsentQuery{PatientID: p.ID(), Scope: in.Scope, Receiver: in.Receiver, Limit: 1})
		if err == nil && len(list) > 0 && list[0].Covers(u.Now()) {
			err = exists
		}
		return out, domain.Standing{}, err
	}
	unknown := errs.Invalid(errs.Bad("referralId", errs.ReasonFieldUnknown))
	s, ok, err := u.Standing(ctx, in.ReferralID)
	if err != nil {
		return out, s, err
	}
	if !ok || s.Originator != caller.Organization {
		return out, s, unknown
	}
	owner, err := u.Patient(ctx, s.PatientID)
	if err != nil {
		return out, s, err
	}
	last, found, err := lastOf(ctx, u, in.ReferralID)
	switch {
	case err != nil:
		return out, s, err
	case owner.ID() != p.ID() || !found:
		return out, s, unknown
	case last.Covers(u.Now()):
		return out, s, exists
	}
	out.ReferralID, out.Ordinal, out.Receiver = in.ReferralID, last.Ordinal+1, s.Receiver
	return out, s, nil
}

// GiveConsent brings a consent that was put off.
func (a *App) GiveConsent(ctx context.Context, caller authn.Identity, in Agreeing) (domain.Consent, error) {
	p, _, err := a.open(ctx, caller, in.PatientID, domain.LevelFull)
	if err != nil {
		return domain.Consent{}, err
	}
	ps, err := a.checkGiving(ctx, caller, p, in.Giving)
	if err != nil {
		return domain.Consent{}, err
	}
	if len(ps) > 0 {
		return domain.Consent{}, refused(ps, "")
	}
	return a.consenting(ctx, caller, in.Request, func(u Unit) (domain.Consent, error) {
		if _, err := u.Patient(ctx, p.ID()); err != nil {
			return domain.Consent{}, err
		}
		c, err := consentOf(ctx, u, p, in.ID)
		if err != nil {
			return c, err
		}
		switch state := c.State(u.Now()); {
		case state != domain.ConsentDeferred || c.Scope == domain.ConsentReferral:
			return c, errs.WrongState("give_consent", string(state))
		case c.Version != in.Version:
			return c, errs.Stale(c.Version, string(state))
		}
		c = c.Give(*in.Giving, recorder(caller, u))
		u.PutConsent(c)
		return c, nil
	})
}

// Withdrawing takes a consent back.
type Withdrawing struct {
	Request       Request
	PatientID, ID string
	Version       int32
	Withdrawal    domain.Withdrawal
}

// WithdrawConsent ends a consent. The effect begins at once: see domain.Consent.Withheld and App.refusedSensitive.
func (a *App) WithdrawConsent(ctx context.Context, caller authn.Identity, in Withdrawing) (domain.Consent, error) {
	// A repeat is answered although the withdrawal may have ended the caller's own relation.
	p, _, denied := a.open(ctx, caller, in.PatientID, domain.LevelFull)
	return a.consenting(ctx, caller, in.Request, func(u Unit) (domain.Consent, error) {
		if denied != nil {
			return domain.Consent{}, denied
		}
		if ps := in.Withdrawal.Check(p, a.today()); len(ps) > 0 {
			return domain.Consent{}, refused(ps, "")
		}
		if _, err := u.Patient(ctx, p.ID()); err != nil {
			return domain.Consent{}, err
		}
		c, err := consentOf(ctx, u, p, in.ID)
		if err != nil {
			return c, err
		}
		switch state := c.State(u.Now()); {
		case state == domain.ConsentWithdrawn:
			return c, errs.WrongState("withdraw_consent", string(state))
		case c.Version != in.Version:
			return c, errs.Stale(c.Version, string(state))
		}
		c = c.Withdraw(in.Withdrawal, recorder(caller, u))
		u.PutConsent(c)
		return c, a.withhold(ctx, u, c)
	})
}

// consenting does it, or answers what the same request got before.
func (a *App) consenting(ctx context.Context, caller authn.Identity, request Request, do func(Unit) (domain.Consent, error)) (domain.Consent, error) {
	var out domain.Consent
	err := a.store.Change(ctx, command(caller, request), func(u Unit) error {
		found, err := u.Replayed(ctx, &out)
		if err != nil || found {
			return err
		}
		if out, err = do(u); err != nil {
			return err
		}
		return u.Replay(out)
	})
	if err != nil {
		return domain.Consent{}, err
	}
	return out, nil
}

// consentOf is one of the patient's.
func consentOf(ctx context.Context, u Unit, p domain.Patient, consent string) (domain.Consent, error) {
	c, err := u.Consent(ctx, consent)
	if err != nil {
		return c, err
	}
	owner, err := u.Patient(ctx, c.PatientID)
	if err == nil && owner.ID() != p.ID() {
		err = errs.NotFound("consent")
	}
	return c, err
}

// Consents is a page of a patient's, newest first; next is zero on the last.
func (a *App) Consents(ctx context.Context, caller authn.Identity, patient string, after Cursor, size int) (page []domain.Consent, next Cursor, err error) {
	p, _, err := a.open(ctx, caller, patient, domain.LevelFull)
	if err != nil {
		return nil, Cursor{}, err
	}
	if size == 0 {
		size = defaultConsents
	}
	page, err = a.store.Consents(ctx, caller.County, ConsentQuery{PatientID: p.ID(), After: after, Limit: size + 1})
	if err != nil {
		return nil, Cursor{}, err
	}
	if len(page) > size {
		page = page[:size]
		next = Cursor{Time: page[size-1].Recorded.At, ID: page[size-1].ID}
	}
	return page, next, a.store.Audit(ctx, caller.County, look(caller, "consent.list", p.ID()))
}

// Consent is one of a patient's.
func (a *App) Consent(ctx context.Context, caller authn.Identity, patient, consent string) (domain.Consent, error) {
	p, _, err := a.open(ctx, caller, patient, domain.LevelFull)
	if err != nil {
		return domain.Consent{}, err
	}
	c, err := a.store.Consent(ctx, caller.County, consent)
	if err != nil {
		return domain.Consent{}, err
	}
	owner, err := a.store.Patient(ctx, caller.County, c.PatientID)
	if err != nil {
		return domain.Consent{}, err
	}
	if owner.ID() != p.ID() {
		return domain.Consent{}, errs.NotFound("consent")
	}
	seen := look(caller, "consent.read", p.ID())
	seen.ObjectType, seen.ObjectID = "consent", c.ID
	return c, a.store.Audit(ctx, caller.County, seen)
}
