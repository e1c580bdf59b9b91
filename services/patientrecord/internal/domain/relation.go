package domain

import "time"

// Level is how much of a patient an organisation may see; a higher one includes the lower.
type Level uint8

// Levels of architecture.md. BREAK_GLASS is no level: it is what a search answers when there is none.
const (
	LevelNone Level = iota
	LevelIndex
	LevelPackage
	LevelFull
	LevelSensitive
)

// RelationKind is why an organisation has to do with a patient.
type RelationKind string

// Kinds of relations.
const (
	Home      RelationKind = "HOME"
	Encounter RelationKind = "ENCOUNTER"
	Referral  RelationKind = "REFERRAL"
)

// Relation lets one organisation look at one patient, from From until To (exclusive; zero = open).
type Relation struct {
	PatientID    string
	Organization string
	Kind         RelationKind
	// Source is the referral's id, or "registration", "import" or "visit".
	Source string
	Level  Level
	From   time.Time
	To     time.Time
}

// Sources of relations that this service makes itself.
const (
	FromRegistration = "registration"
	FromImport       = "import"
	FromVisit        = "visit"
)

// HomeRelation: the home organisation sees everything.
func HomeRelation(patient, organization, source string, now time.Time) Relation {
	return Relation{PatientID: patient, Organization: organization, Kind: Home, Source: source, Level: LevelFull, From: now}
}

// EncounterRelation: whoever has the patient in front of them sees everything.
func EncounterRelation(patient, organization, source string, now time.Time) Relation {
	return Relation{PatientID: patient, Organization: organization, Kind: Encounter, Source: source, Level: LevelFull, From: now}
}

// VisitRelation: the organisation that a patient came to without a referral sees everything, for some days.
func VisitRelation(g Glass) Relation {
	r := EncounterRelation(g.PatientID, g.Organization, FromVisit, g.From)
	r.To = g.To
	return r
}

// Holds reports whether the relation counts at the given moment.
func (r Relation) Holds(at time.Time) bool {
	return !r.From.After(at) && (r.To.IsZero() || r.To.After(at))
}

// LevelOf is the one place that decides what an organisation may see: the highest level among its relations that hold.
func LevelOf(relations []Relation, at time.Time) Level {
	level := LevelNone
	for _, r := range relations {
		if r.Holds(at) && r.Level > level {
			level = r.Level
		}
	}
	return level
}
