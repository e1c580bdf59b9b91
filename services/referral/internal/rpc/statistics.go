package rpc

import (
	"context"
	"strings"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/authz"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/stats"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/figures"
)

// statisticsServer implements StatisticsService.
type statisticsServer struct {
	referralv1.UnimplementedStatisticsServiceServer
	app *app.Service
}

// statisticsPolicy: administrators see the county, the others their own organisation, which the use case decides.
func statisticsPolicy() authz.Table {
	look := authz.Rule{Roles: []string{"COUNTY_ADMIN", "DEPARTMENT_HEAD", "CENTRE_HEAD", "SPECIALIST", "TOWNSHIP_DOCTOR", "VILLAGE_DOCTOR", "INTAKE_DESK"}, Need: authz.Own}
	system := authz.Rule{Roles: []string{"SYSTEM"}, Services: []string{"cli"}}
	return authz.Table{
		referralv1.StatisticsService_ListDefinitions_FullMethodName:       {AnyPerson: true},
		referralv1.StatisticsService_QueryStatistics_FullMethodName:       look,
		referralv1.StatisticsService_ListStatisticCases_FullMethodName:    look,
		referralv1.StatisticsService_ReconcileDischarges_FullMethodName:   look,
		referralv1.StatisticsService_ListLate_FullMethodName:              look,
		referralv1.StatisticsService_ListBlockingMedicines_FullMethodName: look,
		referralv1.StatisticsService_GetStatisticCase_FullMethodName:      look,
		referralv1.StatisticsService_ListStages_FullMethodName:            look,
		referralv1.StatisticsService_ListContributions_FullMethodName:     look,
		referralv1.StatisticsService_ListQuietCentres_FullMethodName:      {Roles: []string{"COUNTY_ADMIN"}, Need: authz.Own},
		referralv1.StatisticsService_CountOpen_FullMethodName:             {Roles: []string{"COUNTY_ADMIN", "SYSTEM_ADMIN"}},
		referralv1.StatisticsService_CheckStatistics_FullMethodName:       system,
		referralv1.StatisticsService_RebuildStatistics_FullMethodName:     system,
	}
}

// ListDefinitions implements StatisticsService. What cannot be derived comes last: it has a note that says why, and no numerator.
func (s statisticsServer) ListDefinitions(context.Context, *referralv1.ListDefinitionsRequest) (*referralv1.ListDefinitionsResponse, error) {
	book, out := s.app.Definitions(), &referralv1.ListDefinitionsResponse{}
	for _, m := range book.Measures {
		out.Measures = append(out.Measures, measure(m))
	}
	for _, a := range book.Absent {
		out.Measures = append(out.Measures, &referralv1.Measure{
			Code: a.Code, Name: a.Name.Zh, NameEn: a.Name.En, Note: a.Why.Zh, NoteEn: a.Why.En,
			Source: a.Source.Text, Certainty: string(a.Source.Certainty),
		})
	}
	return out, nil
}

func measure(m stats.Measure) *referralv1.Measure {
	out := &referralv1.Measure{
		Code: m.Code, Name: m.Name.Zh, NameEn: m.Name.En, Numerator: m.Numerator.Words.Zh, NumeratorEn: m.Numerator.Words.En,
		Unit: string(m.Unit), Direction: string(m.Direction), Source: m.Source.Text, Certainty: string(m.Source.Certainty),
		CountedOn: m.Event.Zh, CountedOnEn: m.Event.En, GroupBy: app.GroupBy(),
	}
	for _, d := range m.Denominators {
		_, excludes := figures.ExcludedOf(m, d)
		out.Denominators = append(out.Denominators, &referralv1.Denominator{Code: d.Code, Text: d.Words.Zh, TextEn: d.Words.En, Excludes: excludes})
	}
	return out
}

