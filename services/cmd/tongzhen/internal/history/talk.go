package history

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

// advise answers a question (远程会诊).
func (t *trip) advise(ctx context.Context) error {
	r, err := t.act(ctx, t.specialist(t.condition.department), t.id, states(referralv1.State_SUBMITTED), func(ctx context.Context, r *referralv1.Referral) (*referralv1.Referral, error) {
		return t.Referral.Answer(ctx, &referralv1.AnswerRequest{Id: r.GetId(), Version: r.GetVersion(), RequestId: t.request(), Answer: t.condition.reply})
	})
	if r == nil || err != nil {
		return err
	}
	t.done(t.patient)
	if t.fate.read > 0 {
		t.at(working(t.world.Now().Add(t.fate.read)), t.acknowledge)
	}
	return nil
}

// ask is a message of the township, which the county answers.
func (t *trip) ask(ctx context.Context) error {
	open := states(referralv1.State_SUBMITTED, referralv1.State_RETURNED, referralv1.State_ACCEPTED, referralv1.State_ARRIVED, referralv1.State_ADMITTED)
	question := pick(t.maker, "患者行动不便，能否安排同一天做检查？", "家属询问是否需要空腹？", "患者近期用过阿司匹林，是否需要停药？", "请问床位大约何时能安排？")
	r, err := t.act(ctx, t.doctor, t.id, open, func(ctx context.Context, r *referralv1.Referral) (*referralv1.Referral, error) {
		_, err := t.Referral.PostMessage(ctx, &referralv1.PostMessageRequest{Id: r.GetId(), RequestId: t.request(), Text: question})
		return r, err
	})
	if r == nil || err != nil {
		return err
	}
	t.in(t.between(10*time.Minute, 3*time.Hour), func(ctx context.Context) error {
		_, err := t.act(ctx, t.cast.desk, t.id, open, func(ctx context.Context, r *referralv1.Referral) (*referralv1.Referral, error) {
			_, err := t.Referral.PostMessage(ctx, &referralv1.PostMessageRequest{
				Id: r.GetId(), RequestId: t.request(), Text: pick(t.maker, "可以，已备注，请空腹前来。", "请先不要停药，带上药盒。", "已与病区联系，今天能安排。"),
			})
			return r, err
		})
		return err
	})
	return nil
}

// unannounced came to the county without a referral (体系外), which the desk records afterwards.
func (t *trip) unannounced(ctx context.Context) (err error) {
	if t.patient, err = t.someone(ctx, t.condition, t.home, origin{by: t.cast.desk}); err != nil {
		return err
	}
	t.patient.gone = true
	return t.by(ctx, t.cast.desk, func(ctx context.Context) error {
		r, err := t.Referral.RecordArrival(ctx, &referralv1.RecordArrivalRequest{
			RequestId: t.request(), PatientId: t.patient.id, Kind: t.share.kind, Urgency: t.share.urgency, DepartmentCode: t.condition.department,
			Originator: &commonv1.Party{OrganizationId: t.home.GetId(), DepartmentCode: "02"},
			Diagnoses:  []*commonv1.Coding{{Code: t.condition.code, Display: t.condition.display}},
			ReasonCode: pick(t.maker, "PHONE", "PHONE", "WECHAT", "PAPER", "SELF", "AMBULANCE"), ArriveTime: timestamppb.New(t.world.Now().Add(-t.between(10*time.Minute, 90*time.Minute))),
		})
		if err != nil {
			return err
		}
		t.report.Up++
		t.id = t.saw(r).GetId()
		t.fate.orders = false
		t.came()
		return nil
	})
}

// outside: the patient leaves the county (外转), which is recorded only.
func (t *trip) outside(ctx context.Context) (err error) {
	if t.patient, err = t.maker.patient(ctx, t.condition, t.home, t.doctor); err != nil {
		return err
	}
	return t.by(ctx, t.doctor, func(ctx context.Context) error {
		_, err := t.Referral.RecordOut(ctx, &referralv1.RecordOutRequest{
			RequestId: t.request(), PatientId: t.patient.id, Receiver: &commonv1.Party{OrganizationId: pick(t.maker, t.cast.outside...).GetId()},
			Diagnoses:  []*commonv1.Coding{{Code: t.condition.code, Display: t.condition.display}},
			ReasonCode: pick(t.maker, "BEYOND_COUNTY", "BEYOND_COUNTY", "DIAGNOSIS_UNCLEAR", "PATIENT_REQUEST"),
		})
		t.done(t.patient)
		return err
	})
}
