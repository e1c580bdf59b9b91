package exports

import (
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/copies"
)

// printData is what print.html sees.
type printData struct {
	Patient      *patientrecordv1.Patient
	Sections     []section
	Consents     []agreed
	Papers       []*patientrecordv1.Attachment
	Row          *patientrecordv1.Export
	Organization string
}

// section is a part of the printed copy; one without lines says so.
type section struct {
	Title string
	Lines []line
}

// line is one entry in words.
type line struct {
	Time               *timestamppb.Timestamp
	Name, Words, Where string
	// Observation has the value; nil for everything else.
	Observation *patientrecordv1.Observation
	// Mark is what a reader must not overlook: that it is over, or was refuted.
	Mark string
}

// agreed is a consent with the name of where it was recorded.
type agreed struct {
	*patientrecordv1.ConsentRecord
	Where string
}

func printed(made copies.Made) printData {
	titles := []string{"诊断与健康问题", "过敏史", "用药", "检查检验与生命体征", "手术与操作", "预防接种", "就诊记录", "病历文书"}
	of := map[string]int{
		"PROBLEM": 0, "ALLERGY": 1, "MEDICATION": 2, "OBSERVATION": 3, "REPORT": 3, "PROCEDURE": 4, "IMMUNIZATION": 5, "ENCOUNTER": 6, "NOTE": 7,
	}
	d := printData{Patient: made.Record.GetPatient(), Papers: made.Record.GetAttachments(), Row: made.Row, Organization: made.Author.Name}
	for _, title := range titles {
		d.Sections = append(d.Sections, section{Title: title})
	}
	for _, e := range made.Record.GetEntries() {
		if i, known := of[e.GetKind()]; known {
			l := wordsOf(e)
			l.Where = made.Organizations[e.GetOrganizationId()].Name
			if visit := e.GetContent().GetEncounter(); visit.GetOrganizationId() != "" {
				l.Where = made.Organizations[visit.GetOrganizationId()].Name
			}
			d.Sections[i].Lines = append(d.Sections[i].Lines, l)
		}
	}
	for _, c := range made.Record.GetConsents() {
		d.Consents = append(d.Consents, agreed{c, made.Organizations[c.GetOrganizationId()].Name})
	}
	return d
}

func wordsOf(e *patientrecordv1.RecordEntry) line {
	l := line{Time: e.GetEffectiveTime(), Mark: marks()[e.GetStatus()]}
	switch r := e.GetContent().GetResource().(type) {
	case *patientrecordv1.ClinicalEntry_Problem:
		l.Name = coded(r.Problem.GetText(), r.Problem.GetCodes())
	case *patientrecordv1.ClinicalEntry_Allergy:
		l.Name = coded(r.Allergy.GetText(), r.Allergy.GetCodes())
		if r.Allergy.GetCriticality() == "high" {
			l.Words = "严重"
		}
	case *patientrecordv1.ClinicalEntry_Medication:
		l.Name, l.Words = coded(r.Medication.GetText(), nil), r.Medication.GetDosage()
	case *patientrecordv1.ClinicalEntry_Observation:
		l.Name, l.Observation = named(r.Observation.GetText(), r.Observation.GetCodes()), r.Observation
	case *patientrecordv1.ClinicalEntry_DiagnosticReport:
		l.Name, l.Words = named(r.DiagnosticReport.GetText(), r.DiagnosticReport.GetCodes()), strings.TrimSpace(r.DiagnosticReport.GetFindings()+"\n"+r.DiagnosticReport.GetConclusion())
	case *patientrecordv1.ClinicalEntry_Procedure:
		l.Name = coded(r.Procedure.GetText(), r.Procedure.GetCodes())
	case *patientrecordv1.ClinicalEntry_Immunization:
		l.Name = coded(r.Immunization.GetText(), r.Immunization.GetCodes())
	case *patientrecordv1.ClinicalEntry_Encounter:
		l.Name, l.Words = named(r.Encounter.GetText(), nil), strings.Join(append(nonEmpty(r.Encounter.GetReason()), r.Encounter.GetDiagnosisCodes()...), "；")
	case *patientrecordv1.ClinicalEntry_Note:
		l.Name, l.Words = r.Note.GetTitle(), r.Note.GetText()
	}
	return l
}

// marks are the statuses that change what an entry means.
func marks() map[string]string {
	return map[string]string{
		"resolved": "已愈", "inactive": "非活动", "remission": "缓解", "refuted": "已排除", "stopped": "已停用", "completed": "", "on-hold": "暂停",
		"not-done": "未执行", "preliminary": "初步结果", "cancelled": "已取消", "planned": "计划中",
	}
}

func named(text string, codes []*commonv1.Coding) string {
	if text == "" && len(codes) > 0 {
		return codes[0].GetDisplay()
	}
	return text
}

// coded is a name with the codes under which it is kept.
func coded(text string, codes []*commonv1.Coding) string {
	name := named(text, codes)
	var out []string
	for _, c := range codes {
		out = append(out, nonEmpty(c.GetCode())...)
	}
	if len(out) == 0 {
		return name
	}
	return name + "（" + strings.Join(out, "，") + "）"
}

func nonEmpty(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}
