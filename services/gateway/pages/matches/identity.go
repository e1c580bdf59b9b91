package matches

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

type identityData struct {
	Patient *patientrecordv1.Patient
	// Numbers is the patient with every number in full, after the visitor asked for them.
	Numbers   *patientrecordv1.Patient
	Form      shell.Form
	RequestID string
	Problem   string
	Merges    []*patientrecordv1.Merge
	Decides   bool
	// Undo is the form of the merge whose undoing was refused.
	Undo string
}

func (p *Pages) identity(w http.ResponseWriter, r *http.Request) error {
	return p.showIdentity(w, r, http.StatusOK, identityData{})
}

func (p *Pages) showIdentity(w http.ResponseWriter, r *http.Request, status int, data identityData) error {
	patient, err := p.Record.GetPatient(r.Context(), &patientrecordv1.GetPatientRequest{Id: r.PathValue("id")})
	if err != nil {
		return err
	}
	data.Patient, data.Decides = patient, decides(r)
	if data.Form.Values == nil {
		data.Form.Values = valuesOf(patient)
	}
	if data.RequestID == "" {
		data.RequestID = id.New()
	}
	// Without the merges the rest is still worth having.
	if list, err := p.Index.ListMerges(r.Context(), &patientrecordv1.ListMergesRequest{PatientId: patient.GetId()}); err == nil {
		data.Merges = list.GetMerges()
	}
	return p.Shell.Render(w, r, p.identitySet, shell.Page{Title: "identity.title", Nav: "patients", Status: status, Data: data})
}

// valuesOf fills the form. Numbers do not stand in it; one that is left empty stays as it is.
func valuesOf(p *patientrecordv1.Patient) url.Values {
	return url.Values{
		"name": {p.GetName()}, "sex": {p.GetSex().String()}, "birthDate": {p.GetBirthDate()}, "documentType": {p.GetDocumentType().String()},
		"noDocumentReason": {p.GetNoDocumentReason()}, "village": {p.GetVillage()}, "address": {p.GetAddress()},
		"guardianName": {p.GetGuardianName()},
	}
}

func (p *Pages) correct(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	_, err := p.Index.UpdatePatient(r.Context(), updateRequest(r.PathValue("id"), r.PostForm))
	data := identityData{Form: shell.Form{Values: r.PostForm, Errors: p.Shell.FieldErrors(r, err)}}
	switch {
	case err == nil:
		p.Shell.Flash(w, "identity.saved")
		http.Redirect(w, r, "/patients/"+r.PathValue("id")+"/identity", http.StatusSeeOther)
		return nil
	case errs.ReasonOf(err) == errs.ReasonAlreadyRegistered:
		if e, _ := errs.As(err); e.Meta["matchId"] != "" {
			p.Shell.Flash(w, "identity.taken")
			http.Redirect(w, r, "/matches/"+e.Meta["matchId"], http.StatusSeeOther)
			return nil
		}
		return err
	case data.Form.Errors != nil:
		return p.showIdentity(w, r, http.StatusBadRequest, data)
	case errs.KindOf(err) == errs.KindStale:
		data.Problem = p.Shell.ErrorText(r, err)
		return p.showIdentity(w, r, http.StatusConflict, data)
	case errs.KindOf(err) == errs.KindUnavailable:
		data.Problem, data.RequestID = p.Shell.ErrorText(r, err), r.PostFormValue("requestId")
		return p.showIdentity(w, r, http.StatusServiceUnavailable, data)
	default:
		return err
	}
}

func updateRequest(patient string, form url.Values) *patientrecordv1.UpdatePatientRequest {
	version, _ := strconv.Atoi(form.Get("version"))
	given := func(name string) *string {
		if !form.Has(name) {
			return nil
		}
		return new(strings.TrimSpace(form.Get(name)))
	}
	number := func(name string) *string {
		if strings.TrimSpace(form.Get(name)) == "" {
			return nil
		}
		return given(name)
	}
	in := &patientrecordv1.UpdatePatientRequest{
		Id: patient, RequestId: form.Get("requestId"), Version: int32(version),
		Name: given("name"), BirthDate: given("birthDate"), IdentityNumber: number("identityNumber"), NoDocumentReason: given("noDocumentReason"),
		Phone: number("phone"), Address: given("address"), Village: given("village"), HealthRecordNumber: number("healthRecordNumber"),
		InsuranceNumber: number("insuranceNumber"), GuardianName: given("guardianName"), GuardianPhone: number("guardianPhone"),
	}
	if form.Get("documentType") != "" {
		in.DocumentType = patientrecordv1.DocumentType_Code(patientrecordv1.DocumentType_Code_value[form.Get("documentType")]).Enum()
		if in.GetDocumentType() == patientrecordv1.DocumentType_NONE {
			in.IdentityNumber = new("")
		}
	}
	if form.Get("sex") != "" {
		in.Sex = commonv1.Sex_Code(commonv1.Sex_Code_value[form.Get("sex")]).Enum()
	}
	return in
}

// reveal shows every number in full, in the answer itself: nothing of it stands in an address or stays behind.
func (p *Pages) reveal(w http.ResponseWriter, r *http.Request) error {
	numbers, err := p.Index.RevealPatient(r.Context(), &patientrecordv1.RevealPatientRequest{Id: r.PathValue("id"), Purpose: r.PostFormValue("purpose")})
	if wrong := p.Shell.FieldErrors(r, err); wrong != nil {
		return p.showIdentity(w, r, http.StatusBadRequest, identityData{Problem: p.Shell.T(r, "reveal.choose")})
	}
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return p.showIdentity(w, r, http.StatusOK, identityData{Numbers: numbers})
}

func (p *Pages) undo(w http.ResponseWriter, r *http.Request) error {
	_, err := p.Index.UnmergePatients(r.Context(), &patientrecordv1.UnmergePatientsRequest{
		Id: r.PathValue("merge"), RequestId: r.PostFormValue("requestId"), Reason: strings.TrimSpace(r.PostFormValue("reason")),
	})
	switch wrong := p.Shell.FieldErrors(r, err); {
	case err == nil:
		p.Shell.Flash(w, "merges.undone")
		http.Redirect(w, r, "/patients/"+r.PathValue("id")+"/identity", http.StatusSeeOther)
		return nil
	case wrong != nil:
		return p.showIdentity(w, r, http.StatusBadRequest, identityData{Problem: p.Shell.T(r, "merges.reason"), Undo: r.PathValue("merge")})
	case errs.KindOf(err) == errs.KindWrongState:
		return p.showIdentity(w, r, http.StatusConflict, identityData{Problem: p.Shell.ErrorText(r, err)})
	default:
		return err
	}
}
