package schedules

import (
	"net/http"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// changeRow is a change in words.
type changeRow struct {
	*schedulingv1.CalendarChange
	// Name says of which template, exception or session; Path leads to the changes of that one alone.
	Name, Path string
	Changes    []shell.Difference
	First      bool
	// Hours are the slots of a change that blocks some, or gives them back.
	Hours []*timestamppb.Timestamp
	// Do is what the button does: restore, cancellation, unblock, block or nothing; Restore what it names.
	Do, Restore string
	Stands      bool
}

// wouldData is an older version that is looked at before it is restored: Changes are what that would make of what stands.
type wouldData struct {
	*schedulingv1.CalendarChange
	Changes []shell.Difference
}

type historyData struct {
	page
	// Subject is one of the keys of subjects, and ID which; both are empty for all of the organisation.
	Subject, ID, Name string
	Back              string
	Rows              []changeRow
	Version           int32
	RequestID         string
	Problem           string
	// Chosen is the id of the change whose version the visitor wants again; Would says what that does.
	Chosen string
	Would  *wouldData
	// Final: the session is cancelled and stays so.
	Final bool
	Done  *outcome
}

// subjects are the parts of an address, with the words of the contract.
func subjects() map[string]string {
	return map[string]string{
		"templates": "TEMPLATE", "exceptions": "EXCEPTION", "sessions": "SESSION", "equipment": "EQUIPMENT", "wards": "WARD", "policy": "POLICY",
	}
}

func (p *Pages) history(w http.ResponseWriter, r *http.Request) error {
	return p.showHistory(w, r, http.StatusOK, historyData{RequestID: id.New(), Chosen: r.URL.Query().Get("restore")})
}

// showHistory shows the changes with what the last restoring did, or why it was refused.
func (p *Pages) showHistory(w http.ResponseWriter, r *http.Request, status int, data historyData) error {
	place, err := p.Shell.Workplace(r)
	if err != nil {
		return err
	}
	data.Subject, data.ID = r.PathValue("subject"), r.PathValue("id")
	subject, known := subjects()[data.Subject]
	if data.Subject != "" && !known {
		return errs.NotFound("subject")
	}
	list, err := p.Calendar.ListCalendarChanges(r.Context(), &schedulingv1.ListCalendarChangesRequest{OrganizationId: place.ID, Subject: subject, Id: data.ID})
	if err != nil {
		return err
	}
	changes := list.GetChanges()
	tab := "templates"
	if known {
		tab = data.Subject
	}
	data.page, data.Back = page{place, tab}, backTo(place, data.Subject, data.ID)
	templates, err := p.templateNames(r, place)
	if err != nil {
		return err
	}
	for i, c := range changes {
		if !known && c.GetAction() == "BEFORE" {
			continue // nobody did that
		}
		row := changeRow{CalendarChange: c, Name: p.changeName(r, place, c), Path: place.At("/schedules/history/" + folderOf(c.GetSubject()) + "/" + c.GetSubjectId())}
		for _, s := range c.GetSlots() {
			row.Hours = append(row.Hours, s.GetStart())
		}
		if known && len(c.GetSlots()) == 0 {
			before := slices.IndexFunc(changes[i+1:], func(o *schedulingv1.CalendarChange) bool { return len(o.GetSlots()) == 0 })
			var was map[string]string
			if row.First = before < 0; !row.First {
				was = p.linesOf(r, place, templates, changes[i+1+before])
			}
			row.Changes = shell.Differences(was, p.linesOf(r, place, templates, c))
		}
		data.Rows = append(data.Rows, row)
	}
	if known && len(changes) > 0 {
		data.Name = data.Rows[0].Name
		if err := p.offer(r, &data, templates); err != nil {
			return err
		}
	}
	return p.Shell.Render(w, r, p.changes, shell.Page{Title: "schedules.history", Nav: "sessions", Status: status, Data: data})
}

// backTo is the page of what the changes are about.
func backTo(place shell.Workplace, folder, subject string) string {
	switch folder {
	case "sessions":
		return "/sessions/" + subject
	case "wards":
		return place.At("/beds#ward-"+subject, "ward", subject)
	case "policy":
		if subject == countyPolicy {
			return "/schedules/policy"
		}
		return place.At("/schedules/policy")
	}
	return place.At("/schedules/" + folder + "/" + subject)
}

// countyPolicy is the id of the county's own policy among the changes.
const countyPolicy = "county"

func folderOf(subject string) string {
	for folder, s := range subjects() {
		if s == subject {
			return folder
		}
	}
	return ""
}

// changeName says of what a change tells.
func (p *Pages) changeName(r *http.Request, place shell.Workplace, c *schedulingv1.CalendarChange) string {
	var parts []string
	switch {
	case c.GetTemplate() != nil:
		t := c.GetTemplate()
		parts = []string{place.DepartmentName(t.GetDepartmentCode()), t.GetPractitionerName(), p.words(r, t), t.GetStarts() + "–" + t.GetEnds()}
	case c.GetException() != nil:
		e := c.GetException()
		parts = []string{days(e), p.Shell.T(r, "schedules.effect."+e.GetEffect().String())}
	case c.GetEquipment() != nil:
		parts = []string{place.DepartmentName(c.GetEquipment().GetDepartmentCode()), c.GetEquipment().GetName()}
	case c.GetWard() != nil:
		parts = []string{place.DepartmentName(c.GetWard().GetDepartmentCode()), c.GetWard().GetName()}
	case c.GetPolicy() != nil:
		parts = []string{p.Shell.T(r, "schedules.policy"), place.Name}
		if c.GetSubjectId() == countyPolicy {
			parts[1] = p.Shell.T(r, "schedules.whole-county")
		}
	case c.GetSession() != nil:
		s := c.GetSession()
		zone := p.Shell.Zone()
		parts = []string{s.GetStart().AsTime().In(zone).Format("2006-01-02 15:04") + "–" + s.GetEnd().AsTime().In(zone).Format("15:04"),
			place.DepartmentName(s.GetDepartmentCode()), s.GetPractitionerName()}
	}
	return strings.Join(strings.Fields(strings.Join(parts, " ")), " ")
}

// days of an exception.
func days(e *schedulingv1.ScheduleException) string {
	if e.GetFirstDay() == e.GetLastDay() {
		return e.GetFirstDay()
	}
	return e.GetFirstDay() + " – " + e.GetLastDay()
}
