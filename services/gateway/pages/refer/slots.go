package refer

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
)

const (
	// maxDays is how many days with free slots the form offers.
	maxDays = 5
	// maxEarliest is how many of the earliest slots it offers over doctors and hospitals.
	maxEarliest = 6
)

// slotsData is what slots.html sees.
type slotsData struct {
	// Chosen tells whether a department was chosen, so that there is something to show.
	Chosen bool
	Kind   string
	// Wait is how long one waits, nil when it is not known.
	Wait *schedulingv1.WaitingTime
	// Earliest are the first free slots, each of another session. Expert sessions at the own centre are none of them: a referral up has another receiver.
	Earliest []choice
	Days     []slotDay
	Slot     string
	Bed      string
	Free     int32
	Total    int32
	Away     bool
	// Gone tells that the slot chosen earlier is not free any more.
	Gone bool
	// Join: the patient is to be put on the fallback list.
	Join bool
}

// Full tells that nothing can be booked, so that the fallback list is offered.
func (d slotsData) Full() bool {
	return d.Chosen && !d.Away && d.Kind != "EMERGENCY" && len(d.Earliest) == 0 && len(d.Days) == 0 && d.Free == 0
}

// choice is a slot to be taken with one click. Value names its place too where that is not the chosen department.
type choice struct {
	*schedulingv1.Slot
	Value, Where string
	// Before is what the patient must do before.
	Before string
}

// Reserved tells that townships come first for it.
func (c choice) Reserved() bool { return c.GetPool() == "RESERVED" }

type slotDay struct {
	Date    string
	Weekday string
	// Who sees patients that day.
	Who   string
	Slots []*schedulingv1.Slot
	// Open shows the day's times: the day of the chosen slot, or the first.
	Open bool
}

func (p *Pages) slots(w http.ResponseWriter, r *http.Request) error {
	data, err := p.loadSlots(r, r.URL.Query(), false)
	if err != nil {
		data = slotsData{Away: true}
	}
	return p.Shell.Fragment(w, r, p.slotsSet, "slots", data)
}

// settle puts the place of a chosen slot into the form, when the slot is of another department or hospital than the one chosen before.
func settle(form url.Values) {
	slot, place, elsewhere := strings.Cut(form.Get("slot"), "@")
	if !elsewhere {
		return
	}
	organization, department, _ := strings.Cut(place, "|")
	form.Set("slot", slot)
	form.Set("organization", organization)
	form.Set("department", department)
}

// sessionKind is what a kind of referral books.
func sessionKind(kind string) string {
	return map[string]string{"OUTPATIENT": "CLINIC", "EXAM": "EXAM", "INPATIENT": "BED"}[kind]
}

// loadSlots reads what can be booked. A form that was sent before holds its chosen slot, which is shown though not free.
func (p *Pages) loadSlots(r *http.Request, form url.Values, sent bool) (slotsData, error) {
	data := slotsData{Kind: form.Get("kind"), Bed: form.Get("bed"), Join: form.Get("waitlist") != ""}
	data.Slot, _, _ = strings.Cut(form.Get("slot"), "@")
	organization, code := form.Get("organization"), form.Get("department")
	if organization == "" || code == "" && data.Kind != "EXAM" {
		return data, nil
	}
	data.Chosen = true
	var err error
	switch data.Kind {
	case "OUTPATIENT":
		err = p.clinics(r, form, sent, &data)
	case "EXAM":
		err = p.exams(r, form, sent, &data)
	case "INPATIENT":
		err = p.freeBeds(r.Context(), organization, code, &data)
	}
	if kind := sessionKind(data.Kind); err == nil && kind != "" && code != "" {
		data.Wait = p.waiting(r.Context(), organization, code, kind, form.Get("modality"))
	}
	return data, err
}

