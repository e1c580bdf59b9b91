package rpc

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// ClinicalServer implements ClinicalRecordService.
type ClinicalServer struct {
	patientrecordv1.UnimplementedClinicalRecordServiceServer
	clinical *app.Clinical
}

// NewClinicalServer serves the use cases.
func NewClinicalServer(c *app.Clinical) *ClinicalServer { return &ClinicalServer{clinical: c} }

// Register adds the service to a gRPC server.
func (s *ClinicalServer) Register(r grpc.ServiceRegistrar) {
	patientrecordv1.RegisterClinicalRecordServiceServer(r, s)
}

// request names a write; its body tells a repeat from another.
func request(method, id string, in proto.Message) (app.Request, error) {
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(in)
	if err != nil {
		return app.Request{}, fmt.Errorf("encode request of %s: %w", method, err)
	}
	return app.Request{Method: method, ID: id, Body: body}, nil
}

// RecordEntries implements the contract.
func (s *ClinicalServer) RecordEntries(ctx context.Context, in *patientrecordv1.RecordEntriesRequest) (*patientrecordv1.RecordEntriesResponse, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	recording := app.Recording{PatientID: in.GetPatientId()}
	for i, draft := range in.GetEntries() {
		st, err := toStatement(entryPath(i), draft.GetContent())
		if err != nil {
			return nil, err
		}
		st.EncounterID, st.ReferralID = draft.GetEncounterId(), draft.GetReferralId()
		recording.Statements = append(recording.Statements, st)
	}
	if recording.Request, err = request("RecordEntries", in.GetRequestId(), in); err != nil {
		return nil, err
	}
	written, err := s.clinical.Record(ctx, who, recording)
	if err != nil {
		return nil, err
	}
	out := &patientrecordv1.RecordEntriesResponse{}
	out.Entries, err = fromWritten(written)
	return out, err
}

// AmendEntry implements the contract.
func (s *ClinicalServer) AmendEntry(ctx context.Context, in *patientrecordv1.ChangeEntryRequest) (*patientrecordv1.RecordEntry, error) {
	return altered(ctx, "AmendEntry", in, s.clinical.Amend)
}

// CorrectEntry implements the contract.
func (s *ClinicalServer) CorrectEntry(ctx context.Context, in *patientrecordv1.ChangeEntryRequest) (*patientrecordv1.RecordEntry, error) {
	return altered(ctx, "CorrectEntry", in, s.clinical.Correct)
}

// MarkEnteredInError implements the contract.
func (s *ClinicalServer) MarkEnteredInError(ctx context.Context, in *patientrecordv1.ChangeEntryRequest) (*patientrecordv1.RecordEntry, error) {
	in = proto.CloneOf(in)
	in.Content = nil
	return altered(ctx, "MarkEnteredInError", in, s.clinical.MarkInError)
}

type altering func(context.Context, authn.Identity, app.Altering) (app.ShownEntry, error)

func altered(ctx context.Context, method string, in *patientrecordv1.ChangeEntryRequest, do altering) (*patientrecordv1.RecordEntry, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	change := app.Altering{
		PatientID: in.GetPatientId(), EntryID: in.GetId(), Version: in.GetVersion(),
		Why: domain.Why{Code: in.GetReasonCode(), Note: in.GetNote()},
	}
	if method != "MarkEnteredInError" {
		if change.Statement, err = toStatement(entryPath(0), in.GetContent()); err != nil {
			return nil, err
		}
	}
	if change.Request, err = request(method, in.GetRequestId(), in); err != nil {
		return nil, err
	}
	written, err := do(ctx, who, change)
	if err != nil {
		return nil, err
	}
	return fromOne(written)
}

// GetEntry implements the contract.
func (s *ClinicalServer) GetEntry(ctx context.Context, in *patientrecordv1.GetEntryRequest) (*patientrecordv1.RecordEntry, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	w, err := s.clinical.Entry(ctx, who, in.GetPatientId(), in.GetId())
	if err != nil {
		return nil, err
	}
	return fromOne(w)
}

// ListEntryVersions implements the contract.
func (s *ClinicalServer) ListEntryVersions(ctx context.Context, in *patientrecordv1.GetEntryRequest) (*patientrecordv1.ListEntryVersionsResponse, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	versions, err := s.clinical.Versions(ctx, who, in.GetPatientId(), in.GetId())
	if err != nil {
		return nil, err
	}
	out := &patientrecordv1.ListEntryVersionsResponse{}
	out.Versions, err = fromWritten(versions)
	return out, err
}

