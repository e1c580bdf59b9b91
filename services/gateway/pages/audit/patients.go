package audit

import (
	"net/http"
	"strings"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// patient is one person as the audit knows one.
type patient struct {
	*patientrecordv1.Patient
	Home string
	// Merged are ids of records that lead here since a merge.
	Merged []string
}

// patientsData is what patients.html sees.
type patientsData struct {
	Query    string
	Patients []patient
	More     bool
	Problem  string
}

func (p *Pages) searches() shell.Searches {
	return shell.Searches{Cache: p.Cache, Ring: p.Ring, Kind: "audit"}
}

// find keeps the words under a random id and goes there: an address names nobody.
func (p *Pages) find(w http.ResponseWriter, r *http.Request) error {
	words := strings.TrimSpace(r.PostFormValue("query"))
	if words == "" {
		http.Redirect(w, r, "/audit", http.StatusSeeOther)
		return nil
	}
	search, err := p.searches().Keep(r.Context(), words)
	if err != nil {
		return p.named(w, r, words)
	}
	http.Redirect(w, r, "/audit/patients/"+search, http.StatusSeeOther)
	return nil
}

// found shows a kept search again; one that is gone begins anew.
func (p *Pages) found(w http.ResponseWriter, r *http.Request) error {
	words, ok := p.searches().Words(r.Context(), r.PathValue("search"))
	if !ok {
		http.Redirect(w, r, "/audit", http.StatusSeeOther)
		return nil
	}
	return p.named(w, r, words)
}

// named shows whom the words mean, each leading to everything in the audit about that person.
func (p *Pages) named(w http.ResponseWriter, r *http.Request, words string) error {
	answer, err := p.Index.FindAuditedPatients(r.Context(), &patientrecordv1.FindAuditedPatientsRequest{Query: words})
	data, status := patientsData{Query: words, More: answer.GetMore()}, http.StatusOK
	if err != nil {
		if errs.KindOf(err) != errs.KindInvalid {
			return err
		}
		data.Problem, status = p.Shell.ErrorText(r, err), errs.HTTPStatus(err)
	}
	county, countyErr := p.Shell.Names().County(r.Context())
	for _, one := range answer.GetPatients() {
		shown := patient{Patient: one.GetPatient(), Merged: one.GetMergedIds()}
		if countyErr == nil {
			shown.Home = county.OrganizationName(p.Shell.Language(r), one.GetPatient().GetHomeOrganizationId())
		}
		data.Patients = append(data.Patients, shown)
	}
	return p.Shell.Render(w, r, p.patientSet, shell.Page{Title: "audit.patients", Nav: "audit", Status: status, Data: data})
}
