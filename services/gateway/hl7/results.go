package hl7

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
)

const loinc = "http://loinc.org"

// local names a code system of the sender.
func (r *reader) local(system string) string {
	switch strings.ToUpper(system) {
	case "LN", "LOINC":
		return loinc
	case "I10", "ICD10", "ICD-10":
		return "ICD-10"
	}
	return "urn:tongzhen:local:" + r.s.Organization
}

// coded are the codes of a CE or CWE: LOINC first, also that which the sender's settings give for a code of its own.
func (r *reader) coded(f field) []*commonv1.Coding {
	var out []*commonv1.Coding
	for _, n := range []int{1, 4} {
		code := f.at(n)
		if code == "" {
			continue
		}
		one := &commonv1.Coding{System: r.local(f.at(n + 2)), Code: code, Display: f.at(n + 1)}
		if known := r.s.Observations[code]; known != "" && one.System != loinc {
			out = append([]*commonv1.Coding{{System: loinc, Code: known, Display: f.at(n + 1)}}, out...)
		}
		if one.System == loinc {
			out = append([]*commonv1.Coding{one}, out...)
		} else {
			out = append(out, one)
		}
	}
	return out
}

// finding tells whether a text is what was seen and not what is concluded: by the suffix GDT of HL7 2.4, 7.2.4 (general description; IMP is
// the impression), or by its name.
func finding(code field) bool {
	return slices.ContainsFunc(code.components, func(c string) bool {
		c = strings.ToUpper(strings.TrimSpace(c))
		return c == "GDT" || strings.HasSuffix(c, code.seps.sub+"GDT") || strings.Contains(c, "所见") || strings.Contains(c, "FINDING")
	})
}

// oru reads reports, each with its observations. Free text (TX, FT) is what was seen or the report's conclusion.
func (r *reader) oru(to *patientrecordv1.FeedRecord) {
	var report *patientrecordv1.DiagnosticReport
	var number string
	var taken *timestamppb.Timestamp
	names := map[string]int{}
	var makers performers
	for _, s := range r.m.segments {
		switch s.fields[0] {
		case "OBR":
			makers.sign(report)
			makers = performers{}
			number = valued(s.text(3), s.text(2))
			if number == "" {
				r.fail(ReasonMissing, s.at(3))
				return
			}
			taken = earliest(r.when(s, 7), r.when(s, 22), r.when(r.m.first("MSH"), 7))
			report = &patientrecordv1.DiagnosticReport{
				Codes: r.coded(s.one(4)), Text: valued(s.one(4).at(2), s.one(4).at(1)), Category: category(s.text(24)),
				Status: reportStatus(s.text(25)), EffectiveTime: taken,
			}
			number = r.s.Application + ":" + number
			to.Entries = append(to.Entries, &patientrecordv1.ClinicalEntry{
				SourceIdentity: r.unique(names, "report:"+number), Resource: &patientrecordv1.ClinicalEntry_DiagnosticReport{DiagnosticReport: report},
			})
		case "OBX":
			if report == nil {
				r.fail(ReasonMissing, "OBR")
				return
			}
			by, kind := r.performer(s), s.text(2)
			makers.add(by, kind == "TX" || kind == "FT")
			if kind == "TX" || kind == "FT" {
				said := &report.Conclusion
				if finding(s.one(3)) {
					said = &report.Findings
				}
				*said = strings.TrimSpace(*said + "\n" + lines(s))
				continue
			}
			o := r.observation(s, report.GetCategory(), taken)
			if o == nil {
				continue
			}
			o.PerformerId, o.PerformerName = by.id, by.name()
			identity := r.unique(names, "result:"+number+":"+valued(s.text(3), s.one(3).at(2))+":"+s.text(4))
			report.ResultIdentities = append(report.ResultIdentities, identity)
			report.ResultNames = append(report.ResultNames, o.GetText())
			to.Entries = append(to.Entries, &patientrecordv1.ClinicalEntry{
				SourceIdentity: identity, Resource: &patientrecordv1.ClinicalEntry_Observation{Observation: o},
			})
		}
	}
	makers.sign(report)
	if report == nil {
		r.fail(ReasonMissing, "OBR")
	}
}

// unique numbers a name that comes again within the message.
func (r *reader) unique(names map[string]int, name string) string {
	names[name]++
	if n := names[name]; n > 1 {
		return name + "#" + strconv.Itoa(n)
	}
	return name
}

// lines are all repetitions of OBX-5.
func lines(obx segment) string {
	var out []string
	for _, f := range obx.all(5) {
		out = append(out, f.words())
	}
	return strings.Join(out, "\n")
}

