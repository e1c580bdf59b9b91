package refer

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// consentsShown is more than a patient ever has.
const consentsShown = 100

// askSMS tells the form whether to ask for a consent to SMS.
func (p *Pages) askSMS(r *http.Request, data *formData) {
	rules := p.Shell.CountyRules(r)
	if data.NoSMS = rules != nil && !rules.GetPatientSmsWorks(); !data.NoSMS {
		data.SMS = p.smsConsent(r, data.PatientID)
	}
}

// smsConsent is the patient's consent to SMS that holds; nil without one, or while the record is away: then the form asks, and who agreed before
// has agreed.
func (p *Pages) smsConsent(r *http.Request, patientID string) *patientrecordv1.ConsentRecord {
	list, err := p.Consents.ListConsents(r.Context(), &patientrecordv1.ListConsentsRequest{PatientId: patientID, PageSize: consentsShown})
	if err != nil {
		return nil
	}
	for _, c := range list.GetConsents() {
		if c.GetScope() == patientrecordv1.ConsentScope_SMS && c.GetState() == patientrecordv1.ConsentState_GIVEN {
			return c
		}
	}
	return nil
}

// agree records that the patient's side agreed to SMS, when the form says so: by whom and how it says of the referral. It comes before the referral, so
// that what is missing can still be filled in; a referral that is refused then leaves a consent that was given all the same. lost tells that it could
// not be recorded: the referral does not wait for that.
func (p *Pages) agree(r *http.Request, patientID string) (lost bool, err error) {
	form := r.PostForm
	if form.Get("sms.agreed") == "" {
		return false, nil
	}
	get := func(name string) string { return strings.TrimSpace(form.Get(name)) }
	giving := &patientrecordv1.Giving{Name: get("consent.givenBy"), Relation: get("consent.relation"), Method: get("consent.method"), Witness: get("sms.witness")}
	if giving.GetRelation() != "0" {
		giving.Phone, giving.OnBehalf = get("sms.phone"), get("sms.onBehalf")
	}
	_, err = p.Consents.RecordConsent(r.Context(), &patientrecordv1.RecordConsentRequest{
		RequestId: id.FromFact(get("requestId"), "sms"), PatientId: patientID, Scope: patientrecordv1.ConsentScope_SMS, Giving: giving,
	})
	switch {
	case err == nil, errs.ReasonOf(err) == errs.ReasonConsentExists:
		return false, nil
	case errs.KindOf(err) == errs.KindInvalid:
		return false, onForm(err)
	}
	return true, nil
}

// onForm names the fields of a refused consent as the form does.
func onForm(err error) error {
	e, ok := errs.As(err)
	if !ok {
		return err
	}
	names := map[string]string{
		"giving.name": "consent.givenBy", "giving.relation": "consent.relation", "giving.method": "consent.method", "giving.phone": "sms.phone",
		"giving.onBehalf": "sms.onBehalf", "giving.witness": "sms.witness",
	}
	fields := slices.Clone(e.Fields)
	for i, f := range fields {
		if name := names[f.Name]; name != "" {
			fields[i].Name = name
		}
	}
	return errs.Invalid(fields...)
}

// smsFields are those of it that a refusal may be about, in the order of the form.
func smsFields() []string { return []string{"sms.agreed", "sms.phone", "sms.onBehalf", "sms.witness"} }

// SMSOpen tells whether the parts of the form are shown that only a consent to SMS needs, for browsers without scripts.
func (d formData) SMSOpen(name string) bool {
	return d.Form.Value("sms.agreed") != "" && needsSMS(d.Form.Values, name) || d.Form.Error(name) != ""
}

func needsSMS(form url.Values, name string) bool {
	if name == "sms.witness" {
		return form.Get("consent.method") == "VERBAL_WITNESSED"
	}
	return form.Get("consent.relation") != "0"
}

// Others are the relations of somebody who is not the patient, for the script.
func (formData) Others() string { return "consent.relation=1|2|3|4|5|6|7|8|9" }

// Behalves are the reasons for which somebody agrees for the patient.
func (formData) Behalves() []string { return []string{"MINOR", "UNABLE", "AUTHORISED"} }
