package rpc

import (
	"context"
	"time"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// consentServer implements ConsentService.
type consentServer struct {
	patientrecordv1.UnimplementedConsentServiceServer
	app *app.App
}

// RecordConsent implements the contract.
func (s consentServer) RecordConsent(ctx context.Context, in *patientrecordv1.RecordConsentRequest) (*patientrecordv1.ConsentRecord, error) {
	request, err := requestOf("RecordConsent", in.GetRequestId(), in)
	if err != nil {
		return nil, err
	}
	out := app.Agreeing{
		Request: request, PatientID: in.GetPatientId(), Scope: toScope(in.GetScope()), ReferralID: in.GetReferralId(), Receiver: in.GetReceiverOrganizationId(),
		DeferredReason: in.GetDeferredReason(),
	}
	if in.GetGiving() != nil {
		out.Giving = new(toGiving(in.GetGiving()))
	}
	return s.answer(ctx, func(who authn.Identity) (domain.Consent, error) { return s.app.RecordConsent(ctx, who, out) })
}

// GiveConsent implements the contract.
func (s consentServer) GiveConsent(ctx context.Context, in *patientrecordv1.GiveConsentRequest) (*patientrecordv1.ConsentRecord, error) {
	request, err := requestOf("GiveConsent", in.GetRequestId(), in)
	if err != nil {
		return nil, err
	}
	giving := toGiving(in.GetGiving())
	return s.answer(ctx, func(who authn.Identity) (domain.Consent, error) {
		return s.app.GiveConsent(ctx, who, app.Agreeing{
			Request: request, PatientID: in.GetPatientId(), ID: in.GetId(), Version: in.GetVersion(), Giving: &giving,
		})
	})
}

// WithdrawConsent implements the contract.
func (s consentServer) WithdrawConsent(ctx context.Context, in *patientrecordv1.WithdrawConsentRequest) (*patientrecordv1.ConsentRecord, error) {
	request, err := requestOf("WithdrawConsent", in.GetRequestId(), in)
	if err != nil {
		return nil, err
	}
	w := in.GetWithdrawal()
	return s.answer(ctx, func(who authn.Identity) (domain.Consent, error) {
		return s.app.WithdrawConsent(ctx, who, app.Withdrawing{
			Request: request, PatientID: in.GetPatientId(), ID: in.GetId(), Version: in.GetVersion(),
			Withdrawal: domain.Withdrawal{Name: w.GetName(), Relation: w.GetRelation(), Reason: w.GetReason()},
		})
	})
}

// GetConsent implements the contract.
func (s consentServer) GetConsent(ctx context.Context, in *patientrecordv1.GetConsentRequest) (*patientrecordv1.ConsentRecord, error) {
	return s.answer(ctx, func(who authn.Identity) (domain.Consent, error) {
		return s.app.Consent(ctx, who, in.GetPatientId(), in.GetId())
	})
}

func (s consentServer) answer(ctx context.Context, do func(authn.Identity) (domain.Consent, error)) (*patientrecordv1.ConsentRecord, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	c, err := do(who)
	if err != nil {
		return nil, err
	}
	return fromConsent(c, s.app.Now()), nil
}

// ListConsents implements the contract.
func (s consentServer) ListConsents(ctx context.Context, in *patientrecordv1.ListConsentsRequest) (*patientrecordv1.ListConsentsResponse, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	after, err := readCursor(in.GetPageToken())
	if err != nil {
		return nil, err
	}
	page, next, err := s.app.Consents(ctx, who, in.GetPatientId(), after, int(in.GetPageSize()))
	if err != nil {
		return nil, err
	}
	return &patientrecordv1.ListConsentsResponse{Consents: fromConsents(page, s.app.Now()), NextPageToken: cursorToken(next)}, nil
}

// ListDeferredConsents implements the contract.
func (s consentServer) ListDeferredConsents(ctx context.Context, in *patientrecordv1.ListDeferredConsentsRequest) (*patientrecordv1.ListConsentsResponse, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	after, err := readCursor(in.GetPageToken())
	if err != nil {
		return nil, err
	}
	page, next, err := s.app.DeferredConsents(ctx, who, after, int(in.GetPageSize()))
	if err != nil {
		return nil, err
	}
	out := &patientrecordv1.ListConsentsResponse{NextPageToken: cursorToken(next)}
	for _, one := range page {
		c := fromConsent(one.Consent, s.app.Now())
		if one.Patient.ID != "" {
			c.Patient = fromShown(one.Patient)
		}
		out.Consents = append(out.Consents, c)
	}
	return out, nil
}

// CountDeferredConsents implements the contract.
func (s consentServer) CountDeferredConsents(ctx context.Context, _ *patientrecordv1.CountDeferredConsentsRequest) (*patientrecordv1.DeferredConsentCount, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	count, overdue, err := s.app.CountDeferred(ctx, who)
	if err != nil {
		return nil, err
	}
	return &patientrecordv1.DeferredConsentCount{Count: int32(count), Overdue: int32(overdue)}, nil
}

// GetContact implements the contract.
func (s consentServer) GetContact(ctx context.Context, in *patientrecordv1.GetContactRequest) (*patientrecordv1.Contact, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	if in.GetCounty() != "" && in.GetCounty() != who.County {
		return nil, errs.Denied(errs.ReasonRole)
	}
	c, err := s.app.Contact(ctx, who, in.GetPatientId(), died)
	if err != nil {
		return nil, err
	}
	return &patientrecordv1.Contact{Phone: c.Phone, Reason: c.Reason}, nil
}

// died: an encounter that cannot be read says nothing.
func died(e domain.Entry) bool {
	c, err := fromContent(e)
	return err == nil && c.GetEncounter().GetDischargeWay() == domain.DischargeDied
}

func toScope(c patientrecordv1.ConsentScope_Code) domain.ConsentScope {
	if c == patientrecordv1.ConsentScope_UNSPECIFIED {
		return ""
	}
	return domain.ConsentScope(c.String())
}

// toGiving leaves out who recorded it.
func toGiving(g *patientrecordv1.Giving) domain.Giving {
	return domain.Giving{
		Name: g.GetName(), Relation: g.GetRelation(), OnBehalf: g.GetOnBehalf(), Phone: g.GetPhone(), Method: g.GetMethod(), Witness: g.GetWitness(),
		At: timeOf(g.GetTime()), TextVersion: g.GetTextVersion(), Until: timeOf(g.GetUntil()), AttachmentID: g.GetAttachmentId(),
	}
}

func fromConsents(list []domain.Consent, now time.Time) (out []*patientrecordv1.ConsentRecord) {
	for _, c := range list {
		out = append(out, fromConsent(c, now))
	}
	return out
}

func fromConsent(c domain.Consent, now time.Time) *patientrecordv1.ConsentRecord {
	state := c.State(now)
	out := &patientrecordv1.ConsentRecord{
		Id: c.ID, Version: c.Version, PatientId: c.PatientID, ReferralId: c.ReferralID, ReceiverOrganizationId: c.Receiver,
		Scope:          patientrecordv1.ConsentScope_Code(patientrecordv1.ConsentScope_Code_value[string(c.Scope)]),
		State:          patientrecordv1.ConsentState_Code(patientrecordv1.ConsentState_Code_value[string(state)]),
		OrganizationId: c.Recorded.Organization, AccountId: c.Recorded.Account, AccountName: c.Recorded.AccountName, CreateTime: stamp(c.Recorded.At),
		DeferredReason: c.DeferredReason, DueTime: stamp(c.Due), Overdue: c.Overdue(now),
	}
	if g := c.Giving; g != nil {
		out.Giving = &patientrecordv1.Giving{
			Name: g.Name, Relation: g.Relation, OnBehalf: g.OnBehalf, Phone: g.Phone, Method: g.Method, Witness: g.Witness, Time: stamp(g.At),
			TextVersion: g.TextVersion, Until: stamp(g.Until), AttachmentId: g.AttachmentID,
			AccountId: g.By.Account, AccountName: g.By.AccountName, OrganizationId: g.By.Organization, RecordTime: stamp(g.By.At),
		}
	}
	if w := c.Withdrawal; w != nil {
		out.Withdrawal = &patientrecordv1.Withdrawal{
			Name: w.Name, Relation: w.Relation, Reason: w.Reason, AccountId: w.By.Account, AccountName: w.By.AccountName,
			OrganizationId: w.By.Organization, Time: stamp(w.By.At),
		}
	}
	if state == domain.ConsentDeferred && c.Scope != domain.ConsentReferral {
		out.Actions = append(out.Actions, "GIVE")
	}
	if state != domain.ConsentWithdrawn {
		out.Actions = append(out.Actions, "WITHDRAW")
	}
	return out
}