func (r *reader) observation(obx segment, category string, taken *timestamppb.Timestamp) *patientrecordv1.Observation {
	code := obx.one(3)
	if code.at(1) == "" && code.at(2) == "" {
		r.fail(ReasonMissing, obx.at(3))
		return nil
	}
	o := &patientrecordv1.Observation{
		Codes: r.coded(code), Text: valued(code.at(2), code.at(1)), Category: category, Status: observationStatus(obx.text(11)),
		EffectiveTime: earliest(r.when(obx, 14), taken), ReferenceRange: obx.one(7).words(), Interpretation: obx.text(8),
		Method: valued(obx.one(17).at(2), obx.one(17).at(1)),
	}
	value := obx.one(5)
	switch obx.text(2) {
	case "NM":
		if n, ok := number(value.at(1)); ok {
			o.Quantity = &patientrecordv1.Quantity{Value: n, Unit: unit(obx.one(6))}
		} else {
			o.ValueText = lines(obx) // "阴性", ">100": said all the same
		}
	case "SN":
		n, ok := number(value.at(2))
		if comparator := value.at(1); ok && (comparator == "" || comparator == "=") && value.at(3) == "" {
			o.Quantity = &patientrecordv1.Quantity{Value: n, Unit: unit(obx.one(6))}
		} else {
			o.ValueText = strings.TrimSpace(value.at(1) + value.at(2) + value.at(3) + value.at(4) + " " + obx.one(6).at(1))
		}
	case "CE", "CWE", "CNE":
		o.ValueText = valued(value.at(2), value.at(1))
	case "ED", "RP":
		return nil // a picture or a pointer to one: no value
	default:
		o.ValueText = lines(obx)
	}
	return o
}

// number is a value that can be counted with.
func number(s string) (float64, bool) {
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil && !math.IsInf(n, 0) && !math.IsNaN(n)
}

// unit is the UCUM form of what laboratories here write; what is not in the table is kept as it is.
func unit(f field) string {
	s := f.at(1)
	if s == "10" {
		s += "^" + f.at(2) // "10^9/L", whose power nobody escapes
	}
	s = strings.NewReplacer("μ", "u", "µ", "u", "×", "", "＊", "*", "％", "%").Replace(s)
	switch strings.ToLower(strings.ReplaceAll(s, " ", "")) {
	case "10^9/l", "10e9/l", "10*9/l", "109/l":
		return "10*9/L"
	case "10^12/l", "10e12/l", "10*12/l", "1012/l":
		return "10*12/L"
	case "mmhg", "mm[hg]":
		return "mm[Hg]"
	case "iu/l", "[iu]/l":
		return "[IU]/L"
	case "miu/l", "m[iu]/l":
		return "m[IU]/L"
	case "u/l":
		return "U/L"
	case "mmol/l":
		return "mmol/L"
	case "umol/l":
		return "umol/L"
	case "g/l":
		return "g/L"
	case "mg/l":
		return "mg/L"
	case "mg/dl":
		return "mg/dL"
	case "ng/ml":
		return "ng/mL"
	case "pg/ml":
		return "pg/mL"
	case "fl":
		return "fL"
	case "℃", "°c", "cel":
		return "Cel"
	case "次/分", "bpm", "/min":
		return "/min"
	}
	return s
}

// category reads OBR-24 (HL7 table 0074).
func category(code string) string {
	switch strings.ToUpper(code) {
	case "RAD", "RX", "CT", "NMR", "MR", "RUS", "US", "CUS", "NMS", "XRC", "VUS", "OUS":
		return "imaging"
	case "EC", "EN", "CTH", "EEG", "ECG":
		return "procedure"
	}
	return "laboratory"
}

// reportStatus reads OBR-25 (table 0123), observationStatus OBX-11 (table 0085), as FHIR says it.
func reportStatus(code string) string {
	switch code {
	case "P", "A", "R":
		return "preliminary"
	case "C":
		return "corrected"
	case "X":
		return "cancelled"
	case "O", "I", "S":
		return "registered"
	}
	return "final"
}

func observationStatus(code string) string {
	switch code {
	case "P", "S", "R":
		return "preliminary"
	case "C":
		return "corrected"
	case "X":
		return "cancelled"
	case "D", "W":
		return "entered-in-error"
	case "I", "O":
		return "registered"
	}
	return "final"
}

// mdm reads a document with its text.
func (r *reader) mdm(to *patientrecordv1.FeedRecord) {
	txa := r.m.first("TXA")
	number := valued(txa.text(12), txa.one(12).at(2))
	if number == "" {
		r.fail(ReasonMissing, "TXA-12")
		return
	}
	var text []string
	for _, obx := range r.m.all("OBX") {
		if kind := obx.text(2); kind != "ED" && kind != "RP" {
			text = append(text, lines(obx))
		}
	}
	if len(text) == 0 {
		r.fail(ReasonMissing, "OBX-5")
		return
	}
	kind := txa.one(2)
	report := &patientrecordv1.DiagnosticReport{
		Codes: r.coded(kind), Text: valued(kind.at(2), kind.at(1), "document"), Category: "document", Status: "final",
		EffectiveTime: earliest(r.when(txa, 4), r.when(txa, 6), r.sent()), Conclusion: strings.TrimSpace(strings.Join(text, "\n")),
	}
	if txa.text(17) == "DI" || txa.text(17) == "IP" {
		report.Status = "preliminary"
	}
	to.Entries = append(to.Entries, &patientrecordv1.ClinicalEntry{
		SourceIdentity: "document:" + r.s.Application + ":" + number, Resource: &patientrecordv1.ClinicalEntry_DiagnosticReport{DiagnosticReport: report},
	})
}
