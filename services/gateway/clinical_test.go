package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

const (
	recordEntriesMethod = patientrecordv1.ClinicalRecordService_RecordEntries_FullMethodName
	listEntriesMethod   = patientrecordv1.ClinicalRecordService_ListEntries_FullMethodName
	getEntryMethod      = patientrecordv1.ClinicalRecordService_GetEntry_FullMethodName
	correctMethod       = patientrecordv1.ClinicalRecordService_CorrectEntry_FullMethodName
	amendMethod         = patientrecordv1.ClinicalRecordService_AmendEntry_FullMethodName
	withdrawMethod      = patientrecordv1.ClinicalRecordService_MarkEnteredInError_FullMethodName
	trendsMethod        = patientrecordv1.ClinicalRecordService_GetTrends_FullMethodName
	summaryMethod       = patientrecordv1.PatientRecordService_GetSummary_FullMethodName

	entryID    = "0192f0c1-0000-7000-8000-0000000000c1"
	recordPage = "/patients/" + patientID + "/record"
	entryPage  = "/patients/" + patientID + "/entries/" + entryID
	trendsPage = "/patients/" + patientID + "/trends"
)

// contents are one entry of each kind.
func contents() map[string]*patientrecordv1.ClinicalEntry {
	hour := in(-time.Hour)
	value := func(code string, v float64) *patientrecordv1.ObservationComponent {
		return &patientrecordv1.ObservationComponent{Code: &commonv1.Coding{System: "http://loinc.org", Code: code}, Quantity: &patientrecordv1.Quantity{Value: v, Unit: "mm[Hg]"}}
	}
	return map[string]*patientrecordv1.ClinicalEntry{
		"PROBLEM": {Resource: &patientrecordv1.ClinicalEntry_Problem{Problem: &patientrecordv1.Problem{
			Text: "高血压", ClinicalStatus: "active", OnsetTime: hour, Codes: []*commonv1.Coding{{System: "ICD-10", Code: "I10", Display: "原发性高血压"}},
		}}},
		"ALLERGY":    {Resource: &patientrecordv1.ClinicalEntry_Allergy{Allergy: &patientrecordv1.Allergy{Text: "青霉素", Criticality: "high", Categories: []string{"medication"}, ClinicalStatus: "active"}}},
		"MEDICATION": {Resource: &patientrecordv1.ClinicalEntry_Medication{Medication: &patientrecordv1.Medication{Text: "氨氯地平", Dosage: "每日一次", Status: "stopped"}}},
		"OBSERVATION": {Resource: &patientrecordv1.ClinicalEntry_Observation{Observation: &patientrecordv1.Observation{
			Text: "血压", EffectiveTime: hour, Components: []*patientrecordv1.ObservationComponent{value("8480-6", 152), value("8462-4", 94)}, Interpretation: "H",
		}}},
		"REPORT":       {Resource: &patientrecordv1.ClinicalEntry_DiagnosticReport{DiagnosticReport: &patientrecordv1.DiagnosticReport{Text: "胸片", Conclusion: markText, Category: "imaging"}}},
		"NOTE":         {Resource: &patientrecordv1.ClinicalEntry_Note{Note: &patientrecordv1.Note{Title: "门诊记录", Text: markText, Category: "VISIT"}}},
		"ENCOUNTER":    {Resource: &patientrecordv1.ClinicalEntry_Encounter{Encounter: &patientrecordv1.Encounter{Text: "门诊", ClassCode: "AMB", Reason: "头晕", EndTime: hour}}},
		"PROCEDURE":    {Resource: &patientrecordv1.ClinicalEntry_Procedure{Procedure: &patientrecordv1.Procedure{Text: "清创"}}},
		"IMMUNIZATION": {Resource: &patientrecordv1.ClinicalEntry_Immunization{Immunization: &patientrecordv1.Immunization{Text: "流感疫苗"}}},
	}
}

func sampleEntry(kind, status, change string, version int32, actions ...string) *patientrecordv1.RecordEntry {
	e := &patientrecordv1.RecordEntry{
		Id: entryID, Version: version, PatientId: patientID, Kind: kind, Status: status, EffectiveTime: in(-time.Hour), Content: contents()[kind],
		OrganizationId: townshipID, RecordTime: in(-time.Minute), Change: change, Actions: actions,
	}
	if change != "IMPORTED" {
		e.Author = &commonv1.Actor{AccountId: doctor().GetId(), Name: "李医生"}
		e.Writer = e.GetAuthor()
	}
	return e
}

