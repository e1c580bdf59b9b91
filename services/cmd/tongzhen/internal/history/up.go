package history

import (
	"context"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
)

// trip is one patient on the way up.
type trip struct {
	*maker
	condition condition
	share     share
	fate      fate
	home      *centre
	doctor    *directoryv1.Account
	patient   *patient
	id        string
	// expected is when the patient was told to come.
	expected time.Time
}

// departures puts everybody who is sent up into the calendar.
func (m *maker) departures() {
	for range m.options.Referrals {
		c := m.condition()
		s := m.kind(c)
		home := m.centre()
		t := m.moment(s.urgency == atOnce)
		if !home.silent.IsZero() && t.After(home.silent) {
			home = m.cast.centres[0]
		}
		trip := &trip{maker: m, condition: c, share: s, home: home, doctor: m.doctor(home), fate: m.fate(c, s)}
		switch n := m.random.IntN(100); {
		case n < 4 && s.kind != advice && s.kind != exam:
			m.at(t, trip.unannounced)
		case n < 6:
			m.at(t, trip.outside)
		default:
			m.at(t, trip.send)
		}
	}
}

// act does one thing to a referral in a person's name, who first looks at it, as the page does. It answers nil when the referral is in none of the
// states: somebody else was faster, or a limit.
func (m *maker) act(ctx context.Context, who *directoryv1.Account, id string, states []referralv1.State_Code, do func(ctx context.Context, r *referralv1.Referral) (*referralv1.Referral, error)) (*referralv1.Referral, error) {
	var after *referralv1.Referral
	err := m.by(ctx, who, func(ctx context.Context) error {
		r, err := m.Referral.GetReferral(ctx, &referralv1.GetReferralRequest{Id: id})
		if err != nil {
			return err
		}
		if _, err := m.Notification.AcknowledgeReferral(ctx, &notificationv1.AcknowledgeReferralRequest{ReferralId: id}); err != nil {
			return err
		}
		m.saw(r)
		if !slices.Contains(states, r.GetState()) {
			return nil
		}
		if after, err = do(ctx, r); err == nil {
			m.saw(after)
		}
		return err
	})
	return after, err
}

func states(s ...referralv1.State_Code) []referralv1.State_Code { return s }

// send registers the patient, writes down what was found, takes a place and sends.
func (t *trip) send(ctx context.Context) (err error) {
	if t.patient == nil {
		if t.patient, err = t.maker.patient(ctx, t.condition, t.home, t.doctor); err != nil {
			return err
		}
	}
	if err := t.examine(ctx, t.patient, t.condition, t.doctor); err != nil {
		return err
	}
	return t.by(ctx, t.doctor, func(ctx context.Context) error {
		request := t.form()
		if t.share.kind == outpatient || t.share.kind == exam {
			if request.HoldId, err = t.place(ctx, t.condition.department, 1); err != nil {
				return err
			}
		}
		r, err := t.Referral.CreateReferral(ctx, request)
		if err != nil {
			return err
		}
		t.id = t.saw(r).GetId()
		if request.GetSubmit() {
			t.report.Up++
			t.sent()
		}
		return nil
	})
}

// sent: what follows.
func (t *trip) sent() {
	if t.fate.stop == "sent" {
		return
	}
	answer := t.world.Now().Add(t.fate.answer)
	if t.share.urgency == routine {
		answer = working(answer)
	}
	if t.share.kind == advice {
		t.at(answer, t.advise)
		return
	}
	if t.share.urgency == atOnce && t.chance(80) {
		t.in(t.between(2*time.Minute, 15*time.Minute), t.depart)
	}
	switch t.fate.how {
	case "cancel":
		t.at(answer, t.cancel(states(referralv1.State_SUBMITTED)))
	case "redirect":
		t.at(answer, t.redirect)
	case "return":
		t.at(answer, t.giveBack)
	case "decline":
		t.at(answer, t.decline)
	default:
		t.at(answer, t.accept)
	}
	if t.fate.asks {
		t.in(t.fate.answer/2, t.ask)
	}
}

