package referrals

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/parts"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// escalateData is what escalate.html sees.
type escalateData struct {
	shell.Row
	Form      shell.Form
	RequestID string
	// Standing is the version that the form stands on.
	Standing  int32
	Receivers []place
	Problem   string
	Since     []historyRow
}

// Chosen are the diagnoses that the picker shows.
func (d escalateData) Chosen() []parts.Diagnosis { return parts.Chosen(d.Form.Values) }

// escalation shows the form on which a patient in follow-up is sent up again, filled from what the last visit found.
func (p *Pages) escalation(w http.ResponseWriter, r *http.Request) error {
	data, err := p.prepareEscalation(r)
	if err != nil {
		return err
	}
	visitor, _ := door.VisitorFrom(r.Context())
	data.RequestID = id.New()
	data.Form.Values = url.Values{
		"kind": {"OUTPATIENT"}, "urgency": {"URGENT"}, "receiver": {placeOf(data.GetOriginator())},
		"form.initialImpression": {data.Diagnosis}, "form.presentIllness": {p.lastFound(r, data.Referral)},
		"form.treatment":  {data.GetForm().GetNextPlan()},
		"consent.givenBy": {data.GetPatient().GetName()}, "consent.relation": {"0"}, "originatorPhone": {visitor.Account.GetPhone()},
	}
	parts.SetDiagnoses(data.Form.Values, data.GetDiagnoses())
	return p.showEscalation(w, r, http.StatusOK, data)
}

func (p *Pages) prepareEscalation(r *http.Request) (escalateData, error) {
	referral, err := p.Referral.GetReferral(r.Context(), &referralv1.GetReferralRequest{Id: r.PathValue("id")})
	if err != nil {
		return escalateData{}, err
	}
	return escalateData{
		Row: p.Shell.Rows(r, []*referralv1.Referral{referral})[0], Standing: referral.GetVersion(),
		Receivers: p.places(r, directoryv1.OrganizationType_COUNTY_HOSPITAL),
	}, nil
}

func (p *Pages) showEscalation(w http.ResponseWriter, r *http.Request, status int, data escalateData) error {
	return p.Shell.Render(w, r, p.escalateSet, shell.Page{Title: "escalate.title", Nav: "referrals", Status: status, Data: data})
}

// lastFound words the last visit as the beginning of the present illness.
func (p *Pages) lastFound(r *http.Request, referral *referralv1.Referral) string {
	last := lastVisit(referral.GetPlan())
	if last == nil {
		return ""
	}
	found := last.GetFindings()
	parts := []string{p.Shell.T(r, "escalate.visit", "day", last.GetDoneTime().AsTime().In(p.Shell.Zone()).Format("2006-01-02"), "result", p.Shell.T(r, "visit.result."+found.GetResult()))}
	for _, m := range measures() {
		for _, v := range found.GetValues() {
			if v.GetName() == m.Name {
				number := strconv.FormatFloat(v.GetNumber(), 'f', -1, 64)
				parts = append(parts, strings.TrimSpace(p.Shell.T(r, "measure."+m.Name)+" "+number+" "+p.Shell.Unit(r, m.Unit)))
			}
		}
	}
	if taking := found.GetMedicationTaking(); taking != "" {
		parts = append(parts, p.Shell.T(r, "field.findings.medicationTaking")+" "+p.Shell.T(r, "visit.taking."+taking))
	}
	if note := found.GetNote(); note != "" {
		parts = append(parts, note)
	}
	return strings.Join(parts, p.Shell.T(r, "escalate.joint"))
}

// escalate closes the follow-up and sends the new referral, both or neither.
func (p *Pages) escalate(w http.ResponseWriter, r *http.Request) error {
	c, err := commandOf(r, "escalate")
	if err != nil {
		return err
	}
	if wrong := parts.WrongPhone(c.form); wrong != nil {
		return p.escalateRefused(w, r, c, errs.Invalid(wrong...))
	}
	closed, err := p.Referral.Escalate(r.Context(), &referralv1.EscalateRequest{Id: c.id, Version: c.version, RequestId: c.requestID, Referral: upReferral(c)})
	if err != nil {
		return p.escalateRefused(w, r, c, err)
	}
	p.Shell.Flash(w, "done.escalate", "escalate:"+c.id)
	http.Redirect(w, r, "/referrals/"+closed.GetEscalatedTo(), http.StatusSeeOther)
	return nil
}

// upReferral reads the form; patient, direction and that it is sent are the service's to fill in.
func upReferral(c command) *referralv1.CreateReferralRequest {
	kind, urgency := commonv1.Kind_Code(commonv1.Kind_Code_value[c.get("kind")]), commonv1.Urgency_Code(commonv1.Urgency_Code_value[c.get("urgency")])
	if kind == commonv1.Kind_EMERGENCY {
		urgency = commonv1.Urgency_EMERGENCY
	}
	return &referralv1.CreateReferralRequest{
		Kind: kind, Urgency: urgency, Receiver: partyOf(c.get("receiver")), Diagnoses: parts.Diagnoses(c.form), Consent: parts.Consent(c.form, kind), OriginatorPhone: c.get("originatorPhone"),
		Form: &referralv1.Form{InitialImpression: c.get("form.initialImpression"), PresentIllness: c.get("form.presentIllness"), Treatment: c.get("form.treatment")},
	}
}

// escalateRefused shows the form again with all that was typed; after a change by somebody else it stands on the new version.
func (p *Pages) escalateRefused(w http.ResponseWriter, r *http.Request, c command, cause error) error {
	return p.Shell.Again(w, r, withoutPrefix(cause, "referral."), func(again shell.Refused) error {
		data, err := p.prepareEscalation(r)
		if err != nil {
			return err
		}
		again.Form.Errors = shell.InOrder(again.Form.Errors, escalated()...)
		data.Form, data.Problem, data.RequestID, data.Standing = again.Form, again.Problem, again.RequestID, again.Version(data.Standing)
		if kind := errs.KindOf(cause); kind == errs.KindStale || kind == errs.KindWrongState {
			data.Problem = p.Shell.ErrorText(r, cause)
			page := pageData{Row: data.Row}
			if list, err := p.Referral.ListHistory(r.Context(), &referralv1.ListHistoryRequest{Id: data.GetId()}); err == nil {
				p.story(r, &page, list.GetHistory())
				data.Since = since(page.History, c.version)
			}
		}
		return p.showEscalation(w, r, again.Status, data)
	})
}

// escalated are the fields in the order of the form.
func escalated() []string {
	return strings.Fields(`kind urgency receiver receiver.organizationId receiver.departmentCode diagnoses form.initialImpression form.presentIllness form.treatment
		originatorPhone consent consent.method consent.givenBy consent.relation consent.deferredReason`)
}

// withoutPrefix names the fields of a refusal as the form does.
func withoutPrefix(err error, prefix string) error {
	e, ok := errs.As(err)
	if !ok || e.Kind != errs.KindInvalid {
		return err
	}
	fields := make([]errs.Field, 0, len(e.Fields))
	for _, f := range e.Fields {
		f.Name = strings.TrimPrefix(f.Name, prefix)
		fields = append(fields, f)
	}
	return errs.Invalid(fields...)
}
