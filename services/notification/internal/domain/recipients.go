package domain

import (
	"slices"
	"time"
)

// Fact is what the rules look at: ids, codes and times only.
type Fact struct {
	ID, Event                string
	OccurTime                time.Time
	ReferralID               string // empty for a candidate without a referral
	ReferralNumber           string
	Direction                string
	Urgency, PreviousState   string
	ReasonCode               string
	ReplyTo                  string // the referral that this one follows
	OriginatorAccountID      string
	OriginatorOrganizationID string
	OriginatorDepartmentCode string
	ReceiverOrganizationID   string
	ReceiverDepartmentCode   string
	FamilyDoctor             string // account
	ActorOrganizationID      string
	Deadline                 Deadline
	Candidate                Candidate
	GlassID                  string // of a use of a way around the care relation
	Stay                     Stay
	HomeOrganizationID       string // the patient's home, of what is about no referral
	PatientID                string // of the referral, or of what is about a patient and nothing else
	HolderOrganizationIDs    []string
	BookingID                string
	Start                    time.Time // of the booking, or the session
	SessionID, WaitlistID    string
	Ring                     Ring // of an alarm
}

// Ring is the how-manieth ring of which alarm, and how far its ladder has climbed.
type Ring struct {
	AlarmID string
	Number  int
	Level   int32
}

// Deadline is the limit that deadline_passed is about. Due is when the step itself was due, the same on every rung.
type Deadline struct {
	Step  string
	Level int32
	Due   time.Time
}

// Candidate is the patient whom a fact of candidates is about.
type Candidate struct {
	ID, OrganizationID, DepartmentCode string
}

// Recipient is whom to look for: the account, if it is set and works in the organisation; else everybody of the organisation, and of the
// department if it is set, who holds one of the roles. Anywhere looks in all organisations of the county.
type Recipient struct {
	AccountID                      string
	OrganizationID, DepartmentCode string
	Roles                          []string
	Anywhere                       bool
	// Posts are where to look for who is on duty; on which line: 0 the first, whom the rest of the recipient stands in for when nobody is; 1 who
	// is behind, whom nobody stands in for.
	Posts []Post
	Line  int
}

// Post is what has a duty roster: a department, the desk of a hospital (DESK), or a whole centre (empty).
type Post struct{ OrganizationID, DepartmentCode string }

// DeskPost is the department code of a hospital's desk.
const DeskPost = "DESK"

// Addressed is a recipient with the channels and the text that a row has for it.
type Addressed struct {
	Recipient
	To       To
	Channels Offers
	Template string
}

// Addressed applies the tables to a fact: the rows that hold, in their order, patients and groups too. Of a group OrganizationID and
// DepartmentCode say whose; of a patient nothing.
func (t Table) Addressed(f Fact) (out []Addressed) {
	add := func(to To, c Offers, template string) {
		if to == Patient || to.Group() {
			if r, ok := f.outside(to); ok {
				out = append(out, Addressed{Recipient: r, To: to, Channels: c, Template: template})
			}
			return
		}
		for _, r := range f.find(to) {
			out = append(out, Addressed{Recipient: r, To: to, Channels: c, Template: template})
		}
	}
	for _, r := range t.Rules {
		if r.Event == f.Event && r.When.holds(f) {
			add(r.To, r.Channels, r.Template)
		}
	}
	for _, l := range t.Ladders {
		if f.Event == DeadlinePassed && l.Step == f.Deadline.Step && (l.Direction == Either || l.Direction == f.Direction) {
			add(l.rung(f.Deadline.Level), l.Channels, l.Template)
		}
	}
	return out
}

// outside is a group, or the patient; false when the fact names none.
func (f Fact) outside(to To) (Recipient, bool) {
	switch to {
	case Patient:
		return Recipient{}, f.PatientID != ""
	case OriginatorGroup:
		return Recipient{OrganizationID: f.OriginatorOrganizationID}, f.OriginatorOrganizationID != ""
	case DepartmentGroup:
		return Recipient{OrganizationID: f.ReceiverOrganizationID, DepartmentCode: f.ReceiverDepartmentCode}, f.ReceiverOrganizationID != "" && f.ReceiverDepartmentCode != ""
	}
	return Recipient{OrganizationID: f.ReceiverOrganizationID}, f.ReceiverOrganizationID != ""
}

// Recipients are the people whom the tables mean, each once.
func (t Table) Recipients(f Fact) []Recipient {
	var out []Recipient
	for _, a := range t.Addressed(f) {
		if a.To != Patient && !a.To.Group() && !slices.ContainsFunc(out, a.equal) {
			out = append(out, a.Recipient)
		}
	}
	return out
}

func (r Recipient) equal(o Recipient) bool {
	return r.AccountID == o.AccountID && r.OrganizationID == o.OrganizationID && r.DepartmentCode == o.DepartmentCode &&
		r.Anywhere == o.Anywhere && slices.Equal(r.Roles, o.Roles) && slices.Equal(r.Posts, o.Posts) && r.Line == o.Line
}

func (w When) holds(f Fact) bool {
	switch w {
	case Emergency:
		return f.Urgency == UrgencyEmergency
	case Sent:
		return f.PreviousState != "DRAFT"
	case ByOriginator:
		return f.ActorOrganizationID == f.OriginatorOrganizationID
	case ByReceiver:
		return f.ActorOrganizationID != f.OriginatorOrganizationID
	case Booked:
		return f.BookingID != ""
	case WithReferral:
		return f.ReferralID != ""
	case WithoutReferral:
		return f.ReferralID == ""
	case FirstRing:
		return f.Ring.Number == 1
	case ThirdRing:
		return f.Ring.Number >= 3
	case SecondLevel:
		return f.Ring.Level >= 2
	default:
		return true
	}
}