// clinics are the slots of a department by day, and the earliest over doctors and hospitals.
func (p *Pages) clinics(r *http.Request, form url.Values, sent bool, data *slotsData) error {
	ctx, organization, code := r.Context(), form.Get("organization"), form.Get("department")
	list, err := p.Scheduling.ListSlots(ctx, &schedulingv1.ListSlotsRequest{
		OrganizationId: organization, Department: code, Kind: "CLINIC", FreeOnly: true, PageSize: 120,
	})
	if err != nil {
		return err
	}
	free := list.GetSlots()
	if sent {
		free = p.withChosen(ctx, form, "CLINIC", free)
	}
	data.Earliest = p.earliest(r, form, &schedulingv1.FindSlotsRequest{OrganizationIds: p.hospitals(r), Departments: []string{code}, Kind: "CLINIC", Limit: maxEarliest})
	data.gone(free)
	// What stands on top does not stand again below.
	data.Days = p.byDay(slices.DeleteFunc(slices.Clone(free), func(s *schedulingv1.Slot) bool {
		return slices.ContainsFunc(data.Earliest, func(c choice) bool { return c.GetId() == s.GetId() })
	}), data.Slot)
	return nil
}

// exams are the earliest slots of a modality, in whatever department the device stands, or of a department.
func (p *Pages) exams(r *http.Request, form url.Values, sent bool, data *slotsData) error {
	request := &schedulingv1.FindSlotsRequest{OrganizationIds: p.hospitals(r), Kind: "EXAM", Modality: form.Get("modality"), Limit: maxEarliest}
	switch {
	case request.GetModality() != "":
	case form.Get("department") != "":
		request.Departments = []string{form.Get("department")}
	default:
		data.Chosen = false
		return nil
	}
	answer, err := p.Allocation.FindSlots(r.Context(), request)
	if err != nil {
		return err
	}
	free := answer.GetSlots()
	if sent {
		free = p.withChosen(r.Context(), form, "EXAM", free)
	}
	data.Earliest = p.choicesOf(r, form, free)
	data.gone(nil)
	return nil
}

// gone marks that the chosen slot is neither among the earliest nor among the others that are free.
func (d *slotsData) gone(free []*schedulingv1.Slot) {
	chosen := func(s *schedulingv1.Slot) bool { return s.GetId() == d.Slot }
	if d.Slot == "" || slices.ContainsFunc(free, chosen) || slices.ContainsFunc(d.Earliest, func(c choice) bool { return chosen(c.Slot) }) {
		return
	}
	d.Gone, d.Slot = true, ""
}

func (p *Pages) freeBeds(ctx context.Context, organization, code string, data *slotsData) error {
	list, err := p.Scheduling.ListBeds(ctx, &schedulingv1.ListBedsRequest{OrganizationId: organization, Department: code})
	for _, b := range list.GetBeds() {
		data.Free += b.GetFree()
		data.Total += b.GetTotal()
	}
	return err
}

// earliest are the first free slots; none when they cannot be found, for the days are still there.
func (p *Pages) earliest(r *http.Request, form url.Values, request *schedulingv1.FindSlotsRequest) []choice {
	answer, err := p.Allocation.FindSlots(r.Context(), request)
	if err != nil {
		return nil
	}
	return p.choicesOf(r, form, answer.GetSlots())
}

func (p *Pages) choicesOf(r *http.Request, form url.Values, slots []*schedulingv1.Slot) []choice {
	county, err := p.Shell.Names().County(r.Context())
	language := p.Shell.Language(r)
	var out []choice
	for _, s := range slots {
		one := choice{Slot: s, Value: s.GetId(), Before: p.Shell.Preparation(r, s)}
		sameHouse := s.GetOrganizationId() == form.Get("organization")
		if !sameHouse || s.GetDepartmentCode() != form.Get("department") {
			one.Value += "@" + s.GetOrganizationId() + "|" + s.GetDepartmentCode()
			if err == nil {
				one.Where = county.DepartmentName(language, s.GetOrganizationId(), s.GetDepartmentCode())
			}
			if err == nil && !sameHouse {
				one.Where = county.OrganizationName(language, s.GetOrganizationId()) + " " + one.Where
			}
		}
		out = append(out, one)
	}
	return out
}

