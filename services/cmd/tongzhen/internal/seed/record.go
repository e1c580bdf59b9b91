package seed

import (
	"strconv"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
)

// recordBuilder collects the clinical entries of one patient.
type recordBuilder struct {
	identity string
	asOf     time.Time
	// male and age (in years, as of asOf) decide what is usual.
	male bool
	age  int
	// laboratory is the organisation that makes the county's laboratory results.
	laboratory string
	entries    []*patientrecordv1.ClinicalEntry
}

func (r *recordBuilder) add(kind string, e *patientrecordv1.ClinicalEntry) *recordBuilder {
	e.SourceIdentity = r.identity + ":" + kind + ":" + strconv.Itoa(len(r.entries)+1)
	r.entries = append(r.entries, e)
	return r
}

// at is 9 o'clock in Beijing some days before the day of asOf.
func (r *recordBuilder) at(days int) *timestamppb.Timestamp {
	y, m, d := r.asOf.In(beijing()).Date()
	return timestamppb.New(time.Date(y, m, d-days, 9, 0, 0, 0, beijing()))
}

// problem with a three-character ICD-10 category; 0 years is two months.
func (r *recordBuilder) problem(code, text string, years int) *recordBuilder {
	return r.add("problem", &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Problem{
		Problem: &patientrecordv1.Problem{
			Codes: []*commonv1.Coding{{System: "ICD-10", Code: code, Display: text}}, Text: text, ClinicalStatus: "active",
			OnsetTime: r.at(60 + 365*years), RecordedTime: r.at(60 + 365*years),
		},
	}})
}

// medication with its ATC code.
func (r *recordBuilder) medication(code, text, dosage string) *recordBuilder {
	return r.add("medication", &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Medication{
		Medication: &patientrecordv1.Medication{
			Codes: []*commonv1.Coding{{System: "http://www.whocc.no/atc", Code: code, Display: text}}, Text: text,
			Status: "active", AuthoredTime: r.at(30), Dosage: dosage,
		},
	}})
}

func (r *recordBuilder) allergy(text, category, criticality string) *recordBuilder {
	return r.add("allergy", &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Allergy{
		Allergy: &patientrecordv1.Allergy{
			Text: text, ClinicalStatus: "active", Categories: []string{category}, Criticality: criticality, RecordedTime: r.at(400),
		},
	}})
}

// loinc names a kind of result.
type loinc string

const (
	pulse       loinc = "8867-4"
	temperature loinc = "8310-5"
	oxygen      loinc = "59408-5"
	weight      loinc = "29463-7"
	systolic    loinc = "8480-6"
	diastolic   loinc = "8462-4"
	glucose     loinc = "14771-0"
	hba1c       loinc = "4548-4"
	ldl         loinc = "22748-8"
	creatinine  loinc = "14682-9"
	egfr        loinc = "62238-1"
	potassium   loinc = "2823-3"
	haemoglobin loinc = "718-7"
	whiteCells  loinc = "6690-2"
)

// meaning of a result: its name, its unit (UCUM) and the limits outside which it is low or high.
type meaning struct {
	text, unit string
	low, high  float64
	vital      bool
}

func (l loinc) meaning() meaning {
	return map[loinc]meaning{
		pulse:       {"心率", "/min", 60, 100, true},
		temperature: {"体温", "Cel", 36, 37.2, true},
		oxygen:      {"血氧饱和度", "%", 95, 100, true},
		weight:      {"体重", "kg", 0, 0, true},
		systolic:    {"收缩压", "mm[Hg]", 90, 140, true},
		diastolic:   {"舒张压", "mm[Hg]", 60, 90, true},
		glucose:     {"空腹血糖", "mmol/L", 3.9, 6.1, false},
		hba1c:       {"糖化血红蛋白", "%", 4, 6, false},
		ldl:         {"低密度脂蛋白胆固醇", "mmol/L", 0, 3.4, false},
		creatinine:  {"肌酐", "umol/L", 57, 97, false}, // of a man under 60; see usual
		egfr:        {"估算肾小球滤过率", "mL/min/{1.73_m2}", 90, 0, false},
		potassium:   {"血钾", "mmol/L", 3.5, 5.3, false},
		haemoglobin: {"血红蛋白", "g/L", 115, 175, false},
		whiteCells:  {"白细胞计数", "10*9/L", 3.5, 9.5, false},
	}[l]
}

// usual is what a kind of result means for the patient: of creatinine the range of WS/T 404.5-2015, which the trends draw too.
func (r *recordBuilder) usual(of loinc) meaning {
	m := of.meaning()
	if of != creatinine {
		return m
	}
	old := r.age >= 60
	switch {
	case r.male && old:
		m.low, m.high = 57, 111
	case !r.male && old:
		m.low, m.high = 41, 81
	case !r.male:
		m.low, m.high = 41, 73
	}
	return m
}

// judge answers FHIR's interpretation and the range as text. A limit of 0 is none.
func (m meaning) judge(value float64) (interpretation, normal string) {
	low, high := strconv.FormatFloat(m.low, 'g', -1, 64), strconv.FormatFloat(m.high, 'g', -1, 64)
	switch {
	case m.low == 0 && m.high == 0:
		return "", ""
	case m.low == 0:
		normal = "≤" + high
	case m.high == 0:
		normal = "≥" + low
	default:
		normal = low + "–" + high
	}
	switch {
	case value < m.low:
		return "L", normal
	case m.high != 0 && value > m.high:
		return "H", normal
	}
	return "N", normal
}

func (l loinc) coding() *commonv1.Coding {
	return &commonv1.Coding{System: "http://loinc.org", Code: string(l), Display: l.meaning().text}
}

// result of some days before.
func (r *recordBuilder) result(days int, of loinc, value float64) *recordBuilder {
	m := r.usual(of)
	category, performer := "laboratory", r.laboratory
	if m.vital {
		category, performer = "vital-signs", ""
	}
	interpretation, normal := m.judge(value)
	return r.add("observation", &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Observation{
		Observation: &patientrecordv1.Observation{
			Codes: []*commonv1.Coding{of.coding()}, Text: m.text, Category: category, Status: "final",
			EffectiveTime: r.at(days), Quantity: &patientrecordv1.Quantity{Value: value, Unit: m.unit},
			ReferenceRange: normal, Interpretation: interpretation, PerformerId: performer,
		},
	}})
}

// pressure of the blood, some days before.
func (r *recordBuilder) pressure(days int, high, low float64) *recordBuilder {
	component := func(of loinc, value float64) *patientrecordv1.ObservationComponent {
		return &patientrecordv1.ObservationComponent{
			Code: of.coding(), Quantity: &patientrecordv1.Quantity{Value: value, Unit: of.meaning().unit},
		}
	}
	interpretation := "N"
	if high >= systolic.meaning().high || low >= diastolic.meaning().high {
		interpretation = "H"
	}
	return r.add("observation", &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Observation{
		Observation: &patientrecordv1.Observation{
			Codes: []*commonv1.Coding{{System: "http://loinc.org", Code: "85354-9", Display: "血压"}}, Text: "血压",
			Category: "vital-signs", Status: "final", EffectiveTime: r.at(days), Interpretation: interpretation,
			ReferenceRange: "<140/90",
			Components:     []*patientrecordv1.ObservationComponent{component(systolic, high), component(diastolic, low)},
		},
	}})
}
