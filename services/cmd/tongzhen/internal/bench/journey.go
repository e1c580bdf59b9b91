package bench

import (
	"context"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

const (
	// openPerDoctor is how many referrals a doctor has under way at once.
	openPerDoctor = 3
	// Every so many journeys the doctor sends the same request again, or asks for a slot that was given already.
	repeatEvery  = 50
	contestEvery = 25
)

// journey is one referral on its way. One worker at a time has it.
type journey struct {
	n       int
	kind    commonv1.Kind_Code
	patient string
	hold    string
	doctor  *doctor
	started time.Time
	*referralv1.Referral
	// request is the id of the step under way: a repeat is the same request.
	request string
	failed  bool
}

// doctor is a township doctor at work.
type doctor struct {
	*person
	patients []string
	open     int
	back     chan *journey
}

// journeys runs doctors and desks until the run ends and every referral under way is closed.
func (r *runner) journeys(ctx context.Context) {
	var doctors, desks sync.WaitGroup
	for _, desk := range r.desks {
		desks.Go(func() {
			for j := range r.queue {
				j.failed = r.answer(ctx, desk, j) != nil
				j.doctor.back <- j
			}
		})
	}
	for _, d := range r.doctors {
		doctors.Go(func() { r.work(ctx, d) })
	}
	doctors.Wait()
	close(r.queue)
	desks.Wait()
}

// work sends patients and acknowledges replies, replies first.
func (r *runner) work(ctx context.Context, d *doctor) {
	for {
		select {
		case j := <-d.back:
			r.finish(ctx, d, j)
			continue
		default:
		}
		if d.open < openPerDoctor && len(d.patients) > 0 && ctx.Err() == nil {
			if n, ok := r.more(ctx); ok {
				r.start(ctx, d, n)
				continue
			}
		}
		if d.open == 0 {
			return
		}
		r.finish(ctx, d, <-d.back)
	}
}

// start sends one patient up. One whose referral failed is not sent again: what is open would be in the way.
func (r *runner) start(ctx context.Context, d *doctor, n int) {
	j := &journey{n: n, kind: kindOf(n), patient: d.patients[0], doctor: d, started: r.options.Clock.Now()}
	d.patients = d.patients[1:]
	if err := r.send(ctx, j); err != nil {
		r.failed.Add(1)
		return
	}
	d.open++
	r.queue <- j
}

func (r *runner) finish(ctx context.Context, d *doctor, j *journey) {
	d.open--
	if !j.failed {
		var err error
		j.request = id.New()
		j.Referral, err = timed(ctx, r, step{"acknowledge", d.person}, func(ctx context.Context) (*referralv1.Referral, error) {
			return r.Referral.Acknowledge(ctx, j.action())
		})
		j.failed = err != nil
	}
	if j.failed {
		r.failed.Add(1)
		return
	}
	d.patients = append(d.patients, j.patient)
	r.finished.Add(1)
}

// kindOf mixes as counties do: mostly clinic, some ward, some emergency.
func kindOf(n int) commonv1.Kind_Code {
	switch n % 20 {
	case 3, 7, 11, 15, 19:
		return commonv1.Kind_INPATIENT
	case 5, 17:
		return commonv1.Kind_EMERGENCY
	default:
		return commonv1.Kind_OUTPATIENT
	}
}

// send holds a place and creates and submits the referral.
func (r *runner) send(ctx context.Context, j *journey) error {
	if err := r.takePlace(ctx, j); err != nil {
		return err
	}
	request := r.request(j)
	who := step{"create+submit", j.doctor.person}
	create := func(ctx context.Context) (*referralv1.Referral, error) {
		return r.Referral.CreateReferral(ctx, request)
	}
	var err error
	if j.Referral, err = timed(ctx, r, who, create); err != nil {
		return err
	}
	r.remember(&made{id: j.GetId(), patient: j.patient, doctor: j.doctor.person})
	if j.n%repeatEvery == 0 {
		who.name = "create again"
		again, err := timed(ctx, r, who, create)
		if err == nil && again.GetId() != j.GetId() {
			r.breach("one request id made two referrals: " + j.GetId() + " and " + again.GetId())
		}
	}
	return nil
}

// takePlace holds a slot or a bed. Without a free one the desk gives a walk-in window.
func (r *runner) takePlace(ctx context.Context, j *journey) error {
	request := &schedulingv1.CreateHoldRequest{RequestId: id.New(), PatientId: j.patient}
	name := "hold slot"
	switch j.kind {
	case commonv1.Kind_EMERGENCY:
		return nil
	case commonv1.Kind_INPATIENT:
		name = "hold bed"
		request.Bed = &schedulingv1.BedRequest{OrganizationId: r.place.hospital.GetId(), DepartmentCode: r.place.department.GetCode()}
	default:
		i := int(r.nextSlot.Add(1)) - 1
		if i >= len(r.slots) {
			return nil
		}
		request.SlotId = r.slots[i]
	}
	hold := func(ctx context.Context) (*schedulingv1.Hold, error) { return r.Scheduling.CreateHold(ctx, request) }
	taken, err := timed(ctx, r, step{name, j.doctor.person}, hold)
	if errs.ReasonOf(err) == errs.ReasonSlotTaken {
		return nil
	}
	if err != nil {
		return err
	}
	j.hold = taken.GetId()
	if request.GetSlotId() != "" && j.n%contestEvery == 0 {
		r.contest(ctx, j, request.GetSlotId())
	}
	return nil
}

// contest asks for a slot that this journey has: it must not be given again.
func (r *runner) contest(ctx context.Context, j *journey, slot string) {
	_, err := once(ctx, r, step{"hold taken slot", j.doctor.person}, func(ctx context.Context) (*schedulingv1.Hold, error) {
		hold, err := r.Scheduling.CreateHold(ctx, &schedulingv1.CreateHoldRequest{RequestId: id.New(), PatientId: j.patient, SlotId: slot})
		if err == nil {
			r.breach("slot " + slot + " was given twice")
		}
		if errs.ReasonOf(err) == errs.ReasonSlotTaken {
			err = nil
		}
		return hold, err
	})
	if err != nil && ctx.Err() == nil {
		r.meter.fail("hold taken slot", errs.ReasonOf(err))
	}
}

// request is the national form as a doctor fills it in.
func (r *runner) request(j *journey) *referralv1.CreateReferralRequest {
	m := &referralv1.CreateReferralRequest{
		RequestId: id.New(), PatientId: j.patient, Direction: commonv1.Direction_UP, Kind: j.kind, Urgency: commonv1.Urgency_ROUTINE,
		Receiver:  &commonv1.Party{OrganizationId: r.place.hospital.GetId(), DepartmentCode: r.place.department.GetCode()},
		Diagnoses: []*commonv1.Coding{{Code: "I10", Display: "原发性高血压"}},
		Form: &referralv1.Form{
			InitialImpression: "高血压病3级，很高危；胸闷待查",
			PresentIllness:    "反复头晕、胸闷半年，加重3天。活动后气促，休息可缓解，无胸痛放射，无晕厥。自测血压最高178/104 mmHg，规律服药后仍控制不佳。",
			PastHistory:       "高血压病史11年，血脂异常4年，否认糖尿病、肝炎、结核病史。青霉素过敏。",
			Treatment:         "苯磺酸氨氯地平5 mg每日1次，阿托伐他汀20 mg每晚1次；院内心电图示窦性心律，ST段轻度改变。",
		},
		Consent: &referralv1.Consent{GivenBy: "本人", Relation: "0", Method: "SIGNED"},
		HoldId:  j.hold, Submit: true, TransferNote: "请完善冠脉评估，调整降压方案。", OriginatorPhone: "12010000000",
	}
	if j.kind == commonv1.Kind_EMERGENCY {
		m.Urgency, m.Transport = commonv1.Urgency_EMERGENCY, "AMBULANCE"
	}
	return m
}

func (j *journey) action() *referralv1.ActionRequest {
	return &referralv1.ActionRequest{Id: j.GetId(), Version: j.GetVersion(), RequestId: j.request}
}

// answer is the desk's and the county doctor's part.
func (r *runner) answer(ctx context.Context, desk *person, j *journey) error {
	steps := []struct {
		name string
		call func(context.Context) (*referralv1.Referral, error)
	}{
		{"mark seen", func(ctx context.Context) (*referralv1.Referral, error) {
			return r.Referral.MarkSeen(ctx, &referralv1.MarkSeenRequest{Id: j.GetId()})
		}},
		{acceptName(j), func(ctx context.Context) (*referralv1.Referral, error) { return r.Referral.Accept(ctx, acceptance(j)) }},
		{"arrive", func(ctx context.Context) (*referralv1.Referral, error) { return r.Referral.Arrive(ctx, j.action()) }},
		{"admit", func(ctx context.Context) (*referralv1.Referral, error) {
			return r.Referral.Admit(ctx, &referralv1.AdmitRequest{
				Id: j.GetId(), Version: j.GetVersion(), RequestId: j.request, Ward: r.place.department.GetName() + "病区", Bed: "12",
			})
		}},
		{"conclude", func(ctx context.Context) (*referralv1.Referral, error) {
			return r.Referral.Conclude(ctx, &referralv1.ConcludeRequest{
				Id: j.GetId(), Version: j.GetVersion(), RequestId: j.request, OutcomeCode: "IMPROVED",
				Reply: &referralv1.Reply{
					Diagnosis: "高血压病3级 很高危", Findings: "冠脉CT未见明显狭窄，超声心动图示左室肥厚。", Treatment: "调整为三联降压，血压降至136/82 mmHg。",
					NextSteps:   "两周后复诊，居家监测血压，低盐饮食。",
					Medications: []*referralv1.ReplyMedication{{Name: "氯沙坦钾氢氯噻嗪片", Dosage: "每次1片，每日1次"}},
				},
			})
		}},
	}
	for _, s := range steps {
		if s.name == "admit" && j.kind != commonv1.Kind_INPATIENT {
			continue
		}
		j.request = id.New()
		after, err := timed(ctx, r, step{s.name, desk}, s.call)
		if err != nil {
			return err
		}
		j.Referral = after
	}
	return nil
}

func acceptName(j *journey) string {
	if j.hold == "" {
		return "accept walk-in"
	}
	return "accept hold"
}

func acceptance(j *journey) *referralv1.AcceptRequest {
	m := &referralv1.AcceptRequest{Id: j.GetId(), Version: j.GetVersion(), RequestId: j.request, HoldId: j.hold, Note: "门诊3层，请带身份证。"}
	if j.hold == "" {
		m.WalkIn = &referralv1.WalkIn{From: timestamppb.New(j.started), To: timestamppb.New(j.started.Add(4 * time.Hour))}
	}
	return m
}
