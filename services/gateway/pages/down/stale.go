package down

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/tongzhen/tongzhen/services/gateway/pages/parts"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// present are the values of the draft as it stands, with the plan that is proposed for one without.
func (p *Pages) present(r *http.Request, data formData) url.Values {
	values := draftValues(data.Draft, data.Patient)
	if len(data.Draft.GetPlan().GetVisits()) == 0 {
		p.propose(r, values)
	}
	return values
}

// groups are the parts of the form that are told and taken over as a whole when somebody else changed them.
func (p *Pages) groups(r *http.Request) []parts.Group {
	return []parts.Group{
		parts.List("diagnosis", "field.diagnoses"), parts.FoundGroup(p.Shell, r),
		{Name: "medicines", Label: "field.medicines", Fields: []string{"medicine."}, Text: func(form url.Values) string { return p.medicineText(r, form) }},
		{Name: "plan", Label: "field.plan", Fields: []string{"visit.", "plan."}, Text: func(form url.Values) string { return p.planText(r, form) }},
	}
}

func (p *Pages) medicineText(r *http.Request, form url.Values) string {
	var lines []string
	for _, row := range typedMedicines(form) {
		words := []string{row.GetName(), row.GetSpecification(), row.GetDosage()}
		if row.Days != "" && row.Days != "0" {
			words = append(words, p.Shell.T(r, "field.medicines.days")+" "+row.Days)
		}
		if row.GetDecision() != "" {
			words = append(words, p.Shell.T(r, "down.decision."+row.GetDecision()), row.GetSubstitute(), row.GetDecisionNote())
		}
		lines = append(lines, strings.Join(strings.Fields(strings.Join(words, " ")), " "))
	}
	return strings.Join(lines, "；")
}

func (p *Pages) planText(r *http.Request, form url.Values) string {
	var lines []string
	if goal := strings.TrimSpace(form.Get("plan.goal")); goal != "" {
		lines = append(lines, goal)
	}
	for _, row := range typedVisits(form) {
		words := []string{row.Due, p.Shell.T(r, "down.mode."+row.Mode)}
		for _, code := range row.Items {
			words = append(words, strings.TrimPrefix(p.Shell.T(r, "down.item."+code), "down.item."))
		}
		lines = append(lines, strings.Join(words, " "))
	}
	return strings.Join(lines, "；")
}

// outdated tells that a refusal is about what somebody else did to the draft meanwhile.
func outdated(data formData, cause error) bool {
	kind := errs.KindOf(cause)
	return data.Draft != nil && (kind == errs.KindStale || kind == errs.KindWrongState)
}

// reapply puts what was typed upon the draft as it stands.
func (p *Pages) reapply(r *http.Request, data *formData, cause error) {
	data.Stale = parts.Renewal{
		Shell: p.Shell, Client: p.Referral, Referral: data.Draft, Present: p.present(r, *data), Groups: p.groups(r),
		Word: func(name, value string) (string, bool) {
			for _, c := range data.Centres {
				if c.ID == value {
					return c.Name, true
				}
			}
			return value, name == "organization"
		},
	}.Reapply(r, &data.Form, cause)
	data.Problem, data.RequestID = "", id.New()
}