// form is the national form, filled in.
func (t *trip) form() *referralv1.CreateReferralRequest {
	c := t.condition
	request := &referralv1.CreateReferralRequest{
		RequestId: t.request(), PatientId: t.patient.id, Direction: commonv1.Direction_UP, Kind: t.share.kind, Urgency: t.share.urgency,
		Receiver:  &commonv1.Party{OrganizationId: t.cast.hospital.GetId(), DepartmentCode: c.department},
		Diagnoses: []*commonv1.Coding{{Code: c.code, Display: c.display}},
		Form:      &referralv1.Form{InitialImpression: c.impression, PresentIllness: c.illness, PastHistory: c.past, Treatment: c.treatment},
		Consent:   t.consent(), Submit: t.fate.stop != "draft", TransferNote: "请协助诊治，谢谢。", OriginatorPhone: t.doctor.GetPhone(),
		Transport: "OWN", Values: t.values(),
	}
	switch t.share.kind {
	case emergency:
		request.Transport = "AMBULANCE"
	case advice:
		request.Form.PresentIllness, request.Transport = c.question, ""
	case exam:
		request.ExamItems = []*commonv1.Coding{c.examination}
		request.Modality = t.modality()
	}
	return request
}

func (t *trip) consent() *referralv1.Consent {
	if t.patient.age(t.world.Now()) < 18 {
		return &referralv1.Consent{GivenBy: "监护人", Relation: "5", Method: "SIGNED"}
	}
	return &referralv1.Consent{GivenBy: "本人", Relation: "0", Method: pick(t.maker, "SIGNED", "SIGNED", "ELECTRONIC")}
}

func (t *trip) values() []*referralv1.ClinicalValue {
	var out []*referralv1.ClinicalValue
	for _, v := range t.condition.values {
		if v.high == 0 {
			out = append(out, &referralv1.ClinicalValue{Name: v.name, Value: &referralv1.ClinicalValue_Finding{Finding: true}})
			continue
		}
		out = append(out, &referralv1.ClinicalValue{Name: v.name, Value: &referralv1.ClinicalValue_Number{Number: t.measure(v.low, v.high)}})
	}
	return out
}

// modality is what an examination is made with, after which its code is called; empty for any other visit.
func (t *trip) modality() string {
	if t.share.kind != exam {
		return ""
	}
	modality, _, _ := strings.Cut(t.condition.examination.GetCode(), "-")
	return modality
}

// place takes a free slot of a department, or for an examination of a device, in the days from so many days on, or none.
func (t *trip) place(ctx context.Context, department string, days int) (string, error) {
	from := startOfDay(t.world.Now()).AddDate(0, 0, days)
	kind, modality := "CLINIC", t.modality()
	if modality != "" {
		kind, department = "EXAM", ""
	}
	slots, err := t.Scheduling.ListSlots(ctx, &schedulingv1.ListSlotsRequest{
		OrganizationId: t.cast.hospital.GetId(), Department: department, Kind: kind, Modality: modality, FreeOnly: true, From: day(from), To: day(from.AddDate(0, 0, 5)), PageSize: 200,
	})
	if err != nil {
		return "", err
	}
	for range 4 {
		if len(slots.GetSlots()) == 0 {
			return "", nil
		}
		s := slots.GetSlots()[t.random.IntN(min(len(slots.GetSlots()), 40))]
		if !s.GetFree() || s.GetOpens() != nil && s.GetOpens().AsTime().After(t.world.Now()) {
			continue
		}
		hold, err := t.Scheduling.CreateHold(ctx, &schedulingv1.CreateHoldRequest{RequestId: t.request(), SlotId: s.GetId(), PatientId: t.patient.id, ReferralId: t.id})
		if err != nil {
			return "", err
		}
		t.expected = hold.GetStart().AsTime()
		return hold.GetId(), nil
	}
	return "", nil
}

func (t *trip) depart(ctx context.Context) error {
	_, err := t.act(ctx, t.doctor, t.id, states(referralv1.State_SUBMITTED, referralv1.State_ACCEPTED), func(ctx context.Context, r *referralv1.Referral) (*referralv1.Referral, error) {
		return t.Referral.Depart(ctx, &referralv1.DepartRequest{
			Id: r.GetId(), RequestId: t.request(), Transport: "AMBULANCE", ExpectedArrival: timestamppb.New(t.world.Now().Add(45 * time.Minute)),
		})
	})
	return err
}

