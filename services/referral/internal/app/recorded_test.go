package app_test

import (
	"strings"
	"testing"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain/domaintest"
)

// recording is a patient who came to the hospital without a referral.
func recording(patient string) app.Recording {
	return app.Recording{Action: domain.ActionRecordArrival, Reason: "PHONE", Draft: domain.Draft{
		Direction: domain.Up, Kind: domain.KindOutpatient, Urgency: domain.UrgencyRoutine, PatientID: patient,
		Originator: domain.Party{OrganizationID: centre}, Receiver: domain.Party{DepartmentCode: "0304"},
		Diagnoses: []domain.Diagnosis{{Code: "I63.9"}},
	}}
}

// leaving is a patient who left the county.
func leaving(patient string) app.Recording {
	return app.Recording{Action: domain.ActionRecordOut, Reason: "BEYOND_COUNTY", Destination: "桂林医学院附属医院", Draft: domain.Draft{
		Direction: domain.Out, Kind: domain.KindExternal, PatientID: patient, Diagnoses: []domain.Diagnosis{{Code: "I21.9"}},
	}}
}

func TestAPatientWhoCameWithoutAReferralIsRecordedAndCountsApart(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		in := recording(patient())
		in.At = h.clock.Now().Add(-3 * time.Hour)
		cmd := command(desk(), "r1", "a")
		v, err := h.Record(t.Context(), cmd, in)
		if err != nil {
			t.Fatal(err)
		}
		if v.State != domain.StateArrived || !v.Retrospective || v.Number == "" || !v.ArriveTime.Equal(in.At) || v.Receiver.OrganizationID != hospital ||
			v.Originator.OrganizationID != centre || v.Patient.Name == "" || v.ReasonCode != "PHONE" || v.Version != 1 {
			t.Errorf("recorded %s of %s by %s", v.State, v.Originator.OrganizationID, v.ReasonCode)
		}
		if again, err := h.Record(t.Context(), cmd, in); err != nil || again.ID != v.ID {
			t.Errorf("the same request again: %s, %v", again.ID, err)
		}
		// The sender learns of it and has nothing to take back; the hospital replies as ever.
		expectList(t, "the sender's timeline", h.timeline(t, family(), v.ID), []string{"record_arrival"})
		if h.limit(t, v.ID, domain.StepReply) != "OPEN" || h.told(t, "arrived") != 1 {
			t.Error("no reply is awaited, or nobody is told")
		}
		if v = h.conclude(t, v, "IMPROVED"); v.State != domain.StateConcluded {
			t.Errorf("now %s", v.State)
		}
	})
}

func TestWhatIsWrongInARecordedArrivalIsToldAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		in := recording(patient())
		in.At, in.Reason, in.Draft.Urgency, in.Draft.Diagnoses = h.clock.Now().Add(time.Minute), "", "", nil
		in.Draft.Originator.OrganizationID, in.Draft.Receiver.DepartmentCode = second, "99"
		_, err := h.Record(t.Context(), by(desk()), in)
		expectFields(t, err, "reasonCode FIELD_REQUIRED", "arriveTime FIELD_OUT_OF_RANGE", "urgency FIELD_REQUIRED", "diagnoses FIELD_REQUIRED",
			"originator.organizationId FIELD_COMBINATION", "departmentCode FIELD_UNKNOWN")
		in = recording(patient())
		in.At = h.clock.Now().AddDate(0, -1, -1)
		_, err = h.Record(t.Context(), by(desk()), in)
		expectFields(t, err, "arriveTime FIELD_OUT_OF_RANGE")
		in = recording(patient())
		in.Draft.Kind = domain.KindAdvice
		_, err = h.Record(t.Context(), by(desk()), in)
		expectReason(t, err, errs.ReasonActionNotAvailable)
		h.make(t, family(), creation("p"))
		_, err = h.Record(t.Context(), by(desk()), recording("p"))
		expectReason(t, err, errs.ReasonOpenReferralExists)
	})
}

