package app

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/referral/internal/criteria"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// Criteria are the rules of referral (转诊指征): those of a [criteria.Book]. They advise and never block.
type Criteria interface {
	Evaluate(in criteria.Input, at time.Time) []criteria.Result
	Conditions() []criteria.Condition
	ConditionsOf(icd string) []criteria.Condition
	Rules(condition string) []criteria.Rule
	Values() []criteria.ValueDefinition
	Inputs(direction string, diagnoses []string) (own, general []criteria.ValueDefinition)
	Usual(diagnoses []string) (department string, acute bool)
	FromObservation(code, unit string, number float64) (name string, value float64, ok bool)
	Category(snomed string) (icd string, ok bool)
	StayCeiling(icd string, age int) (days int, rule string, ok bool)
	Stay(code string) (criteria.Stay, bool)
}

// Where a value comes from.
const (
	FromForm   = "FORM"
	FromRecord = "RECORD"
)

// Question is what criteria are asked.
type Question struct {
	Direction domain.Direction
	Diagnoses []domain.Diagnosis
	Values    []domain.ClinicalValue
	// PatientID, if set, adds the record's values, problems and age.
	PatientID string
	// ReplyTo, if set, is the up-referral that is answered, or the down-referral that answers it.
	ReplyTo string
}

// Evaluation is the answer: first what is met, the most urgent first.
type Evaluation struct {
	Results []criteria.Result
	// Inputs are what the rules of these diagnoses ask for, General what is asked of everybody.
	Inputs, General []criteria.ValueDefinition
	// Department is the code of the one that usually receives such patients; Acute: a diagnosis is an emergency while it is fresh.
	Department string
	Acute      bool
	// RecordRead: the patient's record was read.
	RecordRead bool
}

// ListCriteria are the rules of a condition, or of all.
func (s *Service) ListCriteria(condition string) (conditions []criteria.Condition, rules []criteria.Rule) {
	for _, c := range s.Criteria.Conditions() {
		if condition == "" || c.Code == condition {
			conditions = append(conditions, c)
			rules = append(rules, s.Criteria.Rules(c.Code)...)
		}
	}
	return conditions, rules
}

// Reason puts the code of a rule, or of a length of stay, into words; false for one that is no more.
func (s *Service) Reason(code string) (criteria.Rule, bool) {
	if stay, ok := s.Criteria.Stay(code); ok {
		return criteria.Rule{Code: code, Text: stay.Text, TextEn: stay.TextEn, Source: stay.Source}, true
	}
	_, rules := s.ListCriteria("")
	i := slices.IndexFunc(rules, func(r criteria.Rule) bool { return r.Code == code })
	if i < 0 {
		return criteria.Rule{}, false
	}
	return rules[i], true
}

// EvaluateCriteria holds what is known of a patient against the rules. A value of the question goes before that of the record; a record
// that cannot be read is left out. Errors: fields; patientId is unknown where the caller's organisation has no relation to the patient.
func (s *Service) EvaluateCriteria(ctx context.Context, caller authn.Identity, q Question) (Evaluation, error) {
	if q.Direction != domain.Up && q.Direction != domain.Down {
		return Evaluation{}, errs.Invalid(errs.Bad("direction", errs.ReasonFieldInvalid))
	}
	values, bad := s.typed(q.Values)
	if len(bad) > 0 {
		return Evaluation{}, invalid(bad)
	}
	if q.ReplyTo != "" {
		v, err := s.visible(ctx, caller, q.ReplyTo)
		if err != nil {
			return Evaluation{}, err
		}
		more, _ := s.typed(s.told(ctx, caller, answering(v.Snapshot), q.Values))
		values = append(values, more...)
	}
	in := criteria.Input{Direction: string(q.Direction), Diagnoses: domain.Codes(q.Diagnoses), Age: -1, Values: values}
	var out Evaluation
	if q.PatientID != "" {
		_, err := s.addRecord(ctx, caller, q.PatientID, &in)
		switch kind := errs.KindOf(err); {
		case err == nil:
			out.RecordRead = true
		case kind == errs.KindNotFound, kind == errs.KindInvalid, ctx.Err() != nil:
			return Evaluation{}, patientError(err)
		}
		cal, err := s.Calendars.Calendar(ctx, caller.County)
		if err != nil {
			return Evaluation{}, err
		}
		if p, err := s.Patients.Snapshot(ctx, q.PatientID, caller.Organization); err == nil {
			in.Age = domain.AgeOn(p.BirthDate, cal.Today(s.Clock.Now()))
		}
	}
	out.Results = s.Criteria.Evaluate(in, s.Clock.Now())
	out.Inputs, out.General = s.Criteria.Inputs(in.Direction, in.Diagnoses)
	if q.Direction == domain.Up {
		out.Department, out.Acute = s.Criteria.Usual(domain.Codes(q.Diagnoses))
	}
	return out, nil
}

