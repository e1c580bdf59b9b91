package hl7_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/hl7"
)

var zone = time.FixedZone("Asia/Shanghai", 8*3600)

const organization = "018f0000-0000-7000-8000-000000000001"

// organizations of the county, by code.
var organizations = map[string]string{"450321101": organization, "450321102": "township"}

const settings = `
senders:
  - application: HIS
    facility: YSX
    addresses: [127.0.0.1, "::1", 10.1.0.0/16]
    county: "450321"
    organization: "450321101"
    account: feed-his
    charset: GB18030
    departments: {NK1: "0304", "神内": "03.04"}
    dispositions: {"下转": "3"}
    observations: {GLU: "2345-7"}
    performers: {JYK: "450321101", BS: "450321102"}
  - application: LIS
    facility: YSX
    addresses: [10.2.0.5]
    county: "450321"
    organization: "450321101"
    account: feed-lis
    types: [ORU]
`

func senders(t testing.TB) hl7.Senders {
	t.Helper()
	list, err := hl7.ReadSenders([]byte(settings))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// message joins segments.
func message(segments ...string) string { return strings.Join(segments, "\r") + "\r" }

func msh(kind, control string) string {
	return `MSH|^~\&|HIS|YSX|TZ|450321|20261120093000||` + kind + "|" + control + "|P|2.4||||||UNICODE UTF-8"
}

const pid = `PID|1||B1001^^^YSX^MR~990122195603120016^^^^NI||曾^小明^^^^^L^I||19560312|M|||旧县村^^白沙镇||13800138000`

func read(t *testing.T, text string) (*patientrecordv1.FeedRecord, *hl7.Error) {
	t.Helper()
	m, problem := hl7.Parse([]byte(text), "")
	if problem != nil {
		return nil, problem
	}
	return hl7.Reading{Sender: senders(t)[0], OrganizationID: organization, Organizations: organizations, Zone: zone}.Read(m)
}

func good(t *testing.T, segments ...string) *patientrecordv1.FeedRecord {
	t.Helper()
	record, problem := read(t, message(segments...))
	if problem != nil {
		t.Fatal(problem)
	}
	return record
}

func TestAnAdmissionBecomesAPatientAndAStay(t *testing.T) {
	r := good(t, msh("ADT^A01", "1"), "EVN|A01|20261120092000", pid,
		"NK1|1|曾^大明|CHD||13900139000",
		"PV1|1|I|NK1^12^3^YSX||||||||||||||||V77|||||||||||||||||||||||||20261120091500",
		"DG1|1||I63.900^脑梗死^ICD10|脑梗死||A", "AL1|1|DA|A01^青霉素|SV", "ZPV|whatever")
	p := r.GetPatient()
	if p.GetName() != "曾小明" || p.GetIdentityNumber() != "990122195603120016" || p.GetBirthDate() != "1956-03-12" || p.GetPhone() != "13800138000" ||
		p.GetAddress() != "白沙镇旧县村" || p.GetGuardianName() != "曾大明" || r.GetPatientIdentity() != "B1001" || !r.GetUpdatesPatient() || r.GetBecomesHome() {
		t.Errorf("patient %v of %q", p, r.GetPatientIdentity())
	}
	if len(r.GetEntries()) != 2 {
		t.Fatalf("%d entries", len(r.GetEntries()))
	}
	e := r.GetEntries()[0].GetEncounter()
	if e.GetClassCode() != "IMP" || e.GetStatus() != "in-progress" || e.GetDepartmentCode() != "0304" || e.GetOrganizationId() != organization ||
		!e.GetStartTime().AsTime().Equal(time.Date(2026, 11, 20, 1, 15, 0, 0, time.UTC)) || len(e.GetDiagnosisCodes()) != 1 {
		t.Errorf("stay %v", e)
	}
	if a := r.GetEntries()[1].GetAllergy(); a.GetText() != "青霉素" || a.GetCriticality() != "high" {
		t.Errorf("allergy %v", a)
	}
}

func TestADischargeSaysTheWayAndItsFinalDiagnoses(t *testing.T) {
	r := good(t, msh("ADT^A03", "2"), "EVN|A03|20261125100000", pid,
		"PV1|1|I|神内"+strings.Repeat("|", 16)+"V77"+strings.Repeat("|", 17)+"下转", "DG1|1||I63.900^脑梗死|||F")
	if len(r.GetEntries()) != 2 {
		t.Fatalf("%d entries", len(r.GetEntries()))
	}
	e := r.GetEntries()[0].GetEncounter()
	if r.GetEntries()[0].GetSourceIdentity() != "visit:V77" || e.GetStatus() != "finished" || e.GetDischargeWay() != "3" ||
		e.GetDepartmentCode() != "0304" || e.GetEndTime() == nil || r.GetEntries()[1].GetProblem().GetCodes()[0].GetCode() != "I63.900" {
		t.Errorf("discharge %v", r.GetEntries()[0])
	}
}

func TestEventsSayWhatBecomesOfAStay(t *testing.T) {
	for event, want := range map[string][2]string{
		"A02": {"IMP", "in-progress"}, "A04": {"AMB", "in-progress"}, "A06": {"IMP", "in-progress"}, "A07": {"AMB", "in-progress"},
		"A11": {"IMP", "cancelled"}, "A13": {"IMP", "in-progress"},
	} {
		class := map[bool]string{true: "O", false: "I"}[event == "A04" || event == "A06"]
		r := good(t, msh("ADT^"+event, "3"), "EVN|"+event+"|20261120092000", pid, "PV1|1|"+class+"|NK1||||||||||||||||V77")
		if e := r.GetEntries()[0].GetEncounter(); e.GetClassCode() != want[0] || e.GetStatus() != want[1] || r.GetEvent() != event {
			t.Errorf("%s: %s %s", event, e.GetClassCode(), e.GetStatus())
		}
	}
}

func TestANewbornNamesTheMother(t *testing.T) {
	with := func(field string) *patientrecordv1.FeedRecord {
		return good(t, msh("ADT^A04", "9"), "EVN|A04|20261120092000", "PID|1||B9^^^YSX^MR||秦小芳之女||20261120|F"+strings.Repeat("|", 13)+field, "PV1|1|I|NK1||||||||||||||||V9")
	}
	if r := with("B1001^^^YSX^MR~450321199602110022^^^^NI"); r.GetMotherIdentity() != "B1001" || r.GetMotherIdentityNumber() != "450321199602110022" {
		t.Errorf("mother %q %q", r.GetMotherIdentity(), r.GetMotherIdentityNumber())
	}
	if r := with("450321199602110022"); r.GetMotherIdentityNumber() != "450321199602110022" {
		t.Errorf("mother %q %q", r.GetMotherIdentity(), r.GetMotherIdentityNumber())
	}
	if r := with(""); r.GetMotherIdentity() != "" || r.GetMotherIdentityNumber() != "" {
		t.Errorf("mother %q %q", r.GetMotherIdentity(), r.GetMotherIdentityNumber())
	}
}

func TestAMergeNamesBothNumbersAndNoVisit(t *testing.T) {
	r := good(t, msh("ADT^A40", "1"), "EVN|A40|20261120092000", pid, "MRG|990122195603120016^^^^NI~B9^^^YSX^MR")
	if r.GetPatientIdentity() != "B1001" || r.GetMergedIdentity() != "B9" || len(r.GetEntries()) != 0 || !r.GetUpdatesPatient() {
		t.Errorf("%v", r)
	}
}

func TestDetailsAloneNeedNoVisit(t *testing.T) {
	if r := good(t, msh("ADT^A08", "1"), pid); len(r.GetEntries()) != 0 || !r.GetUpdatesPatient() {
		t.Errorf("%v", r)
	}
	r := good(t, msh("ADT^A08", "2"), pid, "PV1|1|I|NK1||||||||||||||||V77"+strings.Repeat("|", 25)+"20261120091500|20261125100000")
	if e := r.GetEntries()[0].GetEncounter(); e.GetStatus() != "finished" || e.GetEndTime() == nil {
		t.Errorf("a discharge that is told by its times: %v", e)
	}
}

func TestAReportBecomesItsResults(t *testing.T) {
	r := good(t, msh("ORU^R01", "4"), pid, "OBR|1|P1|L55|GLU^葡萄糖|||20261120080000|||||||||||||||||LAB|F",
		"OBX|1|NM|GLU^葡萄糖||7.8|mmol/L|3.9-6.1|H|||F||||||GOD^氧化酶法", "OBX|2|SN|CRP^C反应蛋白||<^5|mg/L||||F", "OBX|3|ST|ABO^血型||A||||||C",
		`OBX|4|TX|C^结论||血糖偏高\.br\建议复查`, "OBX|5|NM|WBC^白细胞||6.1|10^9/L||||F")
	report := r.GetEntries()[0].GetDiagnosticReport()
	if report.GetCategory() != "laboratory" || report.GetConclusion() != "血糖偏高\n建议复查" || len(report.GetResultIdentities()) != 4 || r.GetUpdatesPatient() {
		t.Errorf("report %v", report)
	}
	glucose := r.GetEntries()[1].GetObservation()
	if glucose.GetQuantity().GetValue() != 7.8 || glucose.GetCodes()[0].GetCode() != "2345-7" || glucose.GetInterpretation() != "H" || glucose.GetReferenceRange() != "3.9-6.1" ||
		glucose.GetMethod() != "氧化酶法" {
		t.Errorf("glucose %v", glucose)
	}
	if crp := r.GetEntries()[2].GetObservation(); crp.GetQuantity() != nil || crp.GetValueText() != "<5 mg/L" {
		t.Errorf("crp %v", crp)
	}
	if abo := r.GetEntries()[3].GetObservation(); abo.GetValueText() != "A" || abo.GetStatus() != "corrected" {
		t.Errorf("abo %v", abo)
	}
	if wbc := r.GetEntries()[4].GetObservation(); wbc.GetQuantity().GetUnit() != "10*9/L" {
		t.Errorf("wbc %v", wbc)
	}
}

func TestWhatWasSeenStandsApartFromWhatIsConcluded(t *testing.T) {
	for _, code := range []string{"CT&GDT^胸部CT", "GDT", "SJ^检查所见", "1^x^L^2^Findings"} {
		r := good(t, msh("ORU^R01", "4"), pid, "OBR|1|P1|L56|CT^胸部CT|||20261120080000|||||||||||||||||CT|F",
			"OBX|1|TX|"+code+"||双肺纹理清晰||||||F", "OBX|2|TX|CT&IMP^诊断||未见异常||||||F", "OBX|3|TX|"+code+"||心影不大||||||F")
		if report := r.GetEntries()[0].GetDiagnosticReport(); report.GetFindings() != "双肺纹理清晰\n心影不大" || report.GetConclusion() != "未见异常" {
			t.Errorf("%s: seen %q, concluded %q", code, report.GetFindings(), report.GetConclusion())
		}
	}
}

func TestAResultIsOfWhomItsLineNames(t *testing.T) {
	for line, want := range map[string][2]string{
		"":                     {"", ""}, // nobody else
		"||||":                 {"", ""},
		"||||450321102^白沙镇卫生院": {"township", ""},
		"||||BS^白沙":            {"township", ""}, // the sender's own code for it
		"||||JYK^检验科":          {"", ""},
		"||||YSX^县医院":          {"", ""},
		"||||9001^某检验中心":       {"", "某检验中心"},
		"||||9001^某检验中心||||||||白沙镇卫生院^^^^^^^^^450321102": {"township", ""},
		"||||450321102||||||||某检验中心^^^^^^^^^9001":        {"", "某检验中心"},
	} {
		r := good(t, msh("ORU^R01", "4"), pid, "OBR|1|P1|L55|GLU^葡萄糖|||20261120080000|||||||||||||||||LAB|F", "OBX|1|NM|GLU^葡萄糖||7.8|mmol/L|||||F"+line, "OBX|2|TX|C^结论||正常")
		report, value := r.GetEntries()[0].GetDiagnosticReport(), r.GetEntries()[1].GetObservation()
		if value.GetPerformerId() != want[0] || value.GetPerformerName() != want[1] || report.GetPerformerId() != want[0] || report.GetPerformerName() != want[1] {
			t.Errorf("%q: a value of %q %q, a report of %q %q", line, value.GetPerformerId(), value.GetPerformerName(), report.GetPerformerId(), report.GetPerformerName())
		}
	}
	r := good(t, msh("ORU^R01", "4"), pid, "OBR|1|P1|L55|GLU^葡萄糖|||20261120080000|||||||||||||||||LAB|F", "OBX|1|NM|GLU^葡萄糖||7.8|mmol/L|||||F", "OBX|2|NM|CRP||1|mg/L|||||F||||BS^白沙")
	if report := r.GetEntries()[0].GetDiagnosticReport(); report.GetPerformerId() != "" || report.GetPerformerName() != "白沙" {
		t.Errorf("a report of two is of %q %q", report.GetPerformerId(), report.GetPerformerName())
	}
	r = good(t, msh("ORU^R01", "4"), pid, "OBR|1|P1|L56|CT^胸部CT|||20261120080000|||||||||||||||||CT|F", "OBX|1|TX|C^结论||双肺正常||||||F||||BS^白沙",
		"OBR|2|P2|L57|US^腹部彩超|||20261120080000|||||||||||||||||US|F", "OBX|1|TX|C^结论||正常||||||F")
	for i, want := range []string{"township", ""} {
		if report := r.GetEntries()[i].GetDiagnosticReport(); report.GetPerformerId() != want || report.GetPerformerName() != "" {
			t.Errorf("report %d is of %q %q", i, report.GetPerformerId(), report.GetPerformerName())
		}
	}
}

func TestAppointmentsAndDocuments(t *testing.T) {
	r := good(t, msh("SIU^S12", "5"), "SCH|P9|F9|||||复诊^复诊||||^^^20261201090000^20261201091000", pid, "AIS|1||NK^神经内科")
	if e := r.GetEntries()[0].GetEncounter(); e.GetStatus() != "planned" || e.GetStartTime() == nil || r.GetEntries()[0].GetSourceIdentity() != "appointment:F9" {
		t.Errorf("appointment %v", r.GetEntries()[0])
	}
	r = good(t, msh("SIU^S15", "6"), "SCH|P9|F9", pid)
	if e := r.GetEntries()[0].GetEncounter(); e.GetStatus() != "cancelled" {
		t.Errorf("cancelled appointment %v", e)
	}
	for event, day := range map[string]int{"S13": 2, "S14": 3} {
		r = good(t, msh("SIU^"+event, "6"), "SCH|P9|F9|||||复诊^复诊||||^^^2026120"+strconv.Itoa(day)+"090000^2026120"+strconv.Itoa(day)+"091000", pid)
		if e := r.GetEntries()[0].GetEncounter(); r.GetEntries()[0].GetSourceIdentity() != "appointment:F9" || e.GetStatus() != "planned" || e.GetStartTime().AsTime().Day() != day {
			t.Errorf("%s: %v", event, r.GetEntries()[0])
		}
	}
	if _, problem := read(t, message(msh("SIU^S12", "8"), "SCH|P9|F9", pid)); problem == nil || problem.Position != "SCH-11" {
		t.Errorf("an appointment without a time: %v", problem)
	}
	r = good(t, msh("MDM^T02", "7"), "EVN|T02|20261125", pid, "TXA|1|DS^出院小结|TX|20261125100000||||||||D42", "OBX|1|TX|||病情好转~带药出院")
	if d := r.GetEntries()[0].GetDiagnosticReport(); d.GetConclusion() != "病情好转\n带药出院" || d.GetText() != "出院小结" || d.GetCategory() != "document" {
		t.Errorf("document %v", d)
	}
}

func TestWhatIsWrongIsToldByPlaceAndReason(t *testing.T) {
	pv1 := "PV1|1|I|NK1||||||||||||||||V77"
	for name, c := range map[string]struct {
		text             string
		reason, position string
	}{
		"nothing":              {"", hl7.ReasonHeader, "MSH"},
		"no header":            {message("PID|1"), hl7.ReasonHeader, "MSH"},
		"an unknown event":     {message(msh("ADT^A99", "1"), pid), hl7.ReasonEvent, "MSH-9"},
		"no control id":        {message(msh("ADT^A01", ""), pid), hl7.ReasonNoControlID, "MSH-10"},
		"no patient":           {message(msh("ADT^A01", "1"), pv1), hl7.ReasonMissing, "PID"},
		"no name":              {message(msh("ADT^A01", "1"), "PID|1||B1", pv1), hl7.ReasonMissing, "PID-5"},
		"no identity":          {message(msh("ADT^A01", "1"), "PID|1||||曾", pv1), hl7.ReasonMissing, "PID-3"},
		"no visit":             {message(msh("ADT^A01", "1"), pid), hl7.ReasonMissing, "PV1"},
		"no visit number":      {message(msh("ADT^A01", "1"), pid, "PV1|1|I|NK1"), hl7.ReasonMissing, "PV1-19"},
		"an unknown ward":      {message(msh("ADT^A01", "1"), pid, "PV1|1|I|XX||||||||||||||||V77"), hl7.ReasonDepartment, "PV1-3"},
		"an unknown class":     {message(msh("ADT^A01", "1"), pid, "PV1|1|Q|NK1||||||||||||||||V77"), hl7.ReasonCode, "PV1-2"},
		"a time that is none":  {message(msh("ADT^A01", "1"), pid, pv1+strings.Repeat("|", 25)+"2026-11-20"), hl7.ReasonTime, "PV1-44"},
		"a merge of nobody":    {message(msh("ADT^A40", "1"), pid), hl7.ReasonMissing, "MRG-1"},
		"two merges at once":   {message(msh("ADT^A40", "1"), pid, "MRG|B9", "MRG|B8"), hl7.ReasonMerge, "MRG"},
		"results of no report": {message(msh("ORU^R01", "1"), pid, "OBX|1|NM|GLU||1"), hl7.ReasonMissing, "OBR"},
		"a line that is none":  {message(msh("ADT^A01", "1"), pid, "曾小明"), hl7.ReasonHeader, "line 3"},
		"not UTF-8":            {message(msh("ADT^A01", "1"), "PID|1||B1||\xff\xfe"), hl7.ReasonCharset, "MSH-18"},
	} {
		_, problem := read(t, c.text)
		if problem == nil || problem.Reason != c.reason || problem.Position != c.position {
			t.Errorf("%s: %v, want %s %s", name, problem, c.position, c.reason)
		}
	}
}

func TestGB18030IsReadBeforeItIsSplit(t *testing.T) {
	// 丱 and its like end in 0x7C, which is the field separator.
	name := "粅俽" + string([]rune{0x4E31})
	text := strings.ReplaceAll(message(msh("ADT^A08", "1"), "PID|1||B1||"+name), "UNICODE UTF-8", "GB18030")
	raw, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, declared := range []bool{true, false} {
		if !declared {
			raw = []byte(strings.Replace(string(raw), "|GB18030", "|", 1))
		}
		m, problem := hl7.Parse(raw, "")
		if problem != nil {
			t.Fatal(problem)
		}
		r, problem := hl7.Reading{Sender: senders(t)[0], OrganizationID: organization, Zone: zone}.Read(m)
		if problem != nil || r.GetPatient().GetName() != name {
			t.Errorf("declared %t: %q, %v", declared, r.GetPatient().GetName(), problem)
		}
	}
}

func TestEscapesAreResolved(t *testing.T) {
	r := good(t, msh("MDM^T02", "7"), pid, "TXA|1|DS^D|TX|||||||||D42", `OBX|1|TX|||a\F\b\S\c\T\d\R\e\E\f\X41\\H\g\N\ h\q`)
	if got := r.GetEntries()[0].GetDiagnosticReport().GetConclusion(); got != `a|b^c&d~e\fAg h\q` {
		t.Errorf("%q", got)
	}
}

func TestSettingsThatAreWrongAreRefusedAllAtOnce(t *testing.T) {
	_, err := hl7.ReadSenders([]byte("senders: [{application: A, county: x, organization: o, account: a, departments: {N: q}, addresses: [h]}]"))
	for _, want := range []string{"county", "departments", "addresses"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
	twice := `{application: A, addresses: [10.0.0.0/8], county: "450321", organization: o, account: a}`
	if _, err := hl7.ReadSenders([]byte("senders: [" + twice + ", " + strings.Replace(twice, "10.0.0.0/8", "10.1.2.3", 1) + "]")); err == nil {
		t.Error("two senders of one name and address are taken")
	}
	if _, err := hl7.ReadSenders([]byte("senders: [{aplication: A}]")); err == nil {
		t.Error("a field that is not known is taken")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(message(msh("ADT^A01", "1"), pid, "PV1|1|I|NK1||||||||||||||||V77", "DG1|1||I63.9^x")))
	f.Add([]byte(message(msh("ORU^R01", "4"), pid, "OBR|1|P1|L55|GLU", `OBX|1|NM|GLU^\X41\||7.8|mmol/L`)))
	f.Add([]byte(message(msh("SIU^S12", "5"), "SCH|1|2|||||||||^^^20261201", pid)))
	f.Add([]byte("MSH|^~\\&|\xb0\xa1|\xd0\xc2\r"))
	list, err := hl7.ReadSenders([]byte(settings))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, problem := hl7.Parse(raw, "")
		if m == nil && problem == nil {
			t.Fatal("neither a message nor a problem")
		}
		if problem != nil {
			return
		}
		g := hl7.Reading{Sender: list[0], OrganizationID: organization, Zone: zone}
		record, problem := g.Read(m)
		if (record == nil) == (problem == nil) {
			t.Fatalf("record %v and problem %v", record, problem)
		}
	})
}
