package rpc

import (
	"context"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// ListLate implements StatisticsService.
func (s statisticsServer) ListLate(ctx context.Context, m *referralv1.ListLateRequest) (*referralv1.ListLateResponse, error) {
	found, err := s.app.Late(ctx, app.LateQuery{
		FigureQuery: app.FigureQuery{
			Caller: caller(ctx), OrganizationID: m.GetOrganizationId(), Department: m.GetDepartment(), Urgency: domain.Urgency(word(m.GetUrgency())),
			Kind: domain.Kind(word(m.GetKind())),
		},
		Step: domain.Step(m.GetStep()), PageToken: m.GetPageToken(), PageSize: int(m.GetPageSize()),
	})
	if err != nil {
		return nil, err
	}
	out := &referralv1.ListLateResponse{NextPageToken: found.Next}
	for _, step := range domain.LateSteps() {
		if n := found.Totals[step]; n > 0 {
			out.Totals = append(out.Totals, &referralv1.LateTotal{Step: string(step), Count: int32(n)})
		}
	}
	for _, c := range found.Cases {
		out.Cases = append(out.Cases, lateCase(c))
	}
	return out, nil
}

func lateCase(c app.LateCase) *referralv1.LateCase {
	whose, role := c.Referral.WaitsFor(c.Step)
	return &referralv1.LateCase{
		Case: statisticCase(app.StatisticCase{Referral: c.Referral, Count: 1}), Step: string(c.Step), DueTime: stamp(c.Due),
		WaitingOrganizationId: whose.OrganizationID, WaitingDepartment: whose.DepartmentCode, WaitingRole: commonv1.Role_Code(commonv1.Role_Code_value[role]),
	}
}

// casesOfMedicine are told: whoever wants to see more of them opens the candidates.
const casesOfMedicine = 20

// ListBlockingMedicines implements StatisticsService.
func (s statisticsServer) ListBlockingMedicines(ctx context.Context, m *referralv1.ListBlockingMedicinesRequest) (*referralv1.ListBlockingMedicinesResponse, error) {
	found, err := s.app.BlockingMedicines(ctx, app.FigureQuery{
		Caller: caller(ctx), From: m.GetFrom(), To: m.GetTo(), OrganizationID: m.GetOrganizationId(), Department: m.GetDepartment(),
	})
	if err != nil {
		return nil, err
	}
	out := &referralv1.ListBlockingMedicinesResponse{Candidates: int32(found.Looked), Blocked: int32(found.Blocked)}
	for _, b := range found.Medicines {
		one := &referralv1.BlockingMedicine{Name: b.Name, Availability: string(b.Availability), Count: int32(len(b.Cases))}
		for _, l := range b.Lacking {
			one.CentreIds = append(one.CentreIds, l.CentreID)
			one.Lacking = append(one.Lacking, &referralv1.LackingCentre{OrganizationId: l.CentreID, Availability: string(l.Availability), Count: int32(l.Count)})
		}
		for _, c := range b.Cases[:min(len(b.Cases), casesOfMedicine)] {
			one.Cases = append(one.Cases, statisticCase(app.StatisticCase{StayID: c.ID, Count: 1, Referral: domain.Snapshot{
				ID: c.ReferralID, Number: c.Number, Diagnoses: c.Diagnoses, ReasonCode: c.ReasonCode,
				Originator: domain.Party{OrganizationID: c.CentreID}, Receiver: domain.Party{OrganizationID: c.OrganizationID, DepartmentCode: c.DepartmentCode},
			}}))
		}
		out.Medicines = append(out.Medicines, one)
	}
	return out, nil
}