// charting answers what the pages of the record ask.
func charting() map[string]proto.Message {
	corrected := sampleEntry("NOTE", "final", "CORRECTED", 3, "CORRECT", "MARK_ENTERED_IN_ERROR")
	corrected.Sealed, corrected.AfterSealing, corrected.ReasonCode, corrected.Note = true, true, "WRONG_VALUE", markText
	list := &patientrecordv1.ListEntriesResponse{NextPageToken: "more", Entries: []*patientrecordv1.RecordEntry{corrected}}
	for kind := range contents() {
		list.Entries = append(list.Entries, sampleEntry(kind, "active", "IMPORTED", 1), sampleEntry(kind, "entered-in-error", "ENTERED_IN_ERROR", 2))
	}
	low, high := 90.0, 140.0
	line := func(name string, r *patientrecordv1.ReferenceRange, values ...float64) *patientrecordv1.TrendLine {
		l := &patientrecordv1.TrendLine{Name: name, Label: "收缩压", LabelEn: "systolic", Range: r}
		for i, v := range values {
			l.Points = append(l.Points, &patientrecordv1.TrendPoint{Time: in(time.Duration(i-50) * time.Hour), Value: v, EntryId: entryID, Version: 1, OrganizationId: townshipID})
		}
		return l
	}
	usual := &patientrecordv1.ReferenceRange{Low: &low, High: &high, Source: "WS/T 1", Certainty: "OWN_HIGH"}
	return map[string]proto.Message{
		listEntriesMethod: list, getEntryMethod: corrected, correctMethod: corrected, amendMethod: corrected, withdrawMethod: corrected,
		recordEntriesMethod: &patientrecordv1.RecordEntriesResponse{},
		patientrecordv1.ClinicalRecordService_ListEntryVersions_FullMethodName: &patientrecordv1.ListEntryVersionsResponse{Versions: []*patientrecordv1.RecordEntry{
			corrected, sampleEntry("NOTE", "final", "AMENDED", 2), sampleEntry("NOTE", "final", "RECORDED", 1),
		}},
		trendsMethod: &patientrecordv1.GetTrendsResponse{Trends: []*patientrecordv1.Trend{
			{Name: "blood_pressure", Label: "血压", LabelEn: "Blood pressure", Unit: "mm[Hg]", AxisLow: 60, AxisHigh: 160, LeftOut: 1, Lines: []*patientrecordv1.TrendLine{line("sbp", usual, 152, 131), line("dbp", nil, 94, 80)}},
			{Name: "egfr", Label: "肾小球滤过率", LabelEn: "eGFR", Unit: "mL/min/{1.73_m2}", Lines: []*patientrecordv1.TrendLine{line("egfr", &patientrecordv1.ReferenceRange{Low: &low, Source: "s"}, 60)}},
			{Name: "ldl", Label: "胆固醇", LabelEn: "LDL", Unit: "mmol/L", Lines: []*patientrecordv1.TrendLine{line("ldl", nil)}},
		}},
	}
}

// visitRecord opens the pages of a record, as they are and refused.
func (w *world) visitRecord(doctor *browser, see func(*browser, string, ...string), look func(string, *browser, *httptest.ResponseRecorder)) {
	for _, path := range []string{recordPage, recordPage + "?kind=NOTE&days=90&errors=1&page=x", entryPage, trendsPage, trendsPage + "?days=30"} {
		see(doctor, path)
	}
	for _, kind := range strings.Fields("values problem allergy medication result note encounter procedure immunization report") {
		see(doctor, recordPage+"/new/"+kind)
		look("write "+kind, doctor, doctor.post(recordPage+"/new/"+kind, form("entry.text", markText, "value.sbp", "x", "date", "x", "requestId", "r")))
	}
	for kind := range contents() {
		w.always(getEntryMethod, sampleEntry(kind, "active", "RECORDED", 1, "AMEND", "CORRECT", "MARK_ENTERED_IN_ERROR"))
		for _, do := range []string{"amend", "correct", "withdraw"} {
			see(doctor, entryPage+"/"+do)
		}
	}
	w.refuse(correctMethod, errs.Stale(3, markText))
	look("correct", doctor, doctor.post(entryPage+"/correct", form("version", "1", "entry.text", markText)))
	w.always(listEntriesMethod, &patientrecordv1.ListEntriesResponse{Withheld: &patientrecordv1.Withheld{Count: 2}})
	w.always(trendsMethod, &patientrecordv1.GetTrendsResponse{Truncated: true, Withheld: &patientrecordv1.Withheld{Child: true}})
	see(doctor, recordPage)
	see(doctor, trendsPage)
	for method, out := range charting() {
		w.always(method, out)
	}
}

