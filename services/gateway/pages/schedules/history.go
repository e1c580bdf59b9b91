package schedules

import (
	"net/http"
	"slices"
	"strconv"
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

type historyData struct {
	page
	// Subject is one of templates, exceptions and sessions, and ID which; both are empty for all of the organisation.
	Subject, ID, Name string
	Back              string
	Rows              []changeRow
	Version           int32
	RequestID         string
	Problem           string
	// Final: the session is cancelled and stays so.
	Final bool
	Done  *outcome
}

// subjects with the words of the contract.
func subjects() map[string]string {
	return map[string]string{"templates": "TEMPLATE", "exceptions": "EXCEPTION", "sessions": "SESSION"}
}

func (p *Pages) history(w http.ResponseWriter, r *http.Request) error {
	return p.showHistory(w, r, http.StatusOK, historyData{RequestID: id.New()})
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
	data.page, data.Back = page{place, tab}, place.At("/schedules/"+data.Subject+"/"+data.ID)
	if subject == "SESSION" {
		data.Back = "/sessions/" + data.ID
	}
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
		if err := p.offer(r, &data); err != nil {
			return err
		}
	}
	return p.Shell.Render(w, r, p.changes, shell.Page{Title: "schedules.history", Nav: "sessions", Status: status, Data: data})
}

func folderOf(subject string) string {
	for folder, s := range subjects() {
		if s == subject {
			return folder
		}
	}
	return ""
}

// offer finds out what stands and puts the buttons.
func (p *Pages) offer(r *http.Request, data *historyData) error {
	var err error
	there := true // there is something to be restored
	cancelled := false
	switch data.Subject {
	case "templates":
		var t *schedulingv1.Template
		t, err = p.findTemplate(r, data.Place.ID)
		data.Version = t.GetVersion()
	case "exceptions":
		var e *schedulingv1.ScheduleException
		if e, err = p.findException(r, data.Place.ID); errs.KindOf(err) == errs.KindNotFound {
			err, data.Back = nil, data.Place.At("/schedules/exceptions") // it was removed: it is set anew
		}
		data.Version = e.GetVersion()
		there = data.Rows[0].GetException().GetOrganizationId() != "" || countyAdmin(r)
	case "sessions":
		var s *schedulingv1.SessionDetail
		if s, err = p.Calendar.GetSession(r.Context(), &schedulingv1.GetSessionRequest{Id: data.ID}); errs.KindOf(err) == errs.KindNotFound {
			err, there, data.Back = nil, false, data.Place.At("/sessions") // the plan took it back
		}
		data.Version = s.GetSession().GetVersion()
		cancelled = s.GetSession().GetState() == schedulingv1.SessionState_CANCELLED
		if s != nil && !p.Shell.Now().Before(s.GetSession().GetEnd().AsTime()) {
			there = false
		}
	}
	if err != nil {
		return err
	}
	if there {
		data.Final = !p.buttons(data.Rows, cancelled)
	}
	return nil
}

