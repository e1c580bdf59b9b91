package schedules

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
)

// The list looks a month back and a year ahead.
const exceptionsBack, exceptionsAhead = 1, 12

// planPatience is how long making the sessions of an exception may take: one of the whole county concerns every template. It leaves the time to draw the
// page within the limit of a request.
const planPatience = 12 * time.Second

type exceptionRow struct {
	*schedulingv1.ScheduleException
	// Whole: the county's own.
	Whole      bool
	Department string
	Template   string
	Doctor     string
}

type exceptionsData struct {
	page
	Rows []exceptionRow
	// Through is the last year whose public holidays are known.
	Through int
}

// Starts are what a new exception can be for.
func (exceptionsData) Starts() []string { return []string{"substitute", "holiday", "workday"} }

func (p *Pages) showExceptions(w http.ResponseWriter, r *http.Request) error {
	place, err := p.Shell.Workplace(r)
	if err != nil {
		return err
	}
	data := exceptionsData{page: page{place, "exceptions"}, Through: p.through}
	list, err := p.readExceptions(r, place.ID, -exceptionsBack, exceptionsAhead)
	if err != nil {
		return err
	}
	templates, err := p.templatesOf(r, place)
	if err != nil {
		return err
	}
	named, doctors := p.named(r, place, templates), people(templates)
	for _, e := range list {
		data.Rows = append(data.Rows, exceptionRow{
			ScheduleException: e, Whole: e.GetOrganizationId() == "", Department: place.DepartmentName(e.GetDepartmentCode()), Template: nameOf(named, e.GetTemplateId()),
			Doctor: nameOf(doctors, e.GetPractitionerId()),
		})
	}
	return p.Shell.Render(w, r, p.exceptions, shell.Page{Title: "schedules.exceptions", Nav: "sessions", Data: data})
}

// readExceptions reads those between so many months from now.
func (p *Pages) readExceptions(r *http.Request, organization string, from, to int) ([]*schedulingv1.ScheduleException, error) {
	now := p.Shell.Now()
	list, err := p.Calendar.ListExceptions(r.Context(), &schedulingv1.ListExceptionsRequest{
		OrganizationId: organization, From: now.AddDate(0, from, 0).Format(time.DateOnly), To: now.AddDate(0, to, 0).Format(time.DateOnly),
	})
	return list.GetExceptions(), err
}

func (p *Pages) templatesOf(r *http.Request, place shell.Workplace) ([]*schedulingv1.Template, error) {
	list, err := p.Calendar.ListTemplates(r.Context(), &schedulingv1.ListTemplatesRequest{OrganizationId: place.ID})
	return list.GetTemplates(), err
}

// templateNames are the templates as they are called in a list to choose from.
func (p *Pages) templateNames(r *http.Request, place shell.Workplace) ([]shell.Named, error) {
	list, err := p.templatesOf(r, place)
	return p.named(r, place, list), err
}

func (p *Pages) named(r *http.Request, place shell.Workplace, list []*schedulingv1.Template) (out []shell.Named) {
	for _, t := range list {
		parts := []string{place.DepartmentName(t.GetDepartmentCode()), t.GetPractitionerName(), p.words(r, t), t.GetStarts() + "–" + t.GetEnds()}
		out = append(out, shell.Named{ID: t.GetId(), Name: strings.Join(strings.Fields(strings.Join(parts, " ")), " ")})
	}
	return out
}

// nameOf is "" for nobody: a doctor who has no number is not the one of an exception that names none.
func nameOf(list []shell.Named, wanted string) string {
	if wanted == "" {
		return ""
	}
	for _, one := range list {
		if one.ID == wanted {
			return one.Name
		}
	}
	return wanted
}

type exceptionData struct {
	page
	Form      shell.Form
	ID        string
	RequestID string
	New       bool
	Problem   string
	Templates []shell.Named
	// People are the doctors who have sessions by templates and a number, by which an exception names them.
	People []shell.Named
	Done   *outcome
	Alone  bool
	// County: the visitor may make one for the whole county.
	County bool
}

// Effects and Reasons are what can be chosen.
func (exceptionData) Effects() []string { return []string{"CLOSED", "WORKDAY", "SUBSTITUTE"} }
func (exceptionData) Reasons() []string { return reasons() }
func (exceptionData) Weekdays() []string {
	return strings.Split("1234567", "")
}

func reasons() []string {
	return []string{"HOLIDAY", "LEAVE", "TRAINING", "EQUIPMENT", "EPIDEMIC", "OTHER"}
}

func (p *Pages) prepareException(r *http.Request) (exceptionData, error) {
	place, err := p.Shell.Workplace(r)
	data := exceptionData{page: page{place, "exceptions"}, RequestID: id.New(), County: len(place.Picks) > 0}
	if err != nil {
		return data, err
	}
	list, err := p.templatesOf(r, place)
	data.Templates = p.named(r, place, list)
	data.People = slices.DeleteFunc(people(list), func(one shell.Named) bool { return one.ID == "" })
	return data, err
}

