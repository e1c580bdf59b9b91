package events

import (
	"context"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// Stays is what follows from stays in wards.
type Stays interface {
	EncounterOpened(ctx context.Context, e app.Encounter) error
	EncounterClosed(ctx context.Context, e app.Encounter) error
	EncounterCancelled(ctx context.Context, e app.Encounter) error
	StayDeadline(ctx context.Context, county, factID, referralID string) error
}

// Arrivals is the consumer of registrations that may make an arrival. It is apart from Encounters, so that neither waits for the other.
func Arrivals() bus.Consumer {
	return bus.Consumer{Name: "referral-registration", Workers: 1, Subjects: []string{"record.v1.*.encounter_opened"}}
}

// OnRegistration makes the arrival of the referral that a registration answers.
func OnRegistration(registered func(context.Context, app.Encounter) error) func(context.Context, bus.Msg) error {
	return func(ctx context.Context, m bus.Msg) error {
		return onEncounter(ctx, m, &patientrecordv1.EncounterOpened{}, registered)
	}
}

// Encounters is the consumer of patient-record's facts about visits and stays.
func Encounters() bus.Consumer {
	return bus.Consumer{
		Name: "referral-encounter", Workers: 1,
		Subjects: []string{"record.v1.*.encounter_opened", "record.v1.*.encounter_closed", "record.v1.*.encounter_cancelled"},
	}
}

// OnEncounter watches a stay that begins, looks for a candidate when it ends and takes back what followed when it never was.
func OnEncounter(s Stays) func(context.Context, bus.Msg) error {
	return func(ctx context.Context, m bus.Msg) error {
		switch {
		case strings.HasSuffix(m.Subject, ".encounter_opened"):
			return onEncounter(ctx, m, &patientrecordv1.EncounterOpened{}, s.EncounterOpened)
		case strings.HasSuffix(m.Subject, ".encounter_cancelled"):
			return onEncounter(ctx, m, &patientrecordv1.EncounterCancelled{}, s.EncounterCancelled)
		}
		return onEncounter(ctx, m, &patientrecordv1.EncounterClosed{}, s.EncounterClosed)
	}
}

// toldEncounter is a fact of patient-record about an encounter.
type toldEncounter interface {
	told
	GetEncounter() *patientrecordv1.EncounterFact
}

func onEncounter(ctx context.Context, m bus.Msg, f toldEncounter, follow func(context.Context, app.Encounter) error) error {
	if err := read(m, f); err != nil {
		return err
	}
	return follow(ctx, encounter(f, f.GetEncounter()))
}

func encounter(f told, e *patientrecordv1.EncounterFact) app.Encounter {
	return app.Encounter{
		County: f.GetMeta().GetCounty(), FactID: f.GetMeta().GetFactId(), ID: e.GetEncounterId(), PatientID: e.GetPatientId(),
		OrganizationID: e.GetOrganizationId(), DepartmentCode: e.GetDepartmentCode(), Class: e.GetClass(), DischargeWay: e.GetDischargeWay(),
		HomeOrganizationID: e.GetHomeOrganizationId(), Codes: e.GetDiagnosisCodes(),
		Start: instant(e.GetStartTime()), End: instant(e.GetEndTime()), Version: f.GetMeta().GetAggregateVersion(),
	}
}

func instant(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime().Truncate(time.Microsecond)
}

// LongStays is the consumer of our own facts about limits that passed.
func LongStays() bus.Consumer {
	return bus.Consumer{Name: "referral-stay", Subjects: []string{"referral.v1.*.deadline_passed"}, Workers: 1}
}

// OnDeadline looks for a candidate when the stay of an up-referral is longer than usual. The other limits, and what is told of one again,
// concern others.
func OnDeadline(s Stays) func(context.Context, bus.Msg) error {
	return func(ctx context.Context, m bus.Msg) error {
		var f referralv1.DeadlinePassed
		if err := read(m, &f); err != nil {
			return err
		}
		if f.GetDeadline().GetStep() != string(domain.StepStay) || f.GetDeadline().GetLevel() != 1 {
			return nil
		}
		return s.StayDeadline(ctx, f.GetMeta().GetCounty(), f.GetMeta().GetFactId(), f.GetReferral().GetReferralId())
	}
}
