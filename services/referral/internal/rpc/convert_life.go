package rpc

import (
	"strings"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// life adds what belongs to the later life of a referral; toLife is the other way round.
func life(out *referralv1.Referral, s domain.Snapshot) {
	out.ReplyTo, out.LinkKind, out.EscalatedTo, out.DownReferral = s.ReplyTo, string(s.LinkKind), s.Escalated, s.DownReferral
	out.WrittenTime, out.Supplemented = stamp(s.WrittenTime), s.Supplemented
	out.BounceBackOf, out.BouncedBy, out.Retrospective, out.Destination = s.BounceBackOf, s.BouncedBy, s.Retrospective, s.Destination
	out.ArriveTime, out.AdmitTime, out.ConcludeTime, out.CloseTime = stamp(s.ArriveTime), stamp(s.AdmitTime), stamp(s.ConcludeTime), stamp(s.CloseTime)
	out.MatchedCriteria, out.FamilyDoctor = s.MatchedCriteria, s.FamilyDoctor
	out.Values = fromValues(s.Values)
	out.Verdict, out.VerdictNote = string(s.Verdict), s.VerdictNote
	out.DepartTime, out.ExpectedArrival, out.Corrections = stamp(s.DepartTime), stamp(s.ExpectedArrival), small(s.Corrections)
	out.Plan = plan(s.Plan)
	if s.State == domain.StateFollowUp {
		out.WorseReasons = s.Plan.Worse()
	}
	for _, m := range s.Medicines {
		out.Medicines = append(out.Medicines, medicine(m))
	}
	out.Modality = s.Modality
	for _, d := range s.ExamItems {
		out.ExamItems = append(out.ExamItems, coding(d))
	}
}

func toLife(s *domain.Snapshot, m *referralv1.Referral) {
	s.ReplyTo, s.LinkKind, s.Escalated, s.DownReferral = m.GetReplyTo(), domain.LinkKind(m.GetLinkKind()), m.GetEscalatedTo(), m.GetDownReferral()
	s.BounceBackOf, s.BouncedBy, s.Retrospective, s.Destination = m.GetBounceBackOf(), m.GetBouncedBy(), m.GetRetrospective(), m.GetDestination()
	s.WrittenTime, s.Supplemented = instant(m.GetWrittenTime()), m.GetSupplemented()
	s.ArriveTime, s.AdmitTime = instant(m.GetArriveTime()), instant(m.GetAdmitTime())
	s.ConcludeTime, s.CloseTime = instant(m.GetConcludeTime()), instant(m.GetCloseTime())
	s.MatchedCriteria, s.FamilyDoctor = m.GetMatchedCriteria(), m.GetFamilyDoctor()
	s.Values = clinicalValues(m.GetValues())
	s.Verdict, s.VerdictNote = domain.Verdict(m.GetVerdict()), m.GetVerdictNote()
	s.DepartTime, s.ExpectedArrival, s.Corrections = instant(m.GetDepartTime()), instant(m.GetExpectedArrival()), int(m.GetCorrections())
	s.Plan = toPlan(m.GetPlan())
	s.Medicines, s.ExamItems = toMedicines(m.GetMedicines()), toDiagnoses(m.GetExamItems())
	s.Modality = m.GetModality()
}

// small is a count as the wire has it.
func small(n int) int32 {
	const most = 1<<31 - 1
	return int32(min(max(n, 0), most))
}

func medicine(m domain.Medicine) *referralv1.DischargeMedicine {
	return &referralv1.DischargeMedicine{
		Name: m.Name, Specification: m.Specification, Dosage: m.Dosage, Days: small(m.Days), Availability: string(m.Availability),
		Decision: m.Decision, Substitute: m.Substitute, DecisionNote: m.DecisionNote,
	}
}

func toMedicines(ms []*referralv1.DischargeMedicine) []domain.Medicine {
	var out []domain.Medicine
	for _, m := range ms {
		out = append(out, domain.Medicine{
			Name: m.GetName(), Specification: m.GetSpecification(), Dosage: m.GetDosage(), Days: int(m.GetDays()),
			Availability: domain.Availability(m.GetAvailability()), Decision: m.GetDecision(), Substitute: m.GetSubstitute(),
			DecisionNote: m.GetDecisionNote(),
		})
	}
	return out
}

// typedMedicines are those of a form: what the centre has is found out, not believed, and a row left empty is none.
func typedMedicines(ms []*referralv1.DischargeMedicine) []domain.Medicine {
	var out []domain.Medicine
	for _, m := range toMedicines(ms) {
		m = domain.Medicine{
			Name: trim(m.Name), Specification: trim(m.Specification), Dosage: trim(m.Dosage), Days: m.Days, Decision: m.Decision,
			Substitute: trim(m.Substitute), DecisionNote: trim(m.DecisionNote),
		}
		if m != (domain.Medicine{}) {
			out = append(out, m)
		}
	}
	return out
}

func plan(p domain.FollowUpPlan) *referralv1.FollowUpPlan {
	if p.Template == "" && p.Condition == "" && p.Goal == "" && len(p.Visits) == 0 {
		return nil
	}
	out := &referralv1.FollowUpPlan{Template: p.Template, Condition: p.Condition, Goal: p.Goal}
	for _, v := range p.Visits {
		one := &referralv1.PlannedVisit{Number: small(v.Number), Due: v.Due, Mode: v.Mode, Items: v.Items, Done: v.Done, DoneTime: stamp(v.DoneTime)}
		if v.Done {
			one.DoneBy = &commonv1.Actor{AccountId: v.DoneBy.AccountID, Name: v.DoneBy.Name, OrganizationId: v.DoneBy.OrganizationID}
			one.Findings = findings(v.Findings)
		}
		out.Visits = append(out.Visits, one)
	}
	return out
}

func toPlan(m *referralv1.FollowUpPlan) domain.FollowUpPlan {
	p := domain.FollowUpPlan{Template: m.GetTemplate(), Condition: m.GetCondition(), Goal: trim(m.GetGoal())}
	for _, v := range m.GetVisits() {
		p.Visits = append(p.Visits, domain.PlannedVisit{
			Number: int(v.GetNumber()), Due: v.GetDue(), Mode: v.GetMode(), Items: v.GetItems(), Done: v.GetDone(), DoneTime: instant(v.GetDoneTime()),
			DoneBy: domain.Actor{
				AccountID: v.GetDoneBy().GetAccountId(), Name: v.GetDoneBy().GetName(), OrganizationID: v.GetDoneBy().GetOrganizationId(),
			},
			Findings: toFindings(v.GetFindings()),
		})
	}
	return p
}

// typedPlan is a plan that was sent; nil if none was.
func typedPlan(m *referralv1.FollowUpPlan) *domain.FollowUpPlan {
	if m == nil {
		return nil
	}
	p := toPlan(m)
	return &p
}

func findings(f domain.Findings) *referralv1.Findings {
	out := &referralv1.Findings{Result: f.Result, MedicationTaking: f.MedicationTaking, AdverseReaction: f.AdverseReaction, Note: f.Note}
	for _, v := range f.Values {
		out.Values = append(out.Values, &referralv1.Measured{Name: v.Name, Number: v.Number, Unit: v.Unit})
	}
	return out
}

func toFindings(m *referralv1.Findings) domain.Findings {
	f := domain.Findings{
		Result: m.GetResult(), MedicationTaking: m.GetMedicationTaking(), AdverseReaction: m.GetAdverseReaction(), Note: trim(m.GetNote()),
	}
	for _, v := range m.GetValues() {
		f.Values = append(f.Values, domain.Measured{Name: v.GetName(), Number: v.GetNumber(), Unit: v.GetUnit()})
	}
	return f
}

func message(referralID string, h app.HistoryRow) *referralv1.Message {
	return &referralv1.Message{
		Id: h.ID, ReferralId: referralID, Text: h.Note, CreateTime: stamp(h.At),
		Author: &commonv1.Actor{AccountId: h.By.AccountID, Name: h.By.Name, OrganizationId: h.By.OrganizationID},
	}
}

func correction(number int, h app.HistoryRow) *referralv1.Correction {
	out := &referralv1.Correction{
		Number: small(number), Time: stamp(h.At), ReasonCode: h.Reason, Note: h.Note,
		Author: &commonv1.Actor{AccountId: h.By.AccountID, Name: h.By.Name, OrganizationId: h.By.OrganizationID},
	}
	for _, key := range sortedKeys(h.Detail) {
		if path, ok := strings.CutPrefix(key, "after."); ok {
			out.Fields = append(out.Fields, &referralv1.CorrectedField{Path: path, Before: h.Detail["before."+path], After: h.Detail[key]})
		}
	}
	return out
}

func link(l app.Link) *referralv1.Link {
	s := l.Referral
	return &referralv1.Link{
		Kind: l.Kind, ReferralId: s.ID, Number: s.Number.Printed(), State: state(s.State),
		Direction:    commonv1.Direction_Code(commonv1.Direction_Code_value[string(s.Direction)]),
		ReferralKind: commonv1.Kind_Code(commonv1.Kind_Code_value[string(s.Kind)]),
		CreateTime:   stamp(s.CreateTime), Readable: l.Readable,
	}
}

// markAction is a row of the table of marks, told as the rows of the life cycle are.
func markAction(m domain.Mark) *referralv1.Action {
	return action(domain.Row{Action: m.Action, From: m.In, Who: m.Who, Carries: m.Carries, Applies: m.Applies})
}
