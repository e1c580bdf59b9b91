package app

import (
	"context"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// Candidates keeps the patients who could go down and have not.
type Candidates interface {
	// Candidate is NOT_FOUND for an unknown id.
	Candidate(ctx context.Context, county, id string) (CandidateView, error)
	// ListCandidates is a page, the soonest due first.
	ListCandidates(ctx context.Context, q CandidateQuery) ([]CandidateView, error)
	// ChangeCandidate runs decide on one candidate in one transaction with audit, request log and facts. A request that was answered before
	// changes nothing and is answered with the candidate as it is now. Errors: those of decide; NOT_FOUND; STALE_VERSION; REQUEST_ID_REUSED.
	ChangeCandidate(ctx context.Context, cmd Command, id string, decide func(c *domain.Candidate, now time.Time) error) (CandidateView, error)
	// TakeFact runs decide for the service itself, in one transaction with the note that the fact was taken; again it does nothing. Without
	// a fact id it runs in any case.
	TakeFact(ctx context.Context, county, factID string, decide func(Unit) error) error
	// NoteCandidateRead puts an audit entry: the caller opened the candidate.
	NoteCandidateRead(ctx context.Context, caller authn.Identity, c domain.CandidateSnapshot) error

	// StaysDue are at most n watched stays that are due, the longest due first.
	StaysDue(ctx context.Context, n int) ([]StayWatch, error)
	// DelayStay lets a watched stay be due later; never sooner.
	DelayStay(ctx context.Context, w StayWatch, due time.Time) error
}

// CandidateUnit is what a transaction does about candidates. It is part of [Unit].
type CandidateUnit interface {
	// Candidates are all that a patient had before the transaction, oldest first; asked again they are the same ones. Until the end of the transaction nobody else
	// finds, answers or takes back any.
	Candidates(ctx context.Context, patientID string) ([]*domain.Candidate, error)
	// SaveCandidate writes it at the end, with audit and facts, and lets the limit of its up-referral run or stop.
	SaveCandidate(c *domain.Candidate)
	// BroughtIn are the patient's up-referrals that bring them to a hospital's care now, or have them there: id, parties, kind, state and times.
	BroughtIn(ctx context.Context, patientID string) ([]domain.Snapshot, error)
	// SentDown is the latest down-referral of the patient that the hospital sent since the stay began and that stands; "" if there is none.
	SentDown(ctx context.Context, s domain.Stay) (string, error)
	// Concluded tells whether an up-referral of the patient was concluded by the hospital within the stay.
	Concluded(ctx context.Context, s domain.Stay) (bool, error)
	// AdmittedAt are the patient's up-referrals that are admitted at the hospital, locked.
	AdmittedAt(ctx context.Context, patientID, organizationID string) ([]*domain.Referral, error)
	// TakeEncounter notes that a fact of an encounter was taken and ends the watch over its stay; false if a newer one was taken before. Until
	// the end of the transaction nobody else takes facts of the patient. CONFLICT for the encounter of another patient.
	TakeEncounter(ctx context.Context, t EncounterTold) (newest bool, err error)
	// WatchStay keeps the stay of an encounter that was taken until it is due or ended.
	WatchStay(w StayWatch)
	// Discharged keeps the end of a stay that a hospital's system reported, for figures; told again it replaces what was told before. A stay
	// without an end takes back what was told.
	Discharged(ctx context.Context, s domain.Stay) error
	// TakeStay ends the watch over a stay that was due; the unit ends in a conflict if another has done so.
	TakeStay(encounterID string)
}

// CandidateView is a candidate as it is shown.
type CandidateView struct {
	domain.CandidateSnapshot
	// FamilyDoctorName is the name under which the family doctor made the up-referral; empty if not known.
	FamilyDoctorName string
	// UpAgainNumber is that of the up-referral on which it rests.
	UpAgainNumber domain.Number
}

// CandidateQuery selects a page of an organisation's candidates.
type CandidateQuery struct {
	Caller authn.Identity
	// Department, if set, selects one.
	Department string
	States     []domain.CandidateState
	// After is the last row of the page before.
	After *Cursor
	Limit int
}

// EncounterTold names a fact of an encounter; facts of one encounter come in any order, the highest version is what is so.
type EncounterTold struct {
	EncounterID, PatientID string
	Version                int32
}

// StayWatch is a stay in a ward that a hospital's system reported.
type StayWatch struct {
	domain.Stay
	// Criterion is the code of the row that says when it is longer than usual: at Due.
	Criterion string
	Due       time.Time
}

// CandidateTold is a candidate to be told of: found, dismissed, resting or waiting anew.
type CandidateTold struct {
	ID      string
	Change  domain.CandidateChange
	CauseID string
}

// Records is patient-record, asked by this service on behalf of an organisation that must have a relation to the patient.
type Records interface {
	// Record is what criteria are held against. NOT_FOUND without a relation; PEER_AWAY.
	Record(ctx context.Context, county, patientID, organizationID string) (Record, error)
	// Patient is the snapshot for a candidate. NOT_FOUND without a relation; PEER_AWAY.
	Patient(ctx context.Context, county, patientID, organizationID string) (domain.Patient, error)
}

// Record is the latest of a patient's record.
type Record struct {
	Observations []Observation
	// Problems that are active, by whatever system codes them.
	Problems []domain.Diagnosis
	// Medicines tells that the patient takes some.
	Medicines bool
	// Allergies tells that the record says something of allergies, be it that none is known.
	Allergies bool
	// Stays in a ward that are not over.
	Stays []domain.Admission
}

// Observation is one measurement with all its codes; the unit is UCUM.
type Observation struct {
	Codes  []string
	Unit   string
	Number float64
	Time   time.Time
}
