package down

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// ofLine is an error of one line: medicines[2].decision, plan.visits[0].items[1].
var ofLine = regexp.MustCompile(`^(medicines|plan\.visits)\[(\d+)\](?:\.([a-zA-Z]+))?`)

// fieldErrors words what was refused, each field once, in the order of the form; nil for every error that is not about fields.
// An error of a line says which line, and leads to its field ("medicines.2.decision").
func (p *Pages) fieldErrors(r *http.Request, cause error) []shell.FieldError {
	e, ok := errs.As(cause)
	if !ok || e.Kind != errs.KindInvalid {
		return nil
	}
	if called, ok := errs.As(shell.Called(cause, map[string]string{"receiver.organizationId": "down.centre"})); ok {
		e = called
	}
	form := shell.Form{}
	for _, f := range e.Fields {
		at, line := f.Name, ""
		if found := ofLine.FindStringSubmatch(f.Name); found != nil {
			list, field := found[1], found[3]
			if field == "" {
				field = map[string]string{"medicines": "name", "plan.visits": "due"}[list]
			}
			n, err := strconv.Atoi(found[2])
			if err != nil {
				return nil
			}
			line = p.line(r, list, n)
			at, f.Name = list+"."+found[2]+"."+field, list+"."+field
		}
		for _, worded := range p.Shell.FieldErrors(r, errs.Invalid(f)) {
			if line == "" {
				at = anchor(worded.Name)
			}
			if form.Error(at) == "" {
				form.Errors = append(form.Errors, shell.FieldError{Name: at, Text: line + worded.Text})
			}
		}
	}
	return shell.InOrder(form.Errors, strings.Fields(`kind urgency receiver receiver.organizationId familyDoctor diagnoses form.diagnosis form.inpatientNumber
		form.examinationResults form.treatment form.nextPlan form.rehabilitationAdvice medicines plan plan.goal values value
		consent consent.method consent.givenBy consent.relation outcomeCode transport transferNote originatorPhone blankNumber writtenTime`)...)
}

// line words which line of a list is meant, a medicine by its name too.
func (p *Pages) line(r *http.Request, list string, n int) string {
	if rows := typedMedicines(r.PostForm); list == "medicines" && n < len(rows) && rows[n].GetName() != "" {
		return p.Shell.T(r, "down.line.medicines.named", "n", n+1, "name", rows[n].GetName())
	}
	return p.Shell.T(r, "down.line."+list, "n", n+1)
}

// anchor is the field that shows an error: what is wrong with the plan as a whole stands above it.
func anchor(name string) string {
	if strings.HasPrefix(name, "plan.") && name != "plan.goal" {
		return "plan"
	}
	return name
}