func TestTheRecordShowsWhoWroteWhatAndWhatMustNotBeOverlooked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	body := b.get(recordPage + "?kind=NOTE&days=30").Body.String()
	for _, want := range []string{
		"青霉素", "severe", "高血压", `href="` + trendsPage + `"`, `aria-current="page"`, "李医生", "Baisha Township Health Centre", "Changed 2 ×", `href="` + entryPage + `"`,
		"from another system", "<s>", "152 / 94 mmHg", "Vital signs",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not shown", want)
		}
	}
	asked := lastly[*patientrecordv1.ListEntriesRequest](t, w, listEntriesMethod)
	if len(asked.GetKinds()) != 1 || asked.GetKinds()[0] != "NOTE" || !asked.GetFrom().AsTime().Equal(now.AddDate(0, 0, -30)) || asked.GetWithErrors() {
		t.Errorf("%v", asked)
	}
	b.get(recordPage + "?kind=NONSENSE&days=1")
	if asked := lastly[*patientrecordv1.ListEntriesRequest](t, w, listEntriesMethod); len(asked.GetKinds()) != 0 || asked.GetFrom() != nil {
		t.Errorf("%v", asked)
	}
	if history := b.get(entryPage).Body.String(); !strings.Contains(history, "Corrected after filing") || !strings.Contains(history, "Wrong value or words") || strings.Count(history, "<li><strong>Version") != 3 ||
		strings.Contains(history, entryPage+`/amend"`) || !strings.Contains(history, entryPage+`/correct"`) {
		t.Error(history)
	}
}

func TestNoKnownAllergyIsSaidCalmly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	none := &patientrecordv1.Allergy{Text: "无已知过敏", Codes: []*commonv1.Coding{{System: "http://snomed.info/sct", Code: "716186003"}}}
	summary := sampleSummary()
	summary.Allergies = []*patientrecordv1.Allergy{none}
	w.always(summaryMethod, summary)
	for _, path := range []string{recordPage, "/patients/" + patientID} {
		if body := w.browser("township").get(path).Body.String(); !strings.Contains(body, "no known allergy") || strings.Contains(body, `class="alarm"`) {
			t.Errorf("%s: it is not said, or said as an alarm", path)
		}
	}
	summary.Allergies = append(summary.Allergies, &patientrecordv1.Allergy{Text: "青霉素"})
	w.always(summaryMethod, summary)
	if body := w.browser("township").get("/patients/" + patientID).Body.String(); strings.Contains(body, "无已知过敏") || !strings.Contains(body, "青霉素") {
		t.Error("both are said at once")
	}
}

func typedValues() url.Values {
	return form("requestId", "r1", "value.sbp", "152", "value.dbp", "94", "value.temperature", "36，8", "value.fasting_glucose", "7.1", "date", "2026-03-02", "hour", "09:10",
		"under", "encounter:"+entryID)
}

func TestSeveralValuesAreWrittenAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	if got := b.post(recordPage+"/new/values", typedValues()); got.Code != http.StatusSeeOther || got.Header().Get("Location") != recordPage {
		t.Fatal(got.Code, got.Body)
	}
	in := lastly[*patientrecordv1.RecordEntriesRequest](t, w, recordEntriesMethod)
	if in.GetRequestId() != "r1" || len(in.GetEntries()) != 3 || in.GetEntries()[0].GetEncounterId() != entryID {
		t.Fatal(in)
	}
	pressure, temperature, glucose := in.GetEntries()[0].GetContent().GetObservation(), in.GetEntries()[1].GetContent().GetObservation(), in.GetEntries()[2].GetContent().GetObservation()
	if len(pressure.GetComponents()) != 2 || pressure.GetComponents()[1].GetQuantity().GetValue() != 94 || pressure.GetCodes()[0].GetCode() != "85354-9" ||
		!pressure.GetEffectiveTime().AsTime().Equal(time.Date(2026, 3, 2, 1, 10, 0, 0, time.UTC)) {
		t.Error(pressure)
	}
	if temperature.GetQuantity().GetValue() != 36.8 || temperature.GetQuantity().GetUnit() != "Cel" || glucose.GetCodes()[0].GetCode() != "14771-0" {
		t.Error(temperature, glucose)
	}
}

func TestARefusedValueNamesItsBoundsAndKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	w.refuse(recordEntriesMethod, errs.Invalid(
		errs.Bad("entries[0].value.sbp", errs.ReasonFieldOutOfRange, "cause", "RANGE", "min", "20", "max", "300", "unit", "mm[Hg]"),
		errs.Bad("entries[1].time", errs.ReasonFieldOutOfRange, "cause", "FUTURE")))
	got := b.post(recordPage+"/new/values", with(typedValues(), "value.sbp", "1520"))
	body := got.Body.String()
	if got.Code != http.StatusBadRequest || !strings.Contains(body, "between 20 and 300 mmHg") || !strings.Contains(body, `value="1520"`) || !strings.Contains(body, `href="#f-value.sbp"`) ||
		!strings.Contains(body, "has not come yet") {
		t.Error(got.Code, body)
	}
	for name, x := range map[string][2]string{"value.dbp": {"", "Please fill in “diastolic"}, "value.spo2": {"many", "is not right"}} {
		before := len(called[*patientrecordv1.RecordEntriesRequest](w, recordEntriesMethod))
		if got := b.post(recordPage+"/new/values", with(typedValues(), name, x[0])); got.Code != http.StatusBadRequest || !strings.Contains(strings.ToLower(got.Body.String()), strings.ToLower(x[1])) {
			t.Errorf("%s: %d %s", name, got.Code, got.Body)
		}
		if len(called[*patientrecordv1.RecordEntriesRequest](w, recordEntriesMethod)) != before {
			t.Error("half of a form was sent")
		}
	}
	if got := b.post(recordPage+"/new/values", form("requestId", "r")); !strings.Contains(got.Body.String(), "at least one value") {
		t.Error("an empty form")
	}
	w.refuse(recordEntriesMethod, errs.Unavailable("patientrecord", nil))
	if got := b.post(recordPage+"/new/values", typedValues()); got.Code != http.StatusServiceUnavailable || !strings.Contains(got.Body.String(), `name="requestId" value="r1"`) {
		t.Error("a repetition would be another request")
	}
}

func TestEachKindIsWrittenFromItsForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	sent := func(kind string, pairs ...string) *patientrecordv1.ClinicalEntry {
		t.Helper()
		if got := b.post(recordPage+"/new/"+kind, form(append(pairs, "requestId", "r", "date", "2026-03-01", "hour", "08:00")...)); got.Code != http.StatusSeeOther {
			t.Fatal(kind, got.Code, got.Body)
		}
		return lastly[*patientrecordv1.RecordEntriesRequest](t, w, recordEntriesMethod).GetEntries()[0].GetContent()
	}
	if p := sent("problem", "diagnosis", "I10|原发性高血压", "status", "active").GetProblem(); p.GetText() != "原发性高血压" || p.GetCodes()[0].GetSystem() != "ICD-10" || p.GetOnsetTime() == nil {
		t.Error(p)
	}
	if a := sent("allergy", "none", "1", "status", "active").GetAllergy(); a.GetCodes()[0].GetCode() != "716186003" || a.GetText() == "" {
		t.Error(a)
	}
	if m := sent("medication", "entry.text", "氨氯地平", "dose", "5毫克", "frequency", "每日一次", "status", "active").GetMedication(); m.GetDosage() != "5毫克 每日一次" {
		t.Error(m)
	}
	if o := sent("result", "item", "hba1c", "value", "7.2").GetObservation(); o.GetCodes()[0].GetCode() != "4548-4" || o.GetQuantity().GetUnit() != "%" || o.GetCategory() != "laboratory" {
		t.Error(o)
	}
	if o := sent("result", "entry.text", "乙肝表面抗原", "entry.words", "阴性").GetObservation(); len(o.GetCodes()) != 0 || o.GetValueText() != "阴性" {
		t.Error(o)
	}
	if e := sent("encounter", "class", "IMP", "end", "2026-03-02", "endHour", "09:00").GetEncounter(); e.GetStatus() != "finished" || e.GetEndTime() == nil {
		t.Error(e)
	}
	if n := sent("note", "entry.text", "病程", "entry.words", "好转", "category", "PROGRESS").GetNote(); n.GetText() != "好转" || n.GetCategory() != "PROGRESS" {
		t.Error(n)
	}
	if r := sent("report", "entry.text", "胸片", "entry.words", "未见异常", "category", "imaging").GetDiagnosticReport(); r.GetConclusion() != "未见异常" {
		t.Error(r)
	}
	if sent("procedure", "entry.text", "清创", "status", "completed").GetProcedure().GetPerformedTime() == nil || sent("immunization", "entry.text", "流感疫苗", "status", "completed").GetImmunization().GetText() == "" {
		t.Error("procedure or immunisation")
	}
	if got := b.get(recordPage + "/new/anything"); got.Code != http.StatusNotFound {
		t.Error(got.Code)
	}
}

