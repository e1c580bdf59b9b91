package history

import (
	"context"
	"strconv"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
)

// accept gives the patient a place: the slot that was asked for, another, a bed, or hours in which to come.
func (t *trip) accept(ctx context.Context) error {
	r, err := t.act(ctx, t.cast.desk, t.id, states(referralv1.State_SUBMITTED), func(ctx context.Context, r *referralv1.Referral) (*referralv1.Referral, error) {
		if _, err := t.Referral.MarkSeen(ctx, &referralv1.MarkSeenRequest{Id: r.GetId()}); err != nil {
			return nil, err
		}
		request, err := t.acceptance(ctx, r)
		if err != nil {
			return nil, err
		}
		return t.Referral.Accept(ctx, request)
	})
	if r != nil {
		t.promised()
	}
	return err
}

func (t *trip) acceptance(ctx context.Context, r *referralv1.Referral) (*referralv1.AcceptRequest, error) {
	request := &referralv1.AcceptRequest{Id: r.GetId(), Version: r.GetVersion(), RequestId: t.request(), HoldId: r.GetHoldId(), Note: "请带身份证、医保卡和检查资料。"}
	now := t.world.Now()
	if request.GetHoldId() != "" {
		hold, err := t.Scheduling.GetHold(ctx, &schedulingv1.GetHoldRequest{Id: request.GetHoldId()})
		if err != nil {
			return nil, err
		}
		if hold.GetState() != schedulingv1.HoldState_ATTACHED { // too late for it
			request.HoldId = ""
		}
	}
	var err error
	switch {
	case request.GetHoldId() != "":
	case t.share.kind == emergency:
		t.walkIn(request, now, now.Add(4*time.Hour))
		request.Note = "急诊绿色通道，急诊楼1层。"
	case t.share.kind == inpatient:
		hold, err := t.Scheduling.CreateHold(ctx, &schedulingv1.CreateHoldRequest{
			RequestId: t.request(), PatientId: t.patient.id, ReferralId: r.GetId(),
			Bed: &schedulingv1.BedRequest{OrganizationId: t.cast.hospital.GetId(), DepartmentCode: t.condition.department},
		})
		if err != nil {
			return nil, err
		}
		request.HoldId, request.Note = hold.GetId(), "住院部"+hold.GetWard()+"，请带住院用品。"
		t.expected = now.Add(t.between(2*time.Hour, 8*time.Hour))
	default:
		request.HoldId, err = t.place(ctx, t.condition.department, 1)
	}
	if request.GetHoldId() == "" && request.GetWalkIn() == nil {
		from := office(startOfDay(now).AddDate(0, 0, 1).Add(opens))
		t.walkIn(request, from, from.Add(4*time.Hour))
	}
	return request, err
}

func (t *trip) walkIn(request *referralv1.AcceptRequest, from, to time.Time) {
	request.WalkIn = &referralv1.WalkIn{From: timestamppb.New(from), To: timestamppb.New(to)}
	t.expected = from.Add(t.between(0, to.Sub(from)/2))
}

// promised: the patient comes, or does not.
func (t *trip) promised() {
	if t.fate.stop == "accepted" {
		return
	}
	now := t.world.Now()
	coming := t.expected.Add(t.between(-25*time.Minute, 10*time.Minute))
	if t.share.kind == emergency {
		coming = now.Add(t.between(20*time.Minute, 80*time.Minute))
	}
	if coming.Before(now.Add(5 * time.Minute)) {
		coming = now.Add(t.between(5*time.Minute, 30*time.Minute))
	}
	switch {
	case t.fate.calls:
		t.at(working(now.Add(coming.Sub(now)/2)), t.cancel(states(referralv1.State_ACCEPTED)))
	case t.fate.comes:
		t.at(coming, t.arrive(states(referralv1.State_ACCEPTED)))
	case t.fate.late:
		t.at(startOfDay(coming).Add(oneDay+opens+t.between(time.Hour, 3*time.Hour)), t.arrive(states(referralv1.State_NO_SHOW)))
	case t.fate.rebooks:
		t.at(startOfDay(coming).Add(oneDay+opens+t.between(time.Hour, 6*time.Hour)), t.rebook)
	default:
		t.at(startOfDay(coming).Add(3*oneDay+opens+t.between(0, 6*time.Hour)), t.cancel(states(referralv1.State_NO_SHOW)))
	}
}