func (t *trip) cancel(from []referralv1.State_Code) func(context.Context) error {
	return func(ctx context.Context) error {
		reason := t.fate.reason
		if t.fate.how != "cancel" {
			reason = "PATIENT_WENT_ELSEWHERE"
		}
		r, err := t.act(ctx, t.doctor, t.id, from, func(ctx context.Context, r *referralv1.Referral) (*referralv1.Referral, error) {
			return t.Referral.Cancel(ctx, &referralv1.ReasonRequest{Id: r.GetId(), Version: r.GetVersion(), RequestId: t.request(), ReasonCode: reason, Note: "家属来电告知。"})
		})
		if r != nil {
			t.done(t.patient)
		}
		return err
	}
}

func (t *trip) decline(ctx context.Context) error {
	r, err := t.act(ctx, t.cast.desk, t.id, states(referralv1.State_SUBMITTED), func(ctx context.Context, r *referralv1.Referral) (*referralv1.Referral, error) {
		return t.Referral.Decline(ctx, &referralv1.ReasonRequest{Id: r.GetId(), Version: r.GetVersion(), RequestId: t.request(), ReasonCode: t.fate.reason, Note: t.fate.note})
	})
	if r != nil {
		t.done(t.patient)
	}
	return err
}

// giveBack returns it; the doctor adds what was missing and sends it again, or forgets it.
func (t *trip) giveBack(ctx context.Context) error {
	r, err := t.act(ctx, t.cast.desk, t.id, states(referralv1.State_SUBMITTED), func(ctx context.Context, r *referralv1.Referral) (*referralv1.Referral, error) {
		return t.Referral.Return(ctx, &referralv1.ReasonRequest{Id: r.GetId(), Version: r.GetVersion(), RequestId: t.request(), ReasonCode: t.fate.reason, Note: t.fate.note})
	})
	if r == nil || t.fate.resend == 0 || err != nil {
		return err
	}
	t.at(working(t.world.Now().Add(t.fate.resend)), t.resubmit)
	return nil
}

func (t *trip) resubmit(ctx context.Context) error {
	r, err := t.act(ctx, t.doctor, t.id, states(referralv1.State_RETURNED), func(ctx context.Context, r *referralv1.Referral) (*referralv1.Referral, error) {
		form := r.GetForm()
		form.PresentIllness += "补充：" + t.fate.note
		r, err := t.Referral.EditReferral(ctx, &referralv1.EditReferralRequest{
			Id: r.GetId(), Version: r.GetVersion(), RequestId: t.request(), UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"form"}},
			Referral: &referralv1.CreateReferralRequest{Form: form},
		})
		if err != nil {
			return nil, err
		}
		return t.Referral.Resubmit(ctx, &referralv1.ActionRequest{Id: r.GetId(), Version: r.GetVersion(), RequestId: t.request()})
	})
	if r != nil && t.fate.stop != "sent" {
		t.at(working(t.world.Now().Add(t.fate.answer)), t.accept)
	}
	return err
}

func (t *trip) redirect(ctx context.Context) error {
	const surgery, digestion = "0401", "0302"
	other := surgery
	if t.condition.department == surgery {
		other = digestion
	}
	r, err := t.act(ctx, t.cast.desk, t.id, states(referralv1.State_SUBMITTED), func(ctx context.Context, r *referralv1.Referral) (*referralv1.Referral, error) {
		return t.Referral.Redirect(ctx, &referralv1.RedirectRequest{
			Id: r.GetId(), Version: r.GetVersion(), RequestId: t.request(), ReasonCode: t.fate.reason, Note: t.fate.note,
			Receiver: &commonv1.Party{OrganizationId: t.cast.hospital.GetId(), DepartmentCode: other},
		})
	})
	if r != nil {
		t.condition.department = other
		t.at(working(t.world.Now().Add(t.fate.answer)), t.accept)
	}
	return err
}
