package gateway_test

import (
	"net/http/httptest"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

const (
	messageMethod  = referralv1.ReferralService_PostMessage_FullMethodName
	messagesMethod = referralv1.ReferralService_ListMessages_FullMethodName
	historyMethod  = referralv1.ReferralService_ListHistory_FullMethodName
	escalateMethod = referralv1.ReferralService_Escalate_FullMethodName
	visitMethod    = referralv1.ReferralService_RecordVisit_FullMethodName
	toldMethod     = notificationv1.NotificationService_ListTold_FullMethodName
)

// living answers what the page of a referral asks beside the referral itself.
func living() map[string]proto.Message {
	doctor := &commonv1.Actor{AccountId: doctor().GetId(), Name: "李医生", OrganizationId: townshipID}
	told := &notificationv1.ListNotificationsResponse{Notifications: []*notificationv1.Notification{
		{Event: "submitted", AccountName: "周护士", State: notificationv1.NotificationState_ACKNOWLEDGED, CreateTime: in(-time.Hour), AcknowledgeTime: in(-50 * time.Minute)},
		{Event: "deadline_passed", AccountName: "陈主任", State: notificationv1.NotificationState_OPEN, CreateTime: in(-time.Minute), Step: "ANSWER", Level: 2},
	}}
	links := &referralv1.ListLinksResponse{}
	for i, kind := range strings.Fields("ANSWERS ANSWERED_BY WORSENED ESCALATED_TO CONVERTED CONVERTED_TO BOUNCE_BACK_OF BOUNCED_BY") {
		links.Links = append(links.Links, &referralv1.Link{
			Kind: kind, ReferralId: bookingID, Number: "450321-26-0000200-7", State: referralv1.State_CLOSED, Direction: commonv1.Direction_DOWN,
			ReferralKind: commonv1.Kind_CHRONIC, CreateTime: in(-100 * time.Hour), Readable: i%2 == 0,
		})
	}
	links.Links[2].Number = ""
	return map[string]proto.Message{
		messageMethod: &referralv1.Message{},
		messagesMethod: &referralv1.ListMessagesResponse{Messages: []*referralv1.Message{
			{Author: doctor, Text: markText, CreateTime: in(-time.Hour)}, {Author: &commonv1.Actor{AccountId: "x", Name: "陈医生", OrganizationId: hospitalID}, Text: "收到", CreateTime: in(-time.Minute)},
		}},
		referralv1.ReferralService_ListLinks_FullMethodName: links,
		referralv1.ReferralService_ListCorrections_FullMethodName: &referralv1.ListCorrectionsResponse{Corrections: []*referralv1.Correction{{
			Number: 1, Author: doctor, Time: in(-time.Minute), ReasonCode: "NO_BED", Note: markText, Fields: []*referralv1.CorrectedField{
				{Path: "form.present_illness", Before: "以前的文字"}, {Path: "outcome_code", Before: "CURED"}, {Path: "diagnoses", Before: "I10"},
			},
		}}},
		toldMethod:     told,
		escalateMethod: &referralv1.Referral{Id: referralID, State: referralv1.State_CLOSED, EscalatedTo: bookingID},
		visitMethod:    sampleDown(referralv1.State_FOLLOW_UP),
	}
}

// sampleDown is a referral that comes down, with a plan of which one visit is done once it is followed up.
func sampleDown(state referralv1.State_Code) *referralv1.Referral {
	r := sampleReferral(state)
	r.Direction, r.Kind, r.Urgency = commonv1.Direction_DOWN, commonv1.Kind_CHRONIC, commonv1.Urgency_ROUTINE
	r.Originator, r.Receiver = &commonv1.Party{OrganizationId: hospitalID, DepartmentCode: "0304"}, &commonv1.Party{OrganizationId: townshipID}
	r.Form = &referralv1.Form{
		Diagnosis: markText, InpatientNumber: "ZY0001", ExaminationResults: markText, Treatment: "已行支架", NextPlan: "继续抗血小板", RehabilitationAdvice: "每天步行",
	}
	r.HoldLost, r.BookingId, r.Retrospective, r.Corrections = false, "", true, 1
	r.Medicines = []*referralv1.DischargeMedicine{
		{Name: "阿司匹林", Specification: "100mg", Dosage: "每日一次", Days: 28, Availability: "IN_STOCK"},
		{Name: "替格瑞洛", Dosage: "每日两次", Availability: "MISSING", Decision: "COUNTY_DISPENSES", DecisionNote: markText},
	}
	r.Plan = &referralv1.FollowUpPlan{Template: "CHD", Condition: "CHD", Goal: markText, Visits: []*referralv1.PlannedVisit{
		{Number: 1, Due: "2026-02-20", Mode: "PHONE", Items: []string{"SYMPTOMS", "MEDICATION"}},
		{Number: 2, Due: "2026-03-05", Mode: "CLINIC", Items: []string{"BP", "MEDICATION"}},
		{Number: 3, Due: "2026-04-05", Mode: "HOME", Items: []string{"BP"}},
	}}
	if state == referralv1.State_FOLLOW_UP {
		r.WorseReasons = []string{"RESULT_WORSE", "BP_VERY_HIGH"}
	}
	if state == referralv1.State_FOLLOW_UP || state == referralv1.State_CLOSED {
		first := r.GetPlan().GetVisits()[0]
		first.Done, first.DoneTime, first.DoneBy = true, in(-240*time.Hour), &commonv1.Actor{Name: "李医生"}
		first.Findings = &referralv1.Findings{
			Result: "WORSE", MedicationTaking: "IRREGULAR", AdverseReaction: true, Note: markText,
			Values: []*referralv1.Measured{{Name: "sbp", Number: 182, Unit: "mm[Hg]"}, {Name: "dbp", Number: 110, Unit: "mm[Hg]"}},
		}
	}
	return r
}

// visitLives opens the pages of what comes down, of a question, and of what has linked, corrected and late parts.
func (w *world) visitLives(clerk, doctor *browser, see func(*browser, string, ...string), look func(string, *browser, *httptest.ResponseRecorder)) {
	history := &referralv1.ListHistoryResponse{}
	for _, step := range strings.Fields("ANSWER MISSING_INFORMATION FIRST_CONTACT VISIT UNKNOWN") {
		history.History = append(history.History, &referralv1.HistoryRow{
			Kind: "MARK", Action: "deadline_passed", Time: in(-time.Minute), Detail: map[string]string{"step": step, "level": "1", "dueTime": "2026-03-02T01:00:00Z"},
		})
	}
	w.always(historyMethod, history)
	all := append(strings.Fields("escalate submit resubmit"), postedActions...)
	for code, name := range referralv1.State_Code_name {
		if name == "UNSPECIFIED" {
			continue
		}
		down := sampleDown(referralv1.State_Code(code))
		down.BounceBackOf, down.BouncedBy, down.EscalatedTo, down.Verdict, down.VerdictNote = bookingID, bookingID, bookingID, "TOO_LATE", markText
		down.DepartTime, down.ExpectedArrival = in(-time.Minute), in(time.Hour)
		for _, names := range [][]string{all, nil} {
			w.always(getMethod, down)
			w.always(actionsMethod, actionsOf(names...))
			see(doctor, "/referrals/"+referralID)
			see(doctor, "/referrals/"+referralID+"?template=HYPERTENSION")
			see(clerk, "/referrals/"+referralID)
			for _, part := range []string{"head", "case", "thread", "timeline", "actions"} {
				see(doctor, "/referrals/"+referralID, "X-Fragment", part)
			}
		}
		for _, kind := range []commonv1.Kind_Code{commonv1.Kind_ADVICE, commonv1.Kind_EXAM} {
			up := sampleReferral(referralv1.State_Code(code))
			up.Kind, up.ExamItems, up.Reply = kind, []*commonv1.Coding{{Display: "CT"}}, &referralv1.Reply{Answer: markText}
			w.always(getMethod, up)
			w.always(actionsMethod, actionsOf(all...))
			see(clerk, "/referrals/"+referralID)
		}
	}
	w.always(getMethod, sampleDown(referralv1.State_FOLLOW_UP))
	w.always(actionsMethod, actionsOf(all...))
	see(doctor, "/referrals/"+referralID+"/escalate")
	look("escalate", doctor, doctor.post("/referrals/"+referralID+"/escalate", typedEscalation()))
	look("message", doctor, doctor.post("/referrals/"+referralID+"/message", sent("message")))
	for _, path := range strings.Fields("/desk /desk?tab=followed /desk?tab=inside&direction=DOWN /desk?tab=ended&direction=UP /desk/arrivals") {
		see(doctor, path)
	}
	w.mu.Lock()
	w.answers = w.defaults()
	w.mu.Unlock()
}
