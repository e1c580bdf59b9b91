package domain

import (
	"fmt"
	"strings"
	"time"
)

// Patient is a county's record of one person. The zero Patient is not one.
type Patient struct {
	id           string
	version      int32
	demographics Demographics
	home         string
	created      time.Time
	updated      time.Time
	facts        []Fact
	renumbered   bool
}

// Fact is what happened to a patient record; whoever stores the patient also audits and, where the contract names it, publishes it.
type Fact struct {
	Name             string
	HomeOrganization string
	// Removed names the numbers that a correction took away, for the audit.
	Removed string
	// Stay and EncounterID are set when it happened to an encounter.
	Stay        *Stay
	EncounterID string
	// Result is the entry that ResultRecorded is about.
	Result Entry
	// Survivor is set when the record was merged into another, or taken out of it again.
	Survivor string
	// Glass is set when it is about one.
	Glass *Glass
	// Consent is set when it is about one.
	Consent *Consent
	// Holders are the organisations with a relation, when a consent to what is sensitive was withdrawn.
	Holders []string
}

// Names of facts.
const (
	// Registered: the record is new. Published.
	Registered = "patient_registered"
	// Corrected: demographics or home changed. Audited only.
	Corrected = "patient_corrected"
	// Merged: the record is one with Survivor from now on. Published, as of the merged record.
	Merged = "patient_merged"
	// Unmerged: it is a record of its own again. Published, as of the record that was merged.
	Unmerged = "patient_unmerged"
	// GlassBroken: somebody found a way around the care relation. Published.
	GlassBroken = "glass_broken"
	// GaveConsent and WithdrewConsent: somebody agreed to something, or took it back. Published.
	GaveConsent     = "consent_given"
	WithdrewConsent = "consent_withdrawn"
)

// NewPatient is version 1. home is the township centre that looks after the patient; it may be empty.
func NewPatient(id string, d Demographics, home string, now time.Time) Patient {
	return Patient{
		id: id, version: 1, demographics: d, home: home, created: now, updated: now,
		facts: []Fact{{Name: Registered, HomeOrganization: home}},
	}
}

// Kept is a patient as a store keeps it.
type Kept struct {
	ID               string
	Version          int32
	Demographics     Demographics
	Home             string
	Created, Updated time.Time
}

// RestorePatient trusts what a store kept.
func RestorePatient(k Kept) Patient {
	return Patient{
		id: k.ID, version: k.Version, demographics: k.Demographics, home: k.Home,
		created: k.Created.UTC(), updated: k.Updated.UTC(),
	}
}

// Keep is the reverse of RestorePatient; facts are not kept.
func (p Patient) Keep() Kept {
	return Kept{
		ID: p.id, Version: p.version, Demographics: p.demographics, Home: p.home,
		Created: p.created, Updated: p.updated,
	}
}

// ID of the patient in the county.
func (p Patient) ID() string { return p.id }

// Version grows by one with every change.
func (p Patient) Version() int32 { return p.version }

// Demographics as last known.
func (p Patient) Demographics() Demographics { return p.demographics }

// Home is the organisation that looks after the patient; may be empty.
func (p Patient) Home() string { return p.home }

// Facts since the patient was made or restored.
func (p Patient) Facts() []Fact { return p.facts }

// Renumbered: the number of the document is another than that of the patient who was restored.
func (p Patient) Renumbered() bool { return p.renumbered }

// Format prints the id in every verb.
func (p Patient) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "patient %s", p.id) }

// Correct is the patient with other demographics and home; the same values change nothing, so a repeated import makes no version.
func (p Patient) Correct(d Demographics, home string, now time.Time) (Patient, bool) {
	if p.demographics == d && p.home == home {
		return p, false
	}
	removed := d.lost(p.demographics)
	p.version++
	p.renumbered = p.renumbered || p.demographics.Number() != d.Number()
	p.demographics, p.home, p.updated = d, home, now
	p.facts = append(p.facts[:len(p.facts):len(p.facts)], Fact{Name: Corrected, HomeOrganization: home, Removed: strings.Join(removed, " ")})
	return p, true
}

// MergeInto is the record after it was merged into survivor. Its demographics, and whatever else was written about it, stay as they were: a
// merge is a link that can be taken away again.
func (p Patient) MergeInto(survivor string, now time.Time) Patient {
	return p.linked(Fact{Name: Merged, HomeOrganization: p.home, Survivor: survivor}, now)
}

// TakeOut is the record after it was taken out of survivor again.
func (p Patient) TakeOut(survivor string, now time.Time) Patient {
	return p.linked(Fact{Name: Unmerged, HomeOrganization: p.home, Survivor: survivor}, now)
}

func (p Patient) linked(f Fact, now time.Time) Patient {
	p.version++
	p.updated = now
	p.facts = append(p.facts[:len(p.facts):len(p.facts)], f)
	return p
}
