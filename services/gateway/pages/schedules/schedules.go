// Package schedules holds the pages from which sessions come: templates with a preview, exceptions of the calendar, equipment, the rule of the
// township's reserve, files in and out, and what was changed of all these and of the wards.
//
// Who plans is decided by the scheduling service; a county administrator picks the organisation. A form that was refused stands again with all
// that was typed. Safe for concurrent use.
package schedules

import (
	"embed"
	"net/http"
	"strconv"
	"strings"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/workdays"
)

//go:embed *.html
var files embed.FS

// Deps is what the pages need; all fields are required.
type Deps struct {
	Shell      *shell.Shell
	Calendar   schedulingv1.CalendarServiceClient
	Allocation schedulingv1.AllocationServiceClient // the wards, whose changes are among those of the calendar
}

// Pages serves them.
type Pages struct {
	Deps
	list, template, exceptions, exception, equipment, device, policy, files, changes *shell.Set
	// through is the last year whose public holidays are known.
	through int
}

// New parses the pages.
func New(deps Deps) (*Pages, error) {
	holidays, err := workdays.China()
	if err != nil {
		return nil, err
	}
	p := &Pages{Deps: deps, through: holidays.Through()}
	for _, one := range []struct {
		set  **shell.Set
		name string
	}{
		{&p.list, "list.html"},
		{&p.template, "template.html"},
		{&p.exceptions, "exceptions.html"},
		{&p.exception, "exception.html"},
		{&p.equipment, "equipment.html"},
		{&p.device, "device.html"},
		{&p.policy, "policy.html"},
		{&p.files, "files.html"},
		{&p.changes, "history.html"},
	} {
		set, err := deps.Shell.Parse(files, one.name, "parts.html")
		if err != nil {
			return nil, err
		}
		*one.set = set
	}
	return p, nil
}

// ImportRoute takes a file as multipart form.
const ImportRoute = "POST /schedules/files"

// Routes adds the pages to a mux.
func (p *Pages) Routes(mux shell.Mux) {
	mux.Handle("GET /schedules", p.Shell.Page(p.showList))
	mux.Handle("GET /schedules/templates/new", p.Shell.Page(p.newTemplate))
	mux.Handle("GET /schedules/templates/{id}", p.Shell.Page(p.editTemplate))
	mux.Handle("POST /schedules/templates/{id}", p.Shell.Page(p.saveTemplate))
	mux.Handle("POST /schedules/templates/{id}/end", p.Shell.Page(p.endTemplate))
	mux.Handle("POST /schedules/preview", p.Shell.Page(p.preview))
	mux.Handle("POST /schedules/substitute", p.Shell.Page(p.substituteAll))
	mux.Handle("GET /schedules/exceptions", p.Shell.Page(p.showExceptions))
	mux.Handle("GET /schedules/exceptions/new", p.Shell.Page(p.newException))
	mux.Handle("GET /schedules/exceptions/{id}", p.Shell.Page(p.editException))
	mux.Handle("POST /schedules/exceptions/{id}", p.Shell.Page(p.saveException))
	mux.Handle("POST /schedules/exceptions/{id}/remove", p.Shell.Page(p.removeException))
	mux.Handle("GET /schedules/history", p.Shell.Page(p.history))
	mux.Handle("GET /schedules/history/{subject}/{id}", p.Shell.Page(p.history))
	mux.Handle("POST /schedules/history/{subject}/{id}", p.Shell.Page(p.restore))
	mux.Handle("GET /schedules/equipment", p.Shell.Page(p.showEquipment))
	mux.Handle("GET /schedules/equipment/new", p.Shell.Page(p.newDevice))
	mux.Handle("GET /schedules/equipment/{id}", p.Shell.Page(p.editDevice))
	mux.Handle("POST /schedules/equipment/{id}", p.Shell.Page(p.saveDevice))
	mux.Handle("GET /schedules/policy", p.Shell.Page(p.showPolicy))
	mux.Handle("POST /schedules/policy", p.Shell.Page(p.savePolicy))
	mux.Handle("GET /schedules/files", p.Shell.Page(p.showFiles))
	mux.Handle(ImportRoute, p.Shell.Page(p.importFile))
	mux.Handle("GET /schedules/export", p.Shell.Page(p.export))
}

// page is what every page of the planner's shows on top.
type page struct {
	Place shell.Workplace
	// Tab is the part that is marked.
	Tab string
}

// Tabs are the parts, by name and address.
func (page) Tabs() []shell.Named {
	return []shell.Named{
		{ID: "sessions", Name: "/sessions"},
		{ID: "templates", Name: "/schedules"},
		{ID: "exceptions", Name: "/schedules/exceptions"},
		{ID: "equipment", Name: "/schedules/equipment"},
		{ID: "policy", Name: "/schedules/policy"},
		{ID: "files", Name: "/schedules/files"},
	}
}

// outcome is what a change of the plan did.
type outcome struct {
	Made, Removed int32
	Conflicts     []*schedulingv1.Session
	// Holder is who holds the sessions by the new plan, and Location where; RequestID is for putting them into those that somebody has booked.
	Holder              shell.Named
	Location, RequestID string
}

// Others are the sessions that somebody else holds as yet.
func (o outcome) Others() (out []*schedulingv1.Session) {
	for _, s := range o.Conflicts {
		if o.Holder.Name != "" && s.GetState() == schedulingv1.SessionState_OPEN && (s.GetPractitionerName() != o.Holder.Name || s.GetPractitionerId() != o.Holder.ID) {
			out = append(out, s)
		}
	}
	return out
}

// parse reads a form.
func parse(r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	return nil
}

// number is the whole number in a field; an empty one is 0, and what is no number is refused under the field's name.
func number(r *http.Request, name string) (int32, error) {
	text := strings.TrimSpace(r.PostFormValue(name))
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0, errs.Invalid(errs.Bad(name, errs.ReasonFieldInvalid))
	}
	return int32(n), nil
}

// numbers are the whole numbers of a field that stands several times; what is none cannot come from the form.
func numbers(values []string) []int32 {
	var out []int32
	for _, v := range values {
		if n, err := strconv.ParseInt(v, 10, 32); err == nil {
			out = append(out, int32(n))
		}
	}
	return out
}

func texts(list []int32) []string {
	out := make([]string, len(list))
	for i, n := range list {
		out[i] = strconv.Itoa(int(n))
	}
	return out
}
