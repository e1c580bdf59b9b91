package clinical

import (
	"net/url"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/parts"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

const (
	icd10 = "ICD-10"
	loinc = "http://loinc.org"
	sct   = "http://snomed.info/sct"
)

// item is what can be measured: its code, unit and what the record calls it. Names are those of the trends.
type item struct {
	Name, Code, Unit, Text, Category string
}

// items are the vital signs first, then what a laboratory gives. The two pressures are one entry.
func items() []item {
	const vital, laboratory = "vital-signs", "laboratory"
	return []item{
		{"sbp", "8480-6", "mm[Hg]", "收缩压", vital}, {"dbp", "8462-4", "mm[Hg]", "舒张压", vital},
		{"heart_rate", "8867-4", "/min", "心率", vital}, {"temperature", "8310-5", "Cel", "体温", vital},
		{"spo2", "59408-5", "%", "血氧饱和度", vital}, {"resp_rate", "9279-1", "/min", "呼吸", vital}, {"weight", "29463-7", "kg", "体重", vital},
		{"fasting_glucose", "14771-0", "mmol/L", "空腹血糖", laboratory}, {"glucose", "14743-9", "mmol/L", "随机血糖", laboratory},
		{"hba1c", "4548-4", "%", "糖化血红蛋白", laboratory}, {"creatinine", "14682-9", "umol/L", "肌酐", laboratory},
		{"egfr", "62238-1", "mL/min/{1.73_m2}", "估算肾小球滤过率", laboratory}, {"potassium", "2823-3", "mmol/L", "血钾", laboratory},
		{"ldl", "22748-8", "mmol/L", "低密度脂蛋白胆固醇", laboratory},
	}
}

func itemNamed(name string) (item, bool) {
	for _, i := range items() {
		if i.Name == name {
			return i, true
		}
	}
	return item{}, false
}

func itemCoded(codes ...*commonv1.Coding) (item, bool) {
	for _, c := range codes {
		for _, i := range items() {
			if c.GetSystem() == loinc && c.GetCode() == i.Code {
				return i, true
			}
		}
	}
	return item{}, false
}

// reader reads a form; what cannot be read at all is collected in wrong.
type reader struct {
	form  url.Values
	zone  *time.Location
	wrong []errs.Field
}

func (f *reader) get(name string) string { return strings.TrimSpace(f.form.Get(name)) }

// at reads a day with an optional hour; nil when there is none.
func (f *reader) at(name, day, hour string) *timestamppb.Timestamp {
	date, clock := f.get(day), f.get(hour)
	if date == "" {
		return nil
	}
	if clock == "" {
		clock = "00:00"
	}
	t, err := time.ParseInLocation("2006-01-02 15:04", date+" "+clock, f.zone)
	if err != nil {
		f.wrong = append(f.wrong, errs.Bad(name, errs.ReasonFieldInvalid))
		return nil
	}
	return timestamppb.New(t)
}

// number reads a value; nil when the field is empty.
func (f *reader) number(name string) *float64 {
	text := f.get(name)
	if text == "" {
		return nil
	}
	v, err := parts.Number(text)
	if err != nil {
		f.wrong = append(f.wrong, errs.Bad(name, errs.ReasonFieldInvalid))
		return nil
	}
	return &v
}

func quantity(v float64, unit string) *patientrecordv1.Quantity {
	return &patientrecordv1.Quantity{Value: v, Unit: unit}
}

func (f *reader) observation(i item, v *float64) *patientrecordv1.Observation {
	o := &patientrecordv1.Observation{
		Codes: []*commonv1.Coding{{System: loinc, Code: i.Code, Display: i.Text}}, Text: i.Text, Category: i.Category, Status: "final",
		EffectiveTime: f.at("entry.time", "date", "hour"),
	}
	if v != nil {
		o.Quantity = quantity(*v, i.Unit)
	}
	return o
}

// pressure is one entry of two values; nil when neither was typed.
func (f *reader) pressure() *patientrecordv1.Observation {
	o := f.observation(item{Code: "85354-9", Text: "血压", Category: "vital-signs"}, nil)
	for _, name := range []string{"sbp", "dbp"} {
		i, _ := itemNamed(name)
		if v := f.number("value." + name); v != nil {
			o.Components = append(o.Components, &patientrecordv1.ObservationComponent{
				Code: &commonv1.Coding{System: loinc, Code: i.Code, Display: i.Text}, Quantity: quantity(*v, i.Unit),
			})
		} else if f.get("value.sbp")+f.get("value.dbp") != "" && f.get("value."+name) == "" {
			f.wrong = append(f.wrong, errs.Required("value."+name))
		}
	}
	if len(o.GetComponents()) == 0 {
		return nil
	}
	return o
}

func observed(o *patientrecordv1.Observation) *patientrecordv1.ClinicalEntry {
	return &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Observation{Observation: o}}
}