func TestAPatientWhoLeftTheCountyIsRecordedAndNothingMore(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		for name, in := range map[string]app.Recording{"in words": leaving(patient()), "to an outside hospital": leaving(patient())} {
			if name != "in words" {
				in.Destination, in.Draft.Receiver.OrganizationID = "", outside
			}
			v, err := h.Record(t.Context(), by(specialist()), in)
			if err != nil {
				t.Fatal(err)
			}
			today := time.Date(2026, 3, 17, 16, 0, 0, 0, time.UTC) // midnight in the county
			if v.State != domain.StateClosed || v.Direction != domain.Out || v.Destination != in.Destination || !v.ArriveTime.Equal(today) || v.CloseTime.IsZero() {
				t.Errorf("%s: %s on %v", name, v.State, v.ArriveTime)
			}
			if rows, _, err := h.Actions(t.Context(), specialist(), v.ID); err != nil || len(rows) > 0 {
				t.Errorf("%s: %d actions, %v", name, len(rows), err)
			}
		}
		in := leaving(patient())
		in.Date = "2026-03-01"
		if v, err := h.Record(t.Context(), by(family()), in); err != nil || v.Originator.OrganizationID != centre {
			t.Errorf("by the township: %v", err)
		}
	})
}

func TestWhatIsWrongInARecordedLeaveIsTold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		try := func(spoil func(*app.Recording)) error {
			in := leaving(patient())
			spoil(&in)
			_, err := h.Record(t.Context(), by(specialist()), in)
			return err
		}
		expectFields(t, try(func(in *app.Recording) { in.Draft.Receiver.OrganizationID = second }), "receiver.organizationId FIELD_COMBINATION")
		expectFields(t, try(func(in *app.Recording) { in.Draft.Receiver.OrganizationID = "nowhere" }), "receiver.organizationId FIELD_UNKNOWN")
		expectFields(t, try(func(in *app.Recording) { in.Destination, in.Reason = "", "OTHER" }), "note FIELD_REQUIRED", "destination FIELD_REQUIRED")
		expectFields(t, try(func(in *app.Recording) { in.Date = "2026-03-19" }), "date FIELD_OUT_OF_RANGE")
		expectFields(t, try(func(in *app.Recording) { in.Date = "yesterday" }), "date FIELD_INVALID")
		expectFields(t, try(func(in *app.Recording) { in.Draft.PatientID = "stranger" }), "patientId FIELD_UNKNOWN")
	})
}

func TestWhatIsRecordedNamesDepartmentsAndPeopleByCodeAndId(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		in := recording(patient())
		in.Draft.Originator.DepartmentCode, in.Draft.Originator.PractitionerID = "全科门诊", "黄医生"
		in.Draft.Receiver.DepartmentCode = "x"
		_, err := h.Record(t.Context(), by(desk()), in)
		expectFields(t, err, "originator.departmentCode FIELD_INVALID", "originator.practitionerId FIELD_INVALID", "departmentCode FIELD_INVALID",
			"departmentCode FIELD_UNKNOWN")
		in = leaving(patient())
		in.Draft.Receiver = domain.Party{OrganizationID: outside, DepartmentCode: "神经内科", PractitionerID: "王 主任"}
		_, err = h.Record(t.Context(), by(specialist()), in)
		expectFields(t, err, "receiver.departmentCode FIELD_INVALID", "receiver.practitionerId FIELD_INVALID")
		in.Draft.Receiver.DepartmentCode, in.Draft.Receiver.PractitionerID = "0304", "450321101P1000"
		if _, err = h.Record(t.Context(), by(specialist()), in); err != nil {
			t.Error(err)
		}
	})
}

// Who may make a referral, by the rule of the matrix: the first step has no state and no relation yet.
func TestWhoMayMakeAReferral(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		for _, role := range commonv1.Role_Code_name {
			who := func(organization string) app.Command {
				return by(authn.Identity{Subject: "a", Organization: organization, County: county, Roles: []string{role}})
			}
			made := map[string]error{}
			_, made["UP originator"] = h.Create(t.Context(), who(centre), creation(patient()))
			_, made["DOWN originator"] = h.Create(t.Context(), who(hospital), back(patient()))
			_, made["UP receiver"] = h.Record(t.Context(), who(hospital), recording(patient()))
			_, made["OUT originator"] = h.Record(t.Context(), who(centre), leaving(patient()))
			for what, err := range made {
				want := errs.ReasonRole
				direction, side, _ := strings.Cut(what, " ")
				if domaintest.ActsFor(role, direction, side) {
					want = ""
				}
				if errs.ReasonOf(err) != want || (err == nil) != (want == "") {
					t.Errorf("%s makes %s: %v, want %q", role, what, err, want)
				}
			}
		}
	})
}
