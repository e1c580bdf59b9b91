package domain_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// now is a Wednesday, 09:30 in Yangshuo.
var now = time.Date(2026, time.March, 18, 1, 30, 0, 0, time.UTC)

func calendar(t testing.TB) domain.Calendar {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	return domain.NewCalendar(zone)
}

func doctor() domain.Actor {
	return domain.Actor{AccountID: "account-1", Name: "莫医生", OrganizationID: "township"}
}

func draft(kind domain.Kind) domain.Draft {
	d := domain.Draft{
		Direction: domain.Up, Kind: kind, Urgency: domain.UrgencyRoutine, PatientID: "patient-1",
		Patient:    domain.Patient{Name: "秦秘密", Sex: "MALE", BirthDate: "1956-03-12"},
		Originator: domain.Party{OrganizationID: "township"},
		Receiver:   domain.Party{OrganizationID: "hospital", DepartmentCode: "0304"},
		Diagnoses:  []domain.Diagnosis{{System: "ICD-10", Code: "I63.9", Display: "脑梗死"}},
		Form:       domain.Form{InitialImpression: "脑梗死？", PresentIllness: "右侧肢体无力两小时"},
		Consent:    domain.Consent{GivenBy: "秦家属", Relation: "2", Method: "SIGNED"},
	}
	if kind == domain.KindEmergency {
		d.Urgency = domain.UrgencyEmergency
	}
	return d
}

// inState is a complete referral as it would be in a state.
func inState(kind domain.Kind, state domain.State) domain.Snapshot {
	d := draft(kind)
	s := domain.Snapshot{
		ID: "r1", County: "450321", Version: 5, State: state, Direction: d.Direction, Kind: kind, Urgency: d.Urgency,
		PatientID: d.PatientID, Patient: d.Patient, Originator: d.Originator, AccountID: "account-1", Receiver: d.Receiver,
		Diagnoses: d.Diagnoses, Form: d.Form, Consent: d.Consent, CreateTime: now, UpdateTime: now,
		ArriveTime: now, AdmitTime: now, ArrivedFrom: domain.StateAccepted,
	}
	if state != domain.StateDraft {
		s.Number = "4503212600001234"
	}
	if state == domain.StateAccepted {
		s.Booking, s.Expected = domain.Booking{ID: "b1", HoldID: "h1"}, domain.Window{From: now, To: now.Add(time.Hour)}
	}
	return s
}

// command is an action with everything that any row asks for.
func command(r *domain.Referral, action domain.Action, side domain.Side) domain.Command {
	s := r.Snapshot()
	d := draft(s.Kind)
	return domain.Command{
		Action: action, Version: s.Version, Side: side, By: doctor(), At: now,
		Carry: domain.Carry{
			Draft: &d, Fields: []string{"form.treatment"}, Number: "4503212600001234", Reason: "OTHER", Note: "说明",
			Booking:  domain.Booking{ID: "b2", HoldID: "h2"},
			Expected: domain.Window{From: now.Add(time.Hour), To: now.Add(2 * time.Hour)},
			Receiver: domain.Party{OrganizationID: "hospital", DepartmentCode: other(s.Receiver.DepartmentCode)},
			Ward:     "内科一病区", Bed: "12", Outcome: "IMPROVED",
			Reply: domain.Reply{Diagnosis: "脑梗死", Treatment: "溶栓", NextSteps: "随访"},
		},
	}
}

func other(department string) string {
	if department == "0304" {
		return "0305"
	}
	return "0304"
}
