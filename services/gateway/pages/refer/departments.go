package refer

import (
	"net/http"
	"net/url"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// departmentsData is what departments.html sees: the departments of the chosen hospital, with how long one waits there by code.
type departmentsData struct {
	Departments []department
	Waits       map[string]*schedulingv1.WaitingTime
	Chosen      string
}

// EmergencyDepartment is the one that the form proposes for an emergency.
func (departmentsData) EmergencyDepartment() string { return shell.EmergencyDepartment }

// departments answers the list for another hospital. A department that it has as well stays chosen: the codes are national.
func (p *Pages) departments(w http.ResponseWriter, r *http.Request) error {
	options, err := p.choices(r)
	if err != nil {
		return err
	}
	form := r.URL.Query()
	if !options.has(form.Get("organization"), form.Get("department")) {
		form.Del("department")
	}
	options.propose(form)
	return p.Shell.Fragment(w, r, p.slotsSet, "departments", p.departmentsOf(r, options, form))
}

func (p *Pages) departmentsOf(r *http.Request, options choices, form url.Values) departmentsData {
	data := departmentsData{Chosen: form.Get("department"), Waits: p.waitingTimes(r, form.Get("organization"), form.Get("kind"))}
	for _, one := range options.Receivers {
		if one.ID == form.Get("organization") {
			data.Departments = one.Departments
		}
	}
	return data
}
