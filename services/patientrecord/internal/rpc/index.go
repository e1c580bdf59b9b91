package rpc

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// indexServer implements the contract's PatientIndexService.
type indexServer struct {
	patientrecordv1.UnimplementedPatientIndexServiceServer
	index *app.Index
}

// requested is a request with its id, so that a repeat is told from another.
func requested(method, requestID string, in proto.Message) (app.Request, error) {
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(in)
	if err != nil {
		return app.Request{}, fmt.Errorf("encode request of %s: %w", method, err)
	}
	return app.Request{Method: method, ID: requestID, Body: body}, nil
}

// UpdatePatient implements the contract.
func (s indexServer) UpdatePatient(ctx context.Context, in *patientrecordv1.UpdatePatientRequest) (*patientrecordv1.Patient, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	change, fields := correction(in)
	if len(fields) > 0 {
		return nil, errs.Invalid(fields...)
	}
	request, err := requested("UpdatePatient", in.GetRequestId(), in)
	if err != nil {
		return nil, err
	}
	shown, err := s.index.Update(ctx, who, app.Update{Request: request, Patient: in.GetId(), Version: in.GetVersion(), Change: change})
	if err != nil {
		return nil, err
	}
	return fromShown(shown), nil
}

// correction is the change that a request asks for: the fields that it gives.
func correction(in *patientrecordv1.UpdatePatientRequest) (func(domain.Details) domain.Details, []errs.Field) {
	birth, fields := dateOf("birthDate", in.GetBirthDate())
	document, ok := toDocumentType(in.GetDocumentType())
	if !ok {
		fields = append(fields, errs.Bad("documentType", errs.ReasonFieldUnknown))
	}
	if _, known := commonv1.Sex_Code_name[int32(in.GetSex())]; !known {
		fields = append(fields, errs.Bad("sex", errs.ReasonFieldUnknown))
	}
	return func(d domain.Details) domain.Details {
		for given, to := range map[*string]*string{
			in.Name: &d.Name, in.IdentityNumber: &d.IdentityNumber, in.NoDocumentReason: &d.NoDocumentReason, in.Phone: &d.Phone,
			in.Address: &d.Address, in.Village: &d.Village, in.HealthRecordNumber: &d.HealthRecordNumber,
			in.InsuranceNumber: &d.InsuranceNumber, in.GuardianName: &d.GuardianName, in.GuardianPhone: &d.GuardianPhone,
		} {
			if given != nil {
				*to = *given
			}
		}
		if in.Sex != nil {
			d.Sex = toSex(in.GetSex())
		}
		if in.BirthDate != nil {
			d.BirthDate = birth
		}
		if in.DocumentType != nil {
			d.DocumentType = document
		}
		return d
	}, fields
}

// RevealPatient implements the contract.
func (s indexServer) RevealPatient(ctx context.Context, in *patientrecordv1.RevealPatientRequest) (*patientrecordv1.Patient, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	switch in.GetPurpose() {
	case "CONTACT", "INSURANCE", "IDENTIFY", "OTHER":
	case "":
		return nil, errs.Invalid(errs.Required("purpose"))
	default:
		return nil, errs.Invalid(errs.Bad("purpose", errs.ReasonFieldUnknown))
	}
	shown, err := s.index.Reveal(ctx, who, in.GetId(), in.GetPurpose())
	if err != nil {
		return nil, err
	}
	return fromShown(shown), nil
}

// FindLikelyPatients implements the contract.
func (s indexServer) FindLikelyPatients(ctx context.Context, in *patientrecordv1.RegisterPatientRequest) (*patientrecordv1.FindLikelyPatientsResponse, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	details, fields := registration(in)
	if len(fields) > 0 {
		return nil, errs.Invalid(fields...)
	}
	list, err := s.index.Likely(ctx, who, details)
	if err != nil {
		return nil, err
	}
	out := &patientrecordv1.FindLikelyPatientsResponse{}
	for _, l := range list {
		out.Patients = append(out.Patients, &patientrecordv1.LikelyPatient{
			Patient: fromShown(l.Shown), Score: int32(l.Comparison.Score),
			Agrees: featureNames(l.Comparison.Agrees), Differs: featureNames(l.Comparison.Differs),
		})
	}
	return out, nil
}

// FindAuditedPatients implements the contract.
func (s indexServer) FindAuditedPatients(ctx context.Context, in *patientrecordv1.FindAuditedPatientsRequest) (*patientrecordv1.FindAuditedPatientsResponse, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	list, more, err := s.index.FindAudited(ctx, who, in.GetQuery())
	if err != nil {
		return nil, err
	}
	out := &patientrecordv1.FindAuditedPatientsResponse{More: more}
	for _, one := range list {
		out.Patients = append(out.Patients, &patientrecordv1.AuditedPatient{Patient: fromShown(one.Shown), MergedIds: one.Merged})
	}
	return out, nil
}

