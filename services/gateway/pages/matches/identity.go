package matches

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

type identityData struct {
	ID string
	// Patient is nil while the record cannot be read: then the form that was sent stands alone.
	Patient *patientrecordv1.Patient
	// Numbers is the patient with every number in full, after the visitor asked for them.
	Numbers   *patientrecordv1.Patient
	Form      shell.Form
	RequestID string
	Problem   string
	Merges    []*patientrecordv1.Merge
	Decides   bool
	// Match is the one to be decided when a number belongs to another record.
	Match string
	// Undo is the merge whose undoing was refused, Reason what was typed there.
	Undo, Reason string
	Purpose      string
}

// Known is a number as it may be shown, "" if there is none; while the record is away what the form was drawn with.
func (d identityData) Known(name string) string {
	if d.Patient == nil {
		return d.Form.Original(name)
	}
	return masked(d.Patient).Get(name)
}

// Removes tells whether a number's tick is set.
func (d identityData) Removes(name string) bool {
	return slices.Contains(d.Form.Values["remove"], name)
}

func (p *Pages) identity(w http.ResponseWriter, r *http.Request) error {
	data, err := p.loadIdentity(r)
	if err != nil {
		return err
	}
	return p.showIdentity(w, r, http.StatusOK, data)
}

// loadIdentity reads the page; with an error there is the form alone.
func (p *Pages) loadIdentity(r *http.Request) (identityData, error) {
	data := identityData{ID: r.PathValue("id"), RequestID: id.New(), Decides: decides(r)}
	patient, err := p.Record.GetPatient(r.Context(), &patientrecordv1.GetPatientRequest{Id: data.ID})
	if err != nil {
		return data, err
	}
	data.Patient = patient
	data.Form.Values = shell.Original(valuesOf(patient), masked(patient))
	data.Form.Values.Set("version", strconv.Itoa(int(patient.GetVersion())))
	// Without the merges the rest is still worth having.
	if list, err := p.Index.ListMerges(r.Context(), &patientrecordv1.ListMergesRequest{PatientId: patient.GetId()}); err == nil {
		data.Merges = list.GetMerges()
	}
	return data, nil
}

