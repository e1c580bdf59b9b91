package domain

import (
	"fmt"
	"regexp"
	"slices"
	"time"
)

// Party is an organisation that takes part, optionally a department and a person.
type Party struct {
	OrganizationID, DepartmentCode, PractitionerID string
}

// Actor is who does something: an account of an organisation, with the person's name as at the time.
type Actor struct {
	AccountID, Name, OrganizationID string
}

// Patient is the snapshot taken at creation, for lists and slips. It never prints.
type Patient struct {
	Name, Sex, BirthDate, MaskedIdentityNumber, Phone, Address, HealthRecordNumber string
	// VillageClinicID is the clinic of the patient's village; empty where it is not known.
	VillageClinicID string
}

// Diagnosis is an ICD-10 code with the words shown for it.
type Diagnosis struct {
	System, Code, Display string
}

// KnownDiagnosis is a category of the list of diagnoses. Words are what else it is called and the initials of a common one, Related the words at which it
// is thought of without being named by them; in small letters.
type KnownDiagnosis struct {
	Code, Name     string
	Words, Related []string
}

// FoundDiagnosis is one that a search found. Called is what a doctor calls it, of the words that were searched for: 急性冠脉综合征 for "ACS".
type FoundDiagnosis struct {
	Diagnosis
	Called string
}

// Form holds the fields of the national paper forms: 转出单 (first four) and 回转单 (the rest). It never prints.
type Form struct {
	InitialImpression, PresentIllness, PastHistory, Treatment                      string
	Diagnosis, InpatientNumber, ExaminationResults, NextPlan, RehabilitationAdvice string
}

// ClinicalValue is something that the doctor found, for the criteria: a number in the unit of its definition or a finding, one of both. It never prints.
type ClinicalValue struct {
	Name    string
	Number  *float64
	Finding *bool
	// Time is when it was measured; zero: when the referral was sent.
	Time time.Time
}

// Consent (知情同意): who agreed and how, or, for an emergency, why it comes later. It never prints.
type Consent struct {
	GivenBy     string
	Relation    string
	Method      string
	At          time.Time
	TextVersion string

	DeferredReason string
}

// Medication is one line of a reply.
type Medication struct {
	Name, Dosage, Specification string
}

// Reply (回复) is what the county writes back. It never prints.
type Reply struct {
	Diagnosis, Findings, Treatment, NextSteps string
	Medications                               []Medication
	// Answer is that to an ADVICE.
	Answer string
}

// Window is when the patient is expected; both ends or none.
type Window struct {
	From, To time.Time
}

// Booking is what scheduling confirmed for a hold.
type Booking struct {
	ID, HoldID string
	// Bed: it is of a bed, and so ends with the stay in it; a slot stays booked.
	Bed bool
}

// Draft is what the originator writes.
type Draft struct {
	Direction       Direction
	Kind            Kind
	Urgency         Urgency
	PatientID       string
	Patient         Patient
	Originator      Party
	Receiver        Party
	Diagnoses       []Diagnosis
	Form            Form
	Consent         Consent
	TransferNote    string
	Transport       string
	OriginatorPhone string
	// ReplyTo is the referral that this one follows, in the way of LinkKind.
	ReplyTo      string
	LinkKind     LinkKind
	Medicines    []Medicine
	Plan         FollowUpPlan
	ExamItems    []Diagnosis
	Modality     string
	FamilyDoctor string
	// Values are what the doctor found, for the criteria.
	Values []ClinicalValue
}

// Format keeps names out of whatever prints a patient.
func (Patient) Format(f fmt.State, _ rune) { hide(f) }

// Format keeps clinical text out of whatever prints a form.
func (Form) Format(f fmt.State, _ rune) { hide(f) }

// Format keeps what was found out of whatever prints a value.
func (ClinicalValue) Format(f fmt.State, _ rune) { hide(f) }

// Format keeps names out of whatever prints a consent.
func (Consent) Format(f fmt.State, _ rune) { hide(f) }

// Format keeps clinical text out of whatever prints a reply.
func (Reply) Format(f fmt.State, _ rune) { hide(f) }

func hide(f fmt.State) { _, _ = f.Write([]byte("***")) }

