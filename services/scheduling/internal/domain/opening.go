package domain

import "time"

// OpenBefore is the other way round of Opens: at now, a slot of the pool may be taken if it starts before the answer. now is in the county's zone, as
// start is for Opens.
func (p Policy) OpenBefore(pool string, now time.Time, township bool) time.Time {
	y, m, d := now.Date()
	day := func(days int) time.Time { return time.Date(y, m, d+days+1, 0, 0, 0, 0, now.Location()) }
	common := day(p.CommonDays)
	if pool != Reserved {
		return common
	}
	if township {
		return day(p.CommonDays + p.ReserveLeadDays)
	}
	// A slot that falls back at this very instant is open.
	fallback := now.Add(time.Duration(p.FallbackHours)*time.Hour + time.Microsecond)
	if fallback.After(common) {
		return common
	}
	return fallback
}

// Policies are those of a county: by organisation, and under "" the county's own.
type Policies map[string]Policy

// Of an organisation: its own, else the county's, else the default.
func (p Policies) Of(organizationID string) Policy {
	if own, ok := p[organizationID]; ok {
		return own
	}
	if county, ok := p[""]; ok {
		return county
	}
	return DefaultPolicy()
}

// Device is what an examination is made with.
type Device struct{ Name, Modality, Preparation, PreparationEnglish string }

// StateOpen is the state of a session that takes place.
const StateOpen = "OPEN"
