package referrals

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/followups"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// planData is the editor of a follow-up plan (随访计划): the visits still to come.
type planData struct {
	Templates []*referralv1.FollowUpTemplate
	// Template and Condition are those of the visits shown.
	Template, Condition, Goal string
	// Note says how the template's intervals are meant.
	Note   string
	Visits []planRow
	// Doctors are the accounts that can follow the patient up; the first is proposed.
	Doctors []familyDoctor
	// Picked tells that the visitor chose the template.
	Picked bool
	// Shifted tells that a plan proposed for days now past was moved to today.
	Shifted bool

	items []string
}

// planRow is one line of the editor; one without a day plans nothing.
type planRow struct {
	Due, Mode, Error string
	Items            []itemChoice
}

type itemChoice struct {
	Code   string
	Chosen bool
}

// familyDoctor is a choice of the responsible family doctor; without a name it is the one whom the referral names.
type familyDoctor struct {
	ID, Name string
	Chosen   bool
}

// usualItems are offered for every visit, beside what the plan itself asks for.
func usualItems() []string {
	return strings.Fields("SYMPTOMS BP HEART_RATE WEIGHT GLUCOSE MEDICATION ADVERSE_REACTION LIFESTYLE REHABILITATION WOUND PAIN MOOD")
}

// spareRows are the empty lines for further visits.
const spareRows = 2

// plan proposes what the referral carries, else the template that suits it best, else the one that the address names.
func (p *Pages) plan(r *http.Request, referral *referralv1.Referral) planData {
	today := p.Shell.Now().Format(time.DateOnly)
	data := planData{Doctors: doctors(r, referral), items: usualItems()}
	if list, err := p.FollowUps.ListFollowUpTemplates(r.Context(), &referralv1.ListFollowUpTemplatesRequest{ReferralId: referral.GetId(), Start: today}); err == nil {
		data.Templates = list.GetTemplates()
	}
	chosen := referral.GetPlan()
	open := ahead(chosen)
	name := ""
	if r.Method == http.MethodGet {
		name = r.URL.Query().Get("template")
	}
	if i := slices.IndexFunc(data.Templates, func(t *referralv1.FollowUpTemplate) bool { return t.GetCode() == name }); i >= 0 {
		chosen, data.Picked = data.Templates[i].GetPlan(), true
		open = ahead(chosen)
	} else if len(open) == 0 && len(data.Templates) > 0 && referral.GetState() != referralv1.State_FOLLOW_UP {
		chosen = data.Templates[0].GetPlan()
		open = ahead(chosen)
	}
	data.Template, data.Condition, data.Goal = chosen.GetTemplate(), chosen.GetCondition(), chosen.GetGoal()
	for _, t := range data.Templates {
		if t.GetCode() == data.Template {
			data.Note = t.GetNote()
		}
	}
	open, data.Shifted = fromToday(open, today)
	data.fill(open)
	return data
}

// ahead are the visits of a plan that are not done.
func ahead(plan *referralv1.FollowUpPlan) []*referralv1.PlannedVisit {
	return slices.DeleteFunc(slices.Clone(plan.GetVisits()), func(v *referralv1.PlannedVisit) bool { return v.GetDone() })
}

// fromToday moves visits so that none lies in the past, keeping the days between them.
func fromToday(visits []*referralv1.PlannedVisit, today string) ([]*referralv1.PlannedVisit, bool) {
	if len(visits) == 0 || visits[0].GetDue() >= today {
		return visits, false
	}
	return moved(visits, today), true
}

// moved are visits with the first on a day and the others as far behind it as they were. Days that are no dates stay.
func moved(visits []*referralv1.PlannedVisit, day string) []*referralv1.PlannedVisit {
	to, err := time.Parse(time.DateOnly, day)
	from, ferr := time.Parse(time.DateOnly, visits[0].GetDue())
	if err != nil || ferr != nil {
		return visits
	}
	out := make([]*referralv1.PlannedVisit, 0, len(visits))
	for _, v := range visits {
		one := &referralv1.PlannedVisit{Number: v.GetNumber(), Due: v.GetDue(), Mode: v.GetMode(), Items: v.GetItems()}
		if at, err := time.Parse(time.DateOnly, v.GetDue()); err == nil {
			one.Due = at.Add(to.Sub(from)).Format(time.DateOnly)
		}
		out = append(out, one)
	}
	return out
}

// fill lays visits out as lines, with spare ones behind.
func (d *planData) fill(visits []*referralv1.PlannedVisit) {
	for _, v := range visits {
		for _, item := range v.GetItems() {
			if !slices.Contains(d.items, item) {
				d.items = append(d.items, item)
			}
		}
	}
	d.Visits = nil
	for _, v := range slices.Concat(visits, make([]*referralv1.PlannedVisit, spareRows)) {
		row := planRow{Due: v.GetDue(), Mode: v.GetMode()}
		for _, item := range d.items {
			row.Items = append(row.Items, itemChoice{item, slices.Contains(v.GetItems(), item)})
		}
		d.Visits = append(d.Visits, row)
	}
}

