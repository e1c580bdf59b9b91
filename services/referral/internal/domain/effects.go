package domain

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// The effects check what their row carries and change the copy they are given; Decide keeps or drops it.

func create(s *Snapshot, c Command, change *Change) []Field {
	d := c.Carry.Draft
	s.PatientID, s.Patient = d.PatientID, d.Patient
	s.Originator, s.AccountID = d.Originator, c.By.AccountID
	s.Receiver, s.Urgency = d.Receiver, d.Urgency
	s.Diagnoses, s.Form, s.Consent = slices.Clone(d.Diagnoses), d.Form, d.Consent
	s.TransferNote, s.Transport, s.OriginatorPhone = d.TransferNote, d.Transport, d.OriginatorPhone
	s.ReplyTo, s.LinkKind = d.ReplyTo, d.LinkKind
	s.Medicines, s.ExamItems, s.FamilyDoctor = slices.Clone(d.Medicines), slices.Clone(d.ExamItems), d.FamilyDoctor
	s.Modality, s.Values = d.Modality, slices.Clone(d.Values)
	s.CreateTime = c.At
	complete(s, c.At)
	bad := s.propose(d.Plan, change.Today)
	if c.Carry.Complete {
		return append(checkComplete(s), bad...)
	}
	return append(checkContent(s), bad...)
}

// propose takes the plan that the township may begin with; it is one of visits to come.
func (s *Snapshot) propose(p FollowUpPlan, today string) (bad []Field) {
	switch s.Plan = p; {
	case len(p.Visits) == 0:
	case s.Direction != Down:
		return []Field{combination("plan")}
	default:
		s.Plan, bad = FollowUpPlan{}.Revise(p, today)
	}
	return bad
}

// edit changes the fields named, in the names of the update mask; "form.x" names one field of the form.
func edit(s *Snapshot, c Command, change *Change) []Field {
	if len(c.Carry.Fields) == 0 || c.Carry.Draft == nil {
		return []Field{required("updateMask")}
	}
	before := *s
	for _, name := range c.Carry.Fields {
		if !editField(s, *c.Carry.Draft, name) {
			return []Field{unknown("updateMask")}
		}
	}
	complete(s, c.At)
	if !sameValues(s.Values, before.Values) {
		// What was met by other values is judged anew when it is sent again.
		s.MatchedCriteria = nil
	}
	bad := checkContent(s)
	if slices.Contains(c.Carry.Fields, "plan") {
		bad = append(bad, s.propose(s.Plan, change.Today)...)
	}
	// What is with a receiver stays the same case: another kind or organisation is a new referral, or the receiver's redirect.
	if s.State == StateReturned {
		if s.Kind != before.Kind {
			bad = append(bad, combination("kind"))
		}
		if s.Receiver.OrganizationID != before.Receiver.OrganizationID {
			bad = append(bad, combination("receiver.organizationId"))
		}
		s.supplement(&before)
	}
	// The hold was taken for the department and the device that were asked.
	if s.Receiver.DepartmentCode != before.Receiver.DepartmentCode || s.Modality != before.Modality {
		free(s, change)
	}
	return bad
}

func sameValues(a, b []ClinicalValue) bool {
	return slices.EqualFunc(a, b, func(x, y ClinicalValue) bool {
		return x.Name == y.Name && equal(x.Number, y.Number) && equal(x.Finding, y.Finding) && x.Time.Equal(y.Time)
	})
}

func equal[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }

func editField(s *Snapshot, d Draft, name string) bool {
	if field, ok := strings.CutPrefix(name, "form."); ok {
		return editForm(&s.Form, d.Form, field)
	}
	switch name {
	case "kind":
		s.Kind = d.Kind
	case "urgency":
		s.Urgency = d.Urgency
	case "receiver":
		s.Receiver = d.Receiver
	case "diagnoses":
		s.Diagnoses = slices.Clone(d.Diagnoses)
	case "form":
		s.Form = d.Form
	case "consent":
		s.Consent = d.Consent.since(s.Consent)
	case "transfer_note":
		s.TransferNote = d.TransferNote
	case "transport":
		s.Transport = d.Transport
	case "originator_phone":
		s.OriginatorPhone = d.OriginatorPhone
	case "medicines":
		s.Medicines = slices.Clone(d.Medicines)
	case "plan":
		s.Plan = d.Plan
	case "exam_items":
		s.ExamItems = slices.Clone(d.ExamItems)
	case "modality":
		s.Modality = d.Modality
	case "family_doctor":
		s.FamilyDoctor = d.FamilyDoctor
	case "values":
		s.Values = slices.Clone(d.Values)
	default:
		return false
	}
	return true
}

func editForm(f *Form, d Form, name string) bool {
	to, ok := f.field(name)
	if ok {
		from, _ := d.field(name)
		*to = *from
	}
	return ok
}

// ConsentText is the version of the consent text that is shown today.
const ConsentText = "2026-1"

