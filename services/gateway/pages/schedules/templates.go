package schedules

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// row is a template of the list, in words.
type row struct {
	*schedulingv1.Template
	Words, Half, Department, Equipment string
	Ended                              bool
}

type listData struct {
	page
	Rows  []row
	Ended bool
}

func (p *Pages) showList(w http.ResponseWriter, r *http.Request) error {
	place, err := p.Shell.Workplace(r)
	if err != nil {
		return err
	}
	data := listData{page: page{place, "templates"}, Ended: r.URL.Query().Get("ended") != ""}
	answer, err := p.Calendar.ListTemplates(r.Context(), &schedulingv1.ListTemplatesRequest{OrganizationId: place.ID, Department: place.Department, Ended: data.Ended})
	if err != nil {
		return err
	}
	devices, _ := p.devices(r, place.ID) // without them the list does not say on which device
	today := p.Shell.Now().Format(time.DateOnly)
	for _, t := range answer.GetTemplates() {
		one := row{Template: t, Words: p.words(r, t), Half: half(t.GetStarts()), Department: place.DepartmentName(t.GetDepartmentCode()), Ended: t.GetLastDay() != "" && t.GetLastDay() < today}
		for _, d := range devices {
			if d.GetId() == t.GetEquipmentId() {
				one.Equipment = d.GetName()
			}
		}
		data.Rows = append(data.Rows, one)
	}
	return p.Shell.Render(w, r, p.list, shell.Page{Title: "schedules.title", Nav: "sessions", Data: data})
}

// templateData is what template.html sees.
type templateData struct {
	page
	Form      shell.Form
	ID        string
	RequestID string
	New       bool
	Problem   string
	Devices   []*schedulingv1.Equipment
	// Known are the templates that there are, People those who have sessions by them.
	Known   []*schedulingv1.Template
	People  []shell.Named
	Preview previewData
	Days    []string
	// Done is what the last saving did.
	Done *outcome
	// Alone: the rest of the page cannot be read.
	Alone bool
}

// Kinds, Patterns and Grades are what can be chosen.
func (templateData) Kinds() []string    { return []string{"CLINIC", "EXAM", "EXPERT"} }
func (templateData) Patterns() []string { return patterns() }
func (templateData) Grades() []string   { return []string{"GENERAL", "EXPERT"} }

func patterns() []string { return []string{"WEEKLY", "INTERVAL", "SOLAR_DIGITS", "LUNAR_DIGITS"} }

// Weekdays and Digits as the form sends them.
func (templateData) Weekdays() []string { return strings.Split("1234567", "") }
func (templateData) Digits() []string   { return strings.Split("1234567890", "") }

// Ticked tells that a box is ticked.
func (d templateData) Ticked(name, value string) bool {
	return slices.Contains(d.Form.Values[name], value)
}

func (p *Pages) newTemplate(w http.ResponseWriter, r *http.Request) error {
	data, err := p.prepare(r)
	if err != nil {
		return err
	}
	data.New, data.ID = true, id.New()
	data.Form.Values = url.Values{
		"template.kind": {"CLINIC"}, "template.grade": {"GENERAL"}, "template.pattern": {"WEEKLY"}, "template.every": {"1"}, "template.anchor": {p.Shell.Now().Format(time.DateOnly)},
		"template.starts": {"08:00"}, "template.ends": {"12:00"}, "template.slotMinutes": {"15"}, "template.firstDay": {p.Shell.Now().AddDate(0, 0, 1).Format(time.DateOnly)},
		"template.departmentCode": {data.Place.Department},
	}
	p.startFrom(r, &data)
	return p.drawTemplate(w, r, http.StatusOK, data)
}

// startFrom fills a new template in after another one (like), for the next doctor or the other half of the day, or for a device (equipment). Of the
// other one who holds it is left out, which must not be the same.
func (p *Pages) startFrom(r *http.Request, data *templateData) {
	asked := r.URL.Query()
	for _, t := range data.Known {
		if t.GetId() != asked.Get("like") {
			continue
		}
		values, tomorrow := templateValues(t), data.Form.Value("template.firstDay")
		values.Del("version")
		for _, name := range []string{"template.practitionerName", "template.practitionerId", "template.lastDay"} {
			values.Set(name, "")
		}
		values.Set("template.firstDay", max(t.GetFirstDay(), tomorrow))
		data.Form.Values = values
	}
	for _, e := range data.Devices {
		if e.GetId() == asked.Get("equipment") {
			for name, value := range map[string]string{"kind": "EXAM", "equipmentId": e.GetId(), "departmentCode": e.GetDepartmentCode(), "location": e.GetLocation()} {
				data.Form.Values.Set("template."+name, value)
			}
		}
	}
}