// again shows the editor as it was sent, with what was wrong beside each line.
func (d *planData) again(form url.Values, refused shell.Form) {
	sent := planOf(form)
	d.Template, d.Condition, d.Goal, d.Shifted = sent.GetTemplate(), sent.GetCondition(), sent.GetGoal(), false
	d.fill(sent.GetVisits())
	for i := range d.Visits {
		prefix := fmt.Sprintf("plan.visits[%d]", i)
		for _, e := range refused.Errors {
			if strings.HasPrefix(e.Name, prefix) {
				d.Visits[i].Error = e.Text
			}
		}
	}
	for i := range d.Doctors {
		d.Doctors[i].Chosen = d.Doctors[i].ID == form.Get("familyDoctor")
	}
}

// doctors are whom the referral names, and the visitor.
func doctors(r *http.Request, referral *referralv1.Referral) []familyDoctor {
	visitor, _ := door.VisitorFrom(r.Context())
	me := familyDoctor{ID: visitor.Account.GetId(), Name: visitor.Account.GetName()}
	if named := referral.GetFamilyDoctor(); named != "" && named != me.ID {
		return []familyDoctor{{ID: named, Chosen: true}, me}
	}
	me.Chosen = true
	return []familyDoctor{me}
}

// planOf reads the editor: lines without a day, and those that were struck out, plan nothing.
func planOf(form url.Values) *referralv1.FollowUpPlan {
	plan := &referralv1.FollowUpPlan{Template: form.Get("plan.template"), Condition: form.Get("plan.condition"), Goal: strings.TrimSpace(form.Get("plan.goal"))}
	if plan.GetCondition() == "" {
		plan.Condition = "GENERAL"
	}
	rows, _ := strconv.Atoi(form.Get("plan.rows"))
	for i := range min(rows, 200) {
		at := func(name string) string { return fmt.Sprintf("plan.%s.%d", name, i) }
		if form.Get(at("due")) == "" || form.Get(at("drop")) != "" {
			continue
		}
		number, _ := strconv.ParseInt(form.Get(at("number")), 10, 32) // the editor has none: the service numbers what is new
		plan.Visits = append(plan.Visits, &referralv1.PlannedVisit{Number: int32(number), Due: form.Get(at("due")), Mode: form.Get(at("mode")), Items: form[at("items")]})
	}
	slices.SortStableFunc(plan.GetVisits(), func(a, b *referralv1.PlannedVisit) int { return strings.Compare(a.GetDue(), b.GetDue()) })
	return plan
}

// followUps are what a township does after the patient came back.
func (p *Pages) followUps() map[string]doer {
	return map[string]doer{
		"begin_follow_up": func(ctx context.Context, c command) (string, error) {
			_, err := p.Referral.BeginFollowUp(ctx, &referralv1.BeginFollowUpRequest{
				Id: c.id, Version: c.version, RequestId: c.requestID, Plan: planOf(c.form), FamilyDoctor: c.get("familyDoctor"), Note: c.get("note"),
			})
			return "", err
		},
		"revise_plan": func(ctx context.Context, c command) (string, error) {
			_, err := p.Referral.RevisePlan(ctx, &referralv1.RevisePlanRequest{
				Id: c.id, Version: c.version, RequestId: c.requestID, Plan: planOf(c.form), FamilyDoctor: c.get("familyDoctor"), Note: c.get("note"),
			})
			return "", err
		},
		"record_visit": p.recordVisit,
		"complete": func(ctx context.Context, c command) (string, error) {
			_, err := p.Referral.Complete(ctx, &referralv1.CompleteRequest{Id: c.id, Version: c.version, RequestId: c.requestID, OutcomeCode: c.get("outcomeCode"), Note: c.get("note")})
			return followups.List(c.get("list")), err
		},
	}
}

// shownPlan is the plan that the form of a visit stands on, never the one that stands now: the same form again is the same request. A form that waited in
// a browser for long may lack it.
func (p *Pages) shownPlan(ctx context.Context, c command) (*referralv1.FollowUpPlan, error) {
	if c.form.Has("plan.rows") {
		return planOf(c.form), nil
	}
	referral, err := p.Referral.GetReferral(ctx, &referralv1.GetReferralRequest{Id: c.id})
	return referral.GetPlan(), err
}

// recordVisit sends what was found. Another day for the next visit moves those behind it as well.
func (p *Pages) recordVisit(ctx context.Context, c command) (string, error) {
	findings, names, err := findingsOf(c)
	if err != nil {
		return "", err
	}
	number, err := strconv.ParseInt(c.get("visit"), 10, 32)
	if err != nil {
		return "", errs.Invalid(errs.Bad("visit", errs.ReasonFieldInvalid))
	}
	request := &referralv1.RecordVisitRequest{Id: c.id, Version: c.version, RequestId: c.requestID, Visit: int32(number), Findings: findings}
	if next := c.get("nextDue"); next != "" && next != c.get("nextProposed") {
		shown, err := p.shownPlan(ctx, c)
		if err != nil {
			return "", err
		}
		request.Plan = nextOn(shown, int32(number), next)
	}
	_, err = p.Referral.RecordVisit(ctx, request)
	return "", named(err, names)
}
