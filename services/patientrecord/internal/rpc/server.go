// Package rpc is the gRPC face of patient-record: protobuf to use case and back, who may call what, and the calls to the
// referral service. It decides nothing about access.
package rpc

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// Server implements the service of the contract.
type Server struct {
	patientrecordv1.UnimplementedPatientRecordServiceServer
	app *app.App
}

// NewServer serves the use cases.
func NewServer(a *app.App) *Server { return &Server{app: a} }

// Register adds the service to a gRPC server.
func (s *Server) Register(r grpc.ServiceRegistrar) {
	patientrecordv1.RegisterPatientRecordServiceServer(r, s)
	patientrecordv1.RegisterAccessServiceServer(r, accessServer{app: s.app})
	patientrecordv1.RegisterConsentServiceServer(r, consentServer{app: s.app})
	patientrecordv1.RegisterExportServiceServer(r, exportServer{app: s.app})
	patientrecordv1.RegisterPatientIndexServiceServer(r, indexServer{index: app.NewIndex(s.app)})
}

func caller(ctx context.Context) (authn.Identity, error) {
	who, ok := authn.FromContext(ctx)
	if !ok {
		return who, errs.New(errs.KindUnauthenticated, errs.ReasonSessionExpired, "the call has no identity", nil)
	}
	return who, nil
}

// RegisterPatient implements the contract.
func (s *Server) RegisterPatient(ctx context.Context, in *patientrecordv1.RegisterPatientRequest) (*patientrecordv1.Patient, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	details, fields := registration(in)
	if len(fields) > 0 {
		return nil, errs.Invalid(append(fields, s.app.Check(details, fields)...)...)
	}
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(in)
	if err != nil {
		return nil, err
	}
	shown, err := s.app.Register(ctx, who, app.Registration{
		Request: app.Request{Method: "RegisterPatient", ID: in.GetRequestId(), Body: body}, Details: details,
		SameAs: in.GetSameAsPatientId(), Mother: app.Named{IdentityNumber: in.GetMotherIdentityNumber(), PatientID: in.GetMotherPatientId()},
	})
	if err != nil {
		return nil, err
	}
	return fromShown(shown), nil
}

// GetPatient implements the contract.
func (s *Server) GetPatient(ctx context.Context, in *patientrecordv1.GetPatientRequest) (*patientrecordv1.Patient, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	shown, err := s.app.Patient(ctx, who, in.GetId())
	if err != nil {
		return nil, err
	}
	return fromShown(shown), nil
}

// SearchPatients implements the contract.
func (s *Server) SearchPatients(ctx context.Context, in *patientrecordv1.SearchPatientsRequest) (*patientrecordv1.SearchPatientsResponse, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	if in.GetPageToken() != "" && !id.Valid(in.GetPageToken()) {
		return nil, errs.Invalid(errs.Bad("pageToken", errs.ReasonFieldInvalid))
	}
	list, more, err := s.app.Search(ctx, who, app.Search{
		Query: in.GetQuery(), IdentityNumber: in.GetIdentityNumber(), PageSize: int(in.GetPageSize()), After: in.GetPageToken(), Village: in.GetVillage(),
	})
	if err != nil {
		return nil, err
	}
	out := &patientrecordv1.SearchPatientsResponse{}
	for _, shown := range list {
		out.Patients = append(out.Patients, fromShown(shown))
	}
	if more {
		out.NextPageToken = list[len(list)-1].ID
	}
	return out, nil
}

// GetSummary implements the contract.
func (s *Server) GetSummary(ctx context.Context, in *patientrecordv1.GetSummaryRequest) (*patientrecordv1.Summary, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	summary, err := s.app.Summary(ctx, who, in.GetPatientId())
	if err != nil {
		return nil, err
	}
	return fromSummary(summary)
}

// ListResults implements the contract.
func (s *Server) ListResults(ctx context.Context, in *patientrecordv1.ListResultsRequest) (*patientrecordv1.ListResultsResponse, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	after, err := readCursor(in.GetPageToken())
	if err != nil {
		return nil, err
	}
	page, err := s.app.Results(ctx, who, in.GetPatientId(), after, int(in.GetPageSize()))
	if err != nil {
		return nil, err
	}
	results, err := observations(page.Results)
	if err != nil {
		return nil, err
	}
	return &patientrecordv1.ListResultsResponse{
		Results: results, NextPageToken: cursorToken(page.Next), Withheld: fromWithheld(page.Withheld),
	}, nil
}

// GetSnapshot implements the contract.
func (s *Server) GetSnapshot(ctx context.Context, in *patientrecordv1.GetSnapshotRequest) (*patientrecordv1.PatientSnapshot, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	shown, err := s.app.Snapshot(ctx, who, in.GetPatientId(), in.GetOrganizationId())
	if err != nil {
		return nil, err
	}
	d := shown.Details
	return &patientrecordv1.PatientSnapshot{
		PatientId: shown.ID, Name: d.Name, Sex: fromSex(d.Sex), BirthDate: d.BirthDate.Text(), MaskedIdentityNumber: d.IdentityNumber,
		Phone: d.Phone, Address: d.Address, HealthRecordNumber: d.HealthRecordNumber, HomeOrganizationId: shown.Home,
		VillageClinicId: shown.VillageClinic,
	}, nil
}

// GetClinicalValues implements the contract.
func (s *Server) GetClinicalValues(ctx context.Context, in *patientrecordv1.GetSnapshotRequest) (*patientrecordv1.ClinicalValues, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	entries, err := s.app.Values(ctx, who, in.GetPatientId(), in.GetOrganizationId())
	if err != nil {
		return nil, err
	}
	return fromValues(entries)
}

// ImportRecord implements the contract.
func (s *Server) ImportRecord(ctx context.Context, in *patientrecordv1.ImportRecordRequest) (*patientrecordv1.ImportRecordResponse, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	details, fields := importedDetails(in.GetPatient())
	if len(fields) > 0 {
		return nil, errs.Invalid(fields...)
	}
	entries := make([]domain.Entry, 0, len(in.GetEntries()))
	seen := make(map[string]bool, len(in.GetEntries()))
	for i, e := range in.GetEntries() {
		entry, err := toEntry(entryPath(i), in.GetSourceSystem(), e)
		if err != nil {
			return nil, err
		}
		if seen[entry.SourceIdentity] {
			// Which of the two counts would be a guess.
			return nil, errs.Invalid(errs.Bad(entryPath(i)+".sourceIdentity", errs.ReasonFieldCombination, "with", "entries"))
		}
		seen[entry.SourceIdentity] = true
		entries = append(entries, entry)
	}
	done, err := s.app.Import(ctx, who, app.Import{
		County: in.GetCounty(), Organization: in.GetOrganizationId(), SourceSystem: in.GetSourceSystem(),
		PatientIdentity: in.GetPatientIdentity(), Details: details, Entries: entries,
	})
	if err != nil {
		return nil, err
	}
	return &patientrecordv1.ImportRecordResponse{
		PatientId: done.PatientID, PatientCreated: done.Created, Created: int32(done.Entries.Created),
		Updated: int32(done.Entries.Updated), Unchanged: int32(done.Entries.Unchanged),
	}, nil
}