func (p *Pages) editTemplate(w http.ResponseWriter, r *http.Request) error {
	data, err := p.prepare(r)
	if err != nil {
		return err
	}
	t, err := p.findTemplate(r, data.Place.ID)
	if err != nil {
		return err
	}
	data.ID, data.Form.Values = t.GetId(), shell.Original(templateValues(t), nil)
	return p.drawTemplate(w, r, http.StatusOK, data)
}

// prepare reads what the form needs besides the template.
func (p *Pages) prepare(r *http.Request) (templateData, error) {
	place, err := p.Shell.Workplace(r)
	data := templateData{page: page{place, "templates"}, RequestID: id.New()}
	if err != nil {
		return data, err
	}
	data.Devices, err = p.devices(r, place.ID)
	if err != nil {
		return data, err
	}
	list, err := p.Calendar.ListTemplates(r.Context(), &schedulingv1.ListTemplatesRequest{OrganizationId: place.ID})
	data.Known, data.People = list.GetTemplates(), people(list.GetTemplates())
	return data, err
}

// people are those who have sessions by templates, by number and name.
func people(list []*schedulingv1.Template) (out []shell.Named) {
	for _, t := range list {
		one := shell.Named{ID: t.GetPractitionerId(), Name: t.GetPractitionerName()}
		if one.Name != "" && !slices.Contains(out, one) {
			out = append(out, one)
		}
	}
	return out
}

func (p *Pages) devices(r *http.Request, organization string) ([]*schedulingv1.Equipment, error) {
	list, err := p.Calendar.ListEquipment(r.Context(), &schedulingv1.ListEquipmentRequest{OrganizationId: organization})
	return list.GetEquipment(), err
}

func (p *Pages) findTemplate(r *http.Request, organization string) (*schedulingv1.Template, error) {
	list, err := p.Calendar.ListTemplates(r.Context(), &schedulingv1.ListTemplatesRequest{OrganizationId: organization, Ended: true})
	if err != nil {
		return nil, err
	}
	if t := templateBefore(list.GetTemplates(), r.PathValue("id")); t != nil {
		return t, nil
	}
	return nil, errs.NotFound("template")
}

func (p *Pages) drawTemplate(w http.ResponseWriter, r *http.Request, status int, data templateData) error {
	title := "schedules.template.edit"
	if data.New {
		title = "schedules.template.new"
	}
	if data.Preview.Days == nil && len(data.Form.Errors) == 0 && !data.Alone {
		data.Preview = p.previewOf(r, data.Place.ID, data.ID, data.Form.Values)
	}
	return p.Shell.Render(w, r, p.template, shell.Page{Title: title, Nav: "sessions", Status: status, Data: data})
}

func templateValues(t *schedulingv1.Template) url.Values {
	v := url.Values{
		"version": texts([]int32{t.GetVersion()}), "template.departmentCode": {t.GetDepartmentCode()}, "template.kind": {t.GetKind()}, "template.grade": {t.GetGrade()},
		"template.practitionerId": {staffNumber(t.GetPractitionerId())}, "template.practitionerName": {t.GetPractitionerName()}, "template.equipmentId": {t.GetEquipmentId()},
		"template.location": {t.GetLocation()}, "template.pattern": {t.GetPattern().String()}, "template.weekdays": texts(t.GetWeekdays()),
		"template.every": texts([]int32{max(1, t.GetEvery())}), "template.anchor": {t.GetAnchor()}, "template.digits": texts(t.GetDigits()),
		"template.firstDay": {t.GetFirstDay()}, "template.lastDay": {t.GetLastDay()}, "template.starts": {t.GetStarts()}, "template.ends": {t.GetEnds()},
		"template.slotMinutes": texts([]int32{t.GetSlotMinutes()}),
	}
	if v.Set("template.onHolidays", ""); t.GetOnHolidays() {
		v.Set("template.onHolidays", "1")
	}
	return v
}