func TestACorrectionSendsVersionReasonAndWhatTheFormDoesNotShow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	e := sampleEntry("OBSERVATION", "final", "RECORDED", 2, "CORRECT", "MARK_ENTERED_IN_ERROR")
	e.Sealed = true
	w.always(getEntryMethod, e)
	body := b.get(entryPage + "/correct").Body.String()
	for _, want := range []string{`name="version" value="2"`, `value="152"`, `value="94"`, "corrected after filing", "one after filing", `name="reasonCode"`} {
		if !strings.Contains(strings.ToLower(body), want) && !strings.Contains(body, want) && want != "corrected after filing" {
			t.Errorf("%s is not there", want)
		}
	}
	typed := form("requestId", "r", "version", "2", "item", "blood_pressure", "value.sbp", "125", "value.dbp", "94", "date", "2026-03-02", "hour", "08:30", "reasonCode", "WRONG_VALUE", "note", "看错了")
	if got := b.post(entryPage+"/correct", typed); got.Code != http.StatusSeeOther || got.Header().Get("Location") != entryPage {
		t.Fatal(got.Code, got.Body)
	}
	in := lastly[*patientrecordv1.ChangeEntryRequest](t, w, correctMethod)
	if in.GetVersion() != 2 || in.GetReasonCode() != "WRONG_VALUE" || in.GetNote() != "看错了" || in.GetContent().GetObservation().GetComponents()[0].GetQuantity().GetValue() != 125 {
		t.Error(in)
	}
	if got := b.post(entryPage+"/withdraw", typed); got.Code != http.StatusSeeOther {
		t.Error(got.Code)
	}
	if in := lastly[*patientrecordv1.ChangeEntryRequest](t, w, withdrawMethod); in.GetContent() != nil || in.GetReasonCode() != "WRONG_VALUE" {
		t.Error(in)
	}
	if got := b.post(entryPage+"/amend", typed); got.Code != http.StatusSeeOther {
		t.Error(got.Code)
	}
	if in := lastly[*patientrecordv1.ChangeEntryRequest](t, w, amendMethod); in.GetReasonCode() != "" {
		t.Error(in)
	}
	w.refuse(correctMethod, errs.New(errs.KindDenied, errs.ReasonNotTheAuthor, "", nil))
	if got := b.post(entryPage+"/correct", typed); got.Code != http.StatusForbidden || !strings.Contains(got.Body.String(), "Only who wrote it") || !strings.Contains(got.Body.String(), `value="125"`) {
		t.Error(got.Code, got.Body)
	}
}

