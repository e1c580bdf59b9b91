package domain

import (
	"cmp"
	"slices"
	"time"
	"unicode/utf8"
)

// Effect is what an exception does to the templates it meets.
type Effect string

// The effects.
const (
	Closed     Effect = "CLOSED"     // no sessions
	Workday    Effect = "WORKDAY"    // works as Weekday says (调休上班)
	Substitute Effect = "SUBSTITUTE" // another practitioner or room
)

// ReasonCodes are why a session is closed, cancelled or held by another.
func ReasonCodes() []string {
	return []string{"HOLIDAY", "LEAVE", "TRAINING", "EQUIPMENT", "EPIDEMIC", "OTHER"}
}

// Exception is a departure from the templates. What it leaves empty it means for all.
type Exception struct {
	ID                                            string
	Version                                       int32
	OrganizationID, DepartmentCode                string
	TemplateID, PractitionerID                    string
	FirstDay, LastDay                             time.Time // both included
	Effect                                        Effect
	Weekday                                       int // of Workday
	SubstituteID, SubstituteName, SubstitutePlace string
	ReasonCode, Note                              string
}

// Faults are the fields that an exception may not have so.
func (e Exception) Faults() []Fault {
	var bad []Fault
	if e.ID == "" {
		bad = append(bad, Fault{"id", FaultRequired})
	}
	if e.OrganizationID == "" && (e.DepartmentCode != "" || e.TemplateID != "" || e.PractitionerID != "") {
		bad = append(bad, Fault{"organization_id", FaultRequired})
	}
	if e.FirstDay.IsZero() {
		bad = append(bad, Fault{"first_day", FaultRequired})
	}
	if e.LastDay.Before(e.FirstDay) || !e.FirstDay.IsZero() && e.LastDay.Sub(e.FirstDay) > 400*24*time.Hour {
		bad = append(bad, Fault{"last_day", FaultRange})
	}
	switch e.Effect {
	case Closed:
	case Workday:
		switch {
		case e.Weekday == 0:
			bad = append(bad, Fault{"weekday", FaultRequired})
		case e.Weekday < 1 || e.Weekday > 7:
			bad = append(bad, Fault{"weekday", FaultRange})
		}
	case Substitute:
		if e.SubstituteID == "" && e.SubstituteName == "" && e.SubstitutePlace == "" {
			bad = append(bad, Fault{"substitute_practitioner_id", FaultRequired})
		}
		if e.TemplateID == "" && e.PractitionerID == "" && e.DepartmentCode == "" {
			bad = append(bad, Fault{"template_id", FaultRequired})
		}
	default:
		bad = append(bad, Fault{"effect", FaultUnknown})
	}
	if e.Effect != Workday && !slices.Contains(ReasonCodes(), e.ReasonCode) || e.ReasonCode != "" && !slices.Contains(ReasonCodes(), e.ReasonCode) {
		bad = append(bad, Fault{"reason_code", FaultUnknown})
	}
	if utf8.RuneCountInString(e.Note) > 200 {
		bad = append(bad, Fault{"note", FaultLong})
	}
	return bad
}

// Concerns tells whether the exception speaks of the template at all.
func (e Exception) Concerns(t Template) bool {
	matches := func(want, have string) bool { return want == "" || want == have }
	return matches(e.OrganizationID, t.OrganizationID) && matches(e.DepartmentCode, t.DepartmentCode) &&
		matches(e.TemplateID, t.ID) && matches(e.PractitionerID, t.PractitionerID)
}

// width grows with what an exception leaves open: a template is narrower than a practitioner, that than a department, that than an organisation.
func (e Exception) width() int {
	w := 0
	for i, part := range []string{e.OrganizationID, e.DepartmentCode, e.PractitionerID, e.TemplateID} {
		if part == "" {
			w += 1 << i
		}
	}
	return w
}

// narrowest of those that concern the template on the day and have one of the effects. Of two as narrow that of fewer days counts, then the later one.
func narrowest(all []Exception, t Template, day time.Time, effects ...Effect) *Exception {
	var best *Exception
	for i, e := range all {
		if day.Before(e.FirstDay) || day.After(e.LastDay) || !slices.Contains(effects, e.Effect) || !e.Concerns(t) {
			continue
		}
		if best == nil || compareWidth(e, *best) < 0 {
			best = &all[i]
		}
	}
	return best
}

func compareWidth(a, b Exception) int {
	return cmp.Or(cmp.Compare(a.width(), b.width()), cmp.Compare(a.LastDay.Sub(a.FirstDay), b.LastDay.Sub(b.FirstDay)),
		b.FirstDay.Compare(a.FirstDay), cmp.Compare(b.ID, a.ID))
}

// coveredBy tells whether a closing that speaks of a person is made up for by a substitute for the template itself.
func (e Exception) coveredBy(who *Exception) bool {
	return who != nil && e.PractitionerID != "" && e.TemplateID == "" && who.TemplateID != ""
}

func (e Exception) putInto(s *Session) {
	if e.SubstituteID != "" || e.SubstituteName != "" {
		s.PractitionerID, s.PractitionerName = e.SubstituteID, e.SubstituteName
	}
	if e.SubstitutePlace != "" {
		s.Location = e.SubstitutePlace
	}
}