// ListEntries implements the contract.
func (s *ClinicalServer) ListEntries(ctx context.Context, in *patientrecordv1.ListEntriesRequest) (*patientrecordv1.ListEntriesResponse, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	after, err := readCursor(in.GetPageToken())
	if err != nil {
		return nil, err
	}
	l := app.Listing{
		Category: in.GetCategory(), From: timeOf(in.GetFrom()), To: timeOf(in.GetTo()), WithErrors: in.GetWithErrors(), After: after,
	}
	for _, name := range in.GetKinds() {
		kind := domain.EntryKind(name)
		if !slices.Contains(domain.Kinds(), kind) {
			return nil, errs.Invalid(errs.Bad("kinds", errs.ReasonFieldUnknown))
		}
		l.Kinds = append(l.Kinds, kind)
	}
	page, err := s.clinical.Entries(ctx, who, in.GetPatientId(), l, int(in.GetPageSize()))
	if err != nil {
		return nil, err
	}
	entries, err := fromWritten(page.Entries)
	return &patientrecordv1.ListEntriesResponse{Entries: entries, NextPageToken: cursorToken(page.Next), Withheld: fromWithheld(page.Withheld)}, err
}

// GetTrends implements the contract.
func (s *ClinicalServer) GetTrends(ctx context.Context, in *patientrecordv1.GetTrendsRequest) (*patientrecordv1.GetTrendsResponse, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	drawn, err := s.clinical.Trends(ctx, who, app.Charting{
		PatientID: in.GetPatientId(), Names: in.GetNames(), Span: app.Measuring{From: timeOf(in.GetFrom()), To: timeOf(in.GetTo())},
		Panels: panels(), Read: readings,
	})
	if err != nil {
		return nil, err
	}
	out := &patientrecordv1.GetTrendsResponse{Truncated: drawn.Truncated, Withheld: fromWithheld(drawn.Withheld)}
	for _, t := range drawn.Trends {
		out.Trends = append(out.Trends, fromTrend(t))
	}
	return out, nil
}

func fromTrend(t domain.Trend) *patientrecordv1.Trend {
	out := &patientrecordv1.Trend{
		Name: t.Chart.Name, Label: t.Chart.Label, LabelEn: t.Chart.LabelEn, Unit: t.Chart.Unit,
		AxisLow: t.Chart.Low, AxisHigh: t.Chart.High, LeftOut: int32(t.LeftOut),
	}
	for _, l := range t.Lines {
		line := &patientrecordv1.TrendLine{Name: l.Measure.Name, Label: l.Measure.Label, LabelEn: l.Measure.LabelEn}
		for _, r := range l.Readings {
			line.Points = append(line.Points, &patientrecordv1.TrendPoint{
				Time: stamp(r.Time), Value: r.Value, EntryId: r.EntryID, Version: r.Version, OrganizationId: r.Organization,
			})
		}
		if l.HasRange {
			line.Range = &patientrecordv1.ReferenceRange{Low: l.Range.Low, High: l.Range.High, Source: l.Range.Source, Certainty: l.Range.Certainty}
		}
		out.Lines = append(out.Lines, line)
	}
	return out
}

// panels are codes of observations that hold several values, of which lines are drawn: a blood pressure's (LOINC, OWN_HIGH).
func panels() []string { return []string{"http://loinc.org|85354-9", "http://loinc.org|55284-4"} }

// readings takes an observation apart.
func readings(w domain.Written) ([]domain.Reading, error) {
	o := &patientrecordv1.Observation{}
	if err := proto.Unmarshal(w.Content, o); err != nil {
		return nil, fmt.Errorf("read content of entry %s: %w", w.ID, err)
	}
	var out []domain.Reading
	for _, m := range measuredIn(o) {
		out = append(out, domain.Reading{Measured: m, Time: w.Time, EntryID: w.ID, Version: w.Version, Organization: w.Organization})
	}
	return out, nil
}

// measuredIn are the numbers of an observation, those of its parts too.
func measuredIn(o *patientrecordv1.Observation) []domain.Measured {
	var out []domain.Measured
	add := func(codes []*commonv1.Coding, q *patientrecordv1.Quantity) {
		if q != nil {
			out = append(out, domain.Measured{Code: code(codes, ""), Value: q.GetValue(), Unit: q.GetUnit()})
		}
	}
	add(o.GetCodes(), o.GetQuantity())
	for _, c := range o.GetComponents() {
		add([]*commonv1.Coding{c.GetCode()}, c.GetQuantity())
	}
	return out
}