// Outcomes are the outcome codes (病情转归) of a conclusion.
func Outcomes() []string {
	return []string{"CURED", "IMPROVED", "UNCHANGED", "WORSE", "REFERRED_OUT", "DIED", "OTHER"}
}

// Transports are the ways a patient travels (转送方式).
func Transports() []string { return []string{"ESCORTED", "OWN", "AMBULANCE"} }

// Modalities are the kinds of devices, as scheduling has them: those of DICOM where there is one, else the product's own.
func Modalities() []string {
	return []string{"CT", "MR", "US", "DX", "MG", "NM", "ES", "ECG", "LAB", "PF", "OTHER"}
}

// Place is what a hold or booking takes, as far as it is known; empty is not known.
type Place struct {
	OrganizationID, DepartmentCode string
	// Modality of the device, empty for a clinic.
	Modality string
	Bed      bool
}

// Suits tells whether a place is one of those that a referral asks for. A clinic is one of its department. An examination is on a device of its modality,
// in whatever department that stands; where no modality was asked for, the receiver chose one. A bed may stand in another department, which lends it.
func (s Snapshot) Suits(p Place) bool {
	sameDepartment := p.DepartmentCode == "" || s.Receiver.DepartmentCode == "" || p.DepartmentCode == s.Receiver.DepartmentCode
	switch {
	case p.OrganizationID != s.Receiver.OrganizationID:
		return false
	case p.Bed:
		return true
	case p.Modality == "":
		return sameDepartment && s.Modality == ""
	default:
		return s.Kind == KindExam && (s.Modality == "" || s.Modality == p.Modality)
	}
}

// ICD-10 国家临床版: a category, then up to three characters, then an extension, as in I10, I63.9, A01.000x017, I10.x00x002.
var icd10 = regexp.MustCompile(`^[A-Z][0-9]{2}(\.[0-9x]{1,3}(x[0-9]{3})?)?$`)

