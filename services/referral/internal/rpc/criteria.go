package rpc

import (
	"context"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/criteria"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// criteriaServer implements CriteriaService.
type criteriaServer struct {
	referralv1.UnimplementedCriteriaServiceServer
	app *app.Service
}

// ListCriteria implements CriteriaService.
func (s criteriaServer) ListCriteria(_ context.Context, m *referralv1.ListCriteriaRequest) (*referralv1.ListCriteriaResponse, error) {
	conditions, rules := s.app.ListCriteria(m.GetCondition())
	out := &referralv1.ListCriteriaResponse{}
	for _, r := range rules {
		out.Criteria = append(out.Criteria, criterion(r, conditions))
	}
	for _, d := range s.app.Criteria.Values() {
		out.Values = append(out.Values, definition(d))
	}
	return out, nil
}

// EvaluateCriteria implements CriteriaService.
func (s criteriaServer) EvaluateCriteria(ctx context.Context, m *referralv1.EvaluateCriteriaRequest) (*referralv1.EvaluateCriteriaResponse, error) {
	e, err := s.app.EvaluateCriteria(ctx, caller(ctx), app.Question{
		Direction: domain.Direction(word(m.GetDirection())), Diagnoses: typedDiagnoses(m.GetDiagnoses()), Values: clinicalValues(m.GetValues()),
		PatientID: m.GetPatientId(), ReplyTo: m.GetReplyTo(),
	})
	if err != nil {
		return nil, err
	}
	conditions, _ := s.app.ListCriteria("")
	out := &referralv1.EvaluateCriteriaResponse{RecordRead: e.RecordRead, DepartmentCode: e.Department, Acute: e.Acute}
	for _, r := range e.Results {
		out.Results = append(out.Results, criterionResult(r, conditions))
	}
	for _, d := range e.Inputs {
		out.Inputs = append(out.Inputs, definition(d))
	}
	for _, d := range e.General {
		one := definition(d)
		one.General = true
		out.Inputs = append(out.Inputs, one)
	}
	return out, nil
}

func clinicalValues(ms []*referralv1.ClinicalValue) []domain.ClinicalValue {
	var out []domain.ClinicalValue
	for _, m := range ms {
		one := domain.ClinicalValue{Name: m.GetName(), Time: instant(m.GetTime())}
		switch v := m.GetValue().(type) {
		case *referralv1.ClinicalValue_Number:
			one.Number = &v.Number
		case *referralv1.ClinicalValue_Finding:
			one.Finding = &v.Finding
		}
		out = append(out, one)
	}
	return out
}

func fromValues(vs []domain.ClinicalValue) []*referralv1.ClinicalValue {
	var out []*referralv1.ClinicalValue
	for _, v := range vs {
		one := &referralv1.ClinicalValue{Name: v.Name, Time: stamp(v.Time)}
		switch {
		case v.Number != nil:
			one.Value = &referralv1.ClinicalValue_Number{Number: *v.Number}
		case v.Finding != nil:
			one.Value = &referralv1.ClinicalValue_Finding{Finding: *v.Finding}
		}
		out = append(out, one)
	}
	return out
}

func definition(d criteria.ValueDefinition) *referralv1.ValueDefinition {
	return &referralv1.ValueDefinition{Name: d.Name, Label: d.Label, LabelEn: d.LabelEn, Type: d.Type, Unit: d.Unit, Low: d.Min, High: d.Max}
}

func criterion(r criteria.Rule, conditions []criteria.Condition) *referralv1.Criterion {
	out := &referralv1.Criterion{
		Code: r.Code, Condition: r.Condition, Expression: r.When, Text: r.Text, TextEn: r.TextEn, Source: r.Source, SourceUrl: r.SourceURL,
		Certainty: r.Certainty, CountyRule: r.County, Values: r.Values, Direction: commonv1.Direction_Code(commonv1.Direction_Code_value[r.Direction]),
		Urgency: commonv1.Urgency_Code(commonv1.Urgency_Code_value[r.Urgency]),
	}
	for _, c := range conditions {
		if c.Code == r.Condition {
			out.ConditionName, out.ConditionNameEn = c.Name, c.NameEn
		}
	}
	return out
}

func criterionResult(r criteria.Result, conditions []criteria.Condition) *referralv1.CriterionResult {
	out := &referralv1.CriterionResult{Criterion: criterion(r.Rule, conditions), Status: r.Status}
	for _, m := range r.Missing {
		// What a patient cannot have does not count, as what is too old does not: both have a time, so that the page can say of which.
		out.Missing = append(out.Missing, &referralv1.MissingValue{
			Name: m.Name, Label: m.Label, LabelEn: m.LabelEn, TooOld: m.TooOld, Time: stamp(m.Time), Implausible: m.Implausible,
		})
	}
	for _, u := range r.Used {
		one := &referralv1.UsedValue{
			Name: u.Name, Label: u.Label, LabelEn: u.LabelEn, Unit: u.Unit, Time: stamp(u.Time), Source: u.Source,
			Value: &referralv1.UsedValue_Number{Number: u.Number},
		}
		if u.Type == criteria.Finding {
			one.Value = &referralv1.UsedValue_Finding{Finding: u.Finding}
		}
		out.Used = append(out.Used, one)
	}
	return out
}