func (t *trip) rebook(ctx context.Context) error {
	r, err := t.act(ctx, t.cast.desk, t.id, states(referralv1.State_NO_SHOW), func(ctx context.Context, r *referralv1.Referral) (*referralv1.Referral, error) {
		request, err := t.acceptance(ctx, &referralv1.Referral{Id: r.GetId(), Version: r.GetVersion()})
		if err != nil {
			return nil, err
		}
		request.Note = "与患者电话约定，改期就诊。"
		return t.Referral.Rebook(ctx, request)
	})
	if r != nil {
		t.fate.comes = true
		t.promised()
	}
	return err
}

func (t *trip) arrive(from []referralv1.State_Code) func(context.Context) error {
	return func(ctx context.Context) error {
		r, err := t.act(ctx, t.cast.desk, t.id, from, func(ctx context.Context, r *referralv1.Referral) (*referralv1.Referral, error) {
			return t.Referral.Arrive(ctx, &referralv1.ActionRequest{Id: r.GetId(), Version: r.GetVersion(), RequestId: t.request()})
		})
		if r != nil {
			t.came()
		}
		return err
	}
}

// came: what the county does with the patient.
func (t *trip) came() {
	if t.fate.stop == "arrived" {
		return
	}
	if t.fate.orders && t.share.kind != exam {
		t.in(t.between(10*time.Minute, 40*time.Minute), t.order)
	}
	if t.fate.admit {
		t.in(t.between(time.Hour, 3*time.Hour), t.admit)
		return
	}
	t.in(t.between(30*time.Minute, 90*time.Minute)+t.fate.reply, t.conclude)
}

func (t *trip) admit(ctx context.Context) error {
	doctor := t.specialist(t.condition.department)
	r, err := t.act(ctx, doctor, t.id, states(referralv1.State_ARRIVED), func(ctx context.Context, r *referralv1.Referral) (*referralv1.Referral, error) {
		return t.Referral.Admit(ctx, &referralv1.AdmitRequest{
			Id: r.GetId(), Version: r.GetVersion(), RequestId: t.request(), Ward: "住院部" + t.condition.display + "病区", Bed: strconv.Itoa(1 + t.random.IntN(40)),
		})
	})
	if r == nil || t.fate.stop == "admitted" {
		return err
	}
	low, high := max(t.condition.stay[0], 2), max(t.condition.stay[1], 3)
	leaves := startOfDay(t.world.Now()).AddDate(0, 0, low+t.random.IntN(high-low+1)).Add(opens + t.between(time.Hour, 8*time.Hour))
	t.at(leaves.Add(t.fate.reply/4), t.conclude)
	return err
}

// order notes what is examined: what another has found and is still valid is not done again, or for a reason.
func (t *trip) order(ctx context.Context) error {
	return t.by(ctx, t.specialist(t.condition.department), func(ctx context.Context) error {
		setting := map[commonv1.Kind_Code]string{inpatient: "INPATIENT", emergency: "EMERGENCY"}[t.share.kind]
		if setting == "" {
			setting = "OUTPATIENT"
		}
		there, err := t.Recognition.ListRecognisable(ctx, &patientrecordv1.ListRecognisableRequest{PatientId: t.patient.id, Setting: setting, ReferralId: t.id})
		if err != nil {
			return err
		}
		request := &patientrecordv1.RecordOrderRequest{PatientId: t.patient.id, Setting: setting, ReferralId: t.id, RequestId: t.request()}
		valid := map[string]bool{}
		for _, item := range there.GetRecognisable() {
			line := &patientrecordv1.OrderLine{ItemCode: item.GetItemCode(), Decision: "DROP"}
			if t.chance(24) {
				line.Decision, line.ReasonCode, line.Explained = "REPEAT", pick(t.maker, "RT1", "RT1", "RT2", "RT3", "RT4"), true
			}
			valid[item.GetItemCode()] = true
			request.Lines = append(request.Lines, line)
		}
		for _, code := range []string{"CBC", "ECG", "LIVER"} {
			if !valid[code] && t.chance(60) {
				request.Lines = append(request.Lines, &patientrecordv1.OrderLine{ItemCode: code, Decision: "ORDER"})
			}
		}
		if len(request.GetLines()) == 0 {
			return nil
		}
		_, err = t.Recognition.RecordOrder(ctx, request)
		return err
	})
}

