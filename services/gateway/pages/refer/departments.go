package refer

import (
	"net/http"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
)

// departmentsData is what the fragment "departments" sees: those of a hospital, the chosen one, and how long one waits for each, by code.
type departmentsData struct {
	List   []department
	Chosen string
	Waits  map[string]*schedulingv1.WaitingTime
}

// of are the departments of a receiver.
func (c choices) of(organization string) []department {
	for _, r := range c.Receivers {
		if r.ID == organization {
			return r.Departments
		}
	}
	return nil
}

// Departments are those of the chosen hospital.
func (d formData) Departments() departmentsData {
	return departmentsData{d.Choices.of(d.Form.Value("organization")), d.Form.Value("department"), d.Waits}
}

// departments answers those of another hospital when one is chosen; a department that it has too stays chosen.
func (p *Pages) departments(w http.ResponseWriter, r *http.Request) error {
	choices, err := p.choices(r)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	return p.Shell.Fragment(w, r, p.slotsSet, "departments", departmentsData{
		choices.of(q.Get("organization")), q.Get("department"), p.waitingTimes(r, q.Get("organization"), q.Get("kind")),
	})
}
