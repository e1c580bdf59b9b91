package gateway_test

import (
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
)

const (
	evaluateMethod  = referralv1.CriteriaService_EvaluateCriteria_FullMethodName
	medicinesMethod = referralv1.CandidateService_CheckMedicines_FullMethodName
	templatesMethod = referralv1.FollowUpService_ListFollowUpTemplates_FullMethodName

	externalID, downID = "0192f0c1-0000-7000-8000-000000000003", "0192f0c1-0000-7000-8000-000000000018"
)

// The marks are patient data that no address, cookie or log line may hold.
const (
	markName, markNumber, markMasked = "标记患者甲", "110101199003078515", "110***********8515"
	markPhone, markText              = "13900004321", "标记病情文字"
)

func marks() []string { return []string{markName, markNumber, markMasked, markPhone, markText} }

func in(d time.Duration) *timestamppb.Timestamp { return timestamppb.New(now.Add(d)) }

func samplePatient() *patientrecordv1.Patient {
	return &patientrecordv1.Patient{
		Id: patientID, Version: 1, Name: markName, Sex: commonv1.Sex_FEMALE, BirthDate: "1990-03-07",
		DocumentType: patientrecordv1.DocumentType_RESIDENT_IDENTITY_CARD, IdentityNumber: markMasked, Phone: markPhone,
		Village: "古板村", Address: markText, GuardianName: "王某", HomeOrganizationId: townshipID, Access: patientrecordv1.Access_FULL,
		Relatives: []*patientrecordv1.Relative{{PatientId: otherID, Kind: "CHILD", Name: "秦＊", BirthDate: "2026-11-02"}},
	}
}

func sampleSummary() *patientrecordv1.Summary {
	pressure := &patientrecordv1.Observation{
		Text: "血压", EffectiveTime: in(-24 * time.Hour), Interpretation: "H",
		Components: []*patientrecordv1.ObservationComponent{
			{Quantity: &patientrecordv1.Quantity{Value: 151.2345, Unit: "mmHg"}}, {Quantity: &patientrecordv1.Quantity{Value: 92, Unit: "mmHg"}},
		},
	}
	return &patientrecordv1.Summary{
		Patient:          samplePatient(),
		Problems:         []*patientrecordv1.Problem{{Text: "高血压", OnsetTime: in(-1000 * time.Hour)}},
		Allergies:        []*patientrecordv1.Allergy{{Text: "青霉素", Criticality: "high"}},
		Medications:      []*patientrecordv1.Medication{{Text: "氨氯地平 5mg", Dosage: "每日一次", AuthoredTime: in(-100 * time.Hour)}},
		RecentResults:    []*patientrecordv1.Observation{pressure, {Text: "吸烟", ValueText: "从不", ReferenceRange: "—"}},
		RecentEncounters: []*patientrecordv1.Encounter{{Text: "门诊", StartTime: in(-50 * time.Hour), Reason: "头晕"}},
		Procedures:       []*patientrecordv1.Procedure{{Text: "心电图", PerformedTime: in(-50 * time.Hour)}},
		Immunizations:    []*patientrecordv1.Immunization{{Text: "流感疫苗", OccurrenceTime: in(-500 * time.Hour)}},
	}
}

// sampleReferral is one in a state.
func sampleReferral(state referralv1.State_Code) *referralv1.Referral {
	r := &referralv1.Referral{
		Id: referralID, Number: "450321-26-0000123-4", Version: 3, State: state, Direction: commonv1.Direction_UP,
		Kind: commonv1.Kind_OUTPATIENT, Urgency: commonv1.Urgency_URGENT, PatientId: patientID,
		Patient:    &referralv1.PatientSummary{Name: markName, Sex: commonv1.Sex_FEMALE, BirthDate: "1990-03-07", MaskedIdentityNumber: markMasked, Phone: markPhone},
		Originator: &commonv1.Party{OrganizationId: townshipID}, Receiver: &commonv1.Party{OrganizationId: hospitalID, DepartmentCode: "0304"},
		Diagnoses: []*commonv1.Coding{{Code: "I10", Display: "原发性高血压"}, {Code: "I20.0", Display: "不稳定性心绞痛"}},
		Form:      &referralv1.Form{InitialImpression: markText, PresentIllness: markText, PastHistory: markText, Treatment: markText},
		Consent:   &referralv1.Consent{GivenBy: markName, Relation: "0", Method: "SIGNED", At: in(0)},
		WalkIn:    &referralv1.WalkIn{From: in(time.Hour), To: in(2 * time.Hour)}, ExpectedFrom: in(time.Hour), ExpectedTo: in(2 * time.Hour),
		DueTime: in(10 * time.Minute), CreateTime: in(-time.Hour), UpdateTime: in(-time.Hour), Unread: true, HoldLost: true,
		TransferNote: markText, Transport: "OWN", OriginatorPhone: "0773-8880001",
	}
	if state == referralv1.State_RETURNED || state == referralv1.State_DECLINED || state == referralv1.State_CANCELLED {
		r.ReasonCode, r.Note = "OTHER", markText
	}
	if state == referralv1.State_CONCLUDED || state == referralv1.State_CLOSED {
		r.OutcomeCode = "IMPROVED"
		r.Reply = &referralv1.Reply{Diagnosis: markText, Findings: markText, Treatment: markText, NextSteps: markText, Medications: []*referralv1.ReplyMedication{{Name: "氨氯地平", Dosage: "5 mg"}}}
	}
	return r
}

