package rpc

import (
	"context"
	"encoding/base64"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/stats"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
)

// GetRecognitionStatistics implements the contract.
func (s recognitionServer) GetRecognitionStatistics(ctx context.Context, in *patientrecordv1.GetRecognitionStatisticsRequest) (*patientrecordv1.GetRecognitionStatisticsResponse, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	found, err := s.app.Figures(ctx, who, app.FigureQuery{
		Measures: in.GetMeasure(), From: in.GetFrom(), To: in.GetTo(), GroupBy: in.GetGroupBy(), Organization: in.GetOrganizationId(),
		ItemCode: in.GetItemCode(),
	})
	if err != nil {
		return nil, err
	}
	out := &patientrecordv1.GetRecognitionStatisticsResponse{}
	for _, m := range found.Definitions {
		out.Definitions = append(out.Definitions, recognitionMeasure(m))
	}
	for _, f := range found.Rows {
		out.Figures = append(out.Figures, &patientrecordv1.RecognitionFigure{
			Measure: f.Measure, Period: string(f.Period), Key: f.Key, Numerator: f.Numerator, Denominator: f.Denominator, Value: f.Value,
			HasValue: f.Known,
		})
	}
	if found.HasSaving {
		out.HasSaving, out.Saving, out.Unpriced = true, found.Saving, found.Unpriced
	}
	return out, nil
}

func recognitionMeasure(m stats.Measure) *patientrecordv1.RecognitionMeasure {
	out := &patientrecordv1.RecognitionMeasure{
		Code: m.Code, Name: m.Name.Zh, NameEn: m.Name.En, Numerator: m.Numerator.Words.Zh, NumeratorEn: m.Numerator.Words.En,
		Unit: string(m.Unit), Direction: string(m.Direction), Source: m.Source.Text, Certainty: string(m.Source.Certainty),
		CountedOn: m.Event.Zh, CountedOnEn: m.Event.En, GroupBy: app.FigureGroups(),
	}
	if d, ok := m.Denominator(""); ok {
		out.Denominator, out.DenominatorEn = d.Words.Zh, d.Words.En
	}
	return out
}

// ListRecognitionCases implements the contract.
func (s recognitionServer) ListRecognitionCases(ctx context.Context, in *patientrecordv1.ListRecognitionCasesRequest) (*patientrecordv1.ListRecognitionCasesResponse, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	q := app.CaseQuery{
		FigureQuery: app.FigureQuery{
			From: in.GetFrom(), To: in.GetTo(), Organization: in.GetOrganizationId(), ItemCode: in.GetItemCode(), Reason: in.GetReasonCode(),
		},
		OfDenominator: in.GetPart() == "DENOMINATOR", Size: int(in.GetPageSize()),
	}
	if in.GetMeasure() != "" {
		q.Measures = []string{in.GetMeasure()}
	}
	if token := in.GetPageToken(); token != "" {
		place, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil {
			return nil, errs.Invalid(errs.Bad("pageToken", errs.ReasonFieldInvalid))
		}
		q.After.ID = string(place)
	}
	cases, next, err := s.app.Cases(ctx, who, q)
	if err != nil {
		return nil, err
	}
	out := &patientrecordv1.ListRecognitionCasesResponse{}
	if next.ID != "" {
		out.NextPageToken = base64.RawURLEncoding.EncodeToString([]byte(next.ID))
	}
	for _, c := range cases {
		out.Cases = append(out.Cases, &patientrecordv1.RecognitionCase{
			OrderId: c.Order.ID, Line: int32(c.Number), ItemCode: c.Line.ItemCode, Decision: string(c.Line.Decision), ReasonCode: c.Line.Reason,
			OrganizationId: c.Order.Organization, PerformerId: c.Line.Evidence.Performer, Direction: string(c.Line.Evidence.From),
			Setting: string(c.Order.Setting), Time: stamp(c.Order.Time),
		})
	}
	return out, nil
}

// CheckRecognitionStatistics implements the contract.
func (s recognitionServer) CheckRecognitionStatistics(ctx context.Context, in *patientrecordv1.CheckRecognitionStatisticsRequest) (*patientrecordv1.CheckRecognitionStatisticsResponse, error) {
	return checked(s.app.Check(ctx, in.GetCounty()))
}

// RebuildRecognitionStatistics implements the contract.
func (s recognitionServer) RebuildRecognitionStatistics(ctx context.Context, in *patientrecordv1.RebuildRecognitionStatisticsRequest) (*patientrecordv1.CheckRecognitionStatisticsResponse, error) {
	return checked(s.app.Rebuild(ctx, in.GetCounty()))
}

func checked(done app.RecognitionCheck, err error) (*patientrecordv1.CheckRecognitionStatisticsResponse, error) {
	if err != nil {
		return nil, err
	}
	return &patientrecordv1.CheckRecognitionStatisticsResponse{Orders: done.Orders, Cells: done.Cells, Differences: int32(len(done.Differences))}, nil
}