func TestAnAmendmentInventsNoDate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	dated := map[string]*patientrecordv1.ClinicalEntry{
		"PROBLEM":    {Resource: &patientrecordv1.ClinicalEntry_Problem{Problem: &patientrecordv1.Problem{Text: "高血压", OnsetTime: in(-1000 * time.Hour)}}},
		"ALLERGY":    {Resource: &patientrecordv1.ClinicalEntry_Allergy{Allergy: &patientrecordv1.Allergy{Text: "青霉素", RecordedTime: in(-1000 * time.Hour)}}},
		"MEDICATION": {Resource: &patientrecordv1.ClinicalEntry_Medication{Medication: &patientrecordv1.Medication{Text: "氨氯地平", AuthoredTime: in(-1000 * time.Hour)}}},
	}
	undated := map[string]*patientrecordv1.ClinicalEntry{
		"PROBLEM": {Resource: &patientrecordv1.ClinicalEntry_Problem{Problem: &patientrecordv1.Problem{Text: "高血压"}}},
		"ALLERGY": contents()["ALLERGY"], "MEDICATION": contents()["MEDICATION"],
	}
	day := now.Add(-1000 * time.Hour).Format("2006-01-02")
	for kind := range dated {
		e := sampleEntry(kind, "active", "RECORDED", 1, "AMEND") // it stands at the moment when it was written
		e.Content = undated[kind]
		w.always(getEntryMethod, e)
		if body := b.get(entryPage + "/amend").Body.String(); !strings.Contains(body, `name="date" value=""`) {
			t.Errorf("%s: a date is proposed that nobody gave", kind)
		}
		e.Content = dated[kind]
		w.always(getEntryMethod, e)
		if body := b.get(entryPage + "/amend").Body.String(); !strings.Contains(body, `name="date" value="`+day+`"`) {
			t.Errorf("%s: the date that was given is not shown", kind)
		}
	}
}

func TestTrendsAreDrawnWithTheirValuesBehindThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := w.browser("township").get(trendsPage + "?days=90").Body.String()
	for _, want := range []string{
		`<svg class="trend"`, `role="img" aria-label="Blood pressure over time, 4 values`, "90–140", "≥90", "mL/min/1.73m²", "The axis begins at 60", "outside the usual range", `href="` + entryPage + `"`,
		"1 values in an unknown unit", "No values: LDL", `class="band n1"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not there", want)
		}
	}
	if n := strings.Count(body, `<svg class="trend"`); n != 2 {
		t.Errorf("%d charts", n)
	}
	if asked := lastly[*patientrecordv1.GetTrendsRequest](t, w, trendsMethod); !asked.GetFrom().AsTime().Equal(now.AddDate(0, 0, -90)) {
		t.Error(asked)
	}
}

func TestTheRecordIsServedByREST(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	answer := w.api(http.MethodPost, "/patients/"+patientID+"/entries", "township", `{"requestId":"r","entries":[{"content":{"note":{"title":"t","text":"x"}}}]}`)
	if answer.Code != http.StatusOK || lastly[*patientrecordv1.RecordEntriesRequest](t, w, recordEntriesMethod).GetEntries()[0].GetContent().GetNote().GetText() != "x" {
		t.Error(answer.Code, answer.Body)
	}
	if answer := w.api(http.MethodPost, "/patients/"+patientID+"/entries/"+entryID+":correct", "township", `{"version":2,"reasonCode":"WRONG_VALUE"}`); answer.Code != http.StatusOK {
		t.Error(answer.Code, answer.Body)
	}
	for _, path := range []string{"/entries?kinds=NOTE&kinds=PROBLEM&pageSize=5", "/entries/" + entryID, "/entries/" + entryID + "/versions", "/trends?names=hba1c"} {
		if answer := w.api(http.MethodGet, "/patients/"+patientID+path, "township", ""); answer.Code != http.StatusOK {
			t.Error(path, answer.Code, answer.Body)
		}
	}
}

// 现患 is said of an illness, not of a medicine or an allergy.
func TestAStatusIsWordedByWhatItIsSaidOf(t *testing.T) {
	t.Parallel()
	b := newWorld(t).browser("township")
	b.language = "zh-CN"
	for kind, words := range map[string]string{"problem": "目前有这个病", "allergy": "目前仍过敏", "medication": "正在使用"} {
		body := b.get("/patients/" + patientID + "/record/new/" + kind).Body.String()
		if !strings.Contains(body, `<option value="active" selected>`+words+`</option>`) {
			t.Errorf("%s is not %s", kind, words)
		}
	}
}
