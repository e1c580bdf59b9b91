package events

import (
	"context"
	"strings"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
)

// People is the consumer of patient-record's facts about patients who are one person.
func People() bus.Consumer {
	return bus.Consumer{
		Name: "referral-person", Workers: 1, Subjects: []string{"record.v1.*.patient_merged", "record.v1.*.patient_unmerged"},
	}
}

// toldLink is a fact about two records of a person.
type toldLink interface {
	told
	GetMergedPatientId() string
	GetSurvivingPatientId() string
}

// OnPeople hands a fact to the use case.
func OnPeople(p interface {
	OnPerson(context.Context, app.PatientLink) error
}) func(context.Context, bus.Msg) error {
	return func(ctx context.Context, m bus.Msg) error {
		var f toldLink = &patientrecordv1.PatientMerged{}
		holds := !strings.HasSuffix(m.Subject, ".patient_unmerged")
		if !holds {
			f = &patientrecordv1.PatientUnmerged{}
		}
		if err := read(m, f); err != nil {
			return err
		}
		return p.OnPerson(ctx, app.PatientLink{
			County: f.GetMeta().GetCounty(), FactID: f.GetMeta().GetFactId(), Version: f.GetMeta().GetAggregateVersion(),
			Merged: f.GetMergedPatientId(), Survivor: f.GetSurvivingPatientId(), Holds: holds,
		})
	}
}
