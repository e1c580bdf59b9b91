package domain_test

import (
	"slices"
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
	return domain.NewCalendar(zone, domain.Settings{}, nil)
}

// account is an id as directory makes them.
const account = "0192f0c1-2b3c-7d4e-8f50-617283940a5b"

func doctor() domain.Actor {
	return domain.Actor{AccountID: "account-1", Name: "莫医生", OrganizationID: "township"}
}

func directionOf(kind domain.Kind) domain.Direction {
	for _, d := range []domain.Direction{domain.Down, domain.Out} {
		if slices.Contains(domain.KindsOf(d), kind) {
			return d
		}
	}
	return domain.Up
}

func draft(kind domain.Kind) domain.Draft {
	d := domain.Draft{
		Direction: directionOf(kind), Kind: kind, Urgency: domain.UrgencyRoutine, PatientID: "patient-1",
		Patient:    domain.Patient{Name: "秦秘密", Sex: "MALE", BirthDate: "1956-03-12"},
		Originator: domain.Party{OrganizationID: "township"},
		Receiver:   domain.Party{OrganizationID: "hospital", DepartmentCode: "0304"},
		Diagnoses:  []domain.Diagnosis{{System: "ICD-10", Code: "I63.9", Display: "脑梗死"}},
		Form:       domain.Form{InitialImpression: "脑梗死？", PresentIllness: "右侧肢体无力两小时"},
		Consent:    domain.Consent{GivenBy: "秦家属", Relation: "2", Method: "SIGNED"},
	}
	switch kind {
	case domain.KindEmergency:
		d.Urgency = domain.UrgencyEmergency
	case domain.KindExam:
		d.ExamItems = []domain.Diagnosis{{Display: "头颅 CT 平扫"}}
	}
	if d.Direction == domain.Down {
		d.Originator, d.Receiver = domain.Party{OrganizationID: "hospital", DepartmentCode: "0304"}, domain.Party{OrganizationID: "township"}
		d.Form = domain.Form{Diagnosis: "脑梗死恢复期", Treatment: "抗血小板", NextPlan: "康复训练，监测血压"}
		d.Medicines = []domain.Medicine{{Name: "阿司匹林肠溶片", Dosage: "每日一次", Availability: domain.InStock}}
		d.Plan = visits("2026-03-25", "2026-04-08")
	}
	return d
}

// visits is a plan with a visit on each of the days.
func visits(days ...string) domain.FollowUpPlan {
	p := domain.FollowUpPlan{Condition: domain.ConditionStroke}
	for i, day := range days {
		p.Visits = append(p.Visits, domain.PlannedVisit{Number: i + 1, Due: day, Mode: "CLINIC", Items: []string{"BP"}})
	}
	return p
}

// inState is a complete referral as it would be in a state.
func inState(kind domain.Kind, state domain.State) domain.Snapshot {
	d := draft(kind)
	s := domain.Snapshot{
		ID: "r1", County: "450321", Version: 5, State: state, Direction: d.Direction, Kind: kind, Urgency: d.Urgency,
		PatientID: d.PatientID, Patient: d.Patient, Originator: d.Originator, AccountID: "account-1", Receiver: d.Receiver,
		Diagnoses: d.Diagnoses, Form: d.Form, Consent: d.Consent, CreateTime: now, UpdateTime: now,
		ArriveTime: now, AdmitTime: now, ArrivedFrom: domain.StateAccepted,
		Medicines: d.Medicines, Plan: d.Plan, ExamItems: d.ExamItems,
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
	plan := visits("2027-03-25", "2027-04-08")
	c := domain.Command{
		Action: action, Version: s.Version, Side: side, By: doctor(), At: now,
		Carry: domain.Carry{
			Draft: &d, Fields: []string{"form.treatment"}, Number: "4503212600001234", Reason: "OTHER", Note: "说明",
			Booking:  domain.Booking{ID: "b2", HoldID: "h2"},
			Expected: domain.Window{From: now.Add(time.Hour), To: now.Add(2 * time.Hour)},
			Receiver: domain.Party{OrganizationID: s.Receiver.OrganizationID, DepartmentCode: other(s.Receiver.DepartmentCode)},
			Ward:     "内科一病区", Bed: "12", Outcome: "IMPROVED",
			Reply:        domain.Reply{Diagnosis: "脑梗死", Findings: "基底节区低密度影", Treatment: "溶栓", NextSteps: "随访", Answer: "继续抗血小板"},
			FamilyDoctor: account, Findings: domain.Findings{Result: "STABLE"}, Linked: "r2", Destination: "桂林医学院附属医院",
		},
	}
	if action == domain.ActionRevisePlan {
		c.Carry.Plan = &plan
	}
	if s.Direction == domain.Down {
		c.Carry.Fields = []string{"form.rehabilitation_advice"}
	}
	return c
}

func other(department string) string {
	if department == "0304" {
		return "0305"
	}
	return "0304"
}