// QueryStatistics implements StatisticsService.
func (s statisticsServer) QueryStatistics(ctx context.Context, m *referralv1.QueryStatisticsRequest) (*referralv1.QueryStatisticsResponse, error) {
	q := figureQuery(ctx, m)
	q.Measures, q.GroupBy, q.WithTargets = m.GetMeasure(), m.GetGroupBy(), m.GetWithTargets()
	rows, err := s.app.Figures(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &referralv1.QueryStatisticsResponse{}
	for _, r := range rows {
		out.Figures = append(out.Figures, s.figure(r))
	}
	return out, nil
}

func (s statisticsServer) figure(r app.FigureRow) *referralv1.Figure {
	f := &referralv1.Figure{
		Measure: r.Measure, Period: string(r.Period), Key: r.Key, Numerator: r.Numerator, Denominator: r.Denominator, Filling: r.Filling,
		Value: r.Value, HasValue: r.Known,
	}
	if def, _ := s.app.Definitions().Measure(r.Measure); def.Unit == stats.Duration {
		f.Median, f.Percentile_90 = r.Value, r.Percentile90
	}
	if r.Aim != nil {
		f.Aim = &referralv1.Aim{Target: r.Aim.Target, Reached: r.Aim.Reached, Apart: r.Aim.Apart}
	}
	return f
}

func ground(g figures.Ground) *referralv1.CaseGround {
	return &referralv1.CaseGround{Place: string(g.Place), Above: int32(g.Above), Fact: string(g.Fact)}
}

// filtered is what the two questions have in common.
type filtered interface {
	GetFrom() string
	GetTo() string
	GetOrganizationId() string
	GetDepartment() string
	GetDoctor() string
	GetCondition() string
	GetUrgency() commonv1.Urgency_Code
	GetKind() commonv1.Kind_Code
	GetDenominator() string
	GetWithRetrospective() bool
	GetReason() string
	GetPartnerOrganizationId() string
}

func figureQuery(ctx context.Context, m filtered) app.FigureQuery {
	return app.FigureQuery{
		Caller: caller(ctx), From: m.GetFrom(), To: m.GetTo(), OrganizationID: m.GetOrganizationId(), Department: m.GetDepartment(),
		Doctor: m.GetDoctor(), Condition: m.GetCondition(), Urgency: domain.Urgency(word(m.GetUrgency())), Kind: domain.Kind(word(m.GetKind())),
		Denominator: m.GetDenominator(), WithRetrospective: m.GetWithRetrospective(),
		Reason: m.GetReason(), PartnerID: m.GetPartnerOrganizationId(),
	}
}

// ListStatisticCases implements StatisticsService.
func (s statisticsServer) ListStatisticCases(ctx context.Context, m *referralv1.ListStatisticCasesRequest) (*referralv1.ListStatisticCasesResponse, error) {
	if m.GetMeasure() == "" {
		return nil, errs.Invalid(errs.Required("measure"))
	}
	q := app.CaseQuery{
		FigureQuery: figureQuery(ctx, m), Part: app.CasePart(m.GetPart()), PageToken: m.GetPageToken(), PageSize: int(m.GetPageSize()),
	}
	q.Measures = []string{m.GetMeasure()}
	cases, next, err := s.app.Cases(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &referralv1.ListStatisticCasesResponse{NextPageToken: next}
	for _, c := range cases {
		one := statisticCase(c)
		one.Ground = ground(c.Ground)
		out.Cases = append(out.Cases, one)
	}
	return out, nil
}

func statisticCase(c app.StatisticCase) *referralv1.StatisticCase {
	r := c.Referral
	return &referralv1.StatisticCase{
		ReferralId: r.ID, Number: r.Number.Printed(), State: state(r.State), StayId: c.StayID, Day: string(c.Day), Count: int32(c.Count),
		Direction:  commonv1.Direction_Code(commonv1.Direction_Code_value[string(r.Direction)]),
		Kind:       commonv1.Kind_Code(commonv1.Kind_Code_value[string(r.Kind)]),
		Urgency:    commonv1.Urgency_Code(commonv1.Urgency_Code_value[string(r.Urgency)]),
		Originator: party(r.Originator), Receiver: party(r.Receiver), Condition: r.Condition(), ReasonCode: r.ReasonCode,
	}
}

// ReconcileDischarges implements StatisticsService.
func (s statisticsServer) ReconcileDischarges(ctx context.Context, m *referralv1.ReconcileDischargesRequest) (*referralv1.ReconcileDischargesResponse, error) {
	who := caller(ctx)
	found, err := s.app.Reconcile(ctx, app.ReconcileQuery{
		FigureQuery: app.FigureQuery{Caller: who, From: m.GetFrom(), To: m.GetTo(), OrganizationID: m.GetOrganizationId()},
		PageToken:   m.GetPageToken(), PageSize: int(m.GetPageSize()),
	})
	if err != nil {
		return nil, err
	}
	out := &referralv1.ReconcileDischargesResponse{
		DischargedToCentre: int32(found.ToCentre), WithoutReferral: int32(found.Unsent), SentDown: int32(found.SentDown),
		WithoutDischarge: int32(found.Otherwise), NextPageToken: found.Next,
	}
	for _, c := range found.Cases {
		one := reconciledCase(c)
		if c.Referral.ID == "" && !who.Has("COUNTY_ADMIN") {
			// What is not of the own organisation was not found.
			one.PatientId = c.Discharge.PatientID
		}
		out.Cases = append(out.Cases, one)
	}
	return out, nil
}

func reconciledCase(c app.ReconciledCase) *referralv1.ReconciledCase {
	r, d := c.Referral, c.Discharge
	out := &referralv1.ReconciledCase{
		ReferralId: r.ID, Number: r.Number.Printed(), State: state(r.State), Kind: commonv1.Kind_Code(commonv1.Kind_Code_value[string(r.Kind)]),
		SubmitTime: stamp(r.SubmitTime), EncounterId: d.EncounterID, DischargeWay: d.Way, DischargeTime: stamp(d.End),
		Hospital: party(domain.Party{OrganizationID: d.OrganizationID, DepartmentCode: d.DepartmentCode}), CentreId: d.CentreID, Condition: d.Condition,
	}
	if r.ID != "" {
		out.Hospital, out.CentreId, out.Condition = party(r.Originator), r.Receiver.OrganizationID, r.Condition()
	}
	return out
}

// CheckStatistics implements StatisticsService.
func (s statisticsServer) CheckStatistics(ctx context.Context, m *referralv1.CheckStatisticsRequest) (*referralv1.CheckStatisticsResponse, error) {
	cmd, err := service(ctx, referralv1.StatisticsService_CheckStatistics_FullMethodName, m.GetCounty())
	if err != nil {
		return nil, err
	}
	return checked(s.app.CheckFigures(ctx, cmd.Caller.County))
}

// RebuildStatistics implements StatisticsService.
func (s statisticsServer) RebuildStatistics(ctx context.Context, m *referralv1.RebuildStatisticsRequest) (*referralv1.CheckStatisticsResponse, error) {
	cmd, err := service(ctx, referralv1.StatisticsService_RebuildStatistics_FullMethodName, m.GetCounty())
	if err != nil {
		return nil, err
	}
	return checked(s.app.RebuildFigures(ctx, cmd.Caller.County))
}

// maxDifferences are told: whoever reads more of them than that rebuilds anyway.
const maxDifferences = 1000

// checked tells each difference with its total and values as "name=value".
func checked(c app.FigureCheck, err error) (*referralv1.CheckStatisticsResponse, error) {
	if err != nil {
		return nil, err
	}
	out := &referralv1.CheckStatisticsResponse{Referrals: c.Referrals, Cells: c.Cells}
	for _, d := range c.Differences[:min(len(c.Differences), maxDifferences)] {
		grain, names, _ := strings.Cut(d.Cube, " by ")
		key := []string{grain}
		for i, name := range strings.Split(names, ", ") {
			if i < len(d.Key) && d.Key[i] != "" {
				key = append(key, name+"="+d.Key[i])
			}
		}
		out.Differences = append(out.Differences, &referralv1.StatisticDifference{
			Counter: d.Counter, Day: string(d.Period), Key: key, Stored: d.Got, Recomputed: d.Want,
		})
	}
	return out, nil
}
