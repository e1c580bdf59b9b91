package rpc

import (
	"context"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// handoverServer implements HandoverService.
type handoverServer struct {
	referralv1.UnimplementedHandoverServiceServer
	app *app.Service
}

// GetSlip implements HandoverService.
func (s handoverServer) GetSlip(ctx context.Context, m *referralv1.GetSlipRequest) (*referralv1.Slip, error) {
	slip, err := s.app.Slip(ctx, caller(ctx), m.GetReferralId())
	if err != nil {
		return nil, err
	}
	return &referralv1.Slip{
		ReferralId: slip.ID, Number: slip.Number.Printed(), VerificationKey: slip.Key,
		ValidFrom: stamp(slip.Validity.From), ValidUntil: stamp(slip.Validity.To), Doctor: &commonv1.Actor{AccountId: slip.Doctor.AccountID, Name: slip.Doctor.Name, OrganizationId: slip.Doctor.OrganizationID},
	}, nil
}

// GetSlipKey implements HandoverService.
func (s handoverServer) GetSlipKey(ctx context.Context, m *referralv1.GetSlipKeyRequest) (*referralv1.SlipKey, error) {
	number, key, err := s.app.SlipKey(ctx, caller(ctx), m.GetReferralId())
	if err != nil {
		return nil, err
	}
	return &referralv1.SlipKey{Number: number.Printed(), Key: key}, nil
}

// VerifySlip implements HandoverService.
func (s handoverServer) VerifySlip(ctx context.Context, m *referralv1.VerifySlipRequest) (*referralv1.Verification, error) {
	v, err := s.app.VerifySlip(ctx, caller(ctx), m.GetNumber(), m.GetKey())
	if err != nil || !v.Genuine {
		return &referralv1.Verification{}, err
	}
	return &referralv1.Verification{
		Genuine: true, Number: v.Number.Printed(), Patient: v.Patient, ReceiverOrganization: v.Organization,
		ReceiverDepartment: v.Department, ValidUntil: stamp(v.ValidUntil), Expired: v.Expired,
		Blank: v.Blank, BlankOrganization: v.BlankOrganization, Void: v.Void,
	}, nil
}

// GetHandedBack implements HandoverService.
func (s handoverServer) GetHandedBack(ctx context.Context, m *referralv1.GetHandedBackRequest) (*referralv1.HandedBack, error) {
	h, err := s.app.HandedBack(ctx, caller(ctx), m.GetReferralId())
	if err != nil {
		return nil, err
	}
	out := &referralv1.HandedBack{
		ReferralId: h.ReferralID, PatientId: h.PatientID, Version: h.Version, OrganizationId: h.OrganizationID, Time: stamp(h.At),
	}
	for _, one := range h.Medicines {
		out.Medicines = append(out.Medicines, &referralv1.HandedBackMedicine{
			Place: int32(one.Place), Name: one.Name, Specification: one.Specification, Dosage: one.Dosage, Days: int32(one.Days), Stopped: one.Stopped,
		})
	}
	return out, nil
}

// GetReferralConsent implements HandoverService.
func (s handoverServer) GetReferralConsent(ctx context.Context, m *referralv1.GetReferralConsentRequest) (*referralv1.ReferralConsent, error) {
	c, err := s.app.Consent(ctx, caller(ctx), m.GetReferralId())
	if err != nil {
		return nil, err
	}
	r := c.Snapshot
	return &referralv1.ReferralConsent{
		ReferralId: r.ID, PatientId: r.PatientID, Originator: party(r.Originator), Receiver: party(r.Receiver), Consent: consent(r.Consent), DueTime: stamp(c.Due),
	}, nil
}

// EvaluateCompleteness implements HandoverService.
func (s handoverServer) EvaluateCompleteness(ctx context.Context, m *referralv1.EvaluateCompletenessRequest) (*referralv1.Completeness, error) {
	c, err := s.app.EvaluateCompleteness(ctx, caller(ctx), draft(m.GetReferral()))
	if err != nil {
		return nil, err
	}
	return s.judged(c), nil
}

// GetCompleteness implements HandoverService.
func (s handoverServer) GetCompleteness(ctx context.Context, m *referralv1.GetCompletenessRequest) (*referralv1.Completeness, error) {
	c, err := s.app.JudgedCompleteness(ctx, caller(ctx), m.GetReferralId())
	if err != nil {
		return nil, err
	}
	return s.judged(c), nil
}

// ListCompletenessItems implements HandoverService.
func (s handoverServer) ListCompletenessItems(context.Context, *referralv1.ListCompletenessItemsRequest) (*referralv1.ListCompletenessItemsResponse, error) {
	out := &referralv1.ListCompletenessItemsResponse{Threshold: domain.CompleteFrom}
	for _, item := range s.app.Completeness {
		out.Items = append(out.Items, completenessItem(item, ""))
	}
	return out, nil
}

// judged lists the items whose status is known, in the order of the definition.
func (s handoverServer) judged(c domain.Completeness) *referralv1.Completeness {
	out := &referralv1.Completeness{Judged: c.Judged, Score: int32(c.Score), Threshold: domain.CompleteFrom}
	for _, item := range s.app.Completeness {
		if status, ok := c.Statuses[item.Code]; ok {
			out.Items = append(out.Items, completenessItem(item, status))
		}
	}
	return out
}

func completenessItem(item domain.CompletenessItem, status domain.ItemStatus) *referralv1.CompletenessItem {
	out := &referralv1.CompletenessItem{
		Code: item.Code, Name: item.Name, NameEn: item.NameEn, Weight: int32(item.Weight), Status: string(status), Field: item.Field,
		Source: item.Source, Certainty: item.Certainty, Judged: item.Judged, JudgedEn: item.JudgedEn,
	}
	for _, d := range item.Directions {
		out.Directions = append(out.Directions, commonv1.Direction_Code(commonv1.Direction_Code_value[string(d)]))
	}
	for _, k := range item.Kinds {
		out.Kinds = append(out.Kinds, commonv1.Kind_Code(commonv1.Kind_Code_value[string(k)]))
	}
	for _, u := range item.Urgencies {
		out.Urgencies = append(out.Urgencies, commonv1.Urgency_Code(commonv1.Urgency_Code_value[string(u)]))
	}
	return out
}
