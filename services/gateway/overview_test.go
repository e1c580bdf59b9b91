package gateway_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

const (
	lateMethod       = referralv1.StatisticsService_ListLate_FullMethodName
	blockingMethod   = referralv1.StatisticsService_ListBlockingMedicines_FullMethodName
	stagesMethod     = referralv1.StatisticsService_ListStages_FullMethodName
	quietMethod      = referralv1.StatisticsService_ListQuietCentres_FullMethodName
	courseMethod     = referralv1.StatisticsService_GetStatisticCase_FullMethodName
	targetsMethod    = referralv1.SettingService_GetTargets_FullMethodName
	setTargetsMethod = referralv1.SettingService_UpdateTargets_FullMethodName
	wordsMethod      = referralv1.SettingService_GetReasonSettings_FullMethodName
	setWordsMethod   = referralv1.SettingService_UpdateReasonSettings_FullMethodName
	versionsMethod   = referralv1.SettingService_ListSettingVersions_FullMethodName
)

func sampleLate() *referralv1.ListLateResponse {
	return &referralv1.ListLateResponse{
		Totals: []*referralv1.LateTotal{{Step: "ANSWER", Count: 2}, {Step: "REPLY", Count: 1}}, NextPageToken: "next",
		Cases: []*referralv1.LateCase{{
			Case: &referralv1.StatisticCase{
				ReferralId: referralID, Number: "450321-26-0000200-1", State: referralv1.State_SUBMITTED, Direction: commonv1.Direction_UP, Urgency: commonv1.Urgency_URGENT,
				Originator: &commonv1.Party{OrganizationId: townshipID}, Receiver: &commonv1.Party{OrganizationId: hospitalID}, Condition: "I10",
			},
			Step: "ANSWER", DueTime: in(-90 * 60e9), WaitingOrganizationId: hospitalID, WaitingDepartment: "0304", WaitingRole: commonv1.Role_INTAKE_DESK,
		}},
	}
}

func sampleStages() *referralv1.ListStagesResponse {
	return &referralv1.ListStagesResponse{Up: []*referralv1.Stage{
		{Measure: "STAGE-UP-ANSWERED", Count: 9, Share: 100}, {Measure: "STAGE-UP-ANSWERED", Count: 7, Share: 77.8, Lost: 2, Worst: true},
	}}
}

func sampleQuiet() *referralv1.ListQuietCentresResponse {
	return &referralv1.ListQuietCentresResponse{
		From: "2025-11-19", To: "2026-03-19", Centres: []*referralv1.QuietCentre{{OrganizationId: townshipID, LastDay: "2026-01-10", Days: 67, Sent: 7}, {OrganizationId: hospitalID, Days: 120}},
	}
}

func sampleCourse() *referralv1.CaseCourse {
	return &referralv1.CaseCourse{
		Case: sampleLate().GetCases()[0].GetCase(), Waits: sampleLate().GetCases(), Steps: []*referralv1.CaseStep{
			{Action: "submit", To: referralv1.State_SUBMITTED, OrganizationId: townshipID, Time: in(-180 * 60e9)},
			{Action: "return", From: referralv1.State_SUBMITTED, To: referralv1.State_RETURNED, OrganizationId: hospitalID, Time: in(-120 * 60e9), ReasonCode: "NO_BED"},
		},
		Links: []*referralv1.CaseLink{{Relation: "SENT_DOWN", ReferralId: slotID, Number: "450321-26-0000201-9", State: referralv1.State_CANCELLED, SubmitTime: in(-60 * 60e9)}},
		Standings: []*referralv1.CaseStanding{
			{Measure: "IND-DN-A", Ground: &referralv1.CaseGround{Place: "MISSED", Fact: "DOWN_WITHDRAWN"}}, {Measure: "IND-ACK", Ground: &referralv1.CaseGround{Place: "EXCLUDED", Fact: "ANSWER_AHEAD"}},
		},
	}
}

func sampleBlocking() *referralv1.ListBlockingMedicinesResponse {
	return &referralv1.ListBlockingMedicinesResponse{Candidates: 5, Blocked: 2, Medicines: []*referralv1.BlockingMedicine{{
		Name: "替格瑞洛片", Availability: "MISSING", CentreIds: []string{townshipID}, Count: 2,
		Lacking: []*referralv1.LackingCentre{{OrganizationId: townshipID, Availability: "MISSING", Count: 2}},
		Cases:   []*referralv1.StatisticCase{{StayId: slotID, Originator: &commonv1.Party{OrganizationId: townshipID}, Receiver: &commonv1.Party{OrganizationId: hospitalID}, Condition: "I25"}},
	}}}
}

