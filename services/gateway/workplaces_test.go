package gateway_test

import (
	"net/http/httptest"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

const (
	villageMethod     = referralv1.FollowUpService_ListVillage_FullMethodName
	followUpsMethod   = referralv1.FollowUpService_ListFollowUps_FullMethodName
	checkMethod       = referralv1.FollowUpService_RecordCheck_FullMethodName
	candidatesMethod  = referralv1.CandidateService_ListCandidates_FullMethodName
	dismissMethod     = referralv1.CandidateService_DismissCandidate_FullMethodName
	referMethod       = referralv1.CandidateService_ReferCandidate_FullMethodName
	definitionsMethod = referralv1.StatisticsService_ListDefinitions_FullMethodName
	figuresMethod     = referralv1.StatisticsService_QueryStatistics_FullMethodName
	casesMethod       = referralv1.StatisticsService_ListStatisticCases_FullMethodName
	settingsMethod    = referralv1.SettingService_GetSettings_FullMethodName
	updateMethod      = referralv1.SettingService_UpdateSettings_FullMethodName
	criteriaMethod    = referralv1.CriteriaService_ListCriteria_FullMethodName

	taskID, candidateID = "0192f0c1-0000-7000-8000-000000000021", "0192f0c1-0000-7000-8000-000000000022"
)

// as is a browser of an account with roles at the hospital.
func (w *world) as(name string, roles ...commonv1.Role_Code) *browser {
	w.mu.Lock()
	w.sessions[name] = &directoryv1.Account{Id: name, Name: "管理员", OrganizationId: hospitalID, County: "450321", Roles: roles}
	w.mu.Unlock()
	return w.browser(name)
}

func (w *world) admin() *browser { return w.as("admin", commonv1.Role_COUNTY_ADMIN) }

// working answers what the work lists, the figures and the settings ask.
func working() map[string]proto.Message {
	draft := sampleDown(referralv1.State_DRAFT)
	draft.Id = downID
	return map[string]proto.Message{
		followUpsMethod:   &referralv1.ListFollowUpsResponse{FollowUps: []*referralv1.FollowUp{sampleVisit(), sampleCheck()}, NextPageToken: "next", DueToday: 2, Overdue: 1},
		villageMethod:     sampleVillage(),
		checkMethod:       sampleCheck(),
		candidatesMethod:  &referralv1.ListCandidatesResponse{Candidates: []*referralv1.Candidate{sampleCandidate("OPEN")}, NextPageToken: "next"},
		dismissMethod:     sampleCandidate("DISMISSED"),
		referMethod:       draft,
		lateMethod:        sampleLate(),
		blockingMethod:    sampleBlocking(),
		stagesMethod:      sampleStages(),
		quietMethod:       sampleQuiet(),
		courseMethod:      sampleCourse(),
		targetsMethod:     sampleTargets(),
		setTargetsMethod:  sampleTargets(),
		wordsMethod:       &referralv1.ReasonSettings{Version: 2},
		setWordsMethod:    &referralv1.ReasonSettings{Version: 3},
		versionsMethod:    sampleVersions(),
		definitionsMethod: &referralv1.ListDefinitionsResponse{Measures: sampleMeasures()},
		figuresMethod:     &referralv1.QueryStatisticsResponse{},
		casesMethod:       &referralv1.ListStatisticCasesResponse{},
		settingsMethod:    sampleSettings(),
		updateMethod:      sampleSettings(),
		criteriaMethod: &referralv1.ListCriteriaResponse{Criteria: []*referralv1.Criterion{
			{Code: "DN-HTN-01", Condition: "HYPERTENSION", ConditionName: "高血压", ConditionNameEn: "Hypertension", Direction: commonv1.Direction_DOWN, Expression: "sbp < 140.0", Text: "血压达标", TextEn: "Pressure controlled", Source: "国家规范", SourceUrl: "https://example.org/norm", Certainty: "FOUND_MIRROR"},
			{Code: "UP-HTN-01", Condition: "HYPERTENSION", ConditionName: "高血压", ConditionNameEn: "Hypertension", Direction: commonv1.Direction_UP, Urgency: commonv1.Urgency_EMERGENCY, Expression: "sbp >= 180.0", Text: "收缩压≥180", TextEn: "systolic 180 or more", Source: "国家规范", Certainty: "FOUND", Note: "数值取自附录", CountyRule: true, Values: []string{"bp_systolic"}},
		}, Values: []*referralv1.ValueDefinition{
			{Name: "bp_systolic", Label: "收缩压", LabelEn: "systolic pressure", Type: "NUMBER", Unit: "mm[Hg]", Low: 40, High: 300},
			{Name: "onset_hours", Label: "发病时长", LabelEn: "hours since onset", Type: "NUMBER", Unit: "h", High: 999},
			{Name: "chest_pain", Label: "胸痛", LabelEn: "chest pain", Type: "FINDING"},
		}},
	}
}

func sampleVisit() *referralv1.FollowUp {
	return &referralv1.FollowUp{
		Id: slotID, ReferralId: downID, ReferralNumber: "450321-26-0000124-2", PatientId: patientID, Patient: sampleReferral(referralv1.State_FOLLOW_UP).GetPatient(),
		Source: "PLAN", Code: "CHD", Visit: 2, Due: "2026-02-27", OverdueDays: 3, Mode: "HOME", Items: []string{"BP", "MEDICATION"}, State: "OPEN",
		FamilyDoctor: doctor().GetId(), Diagnoses: []*commonv1.Coding{{Code: "I25.1", Display: "冠心病"}, {Code: "I10", Display: "高血压"}}, Direction: commonv1.Direction_DOWN,
	}
}

func sampleCheck() *referralv1.FollowUp {
	return &referralv1.FollowUp{
		Id: taskID, ReferralId: referralID, ReferralNumber: "450321-26-0000123-4", PatientId: patientID, Patient: sampleReferral(referralv1.State_CLOSED).GetPatient(),
		Source: "NORM", Code: "HYPERTENSION_REFERRAL_CHECK", Due: "2026-03-02", State: "OPEN", Diagnoses: []*commonv1.Coding{{Code: "I10", Display: "原发性高血压"}}, Direction: commonv1.Direction_UP,
	}
}

func sampleCandidate(state string) *referralv1.Candidate {
	c := &referralv1.Candidate{
		Id: candidateID, Version: 4, State: state, PatientId: patientID, Patient: sampleReferral(referralv1.State_CONCLUDED).GetPatient(),
		OrganizationId: hospitalID, DepartmentCode: "0304", ReferralId: referralID, ReferralNumber: "450321-26-0000123-4",
		Diagnoses: []*commonv1.Coding{{Code: "I25.1", Display: "冠心病"}}, Origin: "CONCLUDED", CentreId: townshipID, FamilyDoctorName: "李医生",
		Reasons: []*referralv1.CandidateReason{{Code: "DN-CHD-01", Text: "支架术后病情稳定", TextEn: "Stable after a stent", Source: "国家规范"}},
		Medicines: []*referralv1.DischargeMedicine{
			{Name: "阿司匹林", Specification: "100mg", Availability: "IN_STOCK"}, {Name: "替格瑞洛", Availability: "SUBSTITUTE", Substitute: "氯吡格雷"},
			{Name: "阿托伐他汀", Availability: "ORDERABLE"}, {Name: "依折麦布", Availability: "MISSING"}, {Name: "曲美他嗪", Availability: "UNKNOWN"},
		},
		FoundTime: in(-time.Hour), DueTime: in(50 * time.Hour), StayStart: in(-200 * time.Hour), StayEnd: in(-20 * time.Hour),
	}
	switch state {
	case "REFERRED", "CLOSED":
		c.DownReferralId = downID
	case "DISMISSED":
		c.ReasonCode, c.Note = "OTHER", markText
	}
	return c
}

// sampleMeasures are one of each kind and section.
func sampleMeasures() []*referralv1.Measure {
	measure := func(code, name, english, unit, direction string, denominators ...string) *referralv1.Measure {
		m := &referralv1.Measure{
			Code: code, Name: name, NameEn: english, Numerator: name + "的例数", NumeratorEn: english + ": those", Unit: unit, Direction: direction,
			Source: "本平台口径", Certainty: "SUGGESTED", CountedOn: "提交之日", CountedOnEn: "the day of sending", GroupBy: strings.Fields("day month centre hospital department doctor condition urgency kind"),
		}
		for _, d := range denominators {
			m.Denominators = append(m.Denominators, &referralv1.Denominator{Code: d, Text: "全部例数", TextEn: "all " + d})
		}
		return m
	}
	declined := measure("DECLINED-N", "拒收人次", "Declined", "COUNT", "LOWER_BETTER")
	declined.GroupBy = append(declined.GroupBy, "reason")
	first := measure("IND-DN-A", "下转率", "Down-referral rate", "PERCENT", "HIGHER_BETTER", "DISCHARGES")
	first.Note, first.NoteEn = "说明", "A note"
	waiting := measure("CAND-OPEN", "应转未转", "Candidates outstanding", "COUNT", "LOWER_BETTER")
	var stages []*referralv1.Measure
	for _, code := range strings.Fields("STAGE-UP-ANSWERED STAGE-UP-ARRIVED STAGE-UP-ENDED STAGE-UP-SENT-DOWN STAGE-UP-TAKEN-OVER STAGE-DN-ANSWERED STAGE-DN-ARRIVED STAGE-DN-FOLLOWED-UP") {
		stages = append(stages, measure(code, "环节", "Stage", "PERCENT", "HIGHER_BETTER", "SENT"))
	}
	return append(stages, []*referralv1.Measure{
		waiting, measure("DN-N", "下转人次", "Sent down", "COUNT", "NEUTRAL"), first, measure("IND-DN-B", "回转率", "Return rate", "PERCENT", "HIGHER_BETTER", "ENDED", "ENDED_FIT"), measure("UP-N", "上转人次", "Sent up", "COUNT", "NEUTRAL"),
		measure("IND-DN-C", "上下转比", "Down per up", "RATIO", "NEUTRAL", "UP_ARRIVED"), measure("IND-ACK", "响应及时率", "Answered in time", "PERCENT", "HIGHER_BETTER", "SUBMITTED"),
		measure("TIME-ANSWER", "首次答复", "To the first answer", "DURATION", "LOWER_BETTER"), measure("BOUNCE-N", "返回人次", "Bounce-backs", "COUNT", "LOWER_BETTER"), declined,
		measure("VERDICT-NECESSARY", "确需上转", "Necessary", "PERCENT", "HIGHER_BETTER", "ASSESSED"), measure("VERDICT-TOO-LATE", "转诊偏晚", "Too late", "PERCENT", "LOWER_BETTER", "ASSESSED"),
	}...)
}

func sampleSettings() *referralv1.Settings {
	limit := func(step, direction string, urgency commonv1.Urgency_Code, minutes, working, repeat int32) *referralv1.Limit {
		return &referralv1.Limit{Step: step, Direction: direction, Urgency: urgency, Minutes: minutes, WorkingDays: working, RepeatMinutes: repeat}
	}
	return &referralv1.Settings{
		Version: 5, Opens: "08:00", Closes: "17:30", Holidays: []string{"2026-10-01", "2026-10-02"}, Workdays: []string{"2026-10-10"}, BounceBackDays: 14,
		Limits: []*referralv1.Limit{
			limit("ANSWER", "UP", commonv1.Urgency_EMERGENCY, 10, 0, 10), limit("ANSWER", "UP", commonv1.Urgency_ROUTINE, 0, 1, 0),
			limit("FIRST_CONTACT", "DOWN", commonv1.Urgency_ROUTINE, 7*24*60, 0, 180), limit("VISIT", "DOWN", commonv1.Urgency_ROUTINE, 0, 0, 4320),
			limit("ARRIVAL", "UP", commonv1.Urgency_EMERGENCY, 240, 0, 0),
		},
	}
}

// visitWorkplaces opens the work lists, the figures and the settings, full and empty, and as they were refused.
func (w *world) visitWorkplaces(doctor, clerk *browser, see func(*browser, string, ...string), look func(string, *browser, *httptest.ResponseRecorder)) {
	admin := w.admin()
	admin.language = doctor.language
	done, unknown := sampleCheck(), sampleVisit()
	done.State, done.Result, done.DoneTime, done.Findings = "DONE", "WENT", in(-time.Hour), nil
	unknown.State, unknown.DoneTime, unknown.Findings = "DONE", in(-time.Hour), &referralv1.Findings{Result: "WORSE"}
	for range 2 { // full, then empty
		for _, path := range strings.Fields("/follow-ups /follow-ups?tab=overdue&who=mine /follow-ups?tab=week&page=next /follow-ups?tab=done /follow-ups?tab=all") {
			see(doctor, path)
			see(doctor, path, "X-Fragment", "rows")
		}
		look("check", doctor, doctor.post("/follow-ups/"+taskID+"/check", form("result", "WENT", "note", markText)))
		w.refuse(checkMethod, errs.Invalid(errs.Required("result"), errs.Bad("note", errs.ReasonFieldTooLong)))
		look("check", doctor, doctor.post("/follow-ups/"+taskID+"/check", form("note", markText, "page", "next")))
		for _, path := range strings.Fields("/candidates /candidates?tab=DISMISSED&department=0304 /candidates?tab=CLOSED&page=next") {
			see(clerk, path)
			see(clerk, path, "X-Fragment", "rows")
		}
		look("refer", clerk, clerk.post("/candidates/"+candidateID+"/refer", form("requestId", "x")))
		w.refuse(dismissMethod, errs.Invalid(errs.Required("reasonCode"), errs.Required("note")))
		look("dismiss", clerk, clerk.post("/candidates/"+candidateID+"/dismiss", form("version", "4", "note", markText)))
		w.refuse(dismissMethod, errs.Stale(5, "DISMISSED"))
		look("dismiss", clerk, clerk.post("/candidates/"+candidateID+"/dismiss", form("version", "4", "note", markText)))
		w.countedFigures()
		for _, path := range strings.Fields(`/statistics /statistics?period=quarter&by=condition /statistics?period=last-month&by=doctor&measure=IND-ACK /statistics?period=year&by=department&retrospective=1
			/statistics?period=custom&from=2026-01-05&to=2026-02-07&by=urgency /statistics?period=custom&from=x /statistics/mine /statistics/mine?period=quarter /statistics/discharges /statistics/discharges?period=custom&from=x
			/statistics/cases?measure=IND-DN-B&from=2026-03-01&to=2026-04-01&part=DENOMINATOR&denominator=ENDED_FIT&organization=` + townshipID + `&department=0304&condition=I10&urgency=URGENT&kind=INPATIENT
			/statistics/cases?measure=DECLINED-N&from=2026-03-01&to=2026-04-01&reason=NO_BED`) {
			see(admin, path)
			see(doctor, path)
		}
		for _, path := range strings.Fields("/statistics/measure?measure=IND-DN-B&denominator=ENDED_FIT&period=last-month&department=0304 /statistics/measure?measure=DECLINED-N&period=custom&from=x") {
			see(admin, path)
			see(doctor, path)
		}
		for _, path := range strings.Fields(`/overview /overview?period=quarter /overview?period=custom&from=x /overview/late /overview/late?step=ANSWER /overview/report /settings/all
			/settings/targets /settings/reasons /settings/history/TARGETS /settings/history/TARGETS?restore=3 /settings/history/SETTINGS?restore=0 /settings/history/SETTINGS /settings/history/REASONS`) {
			see(admin, path)
		}
		see(admin, "/settings")
		see(doctor, "/settings")
		see(doctor, "/criteria")
		look("settings", admin, admin.post("/settings", typedSettings()))
		w.refuse(updateMethod, errs.Stale(6, ""))
		look("settings", admin, admin.post("/settings", with(typedSettings(), "limit.0", "many")))
		look("settings", admin, admin.post("/settings", with(typedSettings(), "limit.0", "3")))
		w.always(followUpsMethod, &referralv1.ListFollowUpsResponse{FollowUps: []*referralv1.FollowUp{done, unknown}})
		see(doctor, "/follow-ups?tab=done")
		for _, state := range strings.Fields("REFERRED DISMISSED CLOSED") {
			c := sampleCandidate(state)
			c.DueTime = in(-30 * time.Hour)
			w.always(candidatesMethod, &referralv1.ListCandidatesResponse{Candidates: []*referralv1.Candidate{c}})
			see(clerk, "/candidates?tab=DISMISSED")
		}
		w.always(followUpsMethod, &referralv1.ListFollowUpsResponse{})
		w.always(candidatesMethod, &referralv1.ListCandidatesResponse{Candidates: nil})
		w.always(definitionsMethod, &referralv1.ListDefinitionsResponse{})
		w.always(lateMethod, &referralv1.ListLateResponse{})
		w.always(stagesMethod, &referralv1.ListStagesResponse{})
		w.always(quietMethod, &referralv1.ListQuietCentresResponse{})
		w.always(versionsMethod, &referralv1.ListSettingVersionsResponse{})
		w.always(criteriaMethod, &referralv1.ListCriteriaResponse{})
	}
	w.mu.Lock()
	w.answers = w.defaults()
	w.mu.Unlock()
}