const (
	desk           = "INTAKE_DESK"
	doctor         = "TOWNSHIP_DOCTOR"
	centreHead     = "CENTRE_HEAD"
	specialist     = "SPECIALIST"
	departmentHead = "DEPARTMENT_HEAD"
	countyAdmin    = "COUNTY_ADMIN"
	auditor        = "AUDITOR"
)

// find is where the people are whom a rule means, in this fact.
func (f Fact) find(to To) []Recipient {
	down := f.Direction == Down
	switch to {
	case Intake:
		if down {
			return f.receiver(doctor, centreHead)
		}
		return atDesk(f.ReceiverOrganizationID)
	case Receiver:
		if down {
			return f.receiver(doctor)
		}
		return append(atDesk(f.ReceiverOrganizationID), f.receiver(specialist, departmentHead)...)
	case ReceiverDoctors:
		if down {
			return f.receiver(doctor)
		}
		return f.receiver(specialist)
	case ReceiverHead:
		if down {
			return f.receiver(centreHead)
		}
		return f.receiver(departmentHead)
	case ReceiverDepartment:
		return f.receiver(specialist, departmentHead)
	case FamilyDoctor:
		return []Recipient{{AccountID: f.FamilyDoctor, OrganizationID: f.ReceiverOrganizationID, Roles: []string{doctor}}}
	case Originator:
		out := f.originator(doctor)
		if down {
			out = f.originator(specialist, departmentHead)
		}
		out[0].AccountID = f.OriginatorAccountID
		return out
	case OriginatorHead:
		if down {
			return f.originator(departmentHead)
		}
		return f.originator(centreHead)
	case OnDutyIntake, OnDutyDepartment, SecondLine:
		return f.duty(to)
	case CandidateDepartment:
		return department(f.Candidate.OrganizationID, f.Candidate.DepartmentCode, specialist, departmentHead)
	case HomeCentre:
		return f.home(doctor, centreHead)
	case Sides:
		return f.sides()
	case HomeHead:
		return f.home(centreHead)
	case Holders:
		return f.holders()
	case Auditors:
		return []Recipient{{Roles: []string{auditor}, Anywhere: true}}
	case CountyAdmin:
		return []Recipient{{Roles: []string{countyAdmin}, Anywhere: true}}
	default:
		return nil
	}
}

// Find is where the people are whom a word of the tables means, in this fact.
func (f Fact) Find(to To) []Recipient { return f.find(to) }

// sides are whoever answers for the referral in both organisations; which of them is the township's the fact does not say. Who did it knows it.
func (f Fact) sides() (out []Recipient) {
	for _, organization := range []string{f.OriginatorOrganizationID, f.ReceiverOrganizationID} {
		if organization != "" && organization != f.ActorOrganizationID {
			out = append(out, Recipient{OrganizationID: organization, Roles: []string{desk, doctor, centreHead}})
		}
	}
	return out
}

// home is the patient's home centre, unless it was they.
func (f Fact) home(roles ...string) []Recipient {
	if f.HomeOrganizationID == "" || f.HomeOrganizationID == f.ActorOrganizationID {
		return nil
	}
	return []Recipient{{OrganizationID: f.HomeOrganizationID, Roles: roles}}
}

func (f Fact) holders() (out []Recipient) {
	for _, organization := range f.HolderOrganizationIDs {
		if organization != f.ActorOrganizationID && organization != f.HomeOrganizationID {
			out = append(out, Recipient{OrganizationID: organization, Roles: []string{desk, doctor, centreHead}})
		}
	}
	return out
}

func (f Fact) receiver(roles ...string) []Recipient {
	if f.Direction == Down {
		return []Recipient{{OrganizationID: f.ReceiverOrganizationID, Roles: roles}}
	}
	return department(f.ReceiverOrganizationID, f.ReceiverDepartmentCode, roles...)
}

func (f Fact) originator(roles ...string) []Recipient {
	if f.Direction == Down {
		return department(f.OriginatorOrganizationID, f.OriginatorDepartmentCode, roles...)
	}
	return []Recipient{{OrganizationID: f.OriginatorOrganizationID, Roles: roles}}
}

func atDesk(organization string) []Recipient {
	return []Recipient{{OrganizationID: organization, Roles: []string{desk}}}
}

// department: without a code nobody but the desk knows whose patient it is.
func department(organization, code string, roles ...string) []Recipient {
	if code == "" {
		return atDesk(organization)
	}
	return []Recipient{{OrganizationID: organization, DepartmentCode: code, Roles: roles}}
}

// intakePost is the desk of a hospital; a centre has none, so it is the centre.
func (f Fact) intakePost() Post {
	if f.Direction == Down {
		return Post{OrganizationID: f.ReceiverOrganizationID}
	}
	return Post{f.ReceiverOrganizationID, DeskPost}
}

// onDuty looks at a post first.
func onDuty(all []Recipient, p Post) []Recipient {
	for i := range all {
		all[i].Posts = []Post{p}
	}
	return all
}

// duty is who is on duty at the receiver's posts, with whom it falls back on.
func (f Fact) duty(to To) []Recipient {
	department := Post{f.ReceiverOrganizationID, f.ReceiverDepartmentCode}
	one := f.Direction == Down || department.DepartmentCode == ""
	switch {
	case to == SecondLine && one:
		return []Recipient{{OrganizationID: f.ReceiverOrganizationID, Posts: []Post{f.intakePost()}, Line: 1}}
	case to == SecondLine:
		return []Recipient{{OrganizationID: f.ReceiverOrganizationID, Posts: []Post{f.intakePost(), department}, Line: 1}}
	case to == OnDutyDepartment && !one:
		return onDuty(f.find(ReceiverDepartment), department)
	}
	return onDuty(f.find(Intake), f.intakePost())
}