func (p *Pages) newException(w http.ResponseWriter, r *http.Request) error {
	data, err := p.prepareException(r)
	if err != nil {
		return err
	}
	tomorrow := p.Shell.Now().AddDate(0, 0, 1).Format(time.DateOnly)
	data.New, data.ID = true, id.New()
	// What it is for says how it usually is; a holiday is the county's where its administrator asks.
	usual := map[string][2]string{"holiday": {"CLOSED", "HOLIDAY"}, "workday": {"WORKDAY", "HOLIDAY"}, "substitute": {"SUBSTITUTE", "LEAVE"}}
	start, known := usual[r.URL.Query().Get("for")]
	if !known {
		start = [2]string{"CLOSED", "LEAVE"}
	}
	data.Form.Values = url.Values{
		"exception.effect": {start[0]}, "exception.firstDay": {tomorrow}, "exception.lastDay": {tomorrow}, "exception.reasonCode": {start[1]},
		"exception.templateId": {r.URL.Query().Get("template")}, "exception.departmentCode": {data.Place.Department},
	}
	if data.County && start[1] == "HOLIDAY" {
		data.Form.Values.Set("whole", "1")
	}
	return p.drawException(w, r, http.StatusOK, data)
}

func (p *Pages) editException(w http.ResponseWriter, r *http.Request) error {
	data, err := p.prepareException(r)
	if err != nil {
		return err
	}
	e, err := p.findException(r, data.Place.ID)
	if err != nil {
		return err
	}
	data.ID, data.Form.Values = e.GetId(), shell.Original(exceptionValues(e), nil)
	return p.drawException(w, r, http.StatusOK, data)
}

// findException looks two years ahead and three back, the nearest first, a year at a time: the service answers for 400 days at most.
func (p *Pages) findException(r *http.Request, organization string) (*schedulingv1.ScheduleException, error) {
	for _, from := range []int{0, -12, 12, -24, -36} {
		list, err := p.readExceptions(r, organization, from, from+12)
		if err != nil {
			return nil, err
		}
		for _, e := range list {
			if e.GetId() == r.PathValue("id") {
				return e, nil
			}
		}
	}
	return nil, errs.NotFound("exception")
}

func (p *Pages) drawException(w http.ResponseWriter, r *http.Request, status int, data exceptionData) error {
	title := "schedules.exception.edit"
	if data.New {
		title = "schedules.exception.new"
	}
	return p.Shell.Render(w, r, p.exception, shell.Page{Title: title, Nav: "sessions", Status: status, Data: data})
}

func exceptionValues(e *schedulingv1.ScheduleException) url.Values {
	v := url.Values{
		"version": texts([]int32{e.GetVersion()}), "exception.departmentCode": {e.GetDepartmentCode()}, "exception.templateId": {e.GetTemplateId()},
		"exception.firstDay": {e.GetFirstDay()}, "exception.lastDay": {e.GetLastDay()}, "exception.effect": {e.GetEffect().String()},
		"exception.weekday": texts([]int32{e.GetWeekday()}), "exception.substitutePractitionerName": {e.GetSubstitutePractitionerName()},
		"exception.substitutePractitionerId": {e.GetSubstitutePractitionerId()}, "exception.substituteLocation": {e.GetSubstituteLocation()},
		"exception.reasonCode": {e.GetReasonCode()}, "exception.note": {e.GetNote()}, "exception.practitionerId": {e.GetPractitionerId()},
	}
	if e.GetWeekday() == 0 {
		v.Set("exception.weekday", "")
	}
	if v.Set("whole", ""); e.GetOrganizationId() == "" {
		v.Set("whole", "1")
	}
	return v
}

func exceptionOf(r *http.Request, organization string) (*schedulingv1.ScheduleException, error) {
	get := func(name string) string { return strings.TrimSpace(r.PostFormValue("exception." + name)) }
	e := &schedulingv1.ScheduleException{
		Id: r.PathValue("id"), OrganizationId: organization, DepartmentCode: get("departmentCode"), TemplateId: get("templateId"), PractitionerId: get("practitionerId"),
		FirstDay: get("firstDay"), LastDay: get("lastDay"), Effect: schedulingv1.ExceptionEffect_Code(schedulingv1.ExceptionEffect_Code_value[get("effect")]),
		ReasonCode: get("reasonCode"), Note: get("note"),
	}
	if e.GetLastDay() == "" {
		e.LastDay = e.GetFirstDay()
	}
	if r.PostFormValue("whole") != "" {
		e.OrganizationId, e.DepartmentCode, e.TemplateId, e.PractitionerId = "", "", "", ""
	}
	var err error
	switch e.GetEffect() {
	case schedulingv1.ExceptionEffect_WORKDAY:
		e.Weekday, err = number(r, "exception.weekday")
	case schedulingv1.ExceptionEffect_SUBSTITUTE:
		e.SubstitutePractitionerId, e.SubstitutePractitionerName, e.SubstituteLocation = get("substitutePractitionerId"), get("substitutePractitionerName"), get("substituteLocation")
	case schedulingv1.ExceptionEffect_CLOSED, schedulingv1.ExceptionEffect_UNSPECIFIED:
	}
	if err != nil {
		return nil, err
	}
	e.Version, err = number(r, "version")
	return e, err
}