// templateOf reads the form. What the chosen kind and pattern have no use for is left out: without scripts the form sends all of it.
func templateOf(r *http.Request, organization string) (*schedulingv1.Template, error) {
	get := func(name string) string { return strings.TrimSpace(r.PostFormValue("template." + name)) }
	t := &schedulingv1.Template{
		Id: r.PostFormValue("id"), OrganizationId: organization, DepartmentCode: get("departmentCode"), Kind: get("kind"), Location: get("location"),
		Pattern:  schedulingv1.Pattern_Code(schedulingv1.Pattern_Code_value[get("pattern")]),
		FirstDay: get("firstDay"), LastDay: get("lastDay"), Starts: get("starts"), Ends: get("ends"), OnHolidays: get("onHolidays") != "",
	}
	if t.GetKind() == "EXAM" {
		t.EquipmentId = get("equipmentId")
	} else {
		t.Grade, t.PractitionerId, t.PractitionerName = get("grade"), get("practitionerId"), get("practitionerName")
	}
	every, err := number(r, "template.every")
	if err != nil {
		return nil, err
	}
	switch t.GetPattern() {
	case schedulingv1.Pattern_WEEKLY:
		t.Weekdays, t.Every = numbers(r.PostForm["template.weekdays"]), every
		if every > 1 {
			t.Anchor = get("anchor")
		}
	case schedulingv1.Pattern_INTERVAL:
		t.Every, t.Anchor = every, get("anchor")
	case schedulingv1.Pattern_SOLAR_DIGITS, schedulingv1.Pattern_LUNAR_DIGITS:
		t.Digits = numbers(r.PostForm["template.digits"])
	case schedulingv1.Pattern_UNSPECIFIED:
	}
	if t.SlotMinutes, err = number(r, "template.slotMinutes"); err != nil {
		return nil, err
	}
	t.Version, err = number(r, "version")
	return t, err
}

