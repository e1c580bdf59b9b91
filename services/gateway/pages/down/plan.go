package down

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// general is the condition of a plan that was made by hand.
const general = "GENERAL"

// spareVisits is how many lines of visits the form shows at least.
const spareVisits = 3

// planData is what plan.html sees.
type planData struct {
	Form      shell.Form
	Templates []template
	// Chosen is the template that the visits came from; nil for none.
	Chosen *template
	Rows   []visitRow
	// Away tells that the templates could not be read.
	Away bool
}

// template is a follow-up template in the visitor's language.
type template struct {
	*referralv1.FollowUpTemplate
	Label string
}

// visitRow is a line of the plan.
type visitRow struct {
	Index     int
	Due, Mode string
	Items     []string
	// Offered are the items that can be chosen.
	Offered []item
	Errors  []shell.FieldError
	Spare   bool
}

// item is something to be looked at in a visit.
type item struct {
	Code   string
	Chosen bool
}

// usual are the items that every plan offers.
func usual() []string {
	return []string{"SYMPTOMS", "BP", "HEART_RATE", "GLUCOSE", "WEIGHT", "MEDICATION", "ADVERSE_REACTION", "LIFESTYLE", "REHABILITATION", "WOUND"}
}

func (p *Pages) templates(r *http.Request) ([]template, error) {
	query := r.URL.Query()
	answer, err := p.FollowUp.ListFollowUpTemplates(r.Context(), &referralv1.ListFollowUpTemplatesRequest{
		ReferralId: cmp.Or(query.Get("draft"), query.Get("reply_to")),
	})
	var out []template
	for _, t := range answer.GetTemplates() {
		one := template{t, t.GetName()}
		if p.Shell.Language(r) == "en" && t.GetNameEn() != "" {
			one.Label = t.GetNameEn()
		}
		out = append(out, one)
	}
	return out, err
}

// propose lays out the template that suits the referral best, and the kind that it is usually of. Without templates the plan stays empty: the township
// makes one.
func (p *Pages) propose(r *http.Request, form url.Values) {
	if all, err := p.templates(r); err == nil && len(all) > 0 {
		setPlan(form, all[0].GetPlan())
		form.Set("plan.template", all[0].GetCode())
		form.Set("plan.applied", all[0].GetCode())
		if kinds := all[0].GetKinds(); len(kinds) > 0 && form.Get("kind") == "" {
			form.Set("kind", kinds[0].String())
		}
	}
}

// planned is the form with the chosen template laid out, if another was chosen than the visits came from.
func (p *Pages) planned(r *http.Request, form url.Values) url.Values {
	if form.Get("plan.template") == form.Get("plan.applied") {
		return form
	}
	all, err := p.templates(r)
	if err != nil {
		return form
	}
	return laidOut(form, all)
}

func laidOut(form url.Values, all []template) url.Values {
	chosen := form.Get("plan.template")
	if chosen == form.Get("plan.applied") {
		return form
	}
	form = maps.Clone(form)
	form.Set("plan.applied", chosen)
	at := slices.IndexFunc(all, func(t template) bool { return t.GetCode() == chosen })
	if at < 0 {
		return form // by hand: what is there stays
	}
	goal := form.Get("plan.goal")
	setPlan(form, all[at].GetPlan())
	form.Set("plan.template", chosen)
	form.Set("plan.applied", chosen)
	form.Set("plan.goal", cmp.Or(goal, all[at].GetPlan().GetGoal()))
	return form
}

// setPlan fills the lines of visits.
func setPlan(form url.Values, plan *referralv1.FollowUpPlan) {
	for name := range form {
		if strings.HasPrefix(name, "visit.") {
			form.Del(name)
		}
	}
	form.Set("plan.template", plan.GetTemplate())
	form.Set("plan.applied", plan.GetTemplate())
	form.Set("plan.condition", plan.GetCondition())
	form.Set("plan.goal", plan.GetGoal())
	for i, v := range plan.GetVisits() {
		form.Add("visit.key", strconv.Itoa(i))
		form.Add("visit.due", v.GetDue())
		form.Add("visit.mode", v.GetMode())
		form["visit.items."+strconv.Itoa(i)] = v.GetItems()
	}
}

// typedVisits are the lines with a day or an item, the soonest first.
func typedVisits(form url.Values) []visitRow {
	var rows []visitRow
	for i, key := range form["visit.key"] {
		row := visitRow{Mode: "CLINIC", Items: form["visit.items."+key]}
		if days := form["visit.due"]; i < len(days) {
			row.Due = strings.TrimSpace(days[i])
		}
		if modes := form["visit.mode"]; i < len(modes) && modes[i] != "" {
			row.Mode = modes[i]
		}
		if row.Due != "" || len(row.Items) > 0 {
			rows = append(rows, row)
		}
	}
	// ISO days sort as text; a line without one is refused where it stands, at the end.
	slices.SortStableFunc(rows, func(a, b visitRow) int { return strings.Compare(cmp.Or(a.Due, "~"), cmp.Or(b.Due, "~")) })
	for i := range rows {
		rows[i].Index = i
	}
	return rows
}

func planOf(form url.Values) *referralv1.FollowUpPlan {
	plan := &referralv1.FollowUpPlan{
		Template: form.Get("plan.applied"), Condition: cmp.Or(form.Get("plan.condition"), general), Goal: strings.TrimSpace(form.Get("plan.goal")),
	}
	for _, row := range typedVisits(form) {
		plan.Visits = append(plan.Visits, &referralv1.PlannedVisit{Due: row.Due, Mode: row.Mode, Items: row.Items})
	}
	if len(plan.GetVisits()) == 0 && plan.GetGoal() == "" {
		return nil
	}
	return plan
}

// plan is the proposal as it stands in the form.
func (p *Pages) plan(r *http.Request, form url.Values, wrong []shell.FieldError) planData {
	all, err := p.templates(r)
	if err == nil {
		form = laidOut(form, all)
	}
	data := planData{Form: shell.Form{Values: form, Errors: wrong}, Templates: all, Away: err != nil, Rows: typedVisits(form)}
	if at := slices.IndexFunc(all, func(t template) bool { return t.GetCode() == form.Get("plan.applied") }); at >= 0 {
		data.Chosen = &all[at]
	}
	for filled := len(data.Rows); len(data.Rows) < max(spareVisits, filled+1); {
		data.Rows = append(data.Rows, visitRow{Index: len(data.Rows), Mode: "CLINIC", Spare: len(data.Rows) > filled})
	}
	offered := usual()
	for _, row := range data.Rows {
		for _, code := range row.Items {
			if !slices.Contains(offered, code) {
				offered = append(offered, code)
			}
		}
	}
	for i := range data.Rows {
		row := &data.Rows[i]
		row.Errors = errorsOf(wrong, fmt.Sprintf("plan.visits.%d", i))
		for _, code := range offered {
			row.Offered = append(row.Offered, item{code, slices.Contains(row.Items, code)})
		}
	}
	return data
}