// writing answers what the forms ask on which referrals are written.
func writing() map[string]proto.Message {
	return map[string]proto.Message{
		evaluateMethod: &referralv1.EvaluateCriteriaResponse{RecordRead: true, Results: []*referralv1.CriterionResult{
			{Status: "MET", Criterion: &referralv1.Criterion{Code: "GEN-1", Text: "收缩压≥180", TextEn: "systolic 180 or more", ConditionName: "高血压", Urgency: commonv1.Urgency_EMERGENCY, Source: "国家规范", Certainty: "FOUND"}, Used: []*referralv1.UsedValue{
				{Name: "bp_systolic", Label: "收缩压", LabelEn: "systolic pressure", Value: &referralv1.UsedValue_Number{Number: 182}, Unit: "mm[Hg]", Time: in(-24 * time.Hour), Source: "RECORD"},
				{Name: "dizzy", Label: "头晕", LabelEn: "dizziness", Value: &referralv1.UsedValue_Finding{Finding: true}, Source: "FORM"},
			}},
			{Status: "UNKNOWN", Criterion: &referralv1.Criterion{Code: "GEN-2", Text: "肾功能下降", TextEn: "kidney function falls", Source: "国家规范", Certainty: "OWN_LOW", CountyRule: true}, Missing: []*referralv1.MissingValue{
				{Name: "egfr", Label: "肾小球滤过率", LabelEn: "eGFR", TooOld: true, Time: in(-9000 * time.Hour)}, {Name: "chest_pain", Label: "胸痛", LabelEn: "chest pain"},
			}},
			{Status: "NOT_MET", Criterion: &referralv1.Criterion{Code: "GEN-3", Text: "体温高", Urgency: commonv1.Urgency_URGENT}},
		}, Inputs: []*referralv1.ValueDefinition{
			{Name: "bp_systolic", Label: "收缩压", LabelEn: "systolic pressure", Type: "NUMBER", Unit: "mm[Hg]", Low: 40, High: 300},
			{Name: "egfr", Label: "肾小球滤过率", LabelEn: "eGFR", Type: "NUMBER", Unit: "mL/min", Low: 1, High: 200},
			{Name: "chest_pain", Label: "胸痛", LabelEn: "chest pain", Type: "FINDING"}, {Name: "dizzy", Label: "头晕", LabelEn: "dizziness", Type: "FINDING"},
		}},
		medicinesMethod: &referralv1.CheckMedicinesResponse{FormularyKnown: true, Capabilities: []string{"REHABILITATION", "TCM"}, Checks: []*referralv1.MedicineCheck{
			{Availability: "IN_STOCK"}, {Availability: "MISSING", LongPrescription: []string{"OVER_4_WEEKS", "EXCLUDED_CLASS"}},
			{Availability: "SUBSTITUTE", Substitutes: []string{"瑞舒伐他汀"}, LongPrescription: []string{"OVER_12_WEEKS"}}, {Availability: "ORDERABLE"}, {Availability: "UNKNOWN"},
		}},
		templatesMethod: &referralv1.ListFollowUpTemplatesResponse{Templates: []*referralv1.FollowUpTemplate{
			followUpTemplate("CHD_STABLE", "CHD", "冠心病", "Coronary disease", "2026-03-16", "2026-04-02"), followUpTemplate("HYPERTENSION", "HYPERTENSION", "高血压", "Hypertension", "2026-03-09"),
		}},
		referralv1.ReferralService_RecordArrival_FullMethodName: sampleReferral(referralv1.State_ARRIVED),
		referralv1.ReferralService_RecordOut_FullMethodName:     sampleReferral(referralv1.State_CLOSED),
	}
}

func followUpTemplate(code, condition, name, english string, days ...string) *referralv1.FollowUpTemplate {
	plan := &referralv1.FollowUpPlan{Template: code, Condition: condition, Goal: name + "平稳"}
	for i, day := range days {
		plan.Visits = append(plan.Visits, &referralv1.PlannedVisit{Number: int32(i + 1), Due: day, Mode: "HOME", Items: []string{"BP", "LIPIDS"}})
	}
	return &referralv1.FollowUpTemplate{Code: code, Condition: condition, Name: name, NameEn: english, Note: name, Source: "国家规范", Certainty: "FOUND", Plan: plan}
}

