package domain

import (
	"cmp"
	"errors"
	"strings"
	"time"
)

// ErrIncomplete says that an entry lacks its fact, its person, or what it is about.
var ErrIncomplete = errors.New("an entry needs a fact, an account, and a referral, a candidate, a glass, a stay, a session or a patient")

// EntryData is an entry as it is kept and shown.
type EntryData struct {
	County, ID, AccountID      string
	FactID, Event              string
	ReferralID, ReferralNumber string
	Urgency, ReasonCode        string
	FromOrganizationID         string
	Step                       string // with Level: of the limit that passed
	Level                      int32
	CandidateID                string
	GlassID                    string    // of a use of break-glass
	PatientID, EncounterID     string    // of a stay; PatientID alone of what is about a patient and no referral
	AlarmID                    string    // which sounds while the entry is open and nobody has acknowledged
	Rings                      int       // so often
	BookingID                  string    // of scheduling's facts
	Start                      time.Time // of the booking or the session; zero for none
	SessionID, WaitlistID      string
	OccurTime                  time.Time // of the fact; zero for entries older than the column
	CreateTime                 time.Time
	AcknowledgeTime            time.Time // zero while open
}

// Version counts the changes: 1 open, 2 acknowledged.
func (d EntryData) Version() int32 {
	if d.AcknowledgeTime.IsZero() {
		return 1
	}
	return 2
}

// String is the id: an entry never formats as more.
func (d EntryData) String() string { return "notification " + d.ID }

// Entry is the aggregate. Not for concurrent use.
type Entry struct {
	d            EntryData
	fresh, dirty bool
}

// NewEntry tells one person of one fact. The id must follow from the person and the fact, or the rung that it tells of, so that a repeat is
// the same entry.
func NewEntry(county, id, accountID string, f Fact, now time.Time) (*Entry, error) {
	about := f.ReferralID + f.Candidate.ID + f.GlassID + f.Stay.EncounterID + f.SessionID + f.PatientID
	if county == "" || id == "" || accountID == "" || f.ID == "" || about == "" {
		return nil, ErrIncomplete
	}
	return &Entry{fresh: true, dirty: true, d: EntryData{
		County: county, ID: id, AccountID: accountID, FactID: f.ID, Event: f.Event, ReferralID: f.ReferralID,
		ReferralNumber: f.ReferralNumber, Urgency: f.Urgency, ReasonCode: f.ReasonCode,
		FromOrganizationID: f.ActorOrganizationID, Step: f.Deadline.Step, Level: f.Deadline.Level, CandidateID: f.Candidate.ID, GlassID: f.GlassID,
		PatientID: f.patient(), EncounterID: f.Stay.EncounterID, AlarmID: f.Ring.AlarmID, Rings: f.Ring.Number,
		BookingID: f.BookingID, Start: f.Start, SessionID: f.SessionID, WaitlistID: f.WaitlistID,
		OccurTime: f.OccurTime, CreateTime: now,
	}}, nil
}

// patient is whom an entry names: of a stay, or of what is about a patient and no referral. A referral says itself whose it is.
func (f Fact) patient() string {
	if f.ReferralID != "" {
		return f.Stay.PatientID
	}
	return cmp.Or(f.Stay.PatientID, f.PatientID)
}

// For tells another person of the same, in whose place they stand. The id must follow from the person and the fact.
func (e *Entry) For(id, accountID string, now time.Time) *Entry {
	d := e.d
	d.ID, d.AccountID, d.CreateTime, d.AcknowledgeTime = id, accountID, now, time.Time{}
	return &Entry{fresh: true, dirty: true, d: d}
}

// RestoreEntry is the entry that was kept.
func RestoreEntry(d EntryData) *Entry { return &Entry{d: d} }

// Data is the entry now.
func (e *Entry) Data() EntryData { return e.d }

// Changes tells whether the entry is new and whether it differs from what was restored.
func (e *Entry) Changes() (fresh, dirty bool) { return e.fresh, e.dirty }

// Acknowledge marks the entry as read; again it changes nothing.
func (e *Entry) Acknowledge(now time.Time) {
	if e.d.AcknowledgeTime.IsZero() {
		e.d.AcknowledgeTime, e.dirty = now, true
	}
}

// Account is what a projection of the directory knows of a person's account.
type Account struct {
	County, ID                     string
	Version                        int32
	OrganizationID, DepartmentCode string
	Name                           string
	Roles                          []string
	Disabled                       bool
	Phone, Email                   string // as the directory has them
}

// String is the id.
func (a Account) String() string { return "account " + a.ID }

// Addresses are where the directory says that a person is reached, by channel, until they say otherwise. A telephone takes SMS if it is a mobile:
// eleven digits that begin with 1. Which of those have an owner, nobody here knows.
func (a Account) Addresses() map[string]string {
	out := map[string]string{}
	phone := strings.TrimPrefix(strings.NewReplacer(" ", "", "-", "").Replace(a.Phone), "+86")
	if len(phone) == mobileDigits && phone[0] == '1' && strings.Trim(phone, "0123456789") == "" {
		out[SMS] = phone
	}
	if a.Email != "" {
		out[Email] = a.Email
	}
	return out
}

const mobileDigits = 11