// buttons are put to the rows; false for a cancelled session that cannot be opened again.
func (p *Pages) buttons(rows []changeRow, cancelled bool) bool {
	newest := slices.IndexFunc(rows, func(c changeRow) bool { return len(c.Slots) == 0 })
	undoable := newest >= 0 && rows[newest].GetCanBeUndone()
	if cancelled && !undoable {
		return false
	}
	undoes := ""
	for i := range rows {
		row := &rows[i]
		switch state := len(row.Slots) == 0; {
		case !state && cancelled:
		case !state && row.GetAction() == "BLOCKED":
			row.Do, row.Restore = "unblock", row.GetId()
		case !state:
			row.Do, row.Restore = "block", row.GetId()
		case i == newest && undoable:
			row.Do = "cancellation"
			if before := slices.IndexFunc(rows[i+1:], func(c changeRow) bool { return len(c.Slots) == 0 && c.GetAction() != "CANCELLED" }); before >= 0 {
				row.Restore = rows[i+1+before].GetId()
				undoes = row.Restore
			}
		case i == newest && row.GetAction() != "REMOVED":
			row.Stands = true
		case row.GetAction() != "REMOVED" && row.GetAction() != "CANCELLED" && row.GetId() != undoes:
			row.Do, row.Restore = "restore", row.GetId()
		}
	}
	return true
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

// restore does the opposite of a change, or writes an older version again. The version that stands is checked as for every change.
func (p *Pages) restore(w http.ResponseWriter, r *http.Request) error {
	if err := parse(r); err != nil {
		return err
	}
	place, err := p.Shell.Workplace(r)
	if err != nil {
		return err
	}
	subject, known := subjects()[r.PathValue("subject")]
	if !known {
		return errs.NotFound("subject")
	}
	list, err := p.Calendar.ListCalendarChanges(r.Context(), &schedulingv1.ListCalendarChangesRequest{OrganizationId: place.ID, Subject: subject, Id: r.PathValue("id")})
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list.GetChanges(), func(c *schedulingv1.CalendarChange) bool { return c.GetId() == r.PostFormValue("restore") })
	if i < 0 {
		return errs.NotFound("change")
	}
	done, err := p.writeAgain(r, list.GetChanges()[i])
	if err != nil {
		return p.Shell.Again(w, r, err, func(again shell.Refused) error {
			data := historyData{RequestID: again.RequestID, Problem: again.Problem}
			if e, ok := errs.As(err); ok && e.Kind == errs.KindWrongState && slices.Contains([]string{"REBOOKED", "PLAN_CHANGED", "PAST"}, e.Meta["state"]) {
				data.Problem = p.Shell.T(r, "schedules.history.no."+e.Meta["state"])
			}
			if data.Problem == "" {
				data.Problem = p.Shell.ErrorText(r, err)
			}
			return p.showHistory(w, r, again.Status, data)
		})
	}
	if done != nil && len(done.Conflicts) > 0 {
		return p.showHistory(w, r, http.StatusOK, historyData{RequestID: id.New(), Done: done})
	}
	p.Shell.Flash(w, "settings.restored")
	http.Redirect(w, r, place.At("/schedules/history/"+r.PathValue("subject")+"/"+r.PathValue("id")), http.StatusSeeOther)
	return nil
}

// writeAgain carries a restoring out.
func (p *Pages) writeAgain(r *http.Request, c *schedulingv1.CalendarChange) (*outcome, error) {
	seen, err := number(r, "version")
	if err != nil {
		return nil, err
	}
	ctx, request := r.Context(), r.PostFormValue("requestId")
	var ids []string
	for _, s := range c.GetSlots() {
		ids = append(ids, s.GetId())
	}
	switch {
	case c.GetTemplate() != nil:
		c.Template.Version = seen
		saved, err := p.Calendar.SaveTemplate(ctx, &schedulingv1.SaveTemplateRequest{Template: c.GetTemplate(), RequestId: request})
		return &outcome{saved.GetMade(), saved.GetRemoved(), saved.GetConflicts()}, err
	case c.GetException() != nil:
		c.Exception.Version = seen
		saved, err := p.Calendar.SaveException(ctx, &schedulingv1.SaveExceptionRequest{Exception: c.GetException(), RequestId: request})
		return &outcome{saved.GetMade(), saved.GetRemoved(), saved.GetConflicts()}, err
	case c.GetAction() == "BLOCKED":
		_, err = p.Calendar.UnblockSlots(ctx, &schedulingv1.UnblockSlotsRequest{SlotIds: ids, RequestId: request})
	case c.GetAction() == "UNBLOCKED":
		_, err = p.Calendar.BlockSlots(ctx, &schedulingv1.BlockSlotsRequest{SlotIds: ids, ReasonCode: c.GetSlots()[0].GetReasonCode(), RequestId: request})
	default:
		_, err = p.Calendar.RestoreSession(ctx, &schedulingv1.RestoreSessionRequest{Id: c.GetSubjectId(), Version: seen, ChangeId: c.GetId(), RequestId: request})
	}
	return nil, err
}

