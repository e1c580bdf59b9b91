package seed

import (
	"time"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// beijing is the county's time, which knows no summer time.
func beijing() *time.Location { return time.FixedZone("Asia/Shanghai", 8*60*60) }

// half of a day: HH:MM.
type half struct{ name, from, to string }

func morning() half   { return half{"am", "08:00", "12:00"} }
func afternoon() half { return half{"pm", "14:30", "17:30"} }

// slots is how many patients a half has.
func (h half) slots(minutes int) int {
	from, _ := time.Parse("15:04", h.from)
	to, _ := time.Parse("15:04", h.to)
	return int(to.Sub(from).Minutes()) / minutes
}

// plan is a template and how many slots each of its sessions has.
type plan struct {
	*schedulingv1.Template
	slots int
}

// equipment of the hospital, with what a patient must do before.
func (p place) equipment() []*schedulingv1.Equipment {
	var out []*schedulingv1.Equipment
	for _, d := range devices() {
		out = append(out, &schedulingv1.Equipment{Id: p.equipmentID(d.department), OrganizationId: p.organizationID(p.code + "H01"), DepartmentCode: d.department,
			Modality: d.modality, Name: d.name, Location: d.location, Preparation: d.preparation, PreparationEnglish: d.english, InService: true})
	}
	return out
}

func (p place) equipmentID(department string) string {
	return id.FromFact("seed", "equipment", p.code, department)
}

// plans are what the sessions of the county come from: clinics and examinations on working days, in which two doctors of a department take turns, the first
// of them as an expert, and the hospital's specialists at two township centres on market days. accounts are those of the place.
func (p place) plans(asOf time.Time, accounts []*directoryv1.AccountEntry) []plan {
	byLogin := map[string]*directoryv1.Account{}
	for _, e := range accounts {
		byLogin[e.GetAccount().GetLogin()] = e.GetAccount()
	}
	var out []plan
	add := func(name string, who *directoryv1.Account, h half, t *schedulingv1.Template) {
		t.Id = id.FromFact("seed", "template", p.code, t.GetOrganizationId(), t.GetDepartmentCode(), name)
		t.PractitionerId, t.PractitionerName = who.GetId(), who.GetName()
		t.Starts, t.Ends, t.FirstDay = h.from, h.to, asOf.In(beijing()).Format(time.DateOnly)
		out = append(out, plan{t, h.slots(int(t.GetSlotMinutes()))})
	}
	for _, d := range hospitalDepartments() {
		for _, s := range d.sittings() {
			t := &schedulingv1.Template{OrganizationId: p.organizationID(p.code + "H01"), DepartmentCode: d.code, Kind: s.kind, Grade: s.grade,
				Location: d.location, Pattern: schedulingv1.Pattern_WEEKLY, Weekdays: s.weekdays, SlotMinutes: int32(s.minutes)}
			if s.kind == exam {
				t.EquipmentId, t.Location = p.equipmentID(d.code), ""
			}
			add(s.name, byLogin[p.login(d.login(s.doctor))], s.half, t)
		}
	}
	for _, m := range markets() {
		t := &schedulingv1.Template{OrganizationId: p.organizationID(p.nth(m.township).code), DepartmentCode: "02", Kind: "EXPERT", Grade: "EXPERT",
			Location: "门诊1层专家诊室", Pattern: m.pattern, Digits: m.digits, SlotMinutes: 15, OnHolidays: true}
		add("market", byLogin[p.login(m.login)], half{"market", "09:00", "12:00"}, t)
	}
	return out
}

// wards of the hospital and of the township centres.
func (p place) wards() []*schedulingv1.Ward {
	var out []*schedulingv1.Ward
	for _, d := range hospitalDepartments() {
		out = p.ward(out, p.code+"H01", d, d.name+"病区")
	}
	for _, t := range p.townships {
		for _, d := range centreDepartments() {
			out = p.ward(out, t.code, d, "综合病房")
		}
	}
	return out
}

func (p place) ward(list []*schedulingv1.Ward, organization string, d department, name string) []*schedulingv1.Ward {
	if d.beds == 0 {
		return list
	}
	return append(list, &schedulingv1.Ward{
		Id:             id.FromFact("seed", "ward", p.code, organization, d.code),
		OrganizationId: p.organizationID(organization), DepartmentCode: d.code, Name: name, Beds: int32(d.beds),
	})
}
