package schedulefile

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	ics "github.com/arran4/golang-ical"
	"github.com/teambition/rrule-go"

	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// Properties of our own, so that a file that was exported is read as the same sessions.
const (
	propDepartment   = ics.ComponentProperty("X-TONGZHEN-DEPARTMENT")
	propKind         = ics.ComponentProperty("X-TONGZHEN-KIND")
	propGrade        = ics.ComponentProperty("X-TONGZHEN-GRADE")
	propPractitioner = ics.ComponentProperty("X-TONGZHEN-PRACTITIONER-ID")
	propName         = ics.ComponentProperty("X-TONGZHEN-PRACTITIONER")
	propEquipment    = ics.ComponentProperty("X-TONGZHEN-EQUIPMENT-ID")
	propMinutes      = ics.ComponentProperty("X-TONGZHEN-SLOT-MINUTES")

	uidSuffix = "@tongzhen"
	// earliestRule keeps a rule from being followed through centuries.
	earliestRule = 2000
	longestText  = 100
)

// ReadICS reads the events of a calendar: each occurrence within the options' span is a session. One that is cancelled, or moved away, is none.
func ReadICS(content []byte, o Options) File {
	var f File
	utf, ok := text(content)
	if !ok || len(content) > MaxBytes {
		f.refuse(1, "", domain.FaultInvalid)
		return f
	}
	calendar, err := ics.ParseCalendar(bytes.NewReader(utf))
	if err != nil {
		f.refuse(1, "", domain.FaultInvalid)
		return f
	}
	lines := eventLines(utf)
	events := calendar.Events()
	moved := overrides(events, o)
	for i, e := range events {
		line := 1
		if i < len(lines) {
			line = lines[i]
		}
		if !f.event(event{e, line, moved}, o) {
			return f
		}
	}
	return f
}

// eventLines are the lines on which events begin.
func eventLines(content []byte) (lines []int) {
	n := 0
	for line := range bytes.Lines(content) {
		n++
		if strings.EqualFold(string(bytes.TrimSpace(line)), "BEGIN:VEVENT") {
			lines = append(lines, n)
		}
	}
	return lines
}

// event is one of the file; moved are occurrences that another event of the same UID replaces.
type event struct {
	*ics.VEvent
	line  int
	moved map[string][]time.Time
}

func overrides(events []*ics.VEvent, o Options) map[string][]time.Time {
	out := map[string][]time.Time{}
	for _, e := range events {
		if p := e.GetProperty(ics.ComponentPropertyRecurrenceId); p != nil {
			if at, _, ok := instantOf(p, o.Zone); ok {
				out[e.Id()] = append(out[e.Id()], at)
			}
		}
	}
	return out
}

func (e event) value(p ics.ComponentProperty) string {
	found := e.GetProperty(p)
	if found == nil {
		return ""
	}
	return strings.TrimSpace(ics.FromText(found.Value))
}

// event adds the sessions of one event; false when the file has too many.
func (f *File) event(e event, o Options) bool {
	if strings.EqualFold(e.value(ics.ComponentPropertyStatus), "CANCELLED") {
		return true
	}
	start, end, ok := f.times(e, o)
	if !ok {
		return true
	}
	s, ok := f.sessionOf(e, o)
	if !ok {
		return true
	}
	starts, ok := f.occurrences(e, start, o)
	if !ok {
		return true
	}
	repeats := e.HasProperty(ics.ComponentPropertyRrule) || e.HasProperty(ics.ComponentPropertyRecurrenceId)
	for _, at := range starts {
		if len(f.Sessions) == MaxSessions {
			f.refuse(e.line, "RRULE", domain.FaultRange)
			return false
		}
		one := s
		one.Line, one.Start, one.End = e.line, at.UTC(), at.Add(end.Sub(start)).UTC()
		one.Key = e.Id()
		if repeats {
			one.Key += "/" + one.Start.Format(time.RFC3339)
			one.ID = ""
		}
		f.Sessions = append(f.Sessions, one)
	}
	return true
}

func (f *File) times(e event, o Options) (start, end time.Time, ok bool) {
	read := func(p ics.ComponentProperty) (time.Time, bool) {
		found := e.GetProperty(p)
		if found == nil {
			f.refuse(e.line, string(p), domain.FaultRequired)
			return time.Time{}, false
		}
		at, day, ok := instantOf(found, o.Zone)
		if !ok || day {
			f.refuse(e.line, string(p), domain.FaultInvalid)
		}
		return at, ok && !day
	}
	if start, ok = read(ics.ComponentPropertyDtStart); !ok {
		return start, end, false
	}
	if end, ok = read(ics.ComponentPropertyDtEnd); !ok {
		return start, end, false
	}
	if !end.After(start) || end.Sub(start) > 24*time.Hour {
		f.refuse(e.line, "DTEND", domain.FaultRange)
		return start, end, false
	}
	return start, end, true
}

// instantOf reads a date-time of UTC, of a zone, or of none, which is the county's. day: it is a date alone.
func instantOf(p *ics.IANAProperty, zone *time.Location) (at time.Time, day, ok bool) {
	value := strings.TrimSpace(p.Value)
	if len(value) == len("20060102") {
		at, err := time.ParseInLocation("20060102", value, zone)
		return at, true, err == nil
	}
	if strings.HasSuffix(value, "Z") {
		at, err := time.Parse("20060102T150405Z", value)
		return at, false, err == nil
	}
	if id := p.ICalParameters["TZID"]; len(id) > 0 {
		if named, err := time.LoadLocation(strings.Trim(id[0], "/")); err == nil && id[0] != "" {
			zone = named
		}
	}
	at, err := time.ParseInLocation("20060102T150405", value, zone)
	return at, false, err == nil
}

