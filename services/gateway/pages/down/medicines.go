package down

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// lines is how many lines of medicines the form shows at least, for browsers that cannot add one.
const lines = 5

// medicinesData is what medicines.html sees.
type medicinesData struct {
	Form shell.Form
	Rows []medicineRow
	// Asked tells that a centre was chosen; Away that its list could not be asked.
	Asked, Away bool
	// Known tells that the centre keeps a list of medicines.
	Known bool
	// Capabilities are what the centre can do.
	Capabilities []string
}

// medicineRow is a line of the table.
type medicineRow struct {
	*referralv1.DischargeMedicine
	Index int
	// Days as typed: "" is not said.
	Days string
	// Check is what the centre has; nil for an empty line.
	Check *referralv1.MedicineCheck
	// Errors are what is wrong with the line.
	Errors []shell.FieldError
	// Spare lines are there for browsers without scripts.
	Spare bool
}

// Untold tells that nobody said how it is taken.
func (m medicineRow) Untold() bool {
	return m.GetName() != "" && m.GetDosage() == "" && m.GetDecision() != "STOPPED"
}

// Lacking tells that a decision is needed.
func (m medicineRow) Lacking() bool { return m.Check.GetAvailability() == "MISSING" }

// Unconfirmed tells that the centre may list the medicine under another name.
func (m medicineRow) Unconfirmed() bool { return m.Check.GetAvailability() == "UNCONFIRMED" }

// Deciding tells that a decision may be made, or was made.
func (m medicineRow) Deciding() bool {
	undecided := slices.ContainsFunc(m.Errors, func(e shell.FieldError) bool { return !strings.HasSuffix(e.Name, ".dosage") })
	return m.Lacking() || m.Unconfirmed() || m.Check.GetAvailability() == "SUBSTITUTE" || m.GetDecision() != "" || undecided
}

// The fields of a line; every line sends each of them, so that the n-th of one belongs to the n-th of another.
func medicineFields(m *referralv1.DischargeMedicine) [][2]string {
	days := ""
	if m.GetDays() != 0 {
		days = strconv.Itoa(int(m.GetDays()))
	}
	return [][2]string{
		{"medicine.name", m.GetName()}, {"medicine.specification", m.GetSpecification()}, {"medicine.dosage", m.GetDosage()}, {"medicine.days", days},
		{"medicine.decision", m.GetDecision()}, {"medicine.substitute", m.GetSubstitute()}, {"medicine.decisionNote", m.GetDecisionNote()},
	}
}

func setMedicines(form url.Values, medicines []*referralv1.DischargeMedicine) {
	for _, m := range medicines {
		for _, field := range medicineFields(m) {
			form.Add(field[0], field[1])
		}
	}
}

// typedMedicines are the lines with anything in them.
func typedMedicines(form url.Values) []medicineRow {
	var rows []medicineRow
	for i := range form["medicine.name"] {
		get := func(name string) string {
			if values := form["medicine."+name]; i < len(values) {
				return strings.TrimSpace(values[i])
			}
			return ""
		}
		row := medicineRow{Index: len(rows), Days: get("days"), DischargeMedicine: &referralv1.DischargeMedicine{
			Name: get("name"), Specification: get("specification"), Dosage: get("dosage"),
			Decision: get("decision"), Substitute: get("substitute"), DecisionNote: get("decisionNote"),
		}}
		if row.GetName()+row.GetSpecification()+row.GetDosage()+row.Days == "" {
			continue
		}
		if days, err := strconv.ParseInt(row.Days, 10, 32); err == nil {
			row.DischargeMedicine.Days = int32(days)
		} else if row.Days != "" {
			row.DischargeMedicine.Days = -1 // [countable] refuses it
		}
		rows = append(rows, row)
	}
	return rows
}

func medicinesOf(form url.Values) []*referralv1.DischargeMedicine {
	var out []*referralv1.DischargeMedicine
	for _, row := range typedMedicines(form) {
		out = append(out, row.DischargeMedicine)
	}
	return out
}

// medicines holds the lines against what the chosen centre has. Without an answer the lines stand without it.
func (p *Pages) medicines(r *http.Request, form url.Values, wrong []shell.FieldError) medicinesData {
	data := medicinesData{Form: shell.Form{Values: form, Errors: wrong}, Rows: typedMedicines(form), Asked: form.Get("organization") != ""}
	if data.Asked {
		answer, err := p.check(r, form)
		data.Away, data.Known, data.Capabilities = err != nil, answer.GetFormularyKnown(), answer.GetCapabilities()
		for i, check := range answer.GetChecks() {
			if i < len(data.Rows) {
				data.Rows[i].Check = check
			}
		}
	}
	for i := range data.Rows {
		data.Rows[i].Errors = errorsOf(wrong, fmt.Sprintf("medicines.%d", i))
	}
	for filled := len(data.Rows); len(data.Rows) < max(lines, filled+1); {
		data.Rows = append(data.Rows, medicineRow{DischargeMedicine: &referralv1.DischargeMedicine{}, Index: len(data.Rows), Spare: len(data.Rows) > filled})
	}
	return data
}

func (p *Pages) check(r *http.Request, form url.Values) (*referralv1.CheckMedicinesResponse, error) {
	medicines := medicinesOf(form)
	for _, m := range medicines {
		m.Days = max(0, m.GetDays())
	}
	return p.Candidate.CheckMedicines(r.Context(), &referralv1.CheckMedicinesRequest{OrganizationId: form.Get("organization"), Medicines: medicines})
}

// A button of the form sends what it puts into a line, with the line and the words: the name that the centre's list has for its medicine, or that
// how it is taken is for the centre's doctor to say.
const (
	take  = "name"
	leave = "dosage"
)

// filled is the form with what such a button puts into it. Only what a script would do is done: all else stays as typed.
func filled(form url.Values, do string) url.Values {
	what, rest, _ := strings.Cut(do, " ")
	line, words, _ := strings.Cut(rest, " ")
	at, err := strconv.Atoi(line)
	rows := typedMedicines(form)
	if err != nil || at < 0 || at >= len(rows) || words == "" {
		return form
	}
	switch what {
	case take:
		rows[at].Name = words
	case leave:
		rows[at].Dosage = words
	default:
		return form
	}
	form = maps.Clone(form)
	for _, field := range medicineFields(nil) {
		form.Del(field[0])
	}
	for _, row := range rows {
		for _, field := range medicineFields(row.DischargeMedicine) {
			value := field[1]
			if field[0] == "medicine.days" {
				value = row.Days
			}
			form.Add(field[0], value)
		}
	}
	return form
}

// countable finds days that are no number. All else is judged by the referral service, which also asks how a medicine is taken, and for a decision
// about what the centre lacks.
func countable(form url.Values) []errs.Field {
	var bad []errs.Field
	for i, row := range typedMedicines(form) {
		if row.GetDays() < 0 {
			bad = append(bad, errs.Bad(fmt.Sprintf("medicines[%d].days", i), errs.ReasonFieldInvalid))
		}
	}
	return bad
}

// errorsOf are the errors of one line.
func errorsOf(all []shell.FieldError, line string) []shell.FieldError {
	return slices.DeleteFunc(slices.Clone(all), func(e shell.FieldError) bool { return !strings.HasPrefix(e.Name, line+".") })
}