// linesOf are what a change left, line by line, in words.
func (p *Pages) linesOf(r *http.Request, place shell.Workplace, templates []shell.Named, c *schedulingv1.CalendarChange) map[string]string {
	out := map[string]string{}
	set := func(key string, parts ...string) {
		if text := strings.Join(strings.Fields(strings.Join(parts, " ")), " "); text != "" {
			out[p.Shell.T(r, key)] = text
		}
	}
	switch {
	case c.GetAction() == "REMOVED":
	case c.GetTemplate() != nil:
		t := c.GetTemplate()
		set("schedules.when", p.words(r, t), t.GetStarts()+"–"+t.GetEnds())
		set("schedules.what", place.DepartmentName(t.GetDepartmentCode()), p.Shell.T(r, "slot.kind."+t.GetKind()))
		if t.GetGrade() != "" {
			set("field.template.grade", p.Shell.T(r, "slot.grade."+t.GetGrade()))
		}
		set("field.template.practitionerName", t.GetPractitionerName(), staffNumber(t.GetPractitionerId()))
		set("field.template.equipmentId", p.deviceName(r, place.ID, t.GetEquipmentId()))
		set("field.template.location", t.GetLocation())
		set("schedules.slots", p.Shell.T(r, "schedules.each", "n", t.GetSlotMinutes()))
		last := t.GetLastDay()
		if last == "" {
			last = p.Shell.T(r, "schedules.for-ever")
		}
		set("schedules.valid", t.GetFirstDay(), "–", last)
		if t.GetOnHolidays() {
			set("field.template.onHolidays", "✓")
		}
	case c.GetException() != nil:
		p.exceptionLines(r, place, templates, c.GetException(), set)
	case c.GetSession() != nil:
		s := c.GetSession()
		set("field.template.practitionerName", s.GetPractitionerName(), staffNumber(s.GetPractitionerId()))
		set("field.template.location", s.GetLocation())
		if s.GetState() == schedulingv1.SessionState_CANCELLED {
			set("sessions.cancelled", p.Shell.T(r, "schedules.reason."+s.GetReasonCode()), s.GetNote())
		}
	}
	return out
}

func (p *Pages) exceptionLines(r *http.Request, place shell.Workplace, templates []shell.Named, e *schedulingv1.ScheduleException, set func(key string, parts ...string)) {
	set("schedules.days", days(e))
	effect := []string{p.Shell.T(r, "schedules.effect."+e.GetEffect().String())}
	if e.GetWeekday() > 0 {
		effect = append(effect, p.Shell.T(r, "schedules.weekday."+strconv.Itoa(int(e.GetWeekday()))))
	}
	set("schedules.effect", append(effect, e.GetSubstitutePractitionerName(), e.GetSubstituteLocation())...)
	switch {
	case e.GetOrganizationId() == "":
		set("schedules.concerns", p.Shell.T(r, "schedules.whole-county"))
	case e.GetTemplateId() != "":
		set("schedules.concerns", nameOf(templates, e.GetTemplateId()))
	case e.GetDepartmentCode() != "":
		set("schedules.concerns", place.DepartmentName(e.GetDepartmentCode()))
	default:
		set("schedules.concerns", p.Shell.T(r, "schedules.whole-house"))
	}
	set("schedules.why", p.Shell.T(r, "schedules.reason."+e.GetReasonCode()), e.GetNote())
}

// staffNumber is the number by which people tell two of one name apart; an id of ours tells them nothing.
func staffNumber(practitioner string) string {
	if id.Valid(practitioner) {
		return ""
	}
	return practitioner
}

// deviceName is the id itself where the devices cannot be read.
func (p *Pages) deviceName(r *http.Request, organization, device string) string {
	if device == "" {
		return ""
	}
	list, _ := p.devices(r, organization)
	for _, d := range list {
		if d.GetId() == device {
			return d.GetName()
		}
	}
	return device
}
