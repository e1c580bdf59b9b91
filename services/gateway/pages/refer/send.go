package refer

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/parts"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

func (p *Pages) send(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	patientID := r.PathValue("patient")
	settle(r.PostForm)
	p.applyTemplate(r)
	if onlyLooks(r) {
		return p.again(w, r, patientID, nil)
	}
	request := createRequest(r.PostForm, patientID)
	request.Submit = r.PostFormValue("do") != "draft"
	parts.SetDowntime(request, r.PostForm, p.Shell.Zone())
	var err error
	lost := false
	if request.Submit {
		lost, err = p.ready(r, request)
	}
	if request.Submit && err == nil {
		request.HoldId, err = p.hold(r.Context(), r.PostForm, patientID)
	}
	var made *referralv1.Referral
	if err == nil {
		made, err = p.Referral.CreateReferral(r.Context(), request)
	}
	if err != nil {
		return p.again(w, r, patientID, err)
	}
	flash := "refer.sent"
	switch {
	case !request.Submit:
		flash = "refer.drafted"
	case request.GetUrgency() == commonv1.Urgency_EMERGENCY:
		flash = "refer.sent-emergency" // the page says what to do if nobody answers
	case made.GetHoldLost():
		flash = "refer.sent-without-hold"
	default:
		flash = cmp.Or(p.wait(r.Context(), r.PostForm, made), flash)
	}
	if lost {
		flash = "refer.sent-without-sms"
	}
	p.Shell.Flash(w, flash)
	w.Header().Set(shell.NumberHeader, made.GetNumber())
	http.Redirect(w, r, "/referrals/"+made.GetId(), http.StatusSeeOther)
	return nil
}

// onlyLooks tells that the form was sent to be shown anew, by a browser without scripts.
func onlyLooks(r *http.Request) bool {
	switch r.PostFormValue("do") {
	case "emergency":
		r.PostForm.Set("kind", "EMERGENCY")
		return true
	case "kind", "criteria", "departments", "slots", "complete", "template":
		return true
	default:
		return false
	}
}

// ready finds everything for which the form would be refused, so that all of it is told at once: what a template left to complete, what the doctor is to be
// asked about a patient whom the hospital has already, a telephone that nobody can call, what the consent to SMS lacks, values for the criteria that cannot be, and, when there is something of that, what the referral service would say. lost is that of [Pages.agree].
func (p *Pages) ready(r *http.Request, request *referralv1.CreateReferralRequest) (lost bool, err error) {
	lost, refused := p.agree(r, request.GetPatientId())
	wrong := slices.Concat(p.unfinished(r.PostForm), parts.WrongPhone(r.PostForm), p.unasked(r, request.GetPatientId()), fieldsOf(refused), p.held(r, request.GetPatientId(), r.PostForm).Wrong())
	if len(wrong) == 0 {
		return lost, nil
	}
	check := proto.CloneOf(request)
	check.RequestId, check.Submit, check.ValidateOnly = id.New(), true, true
	_, refused = p.Referral.CreateReferral(r.Context(), check)
	return lost, errs.Invalid(append(wrong, fieldsOf(refused)...)...)
}

// fieldsOf are the fields that a refusal is about; none of any other error.
func fieldsOf(err error) []errs.Field {
	if e, ok := errs.As(err); ok && e.Kind == errs.KindInvalid {
		return e.Fields
	}
	return nil
}

// hold takes the chosen slot or bed; "" when none was chosen. The same form sent again gets the same hold, also when it
// was corrected in between.
func (p *Pages) hold(ctx context.Context, form url.Values, patientID string) (string, error) {
	request := &schedulingv1.CreateHoldRequest{PatientId: patientID}
	key := []string{form.Get("holdKey")}
	switch {
	case form.Get("slot") != "" && offers(form):
		request.SlotId = form.Get("slot")
		key = append(key, "slot", request.SlotId)
	case form.Get("kind") == "INPATIENT" && form.Get("bed") != "":
		request.Bed = &schedulingv1.BedRequest{OrganizationId: form.Get("organization"), DepartmentCode: form.Get("department"), Sex: p.sex(ctx, patientID)}
		key = append(key, "bed", form.Get("organization"), form.Get("department"))
	default:
		return "", nil
	}
	hold, err := p.Shell.Hold(ctx, p.Scheduling, request, key...)
	switch {
	case err == nil:
		// The form that may be shown again knows its slot by this.
		form.Set("hold", hold.GetId())
		return hold.GetId(), nil
	case errs.KindOf(err) == errs.KindUnavailable:
		// Without scheduling the referral goes without a hold; the desk finds a time.
		return "", nil
	default:
		return "", err
	}
}

// sex is the patient's, for the ward; unknown when the record is away, and then only a bed for both is asked for.
func (p *Pages) sex(ctx context.Context, patientID string) string {
	patient, err := p.Record.GetPatient(ctx, &patientrecordv1.GetPatientRequest{Id: patientID})
	if err != nil {
		return ""
	}
	return shell.BedSex(patient.GetSex())
}