func sampleTargets() *referralv1.Targets {
	return &referralv1.Targets{Version: 4, Targets: []*referralv1.Target{
		{Measure: "IND-DN-A", FromMonth: "2026-01", ToMonth: "2026-12", Value: 80}, {Measure: "UP-N", OrganizationId: hospitalID, DepartmentCode: "0304", Value: 20},
	}}
}

func sampleVersions() *referralv1.ListSettingVersionsResponse {
	before := proto.CloneOf(sampleTargets())
	before.Version, before.Targets[0].Value, before.Targets = 3, 75, before.Targets[:1]
	return &referralv1.ListSettingVersionsResponse{Versions: []*referralv1.SettingVersion{
		{Version: 4, AccountId: "admin", AccountName: "黄管理", ChangeTime: in(-60e9), Targets: sampleTargets(), Settings: sampleSettings(), Reasons: &referralv1.ReasonSettings{}},
		{Version: 3, ChangeTime: in(-120e9), Targets: before, Settings: sampleSettings(), Reasons: &referralv1.ReasonSettings{Reasons: []*referralv1.ReasonSetting{{Action: "decline", Code: "NO_BED", Text: "满床", Hidden: true}}}},
	}}
}

// recognised answers the figures of recognition.
func (w *world) recognised() {
	w.always(patientrecordv1.RecognitionService_GetRecognitionStatistics_FullMethodName, &patientrecordv1.GetRecognitionStatisticsResponse{
		HasSaving: true, Saving: 35000, Figures: []*patientrecordv1.RecognitionFigure{{Measure: "AVOIDED", Numerator: 9}},
		Definitions: []*patientrecordv1.RecognitionMeasure{{Code: "AVOIDED", Name: "少做", NameEn: "Avoided"}},
	})
}

func TestTheFirstPageAnswersAtAGlanceAndEveryFigureOpens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.countedFigures()
	w.recognised()
	b := w.admin()
	if got := b.get("/"); got.Header().Get("Location") != "/overview" {
		t.Errorf("an administrator begins at %s", got.Header().Get("Location"))
	}
	body := b.get("/overview?period=last-month&urgency=URGENT").Body.String()
	for what, words := range map[string]string{
		"the rate": `<p class="big">77.8%</p>`, "its target": "target 80% · ✗ missed (-2.2 points)", "the definition": "Down-referral rate: those",
		"who is late": ">3</a>", "how late": "450321-26-0000200-1", "a medicine": "替格瑞洛片", "the saving": "¥ 350.00",
		"the filter in the address": "urgency=URGENT", "what it compares with": "compared with 2026-01-01 to 2026-01-31", "the report": `href="/overview/report?month=2026-02&amp;urgency=URGENT"`,
		"the table behind": "<summary>Table</summary>", "a flow": "<svg class=\"drawn flow up\"",
	} {
		if !strings.Contains(body, words) {
			t.Errorf("%s: %q is missing", what, words)
		}
	}
	for _, problem := range htmlcheck.Page(body) {
		t.Error(problem)
	}
	for _, q := range called[*referralv1.QueryStatisticsRequest](w, figuresMethod) {
		if q.GetUrgency() != commonv1.Urgency_URGENT && !slices.Contains(q.GetGroupBy(), "day") {
			t.Errorf("asked without the filter: %v", q)
		}
	}
}

func TestAPeerThatIsAwayIsNamedAndTheRestStands(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.countedFigures()
	w.refuse(patientrecordv1.RecognitionService_GetRecognitionStatistics_FullMethodName, errs.Unavailable("patientrecord", nil))
	got := w.admin().get("/overview")
	if body := got.Body.String(); got.Code != http.StatusOK || !strings.Contains(body, "recognition —") || !strings.Contains(body, "替格瑞洛片") {
		t.Errorf("%d: the part that is missing is not named, or took the page with it", got.Code)
	}
}

func TestAHeadSeesTheOwnPlaceOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.countedFigures()
	w.recognised()
	body := w.as("head", commonv1.Role_CENTRE_HEAD).get("/overview?organization=" + townshipID).Body.String()
	if strings.Contains(body, `name="organization"`) || strings.Contains(body, "Centres that went quiet") {
		t.Error("a head is offered other places")
	}
	for _, q := range called[*referralv1.QueryStatisticsRequest](w, figuresMethod) {
		if q.GetOrganizationId() != hospitalID {
			t.Errorf("asked of %q", q.GetOrganizationId())
		}
	}
}