// Ids and codes stand where the database and the bus have them in the clear, so that nothing else may pass for one.
var (
	// An account's, as directory makes them.
	accountID = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	// A practitioner's is what the hospital's own system calls the person.
	practitionerID = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$`)
	// The national list (诊疗科目名录) without dots.
	departmentCode = regexp.MustCompile(`^[0-9]{2}([0-9]{2}){0,2}$`)
)

// checkParty refuses a department or person that is not named by code or id; that an organisation exists is asked elsewhere.
func checkParty(name string, p Party) []Field {
	var bad []Field
	if p.DepartmentCode != "" && !departmentCode.MatchString(p.DepartmentCode) {
		bad = append(bad, invalid(name+".departmentCode"))
	}
	if p.PractitionerID != "" && !practitionerID.MatchString(p.PractitionerID) {
		bad = append(bad, invalid(name+".practitionerId"))
	}
	return bad
}

func checkFamilyDoctor(account string) []Field {
	if account != "" && !accountID.MatchString(account) {
		return []Field{invalid("familyDoctor")}
	}
	return nil
}

// checkContent refuses what is wrong in a draft; that something is missing is no fault there.
func checkContent(s *Snapshot) []Field {
	bad := checkCodes(s.Direction, s.Kind, s.Urgency)
	if s.PatientID == "" {
		bad = append(bad, required("patientId"))
	}
	if s.Receiver.OrganizationID != "" && s.Receiver.OrganizationID == s.Originator.OrganizationID {
		bad = append(bad, combination("receiver.organizationId"))
	}
	bad = append(bad, checkParty("originator", s.Originator)...)
	bad = append(bad, checkParty("receiver", s.Receiver)...)
	bad = append(bad, checkFamilyDoctor(s.FamilyDoctor)...)
	for i, d := range s.Diagnoses {
		if d.Code == "" {
			bad = append(bad, required(fmt.Sprintf("diagnoses[%d].code", i)))
		} else if !icd10.MatchString(d.Code) {
			bad = append(bad, invalid(fmt.Sprintf("diagnoses[%d].code", i)))
		}
	}
	if s.Transport != "" && !slices.Contains(Transports(), s.Transport) {
		bad = append(bad, unknown("transport"))
	}
	if s.Modality != "" && !slices.Contains(Modalities(), s.Modality) {
		bad = append(bad, unknown("modality"))
	} else if s.Modality != "" && s.Kind != KindExam {
		bad = append(bad, combination("modality"))
	}
	bad = append(bad, checkMedicines(s)...)
	return append(bad, checkConsent(s)...)
}

func checkConsent(s *Snapshot) []Field {
	var bad []Field
	c := s.Consent
	if c.Relation != "" && (len(c.Relation) != 1 || !digits(c.Relation)) {
		bad = append(bad, unknown("consent.relation"))
	}
	if c.Method != "" && !slices.Contains([]string{"SIGNED", "VERBAL_WITNESSED", "ELECTRONIC"}, c.Method) {
		bad = append(bad, unknown("consent.method"))
	}
	if c.DeferredReason != "" && s.Kind != KindEmergency {
		bad = append(bad, combination("consent.deferredReason"))
	}
	return bad
}

// checkComplete refuses what a referral still lacks before it may be sent: the required fields of the national 转出单 or 回转单, the
// receiver, a diagnosis, and consent or, for an emergency, the reason why it comes later.
func checkComplete(s *Snapshot) []Field {
	bad := checkContent(s)
	need := func(value, name string) {
		if value == "" {
			bad = append(bad, required(name))
		}
	}
	need(string(s.Urgency), "urgency")
	need(s.Receiver.OrganizationID, "receiver.organizationId")
	if s.Direction != Down {
		// The paper form of the way back names no department.
		need(s.Receiver.DepartmentCode, "receiver.departmentCode")
	}
	if len(s.Diagnoses) == 0 {
		bad = append(bad, required("diagnoses"))
	}
	if s.Direction == Down {
		need(s.Form.Diagnosis, "form.diagnosis")
		need(s.Form.Treatment, "form.treatment")
		need(s.Form.NextPlan, "form.nextPlan")
		bad = append(bad, checkDecisions(s.Medicines)...)
	} else {
		need(s.Form.InitialImpression, "form.initialImpression")
		need(s.Form.PresentIllness, "form.presentIllness")
		if s.Kind == KindExam && len(s.ExamItems) == 0 {
			bad = append(bad, required("examItems"))
		}
	}
	switch c := s.Consent; {
	case c.GivenBy != "":
		need(c.Relation, "consent.relation")
		need(c.Method, "consent.method")
	case c.DeferredReason != "":
	case c.Relation == "" && c.Method == "":
		bad = append(bad, required("consent"))
	default:
		bad = append(bad, required("consent.givenBy"))
	}
	return bad
}

func checkWindow(w Window, at time.Time) []Field {
	switch {
	case w.From.IsZero() && w.To.IsZero():
		return []Field{required("walkIn")}
	case w.From.IsZero():
		return []Field{required("walkIn.from")}
	case w.To.IsZero():
		return []Field{required("walkIn.to")}
	case !w.To.After(w.From):
		return []Field{combination("walkIn.to")}
	case !w.To.After(at):
		return []Field{outOfRange("walkIn.to")}
	}
	return nil
}

// checkReply: the reply to an EXAM is what was found.
func checkReply(r Reply, kind Kind, outcome string) []Field {
	var bad []Field
	need := func(value, name string) {
		if value == "" {
			bad = append(bad, required(name))
		}
	}
	if kind == KindExam {
		need(r.Findings, "reply.findings")
		return append(bad, checkMedications(r)...)
	}
	need(r.Diagnosis, "reply.diagnosis")
	need(r.Treatment, "reply.treatment")
	if outcome != "DIED" {
		need(r.NextSteps, "reply.nextSteps")
	}
	return append(bad, checkMedications(r)...)
}

// checkTaken asks how each medicine of a reply is taken, as [checkDecisions] does for the way down. Of a reply that was sent before this was
// asked, nothing is: a correction of its other parts is not refused for it.
func checkTaken(r Reply) []Field {
	var bad []Field
	for i, m := range r.Medications {
		if m.Name != "" && !saysHow(m.Dosage) {
			bad = append(bad, required(fmt.Sprintf("reply.medications[%d].dosage", i)))
		}
	}
	return bad
}

func checkMedications(r Reply) []Field {
	var bad []Field
	for i, m := range r.Medications {
		if m.Name == "" {
			bad = append(bad, required(fmt.Sprintf("reply.medications[%d].name", i)))
		}
	}
	return bad
}
