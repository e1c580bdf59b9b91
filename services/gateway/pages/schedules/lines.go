package schedules

import (
	"net/http"
	"strconv"
	"strings"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

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
	default:
		p.ruleLines(r, c, set)
	}
	return out
}

// ruleLines are those of a device, a ward or a policy.
func (p *Pages) ruleLines(r *http.Request, c *schedulingv1.CalendarChange, set func(key string, parts ...string)) {
	switch {
	case c.GetEquipment() != nil:
		e := c.GetEquipment()
		set("field.equipment.name", e.GetName())
		set("field.equipment.location", e.GetLocation())
		set("field.equipment.preparation", e.GetPreparation())
		set("field.equipment.preparationEnglish", e.GetPreparationEnglish())
		set("schedules.device.state", p.Shell.T(r, map[bool]string{true: "schedules.device.in", false: "schedules.device.out"}[e.GetInService()]))
	case c.GetWard() != nil:
		sex := "both"
		if s := c.GetWard().GetSex(); s != "" {
			sex = s
		}
		set("beds.class", p.Shell.T(r, "beds.class."+c.GetWard().GetClass()))
		set("beds.sex", p.Shell.T(r, "beds.sex."+sex))
		set("field.cleaningMinutes", strconv.Itoa(int(c.GetWard().GetCleaningMinutes())))
		if n := c.GetWard().GetTotal(); n > 0 {
			set("field.ward.beds", strconv.Itoa(int(n)))
		}
	case c.GetPolicy() != nil:
		values := policyValues(c.GetPolicy())
		for _, name := range policyFields() {
			set("field.policy."+name, values.Get("policy."+name), p.Shell.T(r, "schedules.policy.unit."+name))
		}
		if c.GetPolicy().GetInherited() {
			set("schedules.policy.whose", p.Shell.T(r, "schedules.policy.followed"))
		} else if c.GetPolicy().GetOrganizationId() != "" {
			set("schedules.policy.whose", p.Shell.T(r, "schedules.policy.own"))
		}
	}
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
	set("field.exception.practitionerId", staffNumber(e.GetPractitionerId()))
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
