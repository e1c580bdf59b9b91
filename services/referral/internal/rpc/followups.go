package rpc

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
)

// followUps implements FollowUpService.
type followUps struct {
	referralv1.UnimplementedFollowUpServiceServer
	app *app.Service
}

// ListFollowUps implements FollowUpService.
func (s *followUps) ListFollowUps(ctx context.Context, m *referralv1.ListFollowUpsRequest) (*referralv1.ListFollowUpsResponse, error) {
	list, err := s.app.ListFollowUps(ctx, app.FollowUpFilter{
		Caller: caller(ctx), Due: m.GetDue(), FamilyDoctor: m.GetFamilyDoctor(), Patient: m.GetPatientId(), Token: m.GetPageToken(), VillageClinicID: m.GetVillageClinicId(),
		Size: int(m.GetPageSize()),
	})
	if err != nil {
		return nil, err
	}
	out := &referralv1.ListFollowUpsResponse{NextPageToken: list.Token, DueToday: small(list.Due), Overdue: small(list.Overdue)}
	for _, f := range list.FollowUps {
		out.FollowUps = append(out.FollowUps, followUp(f))
	}
	return out, nil
}

// ListVillage implements FollowUpService.
func (s *followUps) ListVillage(ctx context.Context, m *referralv1.ListVillageRequest) (*referralv1.ListVillageResponse, error) {
	who := caller(ctx)
	list, next, err := s.app.ListVillage(ctx, who, m.GetWhere(), m.GetPageToken(), int(m.GetPageSize()))
	if err != nil {
		return nil, err
	}
	out := &referralv1.ListVillageResponse{NextPageToken: next}
	for _, v := range list {
		r := Referral(v)
		one := &referralv1.VillagePatient{
			PatientId: r.GetPatientId(), State: r.GetState(), Since: since(r), ExpectedFrom: stamp(v.Expected.From), ExpectedTo: stamp(v.Expected.To),
			Patient: &referralv1.PatientSummary{Name: r.GetPatient().GetName(), Sex: r.GetPatient().GetSex(), BirthDate: r.GetPatient().GetBirthDate()},
		}
		if v.Side(who.Organization) != "" {
			one.ReferralId = r.GetId()
		}
		out.Patients = append(out.Patients, one)
	}
	return out, nil
}

// since is when a referral came into its state, as far as it keeps that.
func since(r *referralv1.Referral) *timestamppb.Timestamp {
	switch r.GetState() {
	case referralv1.State_SUBMITTED:
		return r.GetSubmitTime()
	case referralv1.State_ARRIVED:
		return r.GetArriveTime()
	case referralv1.State_ADMITTED:
		return r.GetAdmitTime()
	default:
		return nil
	}
}

// RecordCheck implements FollowUpService.
func (s *followUps) RecordCheck(ctx context.Context, m *referralv1.RecordCheckRequest) (*referralv1.FollowUp, error) {
	cmd, err := command(ctx, referralv1.FollowUpService_RecordCheck_FullMethodName, m)
	if err != nil {
		return nil, err
	}
	f, err := s.app.RecordCheck(ctx, cmd, app.Check{TaskID: m.GetId(), Result: m.GetResult(), Note: trim(m.GetNote())})
	if err != nil {
		return nil, err
	}
	return followUp(f), nil
}

// ListFollowUpTemplates implements FollowUpService.
func (s *followUps) ListFollowUpTemplates(ctx context.Context, m *referralv1.ListFollowUpTemplatesRequest) (*referralv1.ListFollowUpTemplatesResponse, error) {
	list, err := s.app.ListTemplates(ctx, caller(ctx), m.GetReferralId(), m.GetStart())
	if err != nil {
		return nil, err
	}
	out := &referralv1.ListFollowUpTemplatesResponse{}
	for _, t := range list {
		one := &referralv1.FollowUpTemplate{
			Code: t.Code, Condition: t.Condition, Name: t.Name, NameEn: t.NameEn, Note: t.Note, Source: t.Source, Certainty: t.Certainty,
			Plan: plan(t.Plan),
		}
		for _, k := range t.Kinds {
			one.Kinds = append(one.Kinds, commonv1.Kind_Code(commonv1.Kind_Code_value[string(k)]))
		}
		out.Templates = append(out.Templates, one)
	}
	return out, nil
}

func followUp(f app.FollowUp) *referralv1.FollowUp {
	r := Referral(f.Referral)
	out := &referralv1.FollowUp{
		Id: f.ID, ReferralId: f.ReferralID, ReferralNumber: r.GetNumber(), ReferralVersion: r.GetVersion(), PatientId: f.PatientID,
		Patient: r.GetPatient(), Source: f.Source, Code: f.Code, Visit: small(f.Visit), Due: f.Due, Mode: f.Planned.Mode, Items: f.Planned.Items,
		State: f.State, OverdueDays: small(f.OverdueDays), FamilyDoctor: f.FamilyDoctor, Diagnoses: r.GetDiagnoses(), DoneTime: stamp(f.DoneTime),
		Direction: r.GetDirection(), Result: f.Result, Theirs: f.Theirs, OrganizationId: f.OrganizationID, VillageClinicId: f.VillageClinicID,
	}
	if f.Planned.Done {
		out.Findings = findings(f.Planned.Findings)
	}
	return out
}