// sessionOf is what an event says besides its times.
func (f *File) sessionOf(e event, o Options) (Session, bool) {
	name := e.value(propName)
	if name == "" && !e.HasProperty(propKind) {
		name = e.value(ics.ComponentPropertySummary)
	}
	s := Session{Equipment: e.value(propEquipment), Session: domain.Session{
		DepartmentCode: cmp.Or(e.value(propDepartment), o.DepartmentCode), Kind: cmp.Or(strings.ToUpper(e.value(propKind)), domain.KindClinic),
		Grade: strings.ToUpper(e.value(propGrade)), PractitionerID: e.value(propPractitioner), PractitionerName: cut(name, 40),
		Location: cut(e.value(ics.ComponentPropertyLocation), longestText), SlotMinutes: o.SlotMinutes,
	}}
	if id, ours := strings.CutSuffix(e.Id(), uidSuffix); ours {
		s.ID = id
	}
	if text := e.value(propMinutes); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 480 {
			f.refuse(e.line, string(propMinutes), domain.FaultInvalid)
			return s, false
		}
		s.SlotMinutes = n
	}
	switch {
	case s.DepartmentCode == "":
		f.refuse(e.line, string(propDepartment), domain.FaultRequired)
		return s, false
	case s.SlotMinutes == 0:
		f.refuse(e.line, string(propMinutes), domain.FaultRequired)
		return s, false
	case e.Id() == "":
		f.refuse(e.line, "UID", domain.FaultRequired)
		return s, false
	}
	return s, true
}

func cut(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most])
}

// occurrences are the starts of the event: its own, or those of its rule within the span, without what is taken out or replaced.
func (f *File) occurrences(e event, start time.Time, o Options) ([]time.Time, bool) {
	rule := e.GetProperty(ics.ComponentPropertyRrule)
	if rule == nil {
		return []time.Time{start}, true
	}
	refuse := func(reason string) ([]time.Time, bool) {
		f.refuse(e.line, "RRULE", reason)
		return nil, false
	}
	option, err := rrule.StrToROptionInLocation(rule.Value, o.Zone)
	if err != nil {
		return refuse(domain.FaultInvalid)
	}
	if option.Freq > rrule.DAILY || start.Year() < earliestRule || option.Interval > 1000 {
		return refuse(domain.FaultRange)
	}
	option.Dtstart = start
	if option.Until.IsZero() || option.Until.After(o.To) {
		option.Until = o.To
	}
	made, err := rrule.NewRRule(*option)
	if err != nil {
		return refuse(domain.FaultInvalid)
	}
	out := map[int64]time.Time{}
	next := made.Iterator()
	for range maxSteps {
		at, more := next()
		if !more || !at.Before(o.To) {
			break
		}
		if !at.Before(o.From) {
			out[at.Unix()] = at
		}
	}
	for _, at := range append(exDates(e, o.Zone), e.moved[e.Id()]...) {
		delete(out, at.Unix())
	}
	starts := make([]time.Time, 0, len(out))
	for _, at := range out {
		starts = append(starts, at)
	}
	slices.SortFunc(starts, time.Time.Compare)
	return starts, true
}

// maxSteps is how many occurrences of a rule are looked at: thirty years of days.
const maxSteps = 11000

func exDates(e event, zone *time.Location) (out []time.Time) {
	for _, p := range e.GetProperties(ics.ComponentPropertyExdate) {
		for value := range strings.SplitSeq(p.Value, ",") {
			one := *p
			one.Value = value
			if at, _, ok := instantOf(&one, zone); ok {
				out = append(out, at)
			}
		}
	}
	return out
}

// WriteICS writes sessions as events, as ReadICS reads them; now is the stamp. A cancelled one is written as such.
func WriteICS(sessions []Session, cancelled map[string]bool, now time.Time) []byte {
	calendar := ics.NewCalendarFor("Tongzhen")
	calendar.SetMethod(ics.MethodPublish)
	for _, s := range sessions {
		e := calendar.AddEvent(s.ID + uidSuffix)
		e.SetDtStampTime(now)
		e.SetStartAt(s.Start)
		e.SetEndAt(s.End)
		e.SetSummary(strings.TrimSpace(s.DepartmentCode + " " + s.PractitionerName))
		if s.Location != "" {
			e.SetLocation(s.Location)
		}
		for _, p := range []struct {
			name  ics.ComponentProperty
			value string
		}{{propDepartment, s.DepartmentCode}, {propKind, s.Kind}, {propGrade, s.Grade}, {propPractitioner, s.PractitionerID},
			{propName, s.PractitionerName}, {propEquipment, s.EquipmentID}, {propMinutes, strconv.Itoa(s.SlotMinutes)}} {
			if p.value != "" {
				e.SetProperty(p.name, ics.ToText(p.value))
			}
		}
		if cancelled[s.ID] {
			e.SetStatus(ics.ObjectStatusCancelled)
		}
	}
	return []byte(calendar.Serialize())
}
