package hl7

import (
	"regexp"
	"slices"
	"strings"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
)

// Encounter classes of FHIR v3-ActCode.
const (
	inpatient  = "IMP"
	ambulatory = "AMB"
	emergency  = "EMER"
)

// adt reads a visit and what comes with it.
func (r *reader) adt(to *patientrecordv1.FeedRecord) {
	if r.event == "A40" {
		// Of the patients, not of a visit.
		to.MergedIdentity = r.merged()
		return
	}
	pv1 := r.m.first("PV1")
	number := visitNumber(r.m)
	if !pv1.there() || number == "" {
		switch {
		case r.event == "A08": // the patient's details alone
		case !pv1.there():
			r.fail(ReasonMissing, "PV1")
		default:
			r.fail(ReasonMissing, pv1.at(19))
		}
	} else {
		r.visit(to, pv1, number)
	}
	for _, al1 := range r.m.all("AL1") {
		r.allergy(to, al1)
	}
}

// merged is the hospital's own number that it merged into that of the PID: MRG-1.
func (r *reader) merged() string {
	mrg := r.m.first("MRG")
	for _, id := range mrg.all(1) {
		if kind := strings.ToUpper(id.at(5)); id.at(1) != "" && slices.Contains([]string{"", "MR", "PI", "PT"}, kind) {
			return id.at(1)
		}
	}
	r.fail(ReasonMissing, mrg.at(1))
	return ""
}

// visitNumber is PV1-19, or PV1-50 or the account of PID-18.
func visitNumber(m *Message) string {
	pv1 := m.first("PV1")
	return valued(pv1.text(19), pv1.text(50), m.first("PID").text(18))
}

func (r *reader) visit(to *patientrecordv1.FeedRecord, pv1 segment, number string) {
	e := &patientrecordv1.Encounter{
		ClassCode: r.class(pv1), Status: "in-progress", OrganizationId: r.organization, DepartmentCode: r.department(pv1),
		StartTime: r.when(pv1, 44), EndTime: r.when(pv1, 45), DischargeWay: r.way(pv1),
	}
	codes, words, final := r.diagnoses()
	e.DiagnosisCodes, e.Reason = codes, words
	switch r.event {
	case "A01", "A04", "A06", "A07":
		if r.event != "A06" && r.event != "A07" {
			e.StartTime = earliest(e.StartTime, r.sent())
		}
	case "A03":
		e.Status, e.EndTime = "finished", earliest(e.EndTime, r.sent())
	case "A08":
		if e.EndTime != nil {
			e.Status = "finished"
		} else if e.StartTime == nil {
			// Nothing says that the patient is there.
			return
		}
	case "A11":
		e.Status = "cancelled"
	case "A13":
		e.EndTime, e.DischargeWay = nil, ""
	}
	to.Entries = append(to.Entries, &patientrecordv1.ClinicalEntry{
		SourceIdentity: "visit:" + number, Resource: &patientrecordv1.ClinicalEntry_Encounter{Encounter: e},
	})
	for _, d := range final {
		d.SourceIdentity = "problem:" + number + ":" + d.SourceIdentity
		to.Entries = append(to.Entries, d)
	}
}

// class reads PV1-2 (HL7 table 0004). The event knows better what the patient is now.
func (r *reader) class(pv1 segment) string {
	class := ""
	switch code := strings.ToUpper(pv1.text(2)); code {
	case "I", "B":
		class = inpatient
	case "O", "R", "P", "N", "C":
		class = ambulatory
	case "E":
		class = emergency
	case "", "U":
	default:
		r.fail(ReasonCode, pv1.at(2))
	}
	switch {
	case r.event == "A06":
		return inpatient
	case r.event == "A07" && class != emergency:
		return ambulatory
	case class == "" && r.event == "A01":
		return inpatient
	case class == "" && r.event == "A04":
		return ambulatory
	}
	return class
}

// department is the national code of where the patient is: PV1-10 (service), else the ward or the department of PV1-3.
func (r *reader) department(pv1 segment) string {
	place := pv1.one(3)
	named := []string{pv1.text(10), place.at(1), place.at(4)}
	for _, code := range named {
		if national, known := r.s.Departments[code]; known {
			return strings.ReplaceAll(national, ".", "")
		}
	}
	for _, code := range named {
		if code = strings.TrimPrefix(code, "A"); departmentPattern.MatchString(code) {
			return strings.ReplaceAll(code, ".", "")
		}
	}
	if len(r.s.Departments) > 0 && valued(named...) != "" {
		r.fail(ReasonDepartment, pv1.at(3))
	}
	return ""
}