func TestTheMonthIsWrittenWithItsDefinitions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.countedFigures()
	w.recognised()
	b := w.admin()
	body := b.get("/overview/report?month=2026-02").Body.String()
	for what, words := range map[string]string{
		"the heading": "Two-way referral in 2026-02: The whole county", "the rate in words": "Down-referral rate: 77.8% (7 of 9)", "the target": "misses its target of 80% by 2.2 points",
		"the saving": "saved an estimated ¥350.00", "the definitions": "<h2>Definitions</h2>", "who made it": "by 管理员", "the month before": "month=2026-01",
		"the same month as a workbook": "/overview/export?from=2026-02-01&amp;period=custom&amp;to=2026-02-28&amp;format=xlsx",
	} {
		if !strings.Contains(body, words) {
			t.Errorf("%s: %q is missing", what, words)
		}
	}
	if strings.Contains(b.get("/overview/report?month=2027-05").Body.String(), "Two-way referral in 2027-05") {
		t.Error("a month that has not come is written")
	}
}

// workbook opens what was answered.
func workbook(t *testing.T, got *httptest.ResponseRecorder) *excelize.File {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(got.Body.Bytes()))
	if err != nil {
		t.Fatal(got.Code, err)
	}
	return f
}

func TestTheWorkbookHasASheetForEveryTable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.countedFigures()
	w.recognised()
	b := w.admin()
	b.language = "zh-CN"
	got := b.get("/overview/export?format=xlsx&period=last-month")
	f := workbook(t, got)
	if name := got.Header().Get("Content-Disposition"); !strings.HasPrefix(name, `attachment; filename="tongzhen-2026-02-01-2026-02-28.xlsx"; filename*=UTF-8''%E5%8F%8C`) {
		t.Errorf("the file is called %s", name)
	}
	tabs := f.GetSheetList()
	if len(tabs) != 13 || tabs[0] != "全部指标" || tabs[12] != "指标说明" {
		t.Errorf("%q", tabs)
	}
	rows, err := f.GetRows("全部指标")
	if err != nil || len(rows) != 5+len(sampleMeasures()) || rows[4][0] != "指标" || rows[4][3] != "变化（本期减上期，率为百分点）" || !strings.Contains(rows[2][0], "上转 7 人次包括远程会诊") || !slices.ContainsFunc(rows, func(row []string) bool {
		return len(row) == 10 && row[0] == "下转率" && row[1] == "77.8%" && row[3] == "0" && row[8] == "80" && row[9] == "IND-DN-A"
	}) {
		t.Errorf("%q, %v", rows, err)
	}
	csv := b.get("/overview/export?format=csv&period=last-month&table=late").Body.String()
	if !strings.HasPrefix(csv, "\uFEFF") || !strings.Contains(csv, "450321-26-0000200-1,答复转诊") {
		t.Errorf("%q", csv)
	}
	if got := b.get("/overview/export?format=pdf"); got.Code != http.StatusBadRequest {
		t.Errorf("an unknown format: %d", got.Code)
	}
}

func TestAnOlderVersionIsWrittenAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.admin()
	body := b.get("/settings/history/TARGETS").Body.String()
	for _, words := range []string{"黄管理", "<del>75</del> → <ins>80</ins>", "not noted", "Sent up"} {
		if !strings.Contains(body, words) {
			t.Errorf("%q is missing", words)
		}
	}
	shows(t, b.get("/settings/history/TARGETS?restore=3").Body.String(), "What going back to version 3 changes", "<del>80</del> → <ins>75</ins>", `name="restore" value="3"`)
	if body := b.get("/settings/history/TARGETS?restore=9").Body.String(); strings.Contains(body, `id="restore"`) {
		t.Error("a version that there is not is offered")
	}
	for _, none := range []string{"", "x"} { // no version is not the one before all
		if got := b.post("/settings/history/TARGETS", form("version", "4", "requestId", "r", "restore", none)); got.Code != http.StatusNotFound {
			t.Errorf("restores %q: %d", none, got.Code)
		}
	}
	got := b.post("/settings/history/TARGETS", form("version", "4", "requestId", "r", "restore", "3"))
	sent := called[*referralv1.UpdateTargetsRequest](w, setTargetsMethod)
	if got.Code != http.StatusSeeOther || len(sent) != 1 || sent[0].GetTargets().GetVersion() != 4 || len(sent[0].GetTargets().GetTargets()) != 1 || sent[0].GetTargets().GetTargets()[0].GetValue() != 75 {
		t.Errorf("%d %v", got.Code, sent)
	}
	w.refuse(setTargetsMethod, errs.Stale(5, ""))
	if got := b.post("/settings/history/TARGETS", form("version", "4", "restore", "3")); got.Code != http.StatusConflict && got.Code != http.StatusPreconditionFailed {
		t.Errorf("a stale restoring: %d", got.Code)
	}
	if got := b.get("/settings/history/NOTHING"); got.Code != http.StatusNotFound {
		t.Errorf("%d", got.Code)
	}
}

