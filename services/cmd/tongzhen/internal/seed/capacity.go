package seed

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// workingDays is how far ahead the sessions go.
const workingDays = 14

// beijing is the county's time, which knows no summer time.
func beijing() *time.Location { return time.FixedZone("Asia/Shanghai", 8*60*60) }

// days are the working days from that of asOf on, at midnight. Public holidays are not known here.
func days(asOf time.Time) []time.Time {
	y, m, d := asOf.In(beijing()).Date()
	var out []time.Time
	for day := time.Date(y, m, d, 0, 0, 0, 0, beijing()); len(out) < workingDays; day = day.AddDate(0, 0, 1) {
		if w := day.Weekday(); w != time.Saturday && w != time.Sunday {
			out = append(out, day)
		}
	}
	return out
}

// schedules are the sessions of the county hospital, day by day. accounts are those of the place: by login they tell
// who holds a session.
func (p place) schedules(asOf time.Time, accounts []*directoryv1.AccountEntry) []*schedulingv1.Schedule {
	byLogin := map[string]*directoryv1.Account{}
	for _, e := range accounts {
		byLogin[e.GetAccount().GetLogin()] = e.GetAccount()
	}
	var out []*schedulingv1.Schedule
	for n, day := range days(asOf) {
		for _, d := range hospitalDepartments() {
			if d.kind == "" {
				continue
			}
			who := byLogin[p.login(d.login(n))]
			out = append(out, p.session(d, who, day, morning()))
			if d.allDay {
				out = append(out, p.session(d, who, day, afternoon()))
			}
		}
	}
	return out
}

// half of a day, from midnight.
type half struct {
	name     string
	from, to time.Duration
}

func morning() half { return half{"am", 8 * time.Hour, 12 * time.Hour} }
func afternoon() half {
	return half{"pm", 14*time.Hour + 30*time.Minute, 17*time.Hour + 30*time.Minute}
}

func (p place) session(d department, who *directoryv1.Account, day time.Time, h half) *schedulingv1.Schedule {
	return &schedulingv1.Schedule{
		Id:             id.FromFact("seed", "schedule", p.code, d.code, day.Format(time.DateOnly), h.name),
		OrganizationId: p.organizationID(p.code + "H01"), DepartmentCode: d.code, Kind: d.kind,
		PractitionerId: who.GetId(), PractitionerName: who.GetName(), Location: d.location,
		Start: timestamppb.New(day.Add(h.from)), End: timestamppb.New(day.Add(h.to)), SlotMinutes: int32(d.minutes),
	}
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
