package events

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
)

// PersonConsumer reads patient-record's facts about patients who are one person.
func PersonConsumer() bus.Consumer {
	return bus.Consumer{
		Name: "scheduling-person", Workers: 1, Subjects: []string{"record.v1.*.patient_merged", "record.v1.*.patient_unmerged"},
	}
}

// linkFact is a fact about two records of a person.
type linkFact interface {
	proto.Message
	GetMeta() *commonv1.FactMeta
	GetMergedPatientId() string
	GetSurvivingPatientId() string
}

// OnPerson hands a fact to the use case. An unreadable one is an error: it ends as a dead letter.
func OnPerson(a *app.App) func(context.Context, bus.Msg) error {
	consumer := PersonConsumer().Name
	return func(ctx context.Context, m bus.Msg) error {
		var f linkFact = &patientrecordv1.PatientMerged{}
		holds := !strings.HasSuffix(m.Subject, ".patient_unmerged")
		if !holds {
			f = &patientrecordv1.PatientUnmerged{}
		}
		if err := proto.Unmarshal(m.Payload, f); err != nil {
			return fmt.Errorf("read fact %s: %w", m.ID, err)
		}
		meta := f.GetMeta()
		if meta.GetFactId() == "" || meta.GetCounty() == "" || f.GetMergedPatientId() == "" || f.GetSurvivingPatientId() == "" {
			return fmt.Errorf("read fact %s: it names no fact, county or patients", m.ID)
		}
		return a.OnPerson(ctx, app.PatientLink{
			Consumer: consumer, FactID: meta.GetFactId(), County: meta.GetCounty(), Version: meta.GetAggregateVersion(),
			Merged: f.GetMergedPatientId(), Survivor: f.GetSurvivingPatientId(), Holds: holds,
		})
	}
}