func TestReasonsAreWordedAndHidden(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.admin()
	body := b.get("/settings/reasons").Body.String()
	if !strings.Contains(body, `name="text.0"`) || strings.Count(body, `name="action"`) == 0 {
		t.Fatal("no reasons to word")
	}
	v := form("version", "2", "requestId", "r", "text.0", "满床", "textEn.0", "Full", "hidden.1", "1", "text.1", "重复", "textEn.1", "")
	v["action"], v["code"] = strings.Fields("decline decline"), strings.Fields("NO_BED DUPLICATE")
	if got := b.post("/settings/reasons", v); got.Code != http.StatusSeeOther {
		t.Fatal(got.Code)
	}
	want := &referralv1.ReasonSettings{Version: 2, Reasons: []*referralv1.ReasonSetting{{Action: "decline", Code: "NO_BED", Text: "满床", TextEn: "Full"}, {Action: "decline", Code: "DUPLICATE", Text: "重复", Hidden: true}}}
	if sent := called[*referralv1.UpdateReasonSettingsRequest](w, setWordsMethod); len(sent) != 1 || !proto.Equal(sent[0].GetSettings(), want) {
		t.Errorf("%v", sent)
	}
	w.refuse(setWordsMethod, errs.Invalid(errs.Bad("settings.reasons[0].text", errs.ReasonFieldTooLong)))
	at := rowOf(t, body, "decline", "NO_BED")
	if body := b.post("/settings/reasons", v).Body.String(); !strings.Contains(body, `href="#f-text.`+at+`"`) || !strings.Contains(body, `name="text.`+at+`" value="满床"`) {
		t.Error("a refusal does not say where, or loses what was typed")
	}
}

// rowOf is the number of the fields of a reason on the page; the code is empty for the row of a new one.
func rowOf(t *testing.T, body, action, code string) string {
	t.Helper()
	for n, found := range regexp.MustCompile(`name="action" value="(\w+)"><input type="hidden" name="code" value="([\w.]*)"`).FindAllStringSubmatch(body, -1) {
		if found[1] == action && found[2] == code {
			return strconv.Itoa(n)
		}
	}
	t.Fatalf("no row of %s %s", action, code)
	return ""
}

func TestACountyAddsAReasonOfItsOwnUnderAShippedOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.admin()
	body := b.get("/settings/reasons").Body.String()
	at := rowOf(t, body, "decline", "")
	v := form("version", "2", "requestId", "r", "text.0", "ICU 满床", "countsAs.0", "NO_BED", "text.1", " ", "countsAs.1", "NO_BED")
	v["action"], v["code"] = strings.Fields("decline decline"), []string{"", ""}
	if got := b.post("/settings/reasons", v); got.Code != http.StatusSeeOther {
		t.Fatal(got.Code, got.Body)
	}
	want := &referralv1.ReasonSettings{Version: 2, Reasons: []*referralv1.ReasonSetting{{Action: "decline", Text: "ICU 满床", CountsAs: "NO_BED"}}}
	if sent := called[*referralv1.UpdateReasonSettingsRequest](w, setWordsMethod); len(sent) != 1 || !proto.Equal(sent[0].GetSettings(), want) {
		t.Errorf("%v", sent)
	}
	w.refuse(setWordsMethod, errs.Invalid(errs.Bad("settings.reasons[0].countsAs", errs.ReasonFieldRequired)))
	v.Del("countsAs.0")
	if body := b.post("/settings/reasons", v).Body.String(); !strings.Contains(body, `href="#f-countsAs.`+at+`"`) || !strings.Contains(body, `name="text.`+at+`" value="ICU 满床"`) {
		t.Error("a refusal does not say where, or loses what was typed")
	}
	w.refuse(setWordsMethod, errs.Stale(5, ""))
	if body := b.post("/settings/reasons", v).Body.String(); !strings.Contains(body, "Somebody else changed this") || !strings.Contains(body, `value="ICU 满床"`) {
		t.Error("a stale version loses what was typed")
	}
}

