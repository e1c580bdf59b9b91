package domain

import "time"

// A patient who could go down and is sent up again meanwhile is not to be sent down before it is known what comes of that. The candidate rests: it stays
// on the list and in every figure as one on which nobody has decided, but no limit runs, and nobody is late with it. What was decided stays as it is.

// againBy tells whether an up-referral of the patient, or of another record of the same person, brings the patient to the hospital again: not that of the
// candidate's stay, nor one that came to be this stay.
func (c CandidateSnapshot) againBy(up Snapshot) bool {
	switch {
	case !up.BringsIn() || up.Receiver.OrganizationID != c.OrganizationID || up.ID == c.ReferralID:
		return false
	case c.ReferralID != "":
		return true
	case up.ArriveTime.IsZero():
		return up.SubmitTime.After(c.Start) && !c.writtenFor(up)
	}
	stay := up.Stay()
	stay.PatientID = c.PatientID
	return !c.Covers(stay)
}

// writtenFor tells whether an emergency was written for the admission of the stay: the patient is in the ward before the township's paper is.
func (c CandidateSnapshot) writtenFor(up Snapshot) bool {
	return up.Kind == KindEmergency && !up.SubmitTime.After(c.Start.Add(slack)) && (c.End.IsZero() || !up.SubmitTime.After(c.End))
}

// UpAgain lets a candidate that waits rest while one of the patient's up-referrals brings the patient to the hospital again, and lets it wait anew, until
// due, when none does any more.
func (c *Candidate) UpAgain(ups []Snapshot, due time.Time, by Actor, at time.Time) {
	if !c.s.Waits() {
		return
	}
	brought := ""
	for _, up := range ups {
		if c.s.againBy(up) && (brought == "" || up.ID == c.s.UpAgainBy) {
			brought = up.ID
		}
	}
	was := c.s.UpAgainBy
	if c.s.UpAgainBy = brought; brought == was {
		return
	}
	if brought != "" {
		c.note(RestCandidate, c.s.State, by, at)
		return
	}
	c.s.Due = due
	c.note(ResumeCandidate, c.s.State, by, at)
}

// Lives puts it back on the list, until due, if it ended by the death that an up-referral told wrongly: the one of its stay, or the one on which it rested.
func (c *Candidate) Lives(upID string, due time.Time, by Actor, at time.Time) {
	if c.s.State != CandidateDismissed || CountsAs(c.s.ReasonCode) != "DIED" || c.s.ReferralID != upID && c.s.UpAgainBy != upID {
		return
	}
	c.s.State, c.s.ReasonCode, c.s.Note, c.s.UpAgainBy, c.s.Due = CandidateOpen, "", "", "", due
	c.note(ReopenCandidate, CandidateDismissed, by, at)
}
