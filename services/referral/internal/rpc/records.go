package rpc

import (
	"context"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/events"
)

// Records is patient-record, asked as this service on behalf of an organisation: whether that may see the patient is decided there.
type Records struct{ Peers }

// Record implements [app.Records].
func (r Records) Record(ctx context.Context, county, patientID, organizationID string) (app.Record, error) {
	m, err := patientrecordv1.NewPatientRecordServiceClient(r.PatientRecord).GetClinicalValues(forCounty(ctx, county),
		&patientrecordv1.GetSnapshotRequest{PatientId: patientID, OrganizationId: organizationID})
	if err != nil {
		return app.Record{}, err
	}
	var out app.Record
	for _, o := range m.GetObservations() {
		// What has no number, or no time, cannot be held against a limit or an age.
		if o.GetQuantity() == nil || o.GetEffectiveTime() == nil {
			continue
		}
		one := app.Observation{Unit: o.GetQuantity().GetUnit(), Number: o.GetQuantity().GetValue(), Time: instant(o.GetEffectiveTime())}
		for _, c := range o.GetCodes() {
			one.Codes = append(one.Codes, c.GetCode())
		}
		out.Observations = append(out.Observations, one)
	}
	for _, stay := range m.GetStays() {
		out.Stays = append(out.Stays, domain.Admission{OrganizationID: stay.GetOrganizationId(), Start: instant(stay.GetStartTime())})
	}
	out.Medicines, out.Allergies = len(m.GetMedications()) > 0, m.GetAllergiesRecorded()
	for _, p := range m.GetProblems() {
		out.Problems = append(out.Problems, toDiagnoses(p.GetCodes())...)
	}
	return out, nil
}

// Patient implements [app.Records].
func (r Records) Patient(ctx context.Context, county, patientID, organizationID string) (domain.Patient, error) {
	return Patients(r).Snapshot(forCounty(ctx, county), patientID, organizationID)
}

// Formularies implements [app.Lists].
func (d Directory) Formularies(ctx context.Context, county string, page func([]domain.FormularyItem) error) error {
	client := directoryv1.NewDirectoryServiceClient(d.Directory)
	ctx = forCounty(ctx, county)
	for token := ""; ; {
		m, err := client.ListFormulary(ctx, &directoryv1.ListFormularyRequest{PageSize: directoryPage, PageToken: token})
		if err != nil {
			return err
		}
		if err := page(events.FormularyItems(county, m.GetItems())); err != nil {
			return err
		}
		if token = m.GetNextPageToken(); token == "" {
			return nil
		}
	}
}

// Capabilities implements [app.Lists].
func (d Directory) Capabilities(ctx context.Context, county string) ([]app.Capabilities, error) {
	m, err := directoryv1.NewDirectoryServiceClient(d.Directory).ListCapabilities(forCounty(ctx, county), &directoryv1.ListCapabilitiesRequest{})
	if err != nil {
		return nil, err
	}
	out := make([]app.Capabilities, len(m.GetOrganizations()))
	for i, c := range m.GetOrganizations() {
		out[i] = events.Capabilities(county, c)
	}
	return out, nil
}