func TestWhoSeesFiguresOpensACaseWithoutThePatient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.countedFigures()
	w.recognised()
	b := w.admin()
	at := "/statistics/cases/" + referralID
	w.always(directoryv1.RosterService_ListOnDuty_FullMethodName, &directoryv1.ListOnDutyResponse{Posts: []*directoryv1.PostDuty{{DepartmentCode: "DESK", Duties: sampleRoster().GetDuties()}}})
	shows(t, b.get("/overview/late").Body.String(), "Whom to call", `on duty: 周护士 <a class="whole" href="tel:12010000001">`)
	for _, page := range []string{"/overview", "/overview/late", "/statistics/cases?measure=IND-DN-A&from=2026-03-01&to=2026-04-01"} {
		if !strings.Contains(b.get(page).Body.String(), `href="`+at+`?back=`) {
			t.Errorf("%s does not lead to the case", page)
		}
	}
	course := sampleCourse()
	centre := proto.CloneOf(course.GetWaits()[0])
	centre.Step, centre.WaitingOrganizationId, centre.WaitingDepartment, centre.WaitingRole = "NORM_CHECK", townshipID, "02", commonv1.Role_TOWNSHIP_DOCTOR
	course.Waits = append(course.Waits, centre)
	course.Links = append(course.Links, &referralv1.CaseLink{Relation: "BOUNCED_BY"})
	w.always(courseMethod, course)
	w.always(directoryv1.RosterService_ListOnDuty_FullMethodName, &directoryv1.ListOnDutyResponse{Posts: []*directoryv1.PostDuty{
		{DepartmentCode: "DESK", Duties: sampleRoster().GetDuties()}, {Duties: []*directoryv1.Duty{{AccountName: "莫医生", Phone: "12010000009"}}},
	}})
	body := sound(t, "course", b.get(at))
	for _, words := range []string{
		"450321-26-0000200-1", "intake desk", "answer", `on duty: 周护士 <a class="whole" href="tel:12010000001">12010000001</a>`, "handled between others; its number is not shown to you",
		"on duty: 莫医生", // at the one post of the centre
	} {
		if !strings.Contains(body, words) {
			t.Errorf("%q is missing", words)
		}
	}
	for _, mark := range marks() {
		if strings.Contains(body, mark) {
			t.Errorf("the page holds %s", mark)
		}
	}
	if strings.Contains(b.get("/overview").Body.String(), `href="/referrals/`+referralID) {
		t.Error("an administrator is led to a record")
	}
	w.refuse(courseMethod, errs.NotFound("referral"))
	if got := b.get(at); got.Code != http.StatusNotFound {
		t.Errorf("nothing: %d", got.Code)
	}
}

func TestFiguresAreExportedByTheWordsTheyAreAskedBy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.countedFigures()
	got := w.api(http.MethodGet, "/statistics/referrals:export?from=2026-03-01&to=2026-04-01&measure=IND-DN-B&measure=UP-N&groupBy=month&format=csv", "township", "")
	if got.Code != http.StatusOK || !strings.Contains(got.Body.String(), "IND-DN-B,回转率,2026-01-01,75.0,PERCENT,6,8,,") {
		t.Errorf("%d %q", got.Code, got.Body)
	}
	asked := called[*referralv1.QueryStatisticsRequest](w, figuresMethod)
	if len(asked) != 1 || !slices.Equal(asked[0].GetMeasure(), []string{"IND-DN-B", "UP-N"}) || asked[0].GetFrom() != "2026-03-01" || !slices.Equal(asked[0].GetGroupBy(), []string{"month"}) {
		t.Errorf("%v", asked)
	}
	got = w.api(http.MethodGet, "/statistics/referrals:export?from=2026-03-01&to=2026-04-01", "township", "")
	f, err := excelize.OpenReader(bytes.NewReader(got.Body.Bytes()))
	if err != nil || !slices.Equal(f.GetSheetList(), []string{"指标", "指标说明"}) {
		t.Errorf("%d %v", got.Code, err)
	}
	if got := w.api(http.MethodGet, "/statistics/referrals:export?format=pdf", "township", ""); got.Code != http.StatusBadRequest {
		t.Errorf("an unknown format: %d", got.Code)
	}
	if got := w.api(http.MethodGet, "/statistics/referrals:export", "", ""); got.Code != http.StatusUnauthorized {
		t.Errorf("nobody: %d", got.Code)
	}
}