// way is 离院方式 of PV1-36.
func (r *reader) way(pv1 segment) string {
	code := pv1.text(36)
	way, known := r.s.Dispositions[code]
	switch {
	case known:
		return way
	case code == "" || slices.Contains(ways(), code):
		return code
	}
	r.fail(ReasonCode, pv1.at(36))
	return ""
}

// icd10Pattern is ICD-10 国家临床版 as the contracts take it.
var icd10Pattern = regexp.MustCompile(`^[A-Z][0-9]{2}(\.[0-9x]{1,3}(x[0-9]{3})?)?$`)

// diagnoses of DG1 in their order: the codes of ICD-10, the words of the first, and those that are final as problems.
func (r *reader) diagnoses() (codes []string, words string, final []*patientrecordv1.ClinicalEntry) {
	for _, dg1 := range r.m.all("DG1") {
		f := dg1.one(3)
		code := strings.Replace(f.at(1), "X", "x", 1)
		if code != "" && code[0] == 'x' {
			code = "X" + code[1:]
		}
		text := valued(dg1.text(4), f.at(2))
		words = valued(words, text)
		if !icd10Pattern.MatchString(code) || slices.Contains(codes, code) {
			continue
		}
		codes = append(codes, code)
		if dg1.text(6) == "F" {
			final = append(final, &patientrecordv1.ClinicalEntry{SourceIdentity: code, Resource: &patientrecordv1.ClinicalEntry_Problem{
				Problem: &patientrecordv1.Problem{
					Codes: []*commonv1.Coding{{System: "ICD-10", Code: code, Display: text}}, Text: valued(text, code), ClinicalStatus: "active",
					RecordedTime: earliest(r.when(dg1, 5), r.sent()),
				},
			}})
		}
	}
	return codes, words, final
}

func (r *reader) allergy(to *patientrecordv1.FeedRecord, al1 segment) {
	f := al1.one(3)
	text := valued(f.at(2), f.at(1))
	if text == "" {
		return
	}
	a := &patientrecordv1.Allergy{Text: text, ClinicalStatus: "active", RecordedTime: r.when(al1, 6)}
	if f.at(1) != "" && f.at(2) != "" {
		a.Codes = []*commonv1.Coding{{System: r.local(f.at(3)), Code: f.at(1), Display: f.at(2)}}
	}
	switch al1.text(2) {
	case "DA":
		a.Categories = []string{"medication"}
	case "FA":
		a.Categories = []string{"food"}
	case "EA", "LA", "AA", "PA":
		a.Categories = []string{"environment"}
	}
	if al1.text(4) == "SV" {
		a.Criticality = "high"
	}
	identity := "allergy:" + valued(f.at(1), text)
	if slices.ContainsFunc(to.Entries, func(e *patientrecordv1.ClinicalEntry) bool { return e.GetSourceIdentity() == identity }) {
		return
	}
	to.Entries = append(to.Entries, &patientrecordv1.ClinicalEntry{
		SourceIdentity: identity, Resource: &patientrecordv1.ClinicalEntry_Allergy{Allergy: a},
	})
}

// siu reads an appointment: a visit that is planned, or was cancelled.
func (r *reader) siu(to *patientrecordv1.FeedRecord) {
	sch := r.m.first("SCH")
	number := valued(sch.text(2), sch.text(1))
	if number == "" {
		r.fail(ReasonMissing, "SCH-2")
		return
	}
	service := r.m.first("AIS")
	timing := segment{message: r.m, place: sch.place, fields: []string{"SCH", sch.one(11).at(4), sch.one(11).at(5)}}
	e := &patientrecordv1.Encounter{
		ClassCode: ambulatory, Status: "planned", OrganizationId: r.organization, Reason: valued(sch.one(7).at(2), service.one(3).at(2)),
		StartTime: earliest(r.when(timing, 1), r.when(service, 4)), EndTime: r.when(timing, 2),
	}
	if pv1 := r.m.first("PV1"); pv1.there() {
		e.DepartmentCode = r.department(pv1)
	}
	if r.event == "S15" {
		e.Status = "cancelled"
	} else if e.StartTime == nil {
		r.fail(ReasonMissing, "SCH-11")
	}
	to.Entries = append(to.Entries, &patientrecordv1.ClinicalEntry{
		SourceIdentity: "appointment:" + number, Resource: &patientrecordv1.ClinicalEntry_Encounter{Encounter: e},
	})
}