func (p *Pages) saveTemplate(w http.ResponseWriter, r *http.Request) error {
	if err := parse(r); err != nil {
		return err
	}
	r.PostForm.Set("id", r.PathValue("id"))
	place, err := p.Shell.Workplace(r)
	if err != nil {
		return p.templateAgain(w, r, err)
	}
	if r.PostFormValue("do") == "preview" {
		data, err := p.prepare(r)
		if err != nil {
			return err
		}
		data.New, data.ID, data.RequestID = r.PostFormValue("version") == "", r.PathValue("id"), r.PostFormValue("requestId")
		data.Form.Values = r.PostForm
		return p.drawTemplate(w, r, http.StatusOK, data)
	}
	var saved *schedulingv1.SaveTemplateResponse
	t, err := templateOf(r, place.ID)
	if err == nil {
		p.known(r, place.ID, t)
		saved, err = p.Calendar.SaveTemplate(r.Context(), &schedulingv1.SaveTemplateRequest{Template: t, RequestId: r.PostFormValue("requestId")})
	}
	if err != nil {
		return p.templateAgain(w, r, err)
	}
	if len(saved.GetConflicts()) == 0 {
		p.Shell.Flash(w, "schedules.template.saved")
		to := place.At("/schedules")
		if r.PostFormValue("do") == "next" {
			to = place.At("/schedules/templates/new", "like", saved.GetTemplate().GetId())
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
		return nil
	}
	data, err := p.prepare(r)
	if err != nil {
		return err
	}
	data.ID, data.Form.Values = saved.GetTemplate().GetId(), shell.Original(templateValues(saved.GetTemplate()), nil)
	now := saved.GetTemplate()
	data.Done = &outcome{
		Made: saved.GetMade(), Removed: saved.GetRemoved(), Conflicts: saved.GetConflicts(), RequestID: id.New(),
		Holder: shell.Named{ID: now.GetPractitionerId(), Name: now.GetPractitionerName()}, Location: now.GetLocation(),
	}
	return p.drawTemplate(w, r, http.StatusOK, data)
}

// known fills in the number of a practitioner whose name has one already. A template that goes to another name does not keep the number of the
// one before, who would be its doctor still: it is the other's, and what was typed only where nobody of that name has one (a name written anew).
func (p *Pages) known(r *http.Request, organization string, t *schedulingv1.Template) {
	if t.GetPractitionerName() == "" {
		return
	}
	list, err := p.Calendar.ListTemplates(r.Context(), &schedulingv1.ListTemplatesRequest{OrganizationId: organization, Ended: true})
	if err != nil {
		return
	}
	before := templateBefore(list.GetTemplates(), t.GetId())
	typed, same := t.GetPractitionerId(), before.GetPractitionerName() == t.GetPractitionerName()
	switch {
	case typed != "" && (same || typed != before.GetPractitionerId()):
		return
	case same && id.Valid(before.GetPractitionerId()): // an id of ours is not on the form
		t.PractitionerId = before.GetPractitionerId()
		return
	}
	var ids []string
	for _, other := range list.GetTemplates() {
		if other.GetPractitionerName() == t.GetPractitionerName() && other.GetPractitionerId() != "" && !slices.Contains(ids, other.GetPractitionerId()) {
			ids = append(ids, other.GetPractitionerId())
		}
	}
	if len(ids) == 1 {
		t.PractitionerId = ids[0]
	} else if len(ids) > 1 { // two of the same name must be told apart by number
		t.PractitionerId = ""
	}
}

func templateBefore(list []*schedulingv1.Template, wanted string) *schedulingv1.Template {
	for _, t := range list {
		if t.GetId() == wanted {
			return t
		}
	}
	return nil
}

func (p *Pages) templateAgain(w http.ResponseWriter, r *http.Request, cause error) error {
	return p.Shell.Again(w, r, shell.Under("template", cause), func(again shell.Refused) error {
		data, err := p.prepare(r)
		if err != nil {
			data.Alone = true
		}
		data.New, data.ID, data.Form, data.Problem, data.RequestID = r.PostFormValue("version") == "", r.PathValue("id"), again.Form, again.Problem, again.RequestID
		if errs.KindOf(cause) == errs.KindStale && !data.Alone {
			if now, ferr := p.findTemplate(r, data.Place.ID); ferr == nil {
				again.Rebase(templateValues(now), now.GetVersion())
				data.Form = again.Form
			}
		}
		return p.drawTemplate(w, r, again.Status, data)
	})
}

// endTemplate sets the last day of a template.
func (p *Pages) endTemplate(w http.ResponseWriter, r *http.Request) error {
	if err := parse(r); err != nil {
		return err
	}
	place, err := p.Shell.Workplace(r)
	if err != nil {
		return err
	}
	now, err := p.findTemplate(r, place.ID)
	if err != nil {
		return err
	}
	t := proto.CloneOf(now)
	t.LastDay = strings.TrimSpace(r.PostFormValue("template.lastDay"))
	if t.Version, err = number(r, "version"); err != nil {
		return err
	}
	values := shell.Original(templateValues(now), nil)
	values.Set("template.lastDay", t.GetLastDay())
	values.Set("requestId", r.PostFormValue("requestId"))
	var saved *schedulingv1.SaveTemplateResponse
	if t.GetLastDay() == "" {
		err = errs.Invalid(errs.Required("template.lastDay"))
	} else {
		saved, err = p.Calendar.SaveTemplate(r.Context(), &schedulingv1.SaveTemplateRequest{Template: t, RequestId: r.PostFormValue("requestId")})
	}
	if err != nil {
		r.PostForm = values
		return p.templateAgain(w, r, err)
	}
	if len(saved.GetConflicts()) == 0 {
		p.Shell.Flash(w, "schedules.template.ended")
		http.Redirect(w, r, place.At("/schedules"), http.StatusSeeOther)
		return nil
	}
	data, err := p.prepare(r)
	if err != nil {
		return err
	}
	data.ID, data.Form.Values = t.GetId(), shell.Original(templateValues(saved.GetTemplate()), nil)
	data.Done = &outcome{Made: saved.GetMade(), Removed: saved.GetRemoved(), Conflicts: saved.GetConflicts()}
	return p.drawTemplate(w, r, http.StatusOK, data)
}
