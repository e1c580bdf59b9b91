package refer

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/parts"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// maxEarliest is how many of the earliest slots the form offers over doctors and hospitals, beside the days of the chosen one.
const maxEarliest = 6

// slotsData is what slots.html sees.
type slotsData struct {
	// Chosen tells whether a department was chosen, so that there is something to show.
	Chosen bool
	Kind   string
	// Wait is how long one waits, nil when it is not known.
	Wait *schedulingv1.WaitingTime
	// Earliest are the first free slots, each of another session. Expert sessions at the own centre are none of them: a referral up has another receiver.
	Earliest []choice
	Times    parts.Times
	// Looked tells that a day or a time beside the earliest was looked for: they are shown at once.
	Looked bool
	// Slot is the one that was chosen earlier; Kept says when it is, where it stands neither among the earliest nor among the times of the day.
	Slot string
	Kept *choice
	// Hold is that of the form for the slot.
	Hold  string
	Bed   string
	Free  int32
	Total int32
	Away  bool
	// Gone tells that the slot chosen earlier is not free any more.
	Gone bool
	// Join: the patient is to be put on the fallback list.
	Join bool
}

// Full tells that nothing can be booked, so that the fallback list is offered.
func (d slotsData) Full() bool {
	return d.Chosen && !d.Away && d.Kind != "EMERGENCY" && len(d.Earliest) == 0 && len(d.Times.Days) == 0 && d.Free == 0
}

