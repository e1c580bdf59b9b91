package domain

// LateSteps are those with which a person can be late: where the system acts by itself, or the limit is a mere prompt, nobody is.
func LateSteps() []Step {
	return []Step{StepAnswer, StepMissingInformation, StepReply, StepFirstContact, StepVisit, StepConsent, StepDownDecision, StepNormCheck}
}

// WaitsFor is whose move a step is: the party, and the role that usually makes it. Any other role of that side may, as the tables of who may act say.
func (s Snapshot) WaitsFor(step Step) (Party, string) {
	party, side := s.Receiver, Receiver
	if step == StepMissingInformation || step == StepConsent || step == StepNormCheck && s.Direction == Up {
		party, side = s.Originator, Originator
	}
	atHospital := (s.Direction == Up) == (side == Receiver)
	switch {
	case !atHospital:
		return party, "TOWNSHIP_DOCTOR"
	case step == StepAnswer && s.Kind != KindAdvice:
		return party, "INTAKE_DESK"
	}
	return party, "SPECIALIST"
}