func sampleRegistration() *referralv1.Registration {
	return &referralv1.Registration{
		Id: messageID, State: "OPEN", PatientId: patientID, Patient: &referralv1.PatientSummary{Name: markName, Sex: commonv1.Sex_MALE, BirthDate: "1958-03-02"},
		OrganizationId: hospitalID, DepartmentCode: "0304", Class: "IMP", CentreId: townshipID, StartTime: in(-time.Hour),
	}
}

// samples answers every method that pages call.
func samples() map[string]proto.Message {
	slot := &schedulingv1.Slot{Id: slotID, OrganizationId: hospitalID, DepartmentCode: "0304", Kind: "CLINIC", PractitionerName: "陈医生", Start: in(time.Hour), End: in(75 * time.Minute), Free: true, Location: "3 层"}
	hold := &schedulingv1.Hold{Id: holdID, SlotId: slotID, State: schedulingv1.HoldState_ATTACHED, ExpireTime: in(10 * time.Minute), Start: in(time.Hour), End: in(75 * time.Minute)}
	notice := func(event string, state notificationv1.NotificationState_Code) *notificationv1.Notification {
		return &notificationv1.Notification{
			Id: noticeID, Event: event, ReferralId: referralID, ReferralNumber: "450321-26-0000123-4", Urgency: commonv1.Urgency_URGENT,
			FromOrganizationId: townshipID, State: state, CreateTime: in(-time.Minute), AcknowledgeTime: in(0),
		}
	}
	history := &referralv1.ListHistoryResponse{}
	for _, action := range []string{"create", "submit", "return"} {
		history.History = append(history.History, &referralv1.HistoryRow{Kind: "TRANSITION", Action: action, Actor: &commonv1.Actor{Name: "李医生", OrganizationId: townshipID}, Time: in(-time.Hour), ReasonCode: "OTHER", Note: markText})
	}
	return map[string]proto.Message{
		directoryv1.DirectoryService_GetCurrentSession_FullMethodName: &directoryv1.Session{Account: doctor()},
		directoryv1.DirectoryService_ListOrganizations_FullMethodName: &directoryv1.ListOrganizationsResponse{Organizations: []*directoryv1.Organization{
			{Id: townshipID, Version: 7, Code: "450321101", Name: "白沙镇卫生院", NameEn: "Baisha Township Health Centre", Type: directoryv1.OrganizationType_TOWNSHIP_CENTRE},
			{Id: externalID, Code: "E1", Name: "桂林医学院附属医院", NameEn: "Guilin Medical University Hospital", Type: directoryv1.OrganizationType_EXTERNAL},
			{Id: hospitalID, Code: "H1", Name: "阳朔县人民医院", NameEn: "Yangshuo County People's Hospital", Type: directoryv1.OrganizationType_COUNTY_HOSPITAL},
		}},
		directoryv1.DirectoryService_ListDepartments_FullMethodName: &directoryv1.ListDepartmentsResponse{Departments: []*directoryv1.Department{
			{OrganizationId: hospitalID, Code: "0304", Name: "心血管内科", NameEn: "Cardiology", HasBeds: true}, {OrganizationId: hospitalID, Code: "20", Name: "急诊科", NameEn: "Emergency"},
		}},
		notificationv1.NotificationService_ListNotifications_FullMethodName: &notificationv1.ListNotificationsResponse{
			Notifications: []*notificationv1.Notification{notice("submitted", notificationv1.NotificationState_OPEN), notice("returned", notificationv1.NotificationState_ACKNOWLEDGED)}, OpenCount: 1, NextPageToken: "next",
		},
		notificationv1.NotificationService_Acknowledge_FullMethodName:         notice("submitted", notificationv1.NotificationState_ACKNOWLEDGED),
		notificationv1.NotificationService_AcknowledgeReferral_FullMethodName: &notificationv1.AcknowledgeReferralResponse{},
		patientrecordv1.PatientRecordService_SearchPatients_FullMethodName:    &patientrecordv1.SearchPatientsResponse{Patients: []*patientrecordv1.Patient{samplePatient(), {Id: patientID, Name: "王＊＊", Access: patientrecordv1.Access_BREAK_GLASS}}, NextPageToken: "next"},
		patientrecordv1.PatientRecordService_RegisterPatient_FullMethodName:   samplePatient(),
		patientrecordv1.PatientRecordService_GetPatient_FullMethodName:        samplePatient(),
		patientrecordv1.PatientRecordService_GetSummary_FullMethodName:        sampleSummary(),
		patientrecordv1.PatientRecordService_GetPackage_FullMethodName:        &patientrecordv1.Package{ReferralId: referralID, Summary: sampleSummary(), Results: sampleSummary().GetRecentResults()},
		referralv1.ReferralService_ListReferrals_FullMethodName:               &referralv1.ListReferralsResponse{Referrals: []*referralv1.Referral{sampleReferral(referralv1.State_SUBMITTED), sampleReferral(referralv1.State_DRAFT)}, NextPageToken: "next"},
		referralv1.ReferralService_BatchGetReferrals_FullMethodName:           &referralv1.BatchGetReferralsResponse{Referrals: []*referralv1.Referral{sampleReferral(referralv1.State_SUBMITTED)}},
		referralv1.ReferralService_GetReferral_FullMethodName:                 sampleReferral(referralv1.State_SUBMITTED),
		referralv1.ReferralService_FindReferral_FullMethodName:                sampleReferral(referralv1.State_ACCEPTED),
		referralv1.ReferralService_CreateReferral_FullMethodName:              sampleReferral(referralv1.State_SUBMITTED),
		referralv1.ReferralService_EditReferral_FullMethodName:                sampleReferral(referralv1.State_DRAFT),
		referralv1.ReferralService_Submit_FullMethodName:                      sampleReferral(referralv1.State_SUBMITTED),
		referralv1.ReferralService_Accept_FullMethodName:                      sampleReferral(referralv1.State_ACCEPTED),
		referralv1.ReferralService_MarkSeen_FullMethodName:                    sampleReferral(referralv1.State_SUBMITTED),
		referralv1.ReferralService_ListHistory_FullMethodName:                 history,
		referralv1.ReferralService_ListActions_FullMethodName:                 &referralv1.ListActionsResponse{},
		referralv1.ReferralService_ListReasons_FullMethodName:                 &referralv1.ListReasonsResponse{Reasons: []*referralv1.Reason{{Code: "NO_BED", Text: "没有床位", TextEn: "No bed"}, {Code: "OTHER", Text: "其他原因", TextEn: "Another reason", NoteRequired: true}}},
		referralv1.ReferralService_ListRegistrations_FullMethodName: &referralv1.ListRegistrationsResponse{
			Registrations: []*referralv1.Registration{sampleRegistration()}, Arrivals: []*referralv1.Referral{sampleReferral(referralv1.State_ARRIVED)}, NextPageToken: "next",
		},
		referralv1.ReferralService_GetRegistration_FullMethodName:     sampleRegistration(),
		referralv1.ReferralService_DismissRegistration_FullMethodName: sampleRegistration(),
		referralv1.StatisticsService_ReconcileDischarges_FullMethodName: &referralv1.ReconcileDischargesResponse{
			DischargedToCentre: 5, WithoutReferral: 2, SentDown: 4, WithoutDischarge: 1, NextPageToken: "next", Cases: []*referralv1.ReconciledCase{
				{EncounterId: messageID, DischargeWay: "3", DischargeTime: in(-time.Hour), Hospital: &commonv1.Party{OrganizationId: hospitalID, DepartmentCode: "0304"}, CentreId: townshipID, Condition: "I10", PatientId: patientID},
				{ReferralId: referralID, Number: "450321-26-0000123-4", Kind: commonv1.Kind_CHRONIC, SubmitTime: in(-time.Hour), Hospital: &commonv1.Party{OrganizationId: hospitalID}, CentreId: townshipID, EncounterId: messageID, DischargeWay: "1", DischargeTime: in(-time.Hour)},
			},
		},
		referralv1.ReferralService_ListDiagnoses_FullMethodName:   &referralv1.ListDiagnosesResponse{Diagnoses: []*referralv1.KnownDiagnosis{{Code: "I10", Display: "原发性高血压", Words: []string{"高血压", "gxy"}}}},
		referralv1.ReferralService_SearchDiagnoses_FullMethodName: &referralv1.SearchDiagnosesResponse{Diagnoses: []*commonv1.Coding{{Code: "I10", Display: "原发性高血压"}}, Called: []string{"高血压"}},
		schedulingv1.SchedulingService_ListSlots_FullMethodName:   &schedulingv1.ListSlotsResponse{Slots: []*schedulingv1.Slot{slot}, Days: []*schedulingv1.FreeDay{{Date: "2026-03-02", Free: 1}}},
		schedulingv1.SchedulingService_ListBeds_FullMethodName:    &schedulingv1.ListBedsResponse{Beds: []*schedulingv1.BedCount{{OrganizationId: hospitalID, DepartmentCode: "0304", Total: 3, Free: 2}}},
		schedulingv1.SchedulingService_CreateHold_FullMethodName:  hold,
		schedulingv1.SchedulingService_GetHold_FullMethodName:     hold,
		schedulingv1.SchedulingService_GetBooking_FullMethodName:  &schedulingv1.Booking{Id: bookingID, Start: in(time.Hour), PractitionerName: "陈医生"},
	}
}