// since keeps when and to which text a consent was given that is written again as it stood: nobody consented anew.
func (c Consent) since(stood Consent) Consent {
	if c.At.IsZero() && c.GivenBy == stood.GivenBy && c.Relation == stood.Relation && c.Method == stood.Method {
		c.At, c.TextVersion = stood.At, cmp.Or(c.TextVersion, stood.TextVersion)
	}
	return c
}

// complete fills in what follows from the rest: the urgency of an emergency, when and to which text the consent was given.
func complete(s *Snapshot, at time.Time) {
	if s.Urgency == "" && s.Kind == KindEmergency {
		s.Urgency = UrgencyEmergency
	}
	if s.Consent.GivenBy == "" {
		return
	}
	if s.Consent.At.IsZero() {
		s.Consent.At = at
	}
	if s.Consent.TextVersion == "" {
		s.Consent.TextVersion = ConsentText
	}
}

func submit(s *Snapshot, c Command, change *Change) []Field {
	if c.Carry.Consent != nil {
		s.Consent = *c.Carry.Consent
		complete(s, c.At)
	}
	if len(c.Carry.Values) > 0 {
		s.Values = slices.Clone(c.Carry.Values)
	}
	s.Number = c.Carry.Number
	s.HoldID, s.HoldLost = c.Carry.HoldID, c.Carry.HoldLost
	s.WrittenTime = c.Carry.Written
	s.SubmitTime, s.MatchedCriteria = c.At, slices.Clone(c.Carry.Criteria)
	s.Completeness = c.Carry.Completeness
	lookedUp(s, c)
	change.HoldID = s.HoldID
	change.Detail = detail("number", s.Number.Printed(), "holdId", s.HoldID, "receiver", c.Carry.ReceiverName, "writtenTime", stamp(s.WrittenTime))
	return checkComplete(s)
}

func resubmit(s *Snapshot, c Command, _ *Change) []Field {
	lookedUp(s, c)
	s.Completeness, s.MatchedCriteria = c.Carry.Completeness, slices.Clone(c.Carry.Criteria)
	return checkComplete(s)
}

// lookedUp takes what the receiving centre has of the medicines, as it was looked up just now.
func lookedUp(s *Snapshot, c Command) {
	if s.Direction == Down && c.Carry.Draft != nil {
		s.Medicines = slices.Clone(c.Carry.Draft.Medicines)
	}
}

// accept serves accept and rebook: a confirmed booking or a walk-in window. A hold that was attached and is not the one booked is
// named by a walk-in's fact, which frees it; next to a booking scheduling's sweep frees it by asking.
func accept(s *Snapshot, c Command, change *Change) []Field {
	w := c.Carry
	if w.WalkIn {
		if bad := checkWindow(w.Expected, c.At); bad != nil {
			return bad
		}
		change.HoldID = s.HoldID
	} else {
		if w.Booking.ID == "" || w.Booking.HoldID == "" {
			return []Field{required("holdId")}
		}
		change.HoldID, change.BookingID = w.Booking.HoldID, w.Booking.ID
	}
	answered(s, c)
	first(&s.AcceptTime, c.At)
	s.HoldID = ""
	s.WalkIn, s.Booking, s.Expected = w.WalkIn, w.Booking, w.Expected
	change.Detail = detail("bookingId", w.Booking.ID, "expectedFrom", stamp(w.Expected.From), "expectedTo", stamp(w.Expected.To))
	if w.WalkIn {
		change.Detail["walkIn"] = "true"
	}
	return nil
}

// free names in the fact what the referral held, and forgets it.
func free(s *Snapshot, change *Change) {
	change.HoldID, change.BookingID = s.HoldID, s.Booking.ID
	if change.HoldID == "" {
		change.HoldID = s.Booking.HoldID
	}
	s.HoldID, s.Booking, s.WalkIn, s.Expected = "", Booking{}, false, Window{}
}

// giveBack asks for what is missing. It is no final answer: the patient keeps the attached hold.
func giveBack(s *Snapshot, c Command, _ *Change) []Field {
	answered(s, c)
	s.ReasonCode, s.Note, s.Supplemented = c.Carry.Reason, c.Carry.Note, nil
	return nil
}

// refuse serves decline and cancel.
func refuse(s *Snapshot, c Command, change *Change) []Field {
	if c.Action == ActionDecline {
		answered(s, c)
	}
	s.CloseTime = c.At
	s.ReasonCode, s.Note = c.Carry.Reason, c.Carry.Note
	free(s, change)
	return nil
}

