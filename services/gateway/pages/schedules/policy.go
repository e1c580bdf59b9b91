package schedules

import (
	"net/http"
	"net/url"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

type policyData struct {
	page
	Form      shell.Form
	Now       *schedulingv1.BookingPolicy
	RequestID string
	Problem   string
	// Edits: the visitor may change it. Whole: it is the county's.
	Edits, Whole bool
	Alone        bool
}

// History is the address of the changes of the policy that is shown.
func (d policyData) History() string {
	of := d.Place.ID
	if d.Whole || !d.Edits && d.Now.GetOrganizationId() == "" {
		of = countyPolicy
	}
	return d.Place.At("/schedules/history/policy/" + of)
}

// Fields are the numbers of the rule, in the order of the form.
func (policyData) Fields() []string { return policyFields() }

func policyFields() []string {
	return []string{"reservePercent", "expertPercent", "commonDays", "reserveLeadDays", "fallbackHours"}
}

func policyValues(b *schedulingv1.BookingPolicy) url.Values {
	v := url.Values{"version": texts([]int32{b.GetVersion()})}
	for i, n := range []int32{b.GetReservePercent(), b.GetExpertPercent(), b.GetCommonDays(), b.GetReserveLeadDays(), b.GetFallbackHours()} {
		v.Set("policy."+policyFields()[i], texts([]int32{n})[0])
	}
	return v
}

// loadPolicy reads the rule of the place, or of the county.
func (p *Pages) loadPolicy(r *http.Request) (policyData, error) {
	place, err := p.Shell.Workplace(r)
	data := policyData{page: page{place, "policy"}, RequestID: id.New(), Edits: countyAdmin(r)}
	if err != nil {
		return data, err
	}
	data.Whole = data.Edits && r.FormValue("organization") == ""
	organization := place.ID
	if data.Whole {
		organization = ""
	}
	data.Now, err = p.Calendar.GetBookingPolicy(r.Context(), &schedulingv1.GetBookingPolicyRequest{OrganizationId: organization})
	return data, err
}

func (p *Pages) showPolicy(w http.ResponseWriter, r *http.Request) error {
	data, err := p.loadPolicy(r)
	if err != nil {
		return err
	}
	values := shell.Original(policyValues(data.Now), nil)
	if data.Now.GetOrganizationId() == "" && !data.Whole {
		values.Set("version", "0") // the organisation has no rule of its own yet
	}
	data.Form.Values = values
	return p.Shell.Render(w, r, p.policy, shell.Page{Title: "schedules.policy", Nav: "sessions", Data: data})
}

func (p *Pages) savePolicy(w http.ResponseWriter, r *http.Request) error {
	if err := parse(r); err != nil {
		return err
	}
	var n [5]int32
	var bad []errs.Field
	for i, name := range policyFields() {
		var err error
		if n[i], err = number(r, "policy."+name); err != nil {
			bad = append(bad, errs.Bad("policy."+name, errs.ReasonFieldInvalid))
		}
	}
	version, err := number(r, "version")
	if len(bad) > 0 {
		err = errs.Invalid(bad...)
	}
	organization := r.FormValue("organization")
	if err == nil {
		_, err = p.Calendar.SetBookingPolicy(r.Context(), &schedulingv1.SetBookingPolicyRequest{RequestId: r.PostFormValue("requestId"), Policy: &schedulingv1.BookingPolicy{
			Version: version, OrganizationId: organization, ReservePercent: n[0], ExpertPercent: n[1], CommonDays: n[2], ReserveLeadDays: n[3], FallbackHours: n[4],
			Inherited: r.PostFormValue("inherited") != "",
		}})
	}
	if err == nil {
		p.Shell.Flash(w, "schedules.policy.saved")
		to := "/schedules/policy"
		if organization != "" {
			to += "?" + url.Values{"organization": {organization}}.Encode()
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
		return nil
	}
	cause := err
	return p.Shell.Again(w, r, shell.Under("policy", cause), func(again shell.Refused) error {
		data, lerr := p.loadPolicy(r)
		data.Alone = lerr != nil
		data.Form, data.Problem, data.RequestID, data.Edits = again.Form, again.Problem, again.RequestID, true
		if errs.KindOf(cause) == errs.KindStale && lerr == nil {
			again.Rebase(policyValues(data.Now), data.Now.GetVersion())
			data.Form = again.Form
		}
		return p.Shell.Render(w, r, p.policy, shell.Page{Title: "schedules.policy", Nav: "sessions", Status: again.Status, Data: data})
	})
}
