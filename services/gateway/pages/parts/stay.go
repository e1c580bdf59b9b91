package parts

import (
	"cmp"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// maxStay is how many entries of a stay are read: notes and reports, the newest first.
const maxStay = 50

// Stay is what the record says of a patient's time in hospital, as the texts that a reply starts from. What the record lacks is "".
type Stay struct {
	// Course is the latest discharge summary (出院小结).
	Course string
	// Findings are the conclusions of reports and the abnormal values, a line each.
	Findings string
	// Medicines are those that are taken now.
	Medicines []*patientrecordv1.Medication
}

// StayOf reads it from the arrival on. Without the record, or the right to read it, it is empty: a reply can be written by hand.
func StayOf(sh *shell.Shell, r *http.Request, clinical patientrecordv1.ClinicalRecordServiceClient, summary *patientrecordv1.Summary, arrived *timestamppb.Timestamp) Stay {
	var out Stay
	var lines []string
	for _, m := range shell.Medications(summary.GetMedications()) {
		if m.GetStatus() == "" || m.GetStatus() == "active" {
			out.Medicines = append(out.Medicines, m)
		}
	}
	if arrived == nil || summary.GetPatient() == nil {
		return out
	}
	list, err := clinical.ListEntries(r.Context(), &patientrecordv1.ListEntriesRequest{
		PatientId: summary.GetPatient().GetId(), Kinds: []string{"NOTE", "REPORT"}, From: arrived, PageSize: maxStay,
	})
	if err == nil {
		for _, e := range list.GetEntries() {
			if note := e.GetContent().GetNote(); note.GetCategory() == "DISCHARGE" {
				out.Course = cmp.Or(out.Course, note.GetText())
			}
			if report := e.GetContent().GetDiagnosticReport(); report != nil {
				if said := cmp.Or(report.GetConclusion(), report.GetFindings()); said != "" {
					lines = append(lines, report.GetText()+"："+said)
				}
			}
		}
	}
	for _, o := range summary.GetRecentResults() {
		abnormal := o.GetInterpretation() != "" && o.GetInterpretation() != "N"
		if abnormal && o.GetEffectiveTime().AsTime().After(arrived.AsTime()) {
			lines = append(lines, o.GetText()+" "+measured(sh, r, o))
		}
	}
	out.Findings = strings.Join(slices.Compact(lines), "\n")
	return out
}

// measured words a value with its unit.
func measured(sh *shell.Shell, r *http.Request, o *patientrecordv1.Observation) string {
	word := func(q *patientrecordv1.Quantity, text string) string {
		if q == nil {
			return text
		}
		return strconv.FormatFloat(math.Round(q.GetValue()*100)/100, 'f', -1, 64)
	}
	if len(o.GetComponents()) == 0 {
		return strings.TrimSpace(word(o.GetQuantity(), o.GetValueText()) + " " + sh.Unit(r, o.GetQuantity().GetUnit()))
	}
	var values []string
	for _, c := range o.GetComponents() {
		values = append(values, word(c.GetQuantity(), c.GetValueText()))
	}
	return strings.Join(values, "/") + " " + sh.Unit(r, o.GetComponents()[0].GetQuantity().GetUnit())
}