// conclude writes the reply.
func (t *trip) conclude(ctx context.Context) error {
	c, doctor := t.condition, t.specialist(t.condition.department)
	outcome := pick(t.maker, "IMPROVED", "IMPROVED", "IMPROVED", "IMPROVED", "IMPROVED", "IMPROVED", "CURED", "UNCHANGED", "UNCHANGED", "REFERRED_OUT")
	if c.department == "3202" || c.department == "3203" {
		outcome = "UNCHANGED"
	}
	if t.fate.stop != "" {
		outcome = "IMPROVED"
	}
	reply := &referralv1.Reply{Diagnosis: c.display, Findings: c.found, Treatment: c.done, NextSteps: c.next}
	for _, x := range c.medicines {
		reply.Medications = append(reply.Medications, &referralv1.ReplyMedication{Name: x.name, Specification: x.specification, Dosage: x.dosage})
	}
	r, err := t.act(ctx, doctor, t.id, states(referralv1.State_ARRIVED, referralv1.State_ADMITTED), func(ctx context.Context, r *referralv1.Referral) (*referralv1.Referral, error) {
		return t.Referral.Conclude(ctx, &referralv1.ConcludeRequest{Id: r.GetId(), Version: r.GetVersion(), RequestId: t.request(), OutcomeCode: outcome, Reply: reply})
	})
	if r == nil || err != nil {
		return err
	}
	if t.fate.judged != "" {
		if err := t.by(ctx, doctor, func(ctx context.Context) error {
			_, err := t.Referral.Assess(ctx, &referralv1.AssessRequest{Id: t.id, RequestId: t.request(), Verdict: t.fate.judged, Note: verdicts()[t.fate.judged]})
			return err
		}); err != nil {
			return err
		}
	}
	t.concluded(outcome)
	return nil
}

func (t *trip) concluded(outcome string) {
	if t.fate.stop == "concluded" {
		return
	}
	if t.fate.read > 0 {
		t.at(working(t.world.Now().Add(t.fate.read)), t.acknowledge)
	}
	if t.fate.admit && (outcome == "IMPROVED" || outcome == "CURED") && t.condition.down != commonv1.Kind_UNSPECIFIED {
		t.at(working(t.world.Now().Add(t.between(time.Hour, 30*time.Hour))), t.consider)
		return
	}
	t.done(t.patient)
}

func (t *trip) acknowledge(ctx context.Context) error {
	_, err := t.act(ctx, t.doctor, t.id, states(referralv1.State_CONCLUDED), func(ctx context.Context, r *referralv1.Referral) (*referralv1.Referral, error) {
		return t.Referral.Acknowledge(ctx, &referralv1.ActionRequest{Id: r.GetId(), Version: r.GetVersion(), RequestId: t.request()})
	})
	return err
}

// verdicts in words, for the doctor who sent the patient.
func verdicts() map[string]string {
	return map[string]string{
		"NECESSARY": "转诊及时、必要。", "MANAGEABLE_WITH_ADVICE": "可先远程会诊，在基层调整用药。", "TOO_LATE": "建议类似情况尽早上转。",
	}
}
