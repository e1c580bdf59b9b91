package domain

import "time"

// dischargeDays is for how long after a discharge a down-referral still belongs to it.
const dischargeDays = 30

// ReportedDischarge is the end of a stay in a ward that a hospital's own system reported, for figures.
type ReportedDischarge struct {
	County, EncounterID, PatientID           string
	OrganizationID, DepartmentCode, CentreID string
	// Condition is the category of the first diagnosis, as of a referral.
	Condition  string
	Start, End time.Time
	// Way is 离院方式 as of [Discharge]; empty if not said.
	Way string
	// ReferralID is the up-referral whose conclusion is the same discharge, DownReferral the first one by which the patient was sent down.
	ReferralID, DownReferral string
}

// Reported is the discharge of a stay that is over.
func (s Stay) Reported() ReportedDischarge {
	return ReportedDischarge{
		County: s.County, EncounterID: s.EncounterID, PatientID: s.PatientID, OrganizationID: s.OrganizationID, DepartmentCode: s.DepartmentCode,
		CentreID: s.CentreID, Condition: Snapshot{Diagnoses: s.Diagnoses}.Condition(), Start: s.Start, End: s.End,
		Way: s.Way,
	}
}

// Admission is when the patient must have been admitted at the latest, and concluded at the earliest, by an up-referral of the same stay.
func (d ReportedDischarge) Admission() (latest, concluded time.Time) {
	return d.End.Add(slack), d.Start.Add(-slack)
}

// SentDown is from when until when a down-referral belongs to the stay: [from, to).
func (d ReportedDischarge) SentDown() (from, to time.Time) {
	return d.Start, d.End.AddDate(0, 0, dischargeDays)
}

// Concludes tells whether the conclusion of an up-referral is this discharge.
func (d ReportedDischarge) Concludes(up Snapshot) bool {
	latest, concluded := d.Admission()
	return up.Stays() && up.PatientID == d.PatientID && up.Receiver.OrganizationID == d.OrganizationID && !up.AdmitTime.IsZero() &&
		!up.ConcludeTime.IsZero() && !up.AdmitTime.After(latest) && !up.ConcludeTime.Before(concluded)
}

// FollowedBy tells whether a down-referral that stands sent the patient of this stay down.
func (d ReportedDischarge) FollowedBy(down Snapshot) bool {
	from, to := d.SentDown()
	return down.Stands() && down.PatientID == d.PatientID && down.Originator.OrganizationID == d.OrganizationID &&
		!down.SubmitTime.Before(from) && down.SubmitTime.Before(to)
}

// Stands tells whether a down-referral was sent and neither taken back nor declined.
func (s Snapshot) Stands() bool {
	return s.Direction == Down && s.Number != "" && s.State != StateDeclined && s.State != StateCancelled
}

// ToCentre tells whether the hospital's system says that the patient was discharged to a township centre (离院方式 3).
func (d ReportedDischarge) ToCentre() bool { return d.Way == leftForCentre }

// SentDown is a down-referral with the discharges that may belong to it.
type SentDown struct {
	Referral   Snapshot
	Discharges []ReportedDischarge
}

// Discharge is the one that belongs to the down-referral, of several one to a centre; false for none.
func (s SentDown) Discharge() (found ReportedDischarge, ok bool) {
	for _, d := range s.Discharges {
		if d.DownReferral != s.Referral.ID && !d.FollowedBy(s.Referral) {
			continue
		}
		if !ok || d.ToCentre() {
			found, ok = d, true
		}
	}
	return found, ok
}
