package refer

import (
	"cmp"
	"net/http"
	"strings"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/parts"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// again shows the form with everything that was typed and what was wrong, or only anew without a cause. Without the record or the directory it is shown
// without what they add.
func (p *Pages) again(w http.ResponseWriter, r *http.Request, patientID string, cause error) error {
	return p.answer(w, r, cause, func(again shell.Refused) error {
		data, err := p.prepare(r, patientID)
		if err != nil && errs.KindOf(err) != errs.KindUnavailable {
			return err
		}
		return p.refused(w, r, data, again)
	})
}

// answer shows a form that was refused, or that was only to be shown anew.
func (p *Pages) answer(w http.ResponseWriter, r *http.Request, cause error, show func(shell.Refused) error) error {
	if cause == nil {
		return show(shell.Refused{Form: shell.Form{Values: r.PostForm}, RequestID: r.PostFormValue("requestId"), Status: http.StatusOK})
	}
	return p.Shell.Again(w, r, cause, func(again shell.Refused) error {
		again.Form.Errors = p.fieldErrors(r, cause)
		return show(again)
	})
}

// fieldErrors calls the fields what the form calls them: an advice asks a question where the others tell the illness.
func (p *Pages) fieldErrors(r *http.Request, cause error) []shell.FieldError {
	labels := map[string]string{"modality": "refer.modality"}
	if shows("advice", r.PostFormValue("kind")) {
		labels["form.presentIllness"] = "refer.question"
	}
	wrong := p.Shell.FieldErrors(r, shell.Called(cause, labels))
	for i, e := range wrong {
		if p.left(r.PostFormValue(e.Name)) {
			label := cmp.Or(labels[e.Name], "field."+e.Name)
			wrong[i].Text = p.Shell.T(r, "refer.template.left", "field", p.Shell.T(r, label))
		}
		if e.Name == "anyway" {
			wrong[i].Text = p.Shell.T(r, "refer.there.needed")
		}
	}
	return shell.InOrder(wrong, fields()...)
}

// fields are in the order of the form.
func fields() []string {
	return append(strings.Fields(`kind urgency diagnoses examItems form.initialImpression form.presentIllness values value form.pastHistory form.treatment
		receiver receiver.organizationId receiver.departmentCode anyway modality slot holdId consent consent.method consent.givenBy consent.relation consent.deferredReason
		transport transferNote originatorPhone blankNumber writtenTime`), smsFields()...)
}

// refused shows the form with what can be mended on it.
func (p *Pages) refused(w http.ResponseWriter, r *http.Request, data formData, again shell.Refused) error {
	data.Form, data.Problem, data.RequestID, data.HoldKey = again.Form, again.Problem, again.RequestID, r.PostFormValue("holdKey")
	unsuited(&data)
	switch errs.ReasonOf(again.Cause) {
	case errs.ReasonOpenReferralExists:
		if e, ok := errs.As(again.Cause); ok {
			data.Existing, data.ExistingNumber, data.Problem = e.Meta["referralId"], e.Meta["number"], ""
		}
	case errs.ReasonSlotTaken, errs.ReasonHoldExpired, errs.ReasonNotYetOpen:
		data.Form.Errors = []shell.FieldError{{Name: "slot", Text: p.Shell.ErrorText(r, again.Cause)}}
		data.Form.Values.Del("slot")
		data.Form.Values.Del("hold")
		data.HoldKey, data.Problem = id.New(), ""
	case errs.ReasonRequestIDReused:
		data.HoldKey = id.New()
	}
	if again.Cause == nil {
		data.Choices.propose(data.Form.Values)
	}
	return p.render(w, r, again.Status, data)
}

// groups are the parts of the form that are told and taken over as a whole when somebody else changed them.
func (p *Pages) groups(r *http.Request) []parts.Group {
	return []parts.Group{parts.List("diagnosis", "field.diagnoses"), parts.List("examItem", "field.examItems"), parts.FoundGroup(p.Shell, r)}
}

// reapply puts what was typed upon the present referral.
func (p *Pages) reapply(r *http.Request, data *formData, referral *referralv1.Referral, cause error) {
	data.Stale = parts.Renewal{
		Shell: p.Shell, Client: p.Referral, Referral: referral, Present: valuesOf(referral, data.Patient), Groups: p.groups(r),
		Word: func(name, value string) (string, bool) {
			return data.Choices.name(data.Form.Value("organization"), value), name == "organization" || name == "department"
		},
	}.Reapply(r, &data.Form, cause)
	data.RequestID = id.New()
}
