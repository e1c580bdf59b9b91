package clinical

import (
	"net/url"
	"strconv"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
)

// formOf names the form on which an entry of a kind is changed.
func formOf(kind string) string {
	return map[string]string{
		"PROBLEM": "problem", "ALLERGY": "allergy", "MEDICATION": "medication", "OBSERVATION": "result", "NOTE": "note", "ENCOUNTER": "encounter",
		"PROCEDURE": "procedure", "IMMUNIZATION": "immunization", "REPORT": "report",
	}[kind]
}

// fill shows what an entry says in its form.
func fill(e *patientrecordv1.RecordEntry, zone *time.Location) url.Values {
	v := url.Values{}
	set := func(name, value string) { v.Set(name, value) }
	when := func(day, hour string, t *timestamppb.Timestamp) {
		if t != nil {
			set(day, t.AsTime().In(zone).Format("2006-01-02"))
			set(hour, t.AsTime().In(zone).Format("15:04"))
		}
	}
	set("version", strconv.Itoa(int(e.GetVersion())))
	set("status", e.GetStatus())
	when("date", "hour", since(e))
	switch c := e.GetContent().GetResource().(type) {
	case *patientrecordv1.ClinicalEntry_Problem:
		set("entry.text", c.Problem.GetText())
		when("end", "", c.Problem.GetAbatementTime())
		for _, code := range c.Problem.GetCodes() {
			if code.GetSystem() == icd10 {
				v.Add("diagnosis", code.GetCode()+"|"+code.GetDisplay())
			}
		}
	case *patientrecordv1.ClinicalEntry_Allergy:
		set("entry.text", c.Allergy.GetText())
		set("criticality", c.Allergy.GetCriticality())
		if list := c.Allergy.GetCategories(); len(list) > 0 {
			set("category", list[0])
		}
	case *patientrecordv1.ClinicalEntry_Medication:
		set("entry.text", c.Medication.GetText())
		set("dose", c.Medication.GetDosage())
	case *patientrecordv1.ClinicalEntry_Observation:
		fillObservation(set, c.Observation)
	case *patientrecordv1.ClinicalEntry_Procedure:
		set("entry.text", c.Procedure.GetText())
	case *patientrecordv1.ClinicalEntry_Immunization:
		set("entry.text", c.Immunization.GetText())
	case *patientrecordv1.ClinicalEntry_Encounter:
		set("entry.text", c.Encounter.GetText())
		set("entry.words", c.Encounter.GetReason())
		set("class", c.Encounter.GetClassCode())
		when("end", "endHour", c.Encounter.GetEndTime())
	case *patientrecordv1.ClinicalEntry_DiagnosticReport:
		set("entry.text", c.DiagnosticReport.GetText())
		set("entry.words", c.DiagnosticReport.GetConclusion())
		set("category", c.DiagnosticReport.GetCategory())
	case *patientrecordv1.ClinicalEntry_Note:
		set("entry.text", c.Note.GetTitle())
		set("entry.words", c.Note.GetText())
		set("category", c.Note.GetCategory())
	}
	return v
}

// since is the time that an entry itself tells. A problem, allergy or medicine need not tell any: the entry then stands at the time when it was
// written, which is nothing to put into its form.
func since(e *patientrecordv1.RecordEntry) *timestamppb.Timestamp {
	switch c := e.GetContent().GetResource().(type) {
	case *patientrecordv1.ClinicalEntry_Problem:
		return c.Problem.GetOnsetTime()
	case *patientrecordv1.ClinicalEntry_Allergy:
		return c.Allergy.GetRecordedTime()
	case *patientrecordv1.ClinicalEntry_Medication:
		return c.Medication.GetAuthoredTime()
	}
	return e.GetEffectiveTime()
}

func fillObservation(set func(string, string), o *patientrecordv1.Observation) {
	number := func(q *patientrecordv1.Quantity) string { return strconv.FormatFloat(q.GetValue(), 'f', -1, 64) }
	set("entry.text", o.GetText())
	set("entry.words", o.GetValueText())
	if q := o.GetQuantity(); q != nil {
		set("value", number(q))
		set("unit", q.GetUnit())
	}
	if i, ok := itemCoded(o.GetCodes()...); ok {
		set("item", i.Name)
	}
	for _, part := range o.GetComponents() {
		if i, ok := itemCoded(part.GetCode()); ok && part.GetQuantity() != nil {
			set("item", "blood_pressure")
			set("value."+i.Name, number(part.GetQuantity()))
		}
	}
}
