package domain

// LateSteps are those with which a person can be late: where the system acts by itself, or the limit is a mere prompt, nobody is.
func LateSteps() []Step {
	return []Step{StepAnswer, StepMissingInformation, StepReply, StepFirstContact, StepVisit, StepConsent, StepDownDecision, StepNormCheck}
}

// WaitsFor is the organisation that a step waits for.
func (s Snapshot) WaitsFor(step Step) string {
	switch step {
	case StepMissingInformation, StepConsent:
		return s.Originator.OrganizationID
	case StepNormCheck:
		if s.Direction == Up {
			return s.Originator.OrganizationID
		}
	}
	return s.Receiver.OrganizationID
}