// OnDays is how many times there are at the chosen department on all days.
func (d slotsData) OnDays() (n int32) {
	for _, day := range d.Times.Days {
		n += day.Free
	}
	return n
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

func (p *Pages) slots(w http.ResponseWriter, r *http.Request) error {
	data, err := p.loadSlots(r, r.URL.Query())
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
func (p *Pages) loadSlots(r *http.Request, form url.Values) (slotsData, error) {
	data := slotsData{Kind: form.Get("kind"), Bed: form.Get("bed"), Join: form.Get("waitlist") != ""}
	data.Slot, _, _ = strings.Cut(form.Get("slot"), "@")
	organization, code := form.Get("organization"), form.Get("department")
	if organization == "" || code == "" && data.Kind != "EXAM" {
		return data, nil
	}
	data.Chosen = true
	var err error
	switch kind := sessionKind(data.Kind); kind {
	case "CLINIC":
		err = p.times(r, form, &schedulingv1.FindSlotsRequest{Kind: kind, Departments: []string{code}}, &data)
	case "EXAM":
		// A device stands in whatever department.
		request := &schedulingv1.FindSlotsRequest{Kind: kind, Modality: form.Get("modality")}
		if request.GetModality() == "" {
			data.Chosen = false
			return data, nil
		}
		err = p.times(r, form, request, &data)
	case "BED":
		err = p.freeBeds(r.Context(), organization, code, &data)
	}
	if kind := sessionKind(data.Kind); err == nil && kind != "" && code != "" {
		data.Wait = p.waiting(r.Context(), organization, code, kind, form.Get("modality"))
	}
	return data, err
}

// times are the free times of the chosen hospital by day, and the earliest over doctors, devices and hospitals.
func (p *Pages) times(r *http.Request, form url.Values, request *schedulingv1.FindSlotsRequest, data *slotsData) error {
	ask := &schedulingv1.ListSlotsRequest{OrganizationId: form.Get("organization"), Kind: request.GetKind(), Modality: request.GetModality()}
	if len(request.GetDepartments()) > 0 {
		ask.Department = request.GetDepartments()[0]
	}
	kept, err := p.keptSlot(r.Context(), form, ask, data)
	if err != nil {
		return err
	}
	day := form.Get("day")
	if day == "" && kept != nil {
		day = kept.GetStart().AsTime().In(p.Shell.Zone()).Format(time.DateOnly)
	}
	name := p.placeName(r, form)
	data.Times, err = parts.LoadTimes(r.Context(), p.Scheduling, ask, day, func(s *schedulingv1.Slot) string { value, _ := name(s); return value })
	if err != nil {
		return err
	}
	request.OrganizationIds, request.Limit = p.hospitals(r), maxEarliest
	data.Earliest = p.earliest(r, form, request)
	// What stands on top does not stand again below.
	onTop := func(id string) bool {
		return slices.ContainsFunc(data.Earliest, func(c choice) bool { return c.GetId() == id })
	}
	data.Times = data.Times.Without(onTop)
	// The script sends a day when one is chosen; a form that is sent has always one.
	data.Looked = data.Times.Has(data.Slot) || form.Get("day") != "" && (r.Method == http.MethodGet || form.Get("do") == "slots")
	if kept != nil && !onTop(kept.GetId()) && !data.Times.Has(kept.GetId()) {
		data.Kept = &p.choicesOf(r, form, []*schedulingv1.Slot{kept})[0]
	}
	return nil
}

// keptSlot is the slot that was chosen earlier, whatever its day and hospital, if it is one of those that are asked for, and free or held by the form; nil
// when there is none.
func (p *Pages) keptSlot(ctx context.Context, form url.Values, asked *schedulingv1.ListSlotsRequest, data *slotsData) (*schedulingv1.Slot, error) {
	if data.Slot == "" {
		return nil, nil //nolint:nilnil // no slot was chosen
	}
	ask := proto.CloneOf(asked)
	if _, place, elsewhere := strings.Cut(form.Get("slot"), "@"); elsewhere {
		ask.OrganizationId, _, _ = strings.Cut(place, "|")
	}
	ask.SlotId = data.Slot
	list, err := p.Scheduling.ListSlots(ctx, ask)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(list.GetSlots(), func(s *schedulingv1.Slot) bool { return s.GetId() == data.Slot })
	if at >= 0 && form.Get("hold") != "" {
		hold, err := p.Scheduling.GetHold(ctx, &schedulingv1.GetHoldRequest{Id: form.Get("hold")})
		if err != nil && errs.KindOf(err) != errs.KindNotFound {
			return nil, err
		}
		if hold.GetSlotId() == data.Slot && shell.Lasts(hold) {
			data.Hold = hold.GetId()
			return list.GetSlots()[at], nil
		}
	}
	if at < 0 || !list.GetSlots()[at].GetFree() {
		data.Gone, data.Slot = true, ""
		return nil, nil //nolint:nilnil // it is gone
	}
	return list.GetSlots()[at], nil
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
	name := p.placeName(r, form)
	var out []choice
	for _, s := range slots {
		one := choice{Slot: s, Before: p.Shell.Preparation(r, s)}
		one.Value, one.Where = name(s)
		out = append(out, one)
	}
	return out
}

// placeName answers what the field of a slot sends, which names its place where that is not the chosen one, and that place in words.
func (p *Pages) placeName(r *http.Request, form url.Values) func(*schedulingv1.Slot) (value, where string) {
	county, err := p.Shell.Names().County(r.Context())
	language := p.Shell.Language(r)
	return func(s *schedulingv1.Slot) (value, where string) {
		value = s.GetId()
		sameHouse := s.GetOrganizationId() == form.Get("organization")
		if sameHouse && s.GetDepartmentCode() == form.Get("department") {
			return value, ""
		}
		value += "@" + s.GetOrganizationId() + "|" + s.GetDepartmentCode()
		if err != nil {
			return value, ""
		}
		where = county.DepartmentName(language, s.GetOrganizationId(), s.GetDepartmentCode())
		if !sameHouse {
			where = county.OrganizationName(language, s.GetOrganizationId()) + " " + where
		}
		return value, where
	}
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

// unsuited tells the field of the times that the hold was refused as one of another department or device; another time is to be chosen.
func unsuited(data *formData) {
	for i, e := range data.Form.Errors {
		if e.Name == "holdId" {
			data.Form.Errors[i].Name = "slot"
			data.Form.Values.Del("slot")
			data.Form.Values.Del("hold")
			data.HoldKey = id.New()
		}
	}
}
