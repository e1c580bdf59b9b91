package parts

import (
	"context"
	"slices"
	"strings"
	"time"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
)

const (
	timesPage = 200
	// timesPages is how many pages of one day are read: a large department has 300 times a day.
	timesPages = 4
)

// Times are the free times of one day, and the days on which there are others.
type Times struct {
	Days []TimesDay
	// Day is the local date whose times are shown.
	Day     string
	Holders []Holder
	// First is the earliest slot of all days, nil when nothing is free.
	First *schedulingv1.Slot
	// More: the day has times that are not shown.
	More bool
}

// TimesDay is a local date with free slots.
type TimesDay struct {
	Date, Weekday string
	Free          int32
}

// Holder is a doctor or device with the free times of the day, in order.
type Holder struct {
	Name, Where string
	Times       []Time
}

// Time is a slot to choose; Value is what its field sends.
type Time struct {
	*schedulingv1.Slot
	Value string
}

// LoadTimes reads the times of a day, of the first day with free slots when that one has none. ask says of what; its page and span are set here. value
// is what the field of a slot sends.
func LoadTimes(ctx context.Context, client schedulingv1.SchedulingServiceClient, ask *schedulingv1.ListSlotsRequest, day string, value func(*schedulingv1.Slot) string) (Times, error) {
	ask.FreeOnly, ask.CountDays, ask.PageSize = true, true, 1
	list, err := client.ListSlots(ctx, ask)
	if err != nil {
		return Times{}, err
	}
	var out Times
	if len(list.GetSlots()) > 0 {
		out.First = list.GetSlots()[0]
	}
	for _, d := range list.GetDays() {
		date, bad := time.Parse(time.DateOnly, d.GetDate())
		if bad != nil {
			continue
		}
		out.Days = append(out.Days, TimesDay{Date: d.GetDate(), Weekday: date.Weekday().String(), Free: d.GetFree()})
		if d.GetDate() == day || out.Day == "" {
			out.Day = d.GetDate()
			ask.From, ask.To = d.GetDate(), date.AddDate(0, 0, 1).Format(time.DateOnly)
		}
	}
	if out.Day == "" {
		return out, nil
	}
	ask.CountDays, ask.PageSize = false, timesPage
	for range timesPages {
		if list, err = client.ListSlots(ctx, ask); err != nil {
			return Times{}, err
		}
		for _, s := range list.GetSlots() {
			out.add(Time{s, value(s)})
		}
		if ask.PageToken = list.GetNextPageToken(); ask.PageToken == "" {
			return out, nil
		}
	}
	out.More = true
	return out, nil
}

func (t *Times) add(s Time) {
	name := strings.Trim(s.GetPractitionerName()+" · "+s.GetEquipmentName(), " ·")
	at := slices.IndexFunc(t.Holders, func(h Holder) bool { return h.Name == name && h.Where == s.GetLocation() })
	if at < 0 {
		at = len(t.Holders)
		t.Holders = append(t.Holders, Holder{Name: name, Where: s.GetLocation()})
	}
	t.Holders[at].Times = append(t.Holders[at].Times, s)
}

// Has tells whether a slot is among the times that are shown.
func (t Times) Has(slotID string) bool {
	return slices.ContainsFunc(t.Holders, func(h Holder) bool {
		return slices.ContainsFunc(h.Times, func(s Time) bool { return s.GetId() == slotID })
	})
}

// Earliest is the id of the first of them, "" when there is none.
func (t Times) Earliest() string {
	var first *schedulingv1.Slot
	for _, h := range t.Holders {
		if len(h.Times) > 0 && (first == nil || h.Times[0].GetStart().AsTime().Before(first.GetStart().AsTime())) {
			first = h.Times[0].Slot
		}
	}
	return first.GetId()
}

// Without leaves out slots that stand somewhere else already.
func (t Times) Without(shown func(slotID string) bool) Times {
	var holders []Holder
	for _, h := range t.Holders {
		if h.Times = slices.DeleteFunc(h.Times, func(s Time) bool { return shown(s.GetId()) }); len(h.Times) > 0 {
			holders = append(holders, h)
		}
	}
	t.Holders = holders
	return t
}

// Modalities are the kinds of devices that an examination can be booked on.
func Modalities() []string {
	return strings.Fields("CT MR US DX MG NM ES ECG LAB PF OTHER")
}
