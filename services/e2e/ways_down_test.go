//go:build e2e

package e2e_test

import (
	"maps"
	"slices"
	"testing"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// treated is an up-referral with coronary heart disease that the county is done with.
func (c cast) treated(t *testing.T, name string) *referralv1.Referral {
	t.Helper()
	request := c.upward(c.patient(t, name), cardiology)
	request.Diagnoses = []*commonv1.Coding{{Code: "I25.1", Display: "动脉硬化性心脏病"}}
	r := acceptWalkIn(t, c.desk, post[referralv1.Referral](t, c.township, "/referrals", request))
	r = plainly(t, c.desk, r, "arrive")
	return act(t, c.specialist, r, "conclude", &referralv1.ConcludeRequest{RequestId: id.New(), Version: r.GetVersion(), OutcomeCode: "IMPROVED", Reply: reply()})
}

// homeward is a complete down-referral that answers an up-referral, sent at once.
func (c cast) homeward(t *testing.T, up *referralv1.Referral) *referralv1.Referral {
	t.Helper()
	return post[referralv1.Referral](t, c.specialist, "/referrals", &referralv1.CreateReferralRequest{
		RequestId: id.New(), PatientId: up.GetPatientId(), Direction: commonv1.Direction_DOWN, Kind: commonv1.Kind_CHRONIC, Urgency: commonv1.Urgency_ROUTINE,
		Receiver: &commonv1.Party{OrganizationId: c.centre}, ReplyTo: up.GetId(), Diagnoses: up.GetDiagnoses(),
		Form:    &referralv1.Form{Diagnosis: "冠心病", Treatment: "规范用药", NextPlan: "每月随访", RehabilitationAdvice: "适量活动"},
		Consent: &referralv1.Consent{GivenBy: "本人", Relation: "0", Method: "SIGNED"}, Submit: true,
	})
}

// stocked is the candidate of an up-referral's stay once the centre's list of medicines, which comes as facts, is known where it is.
func (c cast) stocked(t *testing.T, up *referralv1.Referral) (found *referralv1.Candidate) {
	t.Helper()
	eventually(t, "formulary of the centre", func() bool {
		found = c.waiting(t, up)
		return len(found.GetMedicines()) > 0 && !slices.Contains(availabilities(found.GetMedicines()), "UNKNOWN")
	})
	return found
}

// waiting is the candidate of an up-referral's stay.
func (c cast) waiting(t *testing.T, up *referralv1.Referral) *referralv1.Candidate {
	t.Helper()
	for _, one := range get[referralv1.ListCandidatesResponse](t, c.specialist, "/candidates?state=ALL").GetCandidates() {
		if one.GetReferralId() == up.GetId() {
			return one
		}
	}
	t.Fatalf("the stay of %s made no candidate", up.GetNumber())
	return nil
}

// sentDownAndDeclined: what the township cannot take is the department's again, which then decides otherwise.
func (c cast) sentDownAndDeclined(t *testing.T) {
	up := c.treated(t, "莫退回")
	down := c.homeward(t, up)
	if got := c.waiting(t, up).GetState(); got != "CLOSED" {
		t.Errorf("with the patient sent down the candidate is %s", got)
	}
	act(t, c.township, down, "decline", &referralv1.ReasonRequest{RequestId: id.New(), Version: down.GetVersion(), ReasonCode: "NOT_STABLE"})
	if read(t, c.township, up.GetId()).GetDownReferral() != "" {
		t.Error("the up-referral is still answered by what was declined")
	}
	again := c.waiting(t, up)
	if again.GetState() != "OPEN" {
		t.Errorf("with the patient declined the candidate is %s", again.GetState())
	}
	eventually(t, "news of the candidate", func() bool { return inbox(t, c.specialist, up.GetId())["candidate_found"] == 2 })
	dismissed := post[referralv1.Candidate](t, c.specialist, "/candidates/"+again.GetId()+":dismiss",
		&referralv1.DismissCandidateRequest{RequestId: id.New(), Version: again.GetVersion(), ReasonCode: "TOWNSHIP_CANNOT"})
	if dismissed.GetState() != "DISMISSED" || dismissed.GetReasonCode() != "TOWNSHIP_CANNOT" {
		t.Errorf("dismissed: state %s, reason %s", dismissed.GetState(), dismissed.GetReasonCode())
	}
}

// completed: a follow-up whose plan was changed on the way and that ended well.
func (c cast) completed(t *testing.T) {
	up := c.treated(t, "莫完成")
	r := c.homeward(t, up)
	r = act(t, c.township, r, "redirect", &referralv1.RedirectRequest{
		RequestId: id.New(), Version: r.GetVersion(), ReasonCode: "LIVES_ELSEWHERE", Receiver: &commonv1.Party{OrganizationId: c.township2.Account.GetOrganizationId()},
	})
	r = plainly(t, c.township2, acceptWalkIn(t, c.township2, read(t, c.township2, r.GetId())), "arrive")
	plan := func(days ...int) *referralv1.FollowUpPlan {
		p := &referralv1.FollowUpPlan{Condition: "CHD"}
		for _, d := range days {
			p.Visits = append(p.Visits, &referralv1.PlannedVisit{Due: day(d), Mode: "PHONE", Items: []string{"SYMPTOMS"}})
		}
		return p
	}
	r = act(t, c.township2, r, "beginFollowUp", &referralv1.BeginFollowUpRequest{RequestId: id.New(), Version: r.GetVersion(), Plan: plan(7, 30)})
	r = act(t, c.township2, r, "revisePlan", &referralv1.RevisePlanRequest{RequestId: id.New(), Version: r.GetVersion(), Plan: plan(3)})
	r = act(t, c.township2, r, "recordVisit", &referralv1.RecordVisitRequest{
		RequestId: id.New(), Version: r.GetVersion(), Visit: 1, Findings: &referralv1.Findings{Result: "IMPROVED"},
	})
	r = act(t, c.township2, r, "complete", &referralv1.CompleteRequest{RequestId: id.New(), Version: r.GetVersion(), OutcomeCode: "IMPROVED"})
	if r.GetState() != referralv1.State_CLOSED || r.GetOutcomeCode() != "IMPROVED" || len(r.GetPlan().GetVisits()) != 1 {
		t.Errorf("completed: state %s, outcome %s, %d visits", r.GetState(), r.GetOutcomeCode(), len(r.GetPlan().GetVisits()))
	}
	eventually(t, "news of the end", func() bool {
		return maps.Equal(inbox(t, c.specialist, r.GetId()), map[string]int{"redirected": 1, "accepted": 1, "arrived": 1, "follow_up_begun": 1, "completed": 1})
	})
}
