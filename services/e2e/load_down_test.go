package e2e_test

import (
	"net/http"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// goHome is sent down, followed up, and done with; some are declined, some get worse and go up again.
func (j journey) goHome(up *referralv1.Referral) error {
	r, err := j.create(j.load.cast.specialist, j.downward(up))
	if err != nil {
		return err
	}
	if j.random.IntN(6) == 0 {
		_, err = j.reasoned(j.doctor, r, "decline", "NO_CAPABILITY")
		return err
	}
	if r, err = j.act(j.doctor, r, "accept", &referralv1.AcceptRequest{RequestId: id.New(), Version: r.GetVersion(), WalkIn: walkIn()}); err != nil {
		return err
	}
	if r, err = j.plain(j.doctor, r, "arrive"); err != nil {
		return err
	}
	today := time.Now().In(time.FixedZone("Asia/Shanghai", 8*60*60))
	plan := &referralv1.FollowUpPlan{Condition: "STROKE"}
	for days := range 2 {
		plan.Visits = append(plan.Visits, &referralv1.PlannedVisit{Due: today.AddDate(0, 0, 7*(days+1)).Format(time.DateOnly), Mode: "PHONE"})
	}
	if r, err = j.act(j.doctor, r, "beginFollowUp", &referralv1.BeginFollowUpRequest{RequestId: id.New(), Version: r.GetVersion(), Plan: plan}); err != nil {
		return err
	}
	r, err = j.act(j.doctor, r, "recordVisit", &referralv1.RecordVisitRequest{
		RequestId: id.New(), Version: r.GetVersion(), Visit: 1, Findings: &referralv1.Findings{Result: "STABLE"},
	})
	if err != nil {
		return err
	}
	if j.random.IntN(2) == 0 {
		return j.goUpAgain(r)
	}
	_, err = j.act(j.doctor, r, "complete", &referralv1.CompleteRequest{RequestId: id.New(), Version: r.GetVersion(), OutcomeCode: "IMPROVED"})
	return err
}

// goUpAgain ends with the arrival at the county, which is a bounce-back, and the county's reply.
func (j journey) goUpAgain(r *referralv1.Referral) error {
	request := &referralv1.EscalateRequest{RequestId: id.New(), Version: r.GetVersion(), Referral: j.load.cast.upward("", neurology)}
	request.Referral.RequestId, request.Referral.Submit = "", false
	request.Referral.TransferNote = request.GetRequestId()
	j.load.asks(request.GetRequestId())
	r, err := j.act(j.doctor, r, "escalate", request)
	if err != nil {
		return err
	}
	j.load.answered(request.GetRequestId(), r.GetEscalatedTo())
	up, err := do[referralv1.Referral](j, j.doctor, http.MethodGet, "/referrals/"+r.GetEscalatedTo(), nil)
	if err != nil {
		return err
	}
	if up, err = j.accept(up); err != nil {
		return err
	}
	if up, err = j.plain(j.load.cast.desk, up, "arrive"); err != nil {
		return err
	}
	up, err = j.act(j.load.cast.desk, up, "conclude", &referralv1.ConcludeRequest{RequestId: id.New(), Version: up.GetVersion(), OutcomeCode: "WORSE", Reply: reply()})
	if err != nil {
		return err
	}
	_, err = j.plain(j.doctor, up, "acknowledge")
	return err
}

// downward is a complete referral to the centre of the doctor who sent the patient up.
func (j journey) downward(up *referralv1.Referral) *referralv1.CreateReferralRequest {
	return &referralv1.CreateReferralRequest{
		RequestId: id.New(), PatientId: up.GetPatientId(), Direction: commonv1.Direction_DOWN, Kind: commonv1.Kind_REHABILITATION,
		Urgency: commonv1.Urgency_ROUTINE, Receiver: &commonv1.Party{OrganizationId: j.doctor.Account.GetOrganizationId()}, ReplyTo: up.GetId(),
		Diagnoses: up.GetDiagnoses(), Consent: &referralv1.Consent{GivenBy: "本人", Relation: "0", Method: "SIGNED"}, Submit: true,
		Form: &referralv1.Form{Diagnosis: "脑梗死恢复期", Treatment: "抗血小板、调脂治疗", NextPlan: "两周后复查", RehabilitationAdvice: "肢体功能训练"},
	}
}