func (p *Pages) saveException(w http.ResponseWriter, r *http.Request) error {
	if err := parse(r); err != nil {
		return err
	}
	place, err := p.Shell.Workplace(r)
	var e *schedulingv1.ScheduleException
	if err == nil {
		e, err = exceptionOf(r, place.ID)
	}
	var saved *schedulingv1.SaveExceptionResponse
	if err == nil {
		saved, err = p.Calendar.SaveException(rpc.WithPatience(r.Context(), planPatience), &schedulingv1.SaveExceptionRequest{Exception: e, RequestId: r.PostFormValue("requestId")})
	}
	if err != nil {
		return p.exceptionAgain(w, r, err, "schedules.exception.unsure")
	}
	return p.exceptionDone(w, r, place, saved, "schedules.exception.saved")
}

// exceptionDone goes back to the list, or stays to show which sessions do not fit any more.
func (p *Pages) exceptionDone(w http.ResponseWriter, r *http.Request, place shell.Workplace, saved *schedulingv1.SaveExceptionResponse, flash string) error {
	if len(saved.GetConflicts()) == 0 {
		p.Shell.Flash(w, flash)
		http.Redirect(w, r, place.At("/schedules/exceptions"), http.StatusSeeOther)
		return nil
	}
	data, err := p.prepareException(r)
	if err != nil {
		return err
	}
	data.ID, data.Form.Values = saved.GetException().GetId(), shell.Original(exceptionValues(saved.GetException()), nil)
	now := saved.GetException()
	data.Done = &outcome{
		Made: saved.GetMade(), Removed: saved.GetRemoved(), Conflicts: saved.GetConflicts(), RequestID: id.New(),
		Holder: shell.Named{ID: now.GetSubstitutePractitionerId(), Name: now.GetSubstitutePractitionerName()}, Location: now.GetSubstituteLocation(),
	}
	return p.drawException(w, r, http.StatusOK, data)
}

// exceptionAgain draws a refused form; unsure is the text of what is not known when no answer came.
func (p *Pages) exceptionAgain(w http.ResponseWriter, r *http.Request, cause error, unsure string) error {
	return p.Shell.Again(w, r, shell.Under("exception", cause), func(again shell.Refused) error {
		data, err := p.prepareException(r)
		data.Alone = err != nil
		data.New, data.ID, data.Form, data.Problem, data.RequestID = r.PostFormValue("version") == "", r.PathValue("id"), again.Form, again.Problem, again.RequestID
		if errs.KindOf(cause) == errs.KindUnavailable {
			data.Problem = p.Shell.T(r, unsure)
		}
		if errs.KindOf(cause) == errs.KindStale && !data.Alone {
			if now, ferr := p.findException(r, data.Place.ID); ferr == nil {
				again.Rebase(exceptionValues(now), now.GetVersion())
				data.Form = again.Form
			}
		}
		return p.drawException(w, r, again.Status, data)
	})
}

// removeException lets the templates hold again.
func (p *Pages) removeException(w http.ResponseWriter, r *http.Request) error {
	if err := parse(r); err != nil {
		return err
	}
	place, err := p.Shell.Workplace(r)
	if err != nil {
		return err
	}
	version, err := number(r, "version")
	if err != nil {
		return err
	}
	now, err := p.findException(r, place.ID)
	if errs.KindOf(err) == errs.KindNotFound { // a second click
		http.Redirect(w, r, place.At("/schedules/exceptions"), http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return err
	}
	done, err := p.Calendar.RemoveException(rpc.WithPatience(r.Context(), planPatience), &schedulingv1.RemoveExceptionRequest{Id: r.PathValue("id"), Version: version})
	if err != nil {
		r.PostForm = shell.Original(exceptionValues(now), nil)
		return p.exceptionAgain(w, r, err, "schedules.exception.unsure.removed")
	}
	if len(done.GetConflicts()) > 0 && done.GetException() == nil {
		done.Exception = now
	}
	return p.exceptionDone(w, r, place, done, "schedules.exception.removed")
}

// countyAdmin tells whether the visitor sets rules for the county.
func countyAdmin(r *http.Request) bool {
	visitor, _ := door.VisitorFrom(r.Context())
	for _, role := range visitor.Account.GetRoles() {
		if role == commonv1.Role_COUNTY_ADMIN {
			return true
		}
	}
	return false
}