// typed are the values as the rules take them; what is of the other type than its definition is a field to correct. Names that no rule
// knows are passed over.
func (s *Service) typed(values []domain.ClinicalValue) (out []criteria.Value, bad []errs.Field) {
	types := map[string]string{}
	for _, d := range s.Criteria.Values() {
		types[d.Name] = d.Type
	}
	for i, v := range values {
		one := criteria.Value{Name: v.Name, Time: v.Time, Source: FromForm}
		switch {
		case types[v.Name] == "":
			continue
		case types[v.Name] == criteria.Number && v.Number != nil:
			one.Number = *v.Number
		case types[v.Name] == criteria.Finding && v.Finding != nil:
			one.Finding = *v.Finding
		default:
			bad = append(bad, errs.Bad(fmt.Sprintf("values[%d]", i), errs.ReasonFieldInvalid))
			continue
		}
		out = append(out, one)
	}
	return out, bad
}

// usable are the values as they are kept: of a name that rules know, of its type, each once. The rest says nothing, and never stops a referral.
func (s *Service) usable(values []domain.ClinicalValue) []domain.ClinicalValue {
	types := map[string]string{}
	for _, d := range s.Criteria.Values() {
		types[d.Name] = d.Type
	}
	var out []domain.ClinicalValue
	for _, v := range values {
		number := types[v.Name] == criteria.Number && v.Number != nil && !math.IsNaN(*v.Number) && !math.IsInf(*v.Number, 0)
		finding := types[v.Name] == criteria.Finding && v.Finding != nil
		known := slices.ContainsFunc(out, func(other domain.ClinicalValue) bool { return other.Name == v.Name })
		if (number || finding) && !known {
			out = append(out, v)
		}
	}
	return out
}

// addRecord adds what the record knows: the values that were not given already, and the problems as ICD-10 categories. The answer is the
// record itself.
func (s *Service) addRecord(ctx context.Context, caller authn.Identity, patientID string, in *criteria.Input) (Record, error) {
	r, err := s.Records.Record(ctx, caller.County, patientID, caller.Organization)
	if err != nil {
		return Record{}, err
	}
	given := len(in.Values)
	for _, o := range r.Observations {
		for _, code := range o.Codes {
			name, number, ok := s.Criteria.FromObservation(code, o.Unit, o.Number)
			if !ok {
				continue
			}
			if !slices.ContainsFunc(in.Values[:given], func(v criteria.Value) bool { return v.Name == name }) {
				in.Values = append(in.Values, criteria.Value{Name: name, Number: number, Time: o.Time, Source: FromRecord})
			}
			break
		}
	}
	for _, p := range r.Problems {
		code := p.Code
		if icd, ok := s.Criteria.Category(code); ok {
			code = icd
		}
		// A code that is none of ICD-10 is of no condition.
		if !slices.Contains(in.Diagnoses, code) {
			in.Diagnoses = append(in.Diagnoses, code)
		}
	}
	return r, nil
}

// recordPatience is how long a submission waits for the record: what it adds is worth that, and no more.
const recordPatience = 2 * time.Second