// ListMatches implements the contract.
func (s indexServer) ListMatches(ctx context.Context, in *patientrecordv1.ListMatchesRequest) (*patientrecordv1.ListMatchesResponse, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	after, err := readMatchCursor(in.GetPageToken())
	if err != nil {
		return nil, err
	}
	page, next, err := s.index.Matches(ctx, who, after, int(in.GetPageSize()))
	if err != nil {
		return nil, err
	}
	out := &patientrecordv1.ListMatchesResponse{}
	for _, m := range page {
		out.Matches = append(out.Matches, fromMatch(m))
	}
	if next != (app.MatchCursor{}) {
		out.NextPageToken = strconv.Itoa(next.Score) + "." + next.ID
	}
	return out, nil
}

func readMatchCursor(token string) (app.MatchCursor, error) {
	if token == "" {
		return app.MatchCursor{}, nil
	}
	score, last, _ := strings.Cut(token, ".")
	n, err := strconv.Atoi(score)
	if err != nil || !id.Valid(last) {
		return app.MatchCursor{}, errs.Invalid(errs.Bad("pageToken", errs.ReasonFieldInvalid))
	}
	return app.MatchCursor{Score: n, ID: last}, nil
}

// GetMatch implements the contract.
func (s indexServer) GetMatch(ctx context.Context, in *patientrecordv1.GetMatchRequest) (*patientrecordv1.Match, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	m, err := s.index.Match(ctx, who, in.GetId())
	if err != nil {
		return nil, err
	}
	return fromMatch(m), nil
}

// DecideMatch implements the contract.
func (s indexServer) DecideMatch(ctx context.Context, in *patientrecordv1.DecideMatchRequest) (*patientrecordv1.Match, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	survivor := in.GetSurvivorId()
	switch {
	case in.GetDecision() == "MERGE" && survivor == "":
		return nil, errs.Invalid(errs.Required("survivorId"))
	case in.GetDecision() != "MERGE":
		survivor = ""
	}
	request, err := requested("DecideMatch", in.GetRequestId(), in)
	if err != nil {
		return nil, err
	}
	m, err := s.index.Decide(ctx, who, app.Decide{
		Linking: app.Linking{Request: request, Version: in.GetVersion(), Reason: in.GetReason()}, Match: in.GetId(), Survivor: survivor,
	})
	if err != nil {
		return nil, err
	}
	return fromMatch(m), nil
}

// ListMerges implements the contract.
func (s indexServer) ListMerges(ctx context.Context, in *patientrecordv1.ListMergesRequest) (*patientrecordv1.ListMergesResponse, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	list, err := s.index.Merges(ctx, who, in.GetPatientId())
	if err != nil {
		return nil, err
	}
	out := &patientrecordv1.ListMergesResponse{}
	for _, m := range list {
		out.Merges = append(out.Merges, fromMerge(m))
	}
	return out, nil
}

// UnmergePatients implements the contract.
func (s indexServer) UnmergePatients(ctx context.Context, in *patientrecordv1.UnmergePatientsRequest) (*patientrecordv1.Merge, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	request, err := requested("UnmergePatients", in.GetRequestId(), in)
	if err != nil {
		return nil, err
	}
	m, err := s.index.Unmerge(ctx, who, in.GetId(), app.Linking{Request: request, Reason: in.GetReason()})
	if err != nil {
		return nil, err
	}
	return fromMerge(m), nil
}

func fromMatch(m app.ShownMatch) *patientrecordv1.Match {
	return &patientrecordv1.Match{
		Id: m.Match.ID, Version: m.Match.Version, State: string(m.Match.State), Score: int32(m.Match.Comparison.Score),
		Agrees: featureNames(m.Match.Comparison.Agrees), Differs: featureNames(m.Match.Comparison.Differs),
		First: fromShown(m.First), Second: fromShown(m.Second), MayDecide: m.MayDecide, SurvivorId: m.Survivor, SurvivorFixed: m.MustSurvive,
		Decision: fromDecision(m.Match.Decision),
	}
}

func fromMerge(m domain.Merge) *patientrecordv1.Merge {
	return &patientrecordv1.Merge{
		Id: m.ID, MergedPatientId: m.Merged, SurvivingPatientId: m.Survivor, MatchId: m.MatchID,
		Done: fromDecision(m.Done), Undone: fromDecision(m.Undone),
	}
}

func fromDecision(d domain.Decision) *patientrecordv1.Linking {
	if d.At.IsZero() {
		return nil
	}
	return &patientrecordv1.Linking{AccountId: d.Account, OrganizationId: d.Organization, Time: stamp(d.At), Reason: d.Reason}
}

func featureNames(fs []domain.Feature) []string {
	out := make([]string, len(fs))
	for i, f := range fs {
		out[i] = string(f)
	}
	return out
}
