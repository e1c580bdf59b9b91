package down

import (
	"cmp"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/fieldmaskpb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/parts"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// centre is a township centre that can take the patient.
type centre struct{ ID, Name string }

func (p *Pages) centres(r *http.Request) ([]centre, error) {
	county, err := p.Shell.Names().County(r.Context())
	if err != nil {
		return nil, err
	}
	var out []centre
	for _, o := range county.Organizations {
		if o.GetType() == directoryv1.OrganizationType_TOWNSHIP_CENTRE && !o.GetDisabled() {
			out = append(out, centre{o.GetId(), county.OrganizationName(p.Shell.Language(r), o.GetId())})
		}
	}
	return out, nil
}

// sender is the centre that sent the patient up; for a village clinic the centre above it.
func (p *Pages) sender(r *http.Request, up *referralv1.Referral) string {
	sent := up.GetOriginator().GetOrganizationId()
	county, err := p.Shell.Names().County(r.Context())
	if err != nil {
		return sent
	}
	if o := county.Organization(sent); o.GetType() == directoryv1.OrganizationType_VILLAGE_CLINIC {
		return o.GetParentId()
	}
	return sent
}

// proposed fills a new form from the reply to the up-referral, and what that lacks from the record.
func (p *Pages) proposed(r *http.Request, data formData) url.Values {
	visitor, _ := door.VisitorFrom(r.Context())
	reply, stay := data.Up.GetReply(), parts.StayOf(p.Shell, r, p.Clinical, data.Summary, data.Up.GetArriveTime())
	var diagnoses []string
	for _, d := range data.Up.GetDiagnoses() {
		diagnoses = append(diagnoses, d.GetDisplay())
	}
	form := url.Values{
		"urgency": {"ROUTINE"}, "organization": {p.sender(r, data.Up)}, "originatorPhone": {visitor.Account.GetPhone()},
		"form.diagnosis": {cmp.Or(reply.GetDiagnosis(), strings.Join(diagnoses, "；"))}, "form.examinationResults": {cmp.Or(reply.GetFindings(), stay.Findings)},
		"form.treatment": {cmp.Or(reply.GetTreatment(), stay.Course)}, "form.nextPlan": {reply.GetNextSteps()},
	}
	parts.SetDiagnoses(form, data.Up.GetDiagnoses())
	parts.SetConsent(form, nil, data.Patient)
	var medicines []*referralv1.DischargeMedicine
	for _, m := range reply.GetMedications() {
		medicines = append(medicines, &referralv1.DischargeMedicine{Name: m.GetName(), Specification: m.GetSpecification(), Dosage: m.GetDosage()})
	}
	if medicines == nil {
		for _, m := range stay.Medicines {
			name, specification := specified(m.GetText())
			medicines = append(medicines, &referralv1.DischargeMedicine{Name: name, Specification: specification, Dosage: m.GetDosage()})
		}
	}
	setMedicines(form, medicines)
	if data.Up != nil {
		p.propose(r, form)
	}
	return form
}

// specified parts a medicine as the record words it ("阿托伐他汀钙片 20mg"): the centre's list has its name alone.
func specified(text string) (name, specification string) {
	if at := strings.LastIndexByte(text, ' '); at > 0 && at+1 < len(text) && '0' <= text[at+1] && text[at+1] <= '9' {
		return text[:at], text[at+1:]
	}
	return text, ""
}

// draftValues fills the form from a referral that is gone on with.
func draftValues(draft *referralv1.Referral, patient *patientrecordv1.Patient) url.Values {
	f := draft.GetForm()
	form := url.Values{
		"version": {strconv.Itoa(int(draft.GetVersion()))}, "kind": {draft.GetKind().String()}, "urgency": {draft.GetUrgency().String()},
		"organization":   {draft.GetReceiver().GetOrganizationId()},
		"form.diagnosis": {f.GetDiagnosis()}, "form.inpatientNumber": {f.GetInpatientNumber()}, "form.examinationResults": {f.GetExaminationResults()},
		"form.treatment": {f.GetTreatment()}, "form.nextPlan": {f.GetNextPlan()}, "form.rehabilitationAdvice": {f.GetRehabilitationAdvice()},
		"transferNote": {draft.GetTransferNote()}, "transport": {draft.GetTransport()}, "originatorPhone": {draft.GetOriginatorPhone()},
	}
	parts.SetDiagnoses(form, draft.GetDiagnoses())
	parts.SetConsent(form, draft.GetConsent(), patient)
	parts.SetValues(form, draft.GetValues())
	setMedicines(form, draft.GetMedicines())
	setPlan(form, draft.GetPlan())
	return form
}

// createRequest reads the form. Fields are named as the API names them, so that an error finds its field.
func createRequest(form url.Values, data formData) *referralv1.CreateReferralRequest {
	get := func(name string) string { return strings.TrimSpace(form.Get(name)) }
	kind := commonv1.Kind_Code(commonv1.Kind_Code_value[get("kind")])
	return &referralv1.CreateReferralRequest{
		RequestId: get("requestId"), PatientId: data.PatientID, ReplyTo: data.Up.GetId(),
		Direction: commonv1.Direction_DOWN, Kind: kind, Urgency: commonv1.Urgency_Code(commonv1.Urgency_Code_value[get("urgency")]),
		Receiver:  &commonv1.Party{OrganizationId: get("organization")},
		Diagnoses: parts.Diagnoses(form), Consent: parts.Consent(form, kind), Values: parts.Values(form),
		Form: &referralv1.Form{
			Diagnosis: get("form.diagnosis"), InpatientNumber: get("form.inpatientNumber"), ExaminationResults: get("form.examinationResults"),
			Treatment: get("form.treatment"), NextPlan: get("form.nextPlan"), RehabilitationAdvice: get("form.rehabilitationAdvice"),
		},
		Medicines: medicinesOf(form), Plan: planOf(form), FamilyDoctor: data.Draft.GetFamilyDoctor(),
		TransferNote: get("transferNote"), Transport: get("transport"), OriginatorPhone: get("originatorPhone"),
	}
}

// store makes the referral, or changes the draft that the form goes on with and sends it.
func (p *Pages) store(r *http.Request, data formData, send bool) (*referralv1.Referral, error) {
	request := createRequest(r.PostForm, data)
	if data.Draft == nil {
		request.Submit = send
		parts.SetDowntime(request, r.PostForm, p.Shell.Zone())
		return p.Referral.CreateReferral(r.Context(), request)
	}
	stored, err := parts.Edit(r.Context(), p.Referral, r.PostForm, &referralv1.EditReferralRequest{
		Id: data.Draft.GetId(), Referral: request, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{
			"kind", "urgency", "receiver", "diagnoses", "form", "consent", "transfer_note", "transport", "originator_phone", "medicines", "plan", "values",
		}},
	})
	if err != nil || !send {
		return stored, err
	}
	// What is sent follows from what was stored, never from what stands now: the same form again is the same request.
	again := id.FromFact(request.GetRequestId(), "send")
	if stored.GetState() == referralv1.State_RETURNED {
		return p.Referral.Resubmit(r.Context(), &referralv1.ActionRequest{Id: stored.GetId(), Version: stored.GetVersion(), RequestId: again})
	}
	return p.Referral.Submit(r.Context(), &referralv1.SubmitRequest{
		Id: stored.GetId(), Version: stored.GetVersion(), RequestId: again, Values: parts.Values(r.PostForm),
	})
}
