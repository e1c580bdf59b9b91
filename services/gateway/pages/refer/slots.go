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

// maxDays is how many days with free slots the form offers.
const maxDays = 5

// slotsData is what slots.html sees.
type slotsData struct {
	// Chosen tells whether a department was chosen, so that there is something to show.
	Chosen bool
	Kind   string
	Days   []slotDay
	Slot   string
	Bed    string
	Free   int32
	Total  int32
	Away   bool
	// Gone tells that the slot chosen earlier is not free any more.
	Gone bool
}

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
	data, err := p.loadSlots(r.Context(), r.URL.Query(), false)
	if err != nil {
		data = slotsData{Away: true}
	}
	return p.Shell.Fragment(w, r, p.slotsSet, "slots", data)
}

// loadSlots reads what can be booked. A form that was sent before holds its chosen slot, which is shown though not free.
func (p *Pages) loadSlots(ctx context.Context, form url.Values, sent bool) (slotsData, error) {
	data := slotsData{Kind: form.Get("kind"), Slot: form.Get("slot"), Bed: form.Get("bed")}
	organization, code := form.Get("organization"), form.Get("department")
	if organization == "" || code == "" {
		return data, nil
	}
	data.Chosen = true
	switch data.Kind {
	case "OUTPATIENT":
		list, err := p.Scheduling.ListSlots(ctx, &schedulingv1.ListSlotsRequest{
			OrganizationId: organization, Department: code, Kind: "CLINIC", FreeOnly: true, PageSize: 120,
		})
		if err != nil {
			return data, err
		}
		free := list.GetSlots()
		if sent {
			free = p.withChosen(ctx, organization, code, free, data.Slot)
		}
		data.Gone = data.Slot != "" && !slices.ContainsFunc(free, func(s *schedulingv1.Slot) bool { return s.GetId() == data.Slot })
		if data.Gone {
			data.Slot = ""
		}
		data.Days = p.byDay(free, data.Slot)
	case "INPATIENT":
		list, err := p.Scheduling.ListBeds(ctx, &schedulingv1.ListBedsRequest{OrganizationId: organization, Department: code})
		if err != nil {
			return data, err
		}
		for _, b := range list.GetBeds() {
			data.Free += b.GetFree()
			data.Total += b.GetTotal()
		}
	}
	return data, nil
}

// withChosen adds the chosen slot to the free ones.
func (p *Pages) withChosen(ctx context.Context, organization, code string, free []*schedulingv1.Slot, chosen string) []*schedulingv1.Slot {
	isChosen := func(s *schedulingv1.Slot) bool { return s.GetId() == chosen }
	if chosen == "" || slices.ContainsFunc(free, isChosen) {
		return free
	}
	all, err := p.Scheduling.ListSlots(ctx, &schedulingv1.ListSlotsRequest{OrganizationId: organization, Department: code, Kind: "CLINIC", PageSize: 200})
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