func redirect(s *Snapshot, c Command, change *Change) []Field {
	answered(s, c)
	to := c.Carry.Receiver
	bad := checkParty("receiver", to)
	if to.OrganizationID == "" {
		bad = append(bad, required("receiver.organizationId"))
	}
	if to.DepartmentCode == "" && s.Direction == Up {
		bad = append(bad, required("receiver.departmentCode"))
	}
	if to.OrganizationID != "" && to.OrganizationID == s.Originator.OrganizationID {
		bad = append(bad, combination("receiver.organizationId"))
	}
	if to.OrganizationID == s.Receiver.OrganizationID && to.DepartmentCode == s.Receiver.DepartmentCode && to.OrganizationID != "" && len(bad) == 0 {
		bad = append(bad, combination("receiver"))
	}
	if to.OrganizationID != s.Receiver.OrganizationID {
		change.FormerReceiver = s.Receiver.OrganizationID
	}
	change.Detail = detail("fromOrganizationId", s.Receiver.OrganizationID, "fromDepartmentCode", s.Receiver.DepartmentCode,
		"toOrganizationId", to.OrganizationID, "toDepartmentCode", to.DepartmentCode, "receiver", c.Carry.ReceiverName)
	s.Receiver = to
	// What the next centre lacks is not for this one to decide.
	lookedUp(s, c)
	free(s, change)
	return bad
}

// arrive without an answer needs no hold any more; a booking stays with the referral.
func arrive(s *Snapshot, c Command, change *Change) []Field {
	answered(s, c)
	s.ArrivedFrom, s.ArriveTime = change.From, c.At
	if change.From == StateSubmitted {
		free(s, change)
	}
	return nil
}

func undoArrive(s *Snapshot, _ Command, _ *Change) []Field {
	s.ArrivedFrom, s.ArriveTime = StateNone, time.Time{}
	return nil
}

func noShow(s *Snapshot, c Command, change *Change) []Field {
	first(&s.NoShowTime, c.At)
	change.Detail = detail("expectedFrom", stamp(s.Expected.From), "expectedTo", stamp(s.Expected.To))
	free(s, change)
	return nil
}

// admit takes the patient to a bed. One that scheduling knows is booked for the referral, in place of what it had: there is one booking to a referral,
// and the fact names both.
func admit(s *Snapshot, c Command, change *Change) []Field {
	if c.Carry.Ward == "" {
		return []Field{required("ward")}
	}
	if b := c.Carry.Booking; b.ID != "" || c.Carry.Instead {
		if s.Booking.ID != b.ID {
			change.FormerBookingID = s.Booking.ID
		}
		s.Booking = b
		change.HoldID, change.BookingID = b.HoldID, b.ID
	}
	s.Ward, s.Bed, s.AdmitTime = c.Carry.Ward, c.Carry.Bed, c.At
	change.Detail = detail("ward", s.Ward, "bed", s.Bed)
	return nil
}

// undoAdmit gives the bed back at once, also one that was kept since the acceptance: who is to stay after all is admitted to a free one.
func undoAdmit(s *Snapshot, _ Command, change *Change) []Field {
	leaveBed(s, change)
	if s.Booking.ID == "" {
		// Also where the place of before was given up for a bed in words.
		s.WalkIn = s.ArrivedFrom == StateAccepted
	}
	s.Ward, s.Bed, s.AdmitTime = "", "", time.Time{}
	return nil
}

// leaveBed names in the fact the bed that is free from now on, and forgets it. What the patient was expected by stays, as a window, for an arrival that is
// undone as well.
func leaveBed(s *Snapshot, change *Change) {
	if !s.Booking.Bed {
		return
	}
	change.HoldID, change.BookingID = s.Booking.HoldID, s.Booking.ID
	s.Booking, s.WalkIn = Booking{}, s.ArrivedFrom == StateAccepted
}

// conclude ends the visit: its fact names the booking, so that a bed is free again, and the referral goes on naming it.
func conclude(s *Snapshot, c Command, change *Change) []Field {
	var bad []Field
	switch {
	case c.Carry.Outcome == "":
		bad = append(bad, required("outcomeCode"))
	case !slices.Contains(Outcomes(), c.Carry.Outcome):
		bad = append(bad, unknown("outcomeCode"))
	}
	s.Outcome, s.Reply, s.ConcludeTime = c.Carry.Outcome, c.Carry.Reply, c.At
	change.HoldID, change.BookingID = s.Booking.HoldID, s.Booking.ID
	change.Detail = detail("outcome", s.Outcome)
	bad = append(bad, checkReply(s.Reply, s.Kind, s.Outcome)...)
	return append(bad, checkTaken(s.Reply)...)
}

func acknowledge(s *Snapshot, c Command, _ *Change) []Field {
	s.CloseTime = c.At
	return nil
}

// answered keeps the first thing that the receiver did with a referral that was sent.
func answered(s *Snapshot, c Command) {
	if s.AnswerTime.IsZero() {
		s.AnswerTime, s.FirstAnswer, s.FirstReason = c.At, c.Action, c.Carry.Reason
	}
}

// first keeps the earliest of the times at which something happened.
func first(t *time.Time, at time.Time) {
	if t.IsZero() {
		*t = at
	}
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// detail keeps the pairs that have a value.
func detail(pairs ...string) map[string]string {
	m := make(map[string]string, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			m[pairs[i]] = pairs[i+1]
		}
	}
	return m
}