// hospitals are those that a patient can be sent up to.
func (p *Pages) hospitals(r *http.Request) []string {
	options, err := p.choices(r)
	if err != nil {
		return nil
	}
	out := make([]string, 0, len(options.Receivers))
	for _, one := range options.Receivers {
		out = append(out, one.ID)
	}
	return out
}

// waiting is how long one waits; nil when nobody knows.
func (p *Pages) waiting(ctx context.Context, organization, code, kind, modality string) *schedulingv1.WaitingTime {
	answer, err := p.Allocation.ListWaitingTimes(ctx, &schedulingv1.ListWaitingTimesRequest{OrganizationId: organization, Department: code})
	if err != nil {
		return nil
	}
	for _, w := range answer.GetWaitingTimes() {
		if w.GetKind() == kind && (kind != "EXAM" || w.GetModality() == modality) {
			return w
		}
	}
	return nil
}

// waitingTimes are those of all departments of an organisation by code, for the list of departments; of clinics, or beds for an admission.
func (p *Pages) waitingTimes(r *http.Request, organization, kind string) map[string]*schedulingv1.WaitingTime {
	out := map[string]*schedulingv1.WaitingTime{}
	wanted := sessionKind(kind)
	if organization == "" || wanted == "" || wanted == "EXAM" {
		return out
	}
	answer, err := p.Allocation.ListWaitingTimes(r.Context(), &schedulingv1.ListWaitingTimesRequest{OrganizationId: organization})
	if err != nil {
		return out
	}
	for _, w := range answer.GetWaitingTimes() {
		if w.GetKind() == wanted {
			out[w.GetDepartmentCode()] = w
		}
	}
	return out
}

// withChosen adds the slot that the form chose to the free ones: the form that was sent before holds it.
func (p *Pages) withChosen(ctx context.Context, form url.Values, kind string, free []*schedulingv1.Slot) []*schedulingv1.Slot {
	chosen, _, _ := strings.Cut(form.Get("slot"), "@")
	isChosen := func(s *schedulingv1.Slot) bool { return s.GetId() == chosen }
	if chosen == "" || form.Get("department") == "" || slices.ContainsFunc(free, isChosen) {
		return free
	}
	all, err := p.Scheduling.ListSlots(ctx, &schedulingv1.ListSlotsRequest{OrganizationId: form.Get("organization"), Department: form.Get("department"), Kind: kind, PageSize: 200})
	at := slices.IndexFunc(all.GetSlots(), isChosen)
	if err != nil || at < 0 {
		return free
	}
	free = append(slices.Clone(free), all.GetSlots()[at])
	slices.SortStableFunc(free, func(a, b *schedulingv1.Slot) int { return a.GetStart().AsTime().Compare(b.GetStart().AsTime()) })
	return free
}

func (p *Pages) byDay(slots []*schedulingv1.Slot, chosen string) []slotDay {
	var days []slotDay
	for _, s := range slots {
		at := s.GetStart().AsTime().In(p.Shell.Zone())
		date := at.Format(time.DateOnly)
		i := slices.IndexFunc(days, func(d slotDay) bool { return d.Date == date })
		if i < 0 {
			if len(days) == maxDays {
				break
			}
			days = append(days, slotDay{Date: date, Weekday: at.Weekday().String()})
			i = len(days) - 1
		}
		days[i].Slots = append(days[i].Slots, s)
		if name := s.GetPractitionerName(); !strings.Contains(days[i].Who, name) {
			days[i].Who = strings.TrimPrefix(days[i].Who+"、"+name, "、")
		}
	}
	open := max(0, slices.IndexFunc(days, func(d slotDay) bool {
		return slices.ContainsFunc(d.Slots, func(s *schedulingv1.Slot) bool { return s.GetId() == chosen })
	}))
	if len(days) > 0 {
		days[open].Open = true
	}
	return days
}
