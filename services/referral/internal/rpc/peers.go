package rpc

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/events"
)

// Peers are the connections to the services that referral calls.
type Peers struct {
	Directory, PatientRecord, Scheduling grpc.ClientConnInterface
}

// forCounty calls as this service, in the county of the person it serves: what only a service may call.
func forCounty(ctx context.Context, county string) context.Context {
	return rpc.AsService(rpc.WithCounty(ctx, county))
}

// Patients is patient-record. It is asked as the person: whether the organisation may see the patient is decided there.
type Patients struct{ Peers }

// Snapshot implements [app.Patients].
func (p Patients) Snapshot(ctx context.Context, patientID, organizationID string) (domain.Patient, error) {
	m, err := patientrecordv1.NewPatientRecordServiceClient(p.PatientRecord).GetSnapshot(ctx,
		&patientrecordv1.GetSnapshotRequest{PatientId: patientID, OrganizationId: organizationID})
	if err != nil {
		return domain.Patient{}, err
	}
	return domain.Patient{
		Name: m.GetName(), Sex: word(m.GetSex()), BirthDate: m.GetBirthDate(), MaskedIdentityNumber: m.GetMaskedIdentityNumber(),
		Phone: m.GetPhone(), Address: m.GetAddress(), HealthRecordNumber: m.GetHealthRecordNumber(), VillageClinicID: m.GetVillageClinicId(),
	}, nil
}

// Capacity is scheduling.
type Capacity struct{ Peers }

// AttachHold implements [app.Capacity].
func (c Capacity) AttachHold(ctx context.Context, a app.Attachment) (app.Reserved, error) {
	m, err := schedulingv1.NewSchedulingServiceClient(c.Scheduling).AttachHold(forCounty(ctx, a.County), &schedulingv1.AttachHoldRequest{
		County: a.County, HoldId: a.HoldID, ReferralId: a.ReferralID, PatientId: a.PatientID, KeepUntil: timestamppb.New(a.KeepUntil),
	})
	if err != nil {
		return app.Reserved{}, err
	}
	return app.Reserved{Place: place(m), Window: window(m)}, nil
}

// ConfirmHold implements [app.Capacity].
func (c Capacity) ConfirmHold(ctx context.Context, a app.Attachment) (app.Reserved, error) {
	m, err := schedulingv1.NewSchedulingServiceClient(c.Scheduling).ConfirmHold(forCounty(ctx, a.County), &schedulingv1.ConfirmHoldRequest{
		County: a.County, HoldId: a.HoldID, ReferralId: a.ReferralID, PatientId: a.PatientID, OriginatorOrganizationId: a.OriginatorOrganizationID,
	})
	if err != nil {
		return app.Reserved{}, err
	}
	return app.Reserved{BookingID: m.GetId(), Ward: m.GetWard(), Label: m.GetBed(), Place: place(m), Window: window(m)}, nil
}

func place(m interface {
	GetOrganizationId() string
	GetDepartmentCode() string
	GetModality() string
	GetBedId() string
}) domain.Place {
	return domain.Place{OrganizationID: m.GetOrganizationId(), DepartmentCode: m.GetDepartmentCode(), Modality: m.GetModality(), Bed: m.GetBedId() != ""}
}

// window is when a slot is; a bed has no end, the patient is expected within the day that it is kept from.
func window(m interface {
	GetStart() *timestamppb.Timestamp
	GetEnd() *timestamppb.Timestamp
}) domain.Window {
	w := domain.Window{From: instant(m.GetStart()), To: instant(m.GetEnd())}
	if w.To.IsZero() && !w.From.IsZero() {
		w.To = w.From.Add(24 * time.Hour)
	}
	return w
}

// Directory is directory.
type Directory struct{ Peers }

// Organization implements [app.Directory].
func (d Directory) Organization(ctx context.Context, county, id string) (app.Organization, error) {
	client := directoryv1.NewDirectoryServiceClient(d.Directory)
	ctx = forCounty(ctx, county)
	o, err := client.GetOrganization(ctx, &directoryv1.GetOrganizationRequest{Id: id})
	if err != nil {
		return app.Organization{}, err
	}
	departments, err := client.ListDepartments(ctx, &directoryv1.ListDepartmentsRequest{OrganizationId: id})
	if err != nil {
		return app.Organization{}, err
	}
	return events.Organization(o, departments.GetDepartments()), nil
}

const directoryPage = 200

// All implements [app.Directory].
func (d Directory) All(ctx context.Context, county string) ([]app.Organization, error) {
	client := directoryv1.NewDirectoryServiceClient(d.Directory)
	ctx = forCounty(ctx, county)
	list, err := client.ListDepartments(ctx, &directoryv1.ListDepartmentsRequest{})
	if err != nil {
		return nil, err
	}
	departments := map[string][]*directoryv1.Department{}
	for _, x := range list.GetDepartments() {
		departments[x.GetOrganizationId()] = append(departments[x.GetOrganizationId()], x)
	}
	var out []app.Organization
	for token := ""; ; {
		page, err := client.ListOrganizations(ctx, &directoryv1.ListOrganizationsRequest{PageSize: directoryPage, PageToken: token})
		if err != nil {
			return nil, err
		}
		for _, o := range page.GetOrganizations() {
			out = append(out, events.Organization(o, departments[o.GetId()]))
		}
		if token = page.GetNextPageToken(); token == "" {
			return out, nil
		}
	}
}
