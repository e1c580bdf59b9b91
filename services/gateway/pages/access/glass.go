package access

import (
	"net/http"
	"strings"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// glassData is what glass.html sees: two forms, one of which may have been refused.
type glassData struct {
	PatientID                   string
	VisitRequestID, Problem     string
	GlassRequestID, VisitFailed string
	Visit, Glass                shell.Form
}

// glassForm offers the ways to the record of a patient of another organisation; whoever sees the record goes there.
func (p *Pages) glassForm(w http.ResponseWriter, r *http.Request) error {
	patient := r.PathValue("id")
	if _, err := p.Record.GetPatient(r.Context(), &patientrecordv1.GetPatientRequest{Id: patient}); err == nil {
		http.Redirect(w, r, "/patients/"+patient, http.StatusSeeOther)
		return nil
	}
	return p.showGlass(w, r, http.StatusOK, newGlass(patient))
}

func newGlass(patient string) glassData {
	return glassData{PatientID: patient, VisitRequestID: id.New(), GlassRequestID: id.New()}
}

func (p *Pages) showGlass(w http.ResponseWriter, r *http.Request, status int, d glassData) error {
	return p.Shell.Render(w, r, p.glassSet, shell.Page{Title: "glass.title", Nav: "patients", Status: status, Data: d})
}

func (p *Pages) breakGlass(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	patient := r.PathValue("id")
	_, err := p.Access.BreakGlass(r.Context(), &patientrecordv1.BreakGlassRequest{
		PatientId: patient, Reason: r.PostFormValue("reason"), Note: strings.TrimSpace(r.PostFormValue("note")), RequestId: r.PostFormValue("requestId"),
	})
	if err == nil {
		p.Shell.Flash(w, "glass.done", "glass:"+patient)
		http.Redirect(w, r, "/patients/"+patient, http.StatusSeeOther)
		return nil
	}
	return p.Shell.Again(w, r, shell.Called(err, map[string]string{"note": "glass.note"}), func(again shell.Refused) error {
		d := newGlass(patient)
		d.GlassRequestID, d.Problem, d.Glass = again.RequestID, again.Problem, again.Form
		return p.showGlass(w, r, again.Status, d)
	})
}

func (p *Pages) declareVisit(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	patient := r.PathValue("id")
	_, err := p.Access.DeclareVisit(r.Context(), &patientrecordv1.DeclareVisitRequest{
		PatientId: patient, IdentityNumber: strings.TrimSpace(r.PostFormValue("identityNumber")), RequestId: r.PostFormValue("requestId"),
	})
	if err == nil {
		p.Shell.Flash(w, "declare.done")
		http.Redirect(w, r, "/patients/"+patient, http.StatusSeeOther)
		return nil
	}
	return p.Shell.Again(w, r, err, func(again shell.Refused) error {
		d := newGlass(patient)
		d.VisitRequestID, d.Problem, d.Visit = again.RequestID, again.Problem, again.Form
		if errs.KindOf(err) == errs.KindNotFound {
			d.Problem, d.VisitFailed = "", p.Shell.T(r, "declare.other")
		}
		return p.showGlass(w, r, again.Status, d)
	})
}