// matched are the codes of the rules that a referral meets as it is sent, and what the record holds. Nothing that goes wrong here stops a
// submission: what could not be read does not count.
func (s *Service) matched(ctx context.Context, caller authn.Identity, r domain.Snapshot) ([]string, domain.RecordFacts) {
	values, _ := s.typed(append(slices.Clone(r.Values), s.told(ctx, caller, r, r.Values)...))
	known := criteria.Input{Direction: string(r.Direction), Diagnoses: domain.Codes(r.Diagnoses), Age: -1, Values: values}
	patient, done := context.WithTimeout(ctx, recordPatience)
	defer done()
	record, err := s.addRecord(patient, caller, r.PatientID, &known)
	now := s.Clock.Now()
	if cal, err := s.Calendars.Calendar(ctx, caller.County); err == nil {
		known.Age = domain.AgeOn(r.Patient.BirthDate, cal.Today(now))
	}
	var codes []string
	for _, result := range s.Criteria.Evaluate(known, now) {
		if result.Status == criteria.Met {
			codes = append(codes, result.Code)
		}
	}
	return codes, facts(record, err, now)
}

// answering is the down-referral itself, or what stands for one that is to answer an up-referral.
func answering(r domain.Snapshot) domain.Snapshot {
	if r.Direction == domain.Up {
		return domain.Snapshot{LinkKind: domain.LinkAnswers, ReplyTo: r.ID}
	}
	return r
}

// told are the findings that the up-referral's conclusion tells of a patient who goes down, but those that the doctor gave.
func (s *Service) told(ctx context.Context, caller authn.Identity, r domain.Snapshot, given []domain.ClinicalValue) []domain.ClinicalValue {
	if r.LinkKind != domain.LinkAnswers {
		return nil
	}
	up, err := s.Reader.Get(ctx, caller, r.ReplyTo)
	if err != nil {
		return nil
	}
	var out []domain.ClinicalValue
	for name, finding := range up.Findings() {
		if !slices.ContainsFunc(given, func(v domain.ClinicalValue) bool { return v.Name == name }) {
			out = append(out, domain.ClinicalValue{Name: name, Finding: &finding})
		}
	}
	return out
}

// stayDays is after how many days a stay that begins now is longer than usual for its diagnoses, and by which row; 0 if no row has them.
// Of several diagnoses the longest usual stay counts: a patient is in hospital for the worst of them.
func (s *Service) stayDays(diagnoses []string, age int) (days int, criterion string) {
	for _, icd := range diagnoses {
		if d, rule, ok := s.Criteria.StayCeiling(icd, age); ok && d > days {
			days, criterion = d, rule
		}
	}
	return days, criterion
}

// stayLimit is stayDays of an up-referral whose patient is admitted on a local day.
func (s *Service) stayLimit(r domain.Snapshot, today string) int {
	days, _ := s.stayDays(domain.Codes(r.Diagnoses), domain.AgeOn(r.Patient.BirthDate, today))
	return days
}

// downReasons are the codes of the rules for going down that are met by these findings: rules of the conditions that the diagnoses are, and
// those that are for everybody. What is only suspected at a diagnosis is no reason.
func (s *Service) downReasons(diagnoses []string, findings map[string]bool, age int, at time.Time) []string {
	concerned := map[string]bool{}
	for _, c := range s.Criteria.Conditions() {
		concerned[c.Code] = c.Always
	}
	for _, icd := range diagnoses {
		for _, c := range s.Criteria.ConditionsOf(icd) {
			concerned[c.Code] = true
		}
	}
	in := criteria.Input{Direction: criteria.Down, Diagnoses: diagnoses, Age: age}
	for name, holds := range findings {
		in.Values = append(in.Values, criteria.Value{Name: name, Finding: holds})
	}
	var codes []string
	for _, r := range s.Criteria.Evaluate(in, at) {
		if r.Status == criteria.Met && concerned[r.Condition] {
			codes = append(codes, r.Code)
		}
	}
	return codes
}