// values are the entries of the form of several values at once.
func (f *reader) values() []*patientrecordv1.ClinicalEntry {
	var out []*patientrecordv1.ClinicalEntry
	if o := f.pressure(); o != nil {
		out = append(out, observed(o))
	}
	for _, i := range items()[2:9] {
		if v := f.number("value." + i.Name); v != nil {
			out = append(out, observed(f.observation(i, v)))
		}
	}
	if len(out) == 0 && len(f.wrong) == 0 {
		f.wrong = append(f.wrong, errs.Bad("value.sbp", errs.ReasonFieldRequired, "cause", "VALUES"))
	}
	return out
}

// content is the entry of a form for one.
func (f *reader) content(kind string) *patientrecordv1.ClinicalEntry {
	text, status := f.get("entry.text"), f.get("status")
	at := f.at("entry.time", "date", "hour")
	switch kind {
	case "problem":
		p := &patientrecordv1.Problem{Text: text, ClinicalStatus: status, OnsetTime: at, AbatementTime: f.at("entry.endTime", "end", "")}
		if chosen := parts.Diagnoses(f.form); len(chosen) > 0 {
			p.Codes = []*commonv1.Coding{{System: icd10, Code: chosen[0].GetCode(), Display: chosen[0].GetDisplay()}}
			if p.Text == "" {
				p.Text = chosen[0].GetDisplay()
			}
		}
		return &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Problem{Problem: p}}
	case "allergy":
		a := &patientrecordv1.Allergy{Text: text, ClinicalStatus: status, RecordedTime: at, Criticality: f.get("criticality")}
		if c := f.get("category"); c != "" {
			a.Categories = []string{c}
		}
		if f.get("none") == "1" {
			a.Text, a.Criticality, a.Categories = "无已知过敏", "", nil
			a.Codes = []*commonv1.Coding{{System: sct, Code: "716186003", Display: a.GetText()}}
		}
		return &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Allergy{Allergy: a}}
	case "medication":
		return &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Medication{Medication: &patientrecordv1.Medication{
			Text: text, Status: status, AuthoredTime: at, Dosage: strings.TrimSpace(f.get("dose") + " " + f.get("frequency")),
		}}}
	case "result":
		return observed(f.result(text, at))
	case "procedure":
		return &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Procedure{Procedure: &patientrecordv1.Procedure{Text: text, Status: status, PerformedTime: at}}}
	case "immunization":
		return &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Immunization{Immunization: &patientrecordv1.Immunization{Text: text, Status: status, OccurrenceTime: at}}}
	case "encounter":
		e := &patientrecordv1.Encounter{
			ClassCode: f.get("class"), Text: text, Status: "in-progress", StartTime: at, Reason: f.get("entry.words"), EndTime: f.at("entry.endTime", "end", "endHour"),
		}
		if e.GetEndTime() != nil {
			e.Status = "finished"
		}
		return &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Encounter{Encounter: e}}
	case "report":
		return &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_DiagnosticReport{DiagnosticReport: &patientrecordv1.DiagnosticReport{
			Text: text, Status: "final", EffectiveTime: at, Category: f.get("category"), Conclusion: f.get("entry.words"),
		}}}
	default:
		return &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Note{Note: &patientrecordv1.Note{
			Title: text, Status: "final", WrittenTime: at, Category: f.get("category"), Text: f.get("entry.words"),
		}}}
	}
}

// result is one value: a pressure, one of the items, or what is called otherwise.
func (f *reader) result(text string, at *timestamppb.Timestamp) *patientrecordv1.Observation {
	name := f.get("item")
	if name == "blood_pressure" {
		if o := f.pressure(); o != nil {
			return o
		}
		return f.observation(item{Code: "85354-9", Text: "血压", Category: "vital-signs"}, nil)
	}
	if i, ok := itemNamed(name); ok {
		return f.observation(i, f.number("value"))
	}
	o := &patientrecordv1.Observation{Text: text, Category: "laboratory", Status: "final", EffectiveTime: at, ValueText: f.get("entry.words")}
	if v := f.number("value"); v != nil {
		o.Quantity = quantity(*v, f.get("unit"))
	}
	return o
}
