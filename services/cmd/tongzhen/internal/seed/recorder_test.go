package seed_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"buf.build/go/protovalidate"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/seed"
)

const demo = "450321"

// asOf is Saturday morning in Beijing, still Friday in UTC.
func asOf() time.Time { return time.Date(2026, 3, 20, 17, 0, 0, 0, time.UTC) }

func options(county string) seed.Options {
	return seed.Options{County: county, AsOf: asOf(), Seed: 1, Password: "right-password"}
}

// recorder stands for all services: it keeps what it is sent, after the checks that the real ones begin with.
type recorder struct {
	directoryv1.DirectoryServiceClient
	directoryv1.RosterServiceClient
	schedulingv1.SchedulingServiceClient
	schedulingv1.CalendarServiceClient
	patientrecordv1.PatientRecordServiceClient

	mu            sync.Mutex
	organizations []*directoryv1.OrganizationEntry
	accounts      []*directoryv1.AccountEntry
	medicines     []*directoryv1.FormularyEntry
	capabilities  []*directoryv1.CapabilityEntry
	rosters       []*directoryv1.SetRosterRequest
	templates     []*schedulingv1.Template
	equipment     []*schedulingv1.Equipment
	wards         []*schedulingv1.Ward
	patients      []*patientrecordv1.ImportRecordRequest
	calls         int
	failAt        int // the call that fails, from 1
}

func (r *recorder) clients() seed.Clients {
	return seed.Clients{Directory: r, Roster: r, Scheduling: r, Calendar: r, PatientRecord: r}
}

var errAway = errors.New("away")

func (r *recorder) take(m proto.Message) error {
	r.calls++
	if r.calls == r.failAt {
		return errAway
	}
	return protovalidate.Validate(m)
}

func (r *recorder) ImportOrganizations(_ context.Context, in *directoryv1.ImportOrganizationsRequest, _ ...grpc.CallOption) (*directoryv1.ImportResult, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.organizations = append(r.organizations, in.GetOrganizations()...)
	return &directoryv1.ImportResult{Created: int32(len(in.GetOrganizations()))}, r.take(in)
}

func (r *recorder) ImportAccounts(_ context.Context, in *directoryv1.ImportAccountsRequest, _ ...grpc.CallOption) (*directoryv1.ImportResult, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.accounts = append(r.accounts, in.GetAccounts()...)
	return &directoryv1.ImportResult{Created: int32(len(in.GetAccounts()))}, r.take(in)
}

func (r *recorder) ImportFormulary(_ context.Context, in *directoryv1.ImportFormularyRequest, _ ...grpc.CallOption) (*directoryv1.ImportResult, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.medicines = append(r.medicines, in.GetItems()...)
	return &directoryv1.ImportResult{Created: int32(len(in.GetItems()))}, r.take(in)
}

func (r *recorder) ImportCapabilities(_ context.Context, in *directoryv1.ImportCapabilitiesRequest, _ ...grpc.CallOption) (*directoryv1.ImportResult, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.capabilities = append(r.capabilities, in.GetEntries()...)
	return &directoryv1.ImportResult{Created: int32(len(in.GetEntries()))}, r.take(in)
}

func (r *recorder) GetRoster(_ context.Context, in *directoryv1.GetRosterRequest, _ ...grpc.CallOption) (*directoryv1.Roster, error) {
	return &directoryv1.Roster{}, protovalidate.Validate(in)
}

func (r *recorder) SetRoster(_ context.Context, in *directoryv1.SetRosterRequest, _ ...grpc.CallOption) (*directoryv1.Roster, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rosters = append(r.rosters, in)
	return &directoryv1.Roster{Version: 1}, r.take(in)
}

func (r *recorder) CreateSchedules(_ context.Context, in *schedulingv1.CreateSchedulesRequest, _ ...grpc.CallOption) (*schedulingv1.CreateSchedulesResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wards = append(r.wards, in.GetWards()...)
	return &schedulingv1.CreateSchedulesResponse{SlotsCreated: 1, BedsCreated: 1}, r.take(in)
}

func (r *recorder) ListEquipment(_ context.Context, in *schedulingv1.ListEquipmentRequest, _ ...grpc.CallOption) (*schedulingv1.ListEquipmentResponse, error) {
	return &schedulingv1.ListEquipmentResponse{}, protovalidate.Validate(in)
}

func (r *recorder) ListTemplates(_ context.Context, in *schedulingv1.ListTemplatesRequest, _ ...grpc.CallOption) (*schedulingv1.ListTemplatesResponse, error) {
	return &schedulingv1.ListTemplatesResponse{}, protovalidate.Validate(in)
}

func (r *recorder) SaveEquipment(_ context.Context, in *schedulingv1.SaveEquipmentRequest, _ ...grpc.CallOption) (*schedulingv1.Equipment, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.equipment = append(r.equipment, in.GetEquipment())
	return in.GetEquipment(), r.take(in)
}

func (r *recorder) SaveTemplate(_ context.Context, in *schedulingv1.SaveTemplateRequest, _ ...grpc.CallOption) (*schedulingv1.SaveTemplateResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.templates = append(r.templates, in.GetTemplate())
	return &schedulingv1.SaveTemplateResponse{Template: in.GetTemplate(), Made: 1}, r.take(in)
}

func (r *recorder) ImportRecord(_ context.Context, in *patientrecordv1.ImportRecordRequest, _ ...grpc.CallOption) (*patientrecordv1.ImportRecordResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.patients = append(r.patients, in)
	return &patientrecordv1.ImportRecordResponse{PatientCreated: true}, r.take(in)
}

// built is the county as the services were told it.
func built(t *testing.T, opt seed.Options) (*recorder, seed.Report) {
	t.Helper()
	r := &recorder{}
	report, err := seed.County(t.Context(), r.clients(), opt, func(int, int, string) {})
	if err != nil {
		t.Fatal(err)
	}
	return r, report
}
