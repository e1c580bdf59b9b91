package rpc

import (
	"context"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// ListStages implements StatisticsService.
func (s statisticsServer) ListStages(ctx context.Context, m *referralv1.ListStagesRequest) (*referralv1.ListStagesResponse, error) {
	up, down, err := s.app.Stages(ctx, app.FigureQuery{
		Caller: caller(ctx), From: m.GetFrom(), To: m.GetTo(), OrganizationID: m.GetOrganizationId(), Department: m.GetDepartment(),
		Urgency: domain.Urgency(word(m.GetUrgency())), Kind: domain.Kind(word(m.GetKind())), WithRetrospective: m.GetWithRetrospective(),
	})
	if err != nil {
		return nil, err
	}
	return &referralv1.ListStagesResponse{Up: stages(up), Down: stages(down)}, nil
}

func stages(list []app.CountedStage) []*referralv1.Stage {
	out := make([]*referralv1.Stage, len(list))
	for i, one := range list {
		out[i] = &referralv1.Stage{Measure: one.Measure, Count: one.N, Share: one.Share, Lost: one.Lost, Worst: one.Worst}
	}
	return out
}

// ListQuietCentres implements StatisticsService.
func (s statisticsServer) ListQuietCentres(ctx context.Context, _ *referralv1.ListQuietCentresRequest) (*referralv1.ListQuietCentresResponse, error) {
	found, from, to, err := s.app.QuietCentres(ctx, caller(ctx))
	if err != nil {
		return nil, err
	}
	out := &referralv1.ListQuietCentresResponse{From: from, To: to}
	for _, q := range found {
		out.Centres = append(out.Centres, &referralv1.QuietCentre{OrganizationId: q.ID, LastDay: q.Last, Days: int32(q.Days), Sent: q.Sent})
	}
	return out, nil
}

// CountOpen implements StatisticsService.
func (s statisticsServer) CountOpen(ctx context.Context, m *referralv1.CountOpenRequest) (*referralv1.OpenWork, error) {
	at := app.WorkPlace{OrganizationID: m.GetOrganizationId(), Department: m.GetDepartment(), AccountID: m.GetAccountId()}
	found, err := s.app.OpenAt(ctx, caller(ctx), at)
	if err != nil {
		return nil, err
	}
	return &referralv1.OpenWork{
		Sent: int32(found.Sent), Received: int32(found.Received), Candidates: int32(found.Candidates), FollowedUp: int32(found.FollowedUp),
	}, nil
}

// GetStatisticCase implements StatisticsService.
func (s statisticsServer) GetStatisticCase(ctx context.Context, m *referralv1.GetStatisticCaseRequest) (*referralv1.CaseCourse, error) {
	found, err := s.app.CaseCourse(ctx, caller(ctx), m.GetReferralId())
	if err != nil {
		return nil, err
	}
	out := &referralv1.CaseCourse{Case: statisticCase(found.Case)}
	for _, h := range found.Steps {
		out.Steps = append(out.Steps, &referralv1.CaseStep{
			Action: string(h.Action), From: state(h.From), To: state(h.To), OrganizationId: h.By.OrganizationID, Time: stamp(h.At), ReasonCode: h.Reason,
		})
	}
	for _, c := range found.Waits {
		out.Waits = append(out.Waits, lateCase(c))
	}
	for _, l := range found.Links {
		out.Links = append(out.Links, &referralv1.CaseLink{
			Relation: string(l.Relation), ReferralId: l.Referral.ID, Number: l.Referral.Number.Printed(), State: state(l.Referral.State),
			SubmitTime: stamp(l.Referral.SubmitTime),
		})
	}
	for _, one := range found.Standings {
		out.Standings = append(out.Standings, &referralv1.CaseStanding{Measure: one.Measure, Ground: ground(one.Ground)})
	}
	return out, nil
}

// ListContributions implements StatisticsService.
func (s statisticsServer) ListContributions(ctx context.Context, m *referralv1.ListContributionsRequest) (*referralv1.ListContributionsResponse, error) {
	q := app.ContributionQuery{FigureQuery: figureQuery(ctx, m), BeforeFrom: m.GetBeforeFrom(), BeforeTo: m.GetBeforeTo()}
	q.Measures, q.GroupBy = []string{m.GetMeasure()}, m.GetGroupBy()
	found, err := s.app.Contributions(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &referralv1.ListContributionsResponse{
		Now: s.figure(found.Now), Before: s.figure(found.Before), Change: found.Change, HasChange: found.Known,
	}
	for _, c := range found.Parts {
		out.Contributions = append(out.Contributions, &referralv1.Contribution{
			Key: c.Now.Key, Now: s.figure(c.Now), Before: s.figure(c.Before), Contribution: c.By,
		})
	}
	return out, nil
}
