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
	StayDeadline(ctx context.Context, county, factID, referralID string) error
}

// Encounters is the consumer of patient-record's facts about visits and stays.
func Encounters() bus.Consumer {
	return bus.Consumer{
		Name: "referral-encounter", Workers: 1,
		Subjects: []string{"record.v1.*.encounter_opened", "record.v1.*.encounter_closed"},
	}
}

// OnEncounter watches a stay that begins and looks for a candidate when it ends.
func OnEncounter(s Stays) func(context.Context, bus.Msg) error {
	return func(ctx context.Context, m bus.Msg) error {
		if strings.HasSuffix(m.Subject, ".encounter_opened") {
			var f patientrecordv1.EncounterOpened
			if err := read(m, &f); err != nil {
				return err
			}
			return s.EncounterOpened(ctx, encounter(&f, f.GetEncounter()))
		}
		var f patientrecordv1.EncounterClosed
		if err := read(m, &f); err != nil {
			return err
		}
		return s.EncounterClosed(ctx, encounter(&f, f.GetEncounter()))
	}
}

func encounter(f told, e *patientrecordv1.EncounterFact) app.Encounter {
	return app.Encounter{
		County: f.GetMeta().GetCounty(), FactID: f.GetMeta().GetFactId(), ID: e.GetEncounterId(), PatientID: e.GetPatientId(),
		OrganizationID: e.GetOrganizationId(), DepartmentCode: e.GetDepartmentCode(), Class: e.GetClass(), DischargeWay: e.GetDischargeWay(),
		HomeOrganizationID: e.GetHomeOrganizationId(), Codes: e.GetDiagnosisCodes(),
		Start: instant(e.GetStartTime()), End: instant(e.GetEndTime()),
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