func (p *Pages) showIdentity(w http.ResponseWriter, r *http.Request, status int, data identityData) error {
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

// masked are the numbers that the form can change, as they may be shown without a purpose.
func masked(p *patientrecordv1.Patient) url.Values {
	return url.Values{
		"phone": {shell.Masked(p.GetPhone())}, "insuranceNumber": {shell.Masked(p.GetInsuranceNumber())},
		"healthRecordNumber": {shell.Masked(p.GetHealthRecordNumber())}, "guardianPhone": {shell.Masked(p.GetGuardianPhone())},
	}
}

func (p *Pages) correct(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	request, err := updateRequest(r.PathValue("id"), r.PostForm)
	if err == nil {
		_, err = p.Index.UpdatePatient(r.Context(), request)
	}
	if err == nil {
		p.Shell.Flash(w, "identity.saved")
		http.Redirect(w, r, "/patients/"+r.PathValue("id")+"/identity", http.StatusSeeOther)
		return nil
	}
	return p.Shell.Again(w, r, shell.Called(err, map[string]string{"identityNumber": "register.number"}), func(again shell.Refused) error {
		data, _ := p.loadIdentity(r) // without the record the form stands alone
		data.Form, data.RequestID, data.Problem = again.Form, again.RequestID, again.Problem
		if e, ok := errs.As(err); ok && e.Reason == errs.ReasonAlreadyRegistered && e.Meta["matchId"] != "" {
			data.Match, data.Problem = e.Meta["matchId"], p.Shell.T(r, "identity.taken")
		}
		if errs.KindOf(err) == errs.KindStale && data.Patient != nil {
			data.Form.Rebase(valuesOf(data.Patient), masked(data.Patient))
			data.Form.Values.Set("version", strconv.Itoa(int(data.Patient.GetVersion())))
		}
		return p.showIdentity(w, r, again.Status, data)
	})
}

// updateRequest asks for what was changed on the form and nothing else. A number is changed by typing one, and taken away by its tick.
func updateRequest(patient string, values url.Values) (*patientrecordv1.UpdatePatientRequest, error) {
	form := shell.Form{Values: values}
	version, _ := strconv.Atoi(form.Value("version"))
	var wrong []errs.Field
	changed := func(name string) *string {
		if !values.Has(name) || form.Untouched(name) {
			return nil
		}
		return new(strings.TrimSpace(form.Value(name)))
	}
	number := func(name string) *string {
		typed, remove := strings.TrimSpace(form.Value(name)), slices.Contains(values["remove"], name)
		switch {
		case typed != "" && remove:
			wrong = append(wrong, errs.Bad(name, errs.ReasonFieldCombination, "cause", "REMOVE"))
		case typed == "" && !remove:
			return nil
		}
		return &typed
	}
	in := &patientrecordv1.UpdatePatientRequest{
		Id: patient, RequestId: form.Value("requestId"), Version: int32(version),
		Name: changed("name"), BirthDate: changed("birthDate"), IdentityNumber: number("identityNumber"), NoDocumentReason: changed("noDocumentReason"),
		Phone: number("phone"), Address: changed("address"), Village: changed("village"), HealthRecordNumber: number("healthRecordNumber"),
		InsuranceNumber: number("insuranceNumber"), GuardianName: changed("guardianName"), GuardianPhone: number("guardianPhone"),
	}
	if code := changed("documentType"); code != nil && *code != "" {
		in.DocumentType = patientrecordv1.DocumentType_Code(patientrecordv1.DocumentType_Code_value[*code]).Enum()
		if in.GetDocumentType() == patientrecordv1.DocumentType_NONE {
			in.IdentityNumber = new("")
		}
	}
	if code := changed("sex"); code != nil && *code != "" {
		in.Sex = commonv1.Sex_Code(commonv1.Sex_Code_value[*code]).Enum()
	}
	if len(wrong) > 0 {
		return nil, errs.Invalid(wrong...)
	}
	return in, nil
}

// reveal shows every number in full, in the answer itself: nothing of it stands in an address or stays behind.
func (p *Pages) reveal(w http.ResponseWriter, r *http.Request) error {
	numbers, err := p.Index.RevealPatient(r.Context(), &patientrecordv1.RevealPatientRequest{Id: r.PathValue("id"), Purpose: r.PostFormValue("purpose")})
	if err == nil {
		data, err := p.loadIdentity(r)
		if err != nil {
			return err
		}
		data.Numbers = numbers
		w.Header().Set("Cache-Control", "no-store")
		return p.showIdentity(w, r, http.StatusOK, data)
	}
	return p.Shell.Again(w, r, err, func(again shell.Refused) error {
		data, err := p.loadIdentity(r)
		if err != nil {
			return err // nothing was typed
		}
		data.Problem, data.Purpose = again.Problem, r.PostFormValue("purpose")
		if again.Form.Errors != nil {
			data.Problem = p.Shell.T(r, "reveal.choose")
		}
		return p.showIdentity(w, r, again.Status, data)
	})
}

func (p *Pages) undo(w http.ResponseWriter, r *http.Request) error {
	_, err := p.Index.UnmergePatients(r.Context(), &patientrecordv1.UnmergePatientsRequest{
		Id: r.PathValue("merge"), RequestId: r.PostFormValue("requestId"), Reason: strings.TrimSpace(r.PostFormValue("reason")),
	})
	if err == nil {
		p.Shell.Flash(w, "merges.undone")
		http.Redirect(w, r, "/patients/"+r.PathValue("id")+"/identity", http.StatusSeeOther)
		return nil
	}
	return p.Shell.Again(w, r, err, func(again shell.Refused) error {
		data, _ := p.loadIdentity(r) // without the record the form stands alone
		data.RequestID, data.Problem, data.Undo, data.Reason = again.RequestID, again.Problem, r.PathValue("merge"), r.PostFormValue("reason")
		if again.Form.Errors != nil {
			data.Problem = p.Shell.T(r, "merges.reason")
		}
		return p.showIdentity(w, r, again.Status, data)
	})
}
