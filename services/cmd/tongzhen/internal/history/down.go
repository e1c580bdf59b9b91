package history

import (
	"context"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

// way is one patient on the way down and in follow-up.
type way struct {
	*trip
	county *directoryv1.Account // who sent the patient down
	id     string
	begin  time.Duration // the follow-up, after the arrival
	worse  bool
	back   bool // comes to the county again within days, past the follow-up
	stop   string
}

// consider sends the patient down, decides against it, or leaves the candidate on the list.
func (t *trip) consider(ctx context.Context) error {
	doctor := t.specialist(t.condition.department)
	return t.by(ctx, doctor, func(ctx context.Context) error {
		found, err := t.candidate(ctx)
		if err != nil {
			return err
		}
		switch {
		case t.fate.down && (found != nil || t.chance(t.condition.downPercent)):
			w := &way{trip: t, county: doctor, begin: t.between(time.Hour, 3*oneDay), worse: t.chance(9), back: t.chance(6), stop: t.fate.stop}
			if t.chance(9) {
				w.begin = t.between(8*oneDay, 10*oneDay)
			}
			return w.send(ctx, found)
		case found != nil && t.fate.stop == "" && t.chance(t.dismissed()):
			if _, err := t.Candidate.DismissCandidate(ctx, &referralv1.DismissCandidateRequest{
				Id: found.GetId(), Version: found.GetVersion(), RequestId: t.request(), ReasonCode: pick(t.maker, "STILL_UNSTABLE", "NEEDS_SPECIALIST", "PATIENT_DECLINES", "TOWNSHIP_CANNOT"),
			}); err != nil {
				return err
			}
		}
		t.done(t.patient)
		return nil
	})
}

// dismissed is the share, in percent, of candidates not sent down that are decided against. Invented: what is older than a fortnight was mostly decided.
func (t *trip) dismissed() int {
	if t.options.Until.Sub(t.world.Now()) > 14*oneDay {
		return 90
	}
	return 22
}

// candidate of the stay, or nil.
func (t *trip) candidate(ctx context.Context) (*referralv1.Candidate, error) {
	for token := ""; ; {
		page, err := t.Candidate.ListCandidates(ctx, &referralv1.ListCandidatesRequest{PageSize: 200, PageToken: token})
		if err != nil {
			return nil, err
		}
		for _, c := range page.GetCandidates() {
			if c.GetReferralId() == t.id && c.GetState() == "OPEN" {
				return c, nil
			}
		}
		if token = page.GetNextPageToken(); token == "" {
			return nil, nil
		}
	}
}

// send makes the down-referral: out of the candidate, which prefills it, or anew.
func (w *way) send(ctx context.Context, found *referralv1.Candidate) error {
	content, err := w.form(ctx)
	if err != nil {
		return err
	}
	var r *referralv1.Referral
	if found != nil {
		if r, err = w.Candidate.ReferCandidate(ctx, &referralv1.ReferCandidateRequest{Id: found.GetId(), RequestId: w.request()}); err != nil {
			return err
		}
		r, err = w.Referral.EditReferral(ctx, &referralv1.EditReferralRequest{
			Id: r.GetId(), Version: r.GetVersion(), RequestId: w.request(), Referral: content,
			UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"kind", "urgency", "receiver", "form", "medicines", "transfer_note"}},
		})
	} else {
		content.RequestId, content.PatientId, content.Direction, content.ReplyTo = w.request(), w.patient.id, commonv1.Direction_DOWN, w.trip.id
		r, err = w.Referral.CreateReferral(ctx, content)
	}
	if err != nil {
		return err
	}
	w.id = r.GetId()
	templates, err := w.FollowUp.ListFollowUpTemplates(ctx, &referralv1.ListFollowUpTemplatesRequest{ReferralId: w.id})
	if err != nil {
		return err
	}
	if list := templates.GetTemplates(); len(list) > 0 {
		if r, err = w.Referral.EditReferral(ctx, &referralv1.EditReferralRequest{
			Id: w.id, Version: r.GetVersion(), RequestId: w.request(), Referral: &referralv1.CreateReferralRequest{Plan: list[0].GetPlan()},
			UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"plan"}},
		}); err != nil {
			return err
		}
	}
	if w.stop == "down draft" {
		return nil
	}
	if r, err = w.Referral.Submit(ctx, &referralv1.SubmitRequest{Id: w.id, Version: r.GetVersion(), RequestId: w.request(), Consent: w.consent()}); err != nil {
		return err
	}
	w.saw(r)
	w.report.Down++
	w.sent(r)
	return nil
}

func (w *way) form(ctx context.Context) (*referralv1.CreateReferralRequest, error) {
	c := w.condition
	out := &referralv1.CreateReferralRequest{
		Kind: c.down, Urgency: routine, Receiver: &commonv1.Party{OrganizationId: w.home.GetId(), DepartmentCode: "02"},
		Diagnoses: []*commonv1.Coding{{Code: c.code, Display: c.display}}, TransferNote: "病情稳定，转回继续治疗和随访。",
		Form: &referralv1.Form{
			Diagnosis: c.display, InpatientNumber: w.inpatientNumber(), ExaminationResults: c.found, Treatment: c.done, NextPlan: c.next, RehabilitationAdvice: c.advice,
		},
		FamilyDoctor: w.follower().GetId(),
	}
	for _, x := range c.medicines {
		out.Medicines = append(out.Medicines, &referralv1.DischargeMedicine{Name: x.name, Specification: x.specification, Dosage: x.dosage, Days: 28})
	}
	if len(out.GetMedicines()) == 0 {
		return out, nil
	}
	checked, err := w.Candidate.CheckMedicines(ctx, &referralv1.CheckMedicinesRequest{OrganizationId: w.home.GetId(), Medicines: out.GetMedicines()})
	if err != nil {
		return nil, err
	}
	for i, x := range checked.GetChecks() {
		if x.GetAvailability() == "MISSING" {
			out.Medicines[i].Decision = pick(w.maker, "COUNTY_DISPENSES", "PATIENT_BUYS", "CENTRAL_ORDER")
		}
	}
	return out, nil
}

func (w *way) inpatientNumber() string {
	return w.world.Now().In(beijing()).Format("060102") + string(rune('0'+w.random.IntN(10))) + string(rune('0'+w.random.IntN(10)))
}

// follower is the family doctor: the village's for who lives where its clinic is.
func (w *way) follower() *directoryv1.Account {
	if w.home.village != nil && w.patient.village == clinicVillage {
		return w.home.village
	}
	return w.doctor
}

func (w *way) missing(r *referralv1.Referral) bool {
	return slices.ContainsFunc(r.GetMedicines(), func(x *referralv1.DischargeMedicine) bool { return x.GetAvailability() == "MISSING" })
}

// sent: the centre takes the patient over, or cannot.
func (w *way) sent(r *referralv1.Referral) {
	if w.stop == "down sent" {
		return
	}
	answer := w.between(time.Hour, 9*time.Hour)
	if w.chance(tardy) {
		answer = w.between(40*time.Hour, 70*time.Hour)
	}
	at := working(w.world.Now().Add(answer))
	switch {
	case w.stop == "down accepted": // expected on the last day
		w.at(startOfDay(w.options.Until).Add(-8*time.Hour), w.takeOver)
	case w.missing(r) && w.chance(30) && w.stop == "":
		w.at(at, w.refuse("NO_MEDICINE", "本院无该药，县药房配送周期较长，请调整用药后再转。"))
	case w.chance(4) && w.stop == "":
		w.at(at, w.refuse(pick(w.maker, "NO_CAPABILITY", "NOT_STABLE", "NO_BED"), "目前条件有限，请稍后再转。"))
	default:
		w.at(at, w.takeOver)
	}
}

func (w *way) refuse(reason, note string) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := w.act(ctx, w.doctor, w.id, states(referralv1.State_SUBMITTED), func(ctx context.Context, r *referralv1.Referral) (*referralv1.Referral, error) {
			return w.Referral.Decline(ctx, &referralv1.ReasonRequest{Id: r.GetId(), Version: r.GetVersion(), RequestId: w.request(), ReasonCode: reason, Note: note})
		})
		w.done(w.patient)
		return err
	}
}

func (w *way) takeOver(ctx context.Context) error {
	from := working(startOfDay(w.world.Now()).Add(oneDay + opens + time.Hour))
	r, err := w.act(ctx, w.doctor, w.id, states(referralv1.State_SUBMITTED), func(ctx context.Context, r *referralv1.Referral) (*referralv1.Referral, error) {
		return w.Referral.Accept(ctx, &referralv1.AcceptRequest{
			Id: r.GetId(), Version: r.GetVersion(), RequestId: w.request(), Note: "请到全科门诊，带出院小结。",
			WalkIn: &referralv1.WalkIn{From: timestamppb.New(from), To: timestamppb.New(from.Add(8 * time.Hour))},
		})
	})
	if r != nil && w.stop != "down accepted" {
		w.at(from.Add(w.between(0, 5*time.Hour)), w.comesHome)
	}
	return err
}

func (w *way) comesHome(ctx context.Context) error {
	r, err := w.act(ctx, w.doctor, w.id, states(referralv1.State_ACCEPTED), func(ctx context.Context, r *referralv1.Referral) (*referralv1.Referral, error) {
		return w.Referral.Arrive(ctx, &referralv1.ActionRequest{Id: r.GetId(), Version: r.GetVersion(), RequestId: w.request()})
	})
	if r != nil && w.stop != "home" {
		w.at(working(w.world.Now().Add(w.begin)), w.follow)
	}
	return err
}

// follow begins the follow-up by the plan that came with the patient. The visits are made on the centre's rounds.
func (w *way) follow(ctx context.Context) error {
	r, err := w.act(ctx, w.doctor, w.id, states(referralv1.State_ARRIVED), func(ctx context.Context, r *referralv1.Referral) (*referralv1.Referral, error) {
		plan := r.GetPlan()
		templates, err := w.FollowUp.ListFollowUpTemplates(ctx, &referralv1.ListFollowUpTemplatesRequest{ReferralId: w.id})
		if err != nil {
			return nil, err
		}
		if list := templates.GetTemplates(); len(list) > 0 {
			plan = list[0].GetPlan() // from today on
		}
		if w.stop == "due today" {
			plan = w.dueAtTheEnd()
		}
		return w.Referral.BeginFollowUp(ctx, &referralv1.BeginFollowUpRequest{
			Id: r.GetId(), Version: r.GetVersion(), RequestId: w.request(), Plan: plan, FamilyDoctor: w.follower().GetId(),
		})
	})
	switch {
	case r == nil || w.stop != "":
	case w.worse:
		w.at(working(w.world.Now().Add(w.between(3*oneDay, 25*oneDay))), w.escalate)
	case w.back:
		w.at(working(w.world.Now().Add(w.between(2*oneDay, 10*oneDay))), w.returns)
	}
	return err
}

// dueAtTheEnd is a plan with a visit on the last day and one before it that nobody made.
func (w *way) dueAtTheEnd() *referralv1.FollowUpPlan {
	end := startOfDay(w.options.Until)
	plan := &referralv1.FollowUpPlan{Condition: "GENERAL", Goal: "病情稳定，按时服药。"}
	for _, d := range []int{0, 14, 30} {
		plan.Visits = append(plan.Visits, &referralv1.PlannedVisit{Due: day(end.AddDate(0, 0, d)), Mode: "PHONE"})
	}
	return plan
}

// escalate ends the follow-up and sends the patient up again.
func (w *way) escalate(ctx context.Context) error {
	next := &trip{maker: w.maker, condition: w.condition, share: share{inpatient, urgent, 100}, home: w.home, doctor: w.doctor, patient: w.patient, fate: w.again()}
	r, err := w.act(ctx, w.doctor, w.id, states(referralv1.State_FOLLOW_UP), func(ctx context.Context, r *referralv1.Referral) (*referralv1.Referral, error) {
		form := next.form()
		form.RequestId, form.Submit = "", false
		form.Form.PresentIllness = "随访中病情加重：" + form.Form.PresentIllness
		return w.Referral.Escalate(ctx, &referralv1.EscalateRequest{Id: r.GetId(), Version: r.GetVersion(), RequestId: w.request(), Referral: form, Note: "病情加重，需上转。"})
	})
	if r == nil || err != nil {
		return err
	}
	next.id = r.GetEscalatedTo()
	w.report.Up++
	return w.by(ctx, w.doctor, func(ctx context.Context) error {
		up, err := w.Referral.GetReferral(ctx, &referralv1.GetReferralRequest{Id: next.id})
		w.saw(up)
		next.sent()
		return err
	})
}

// returns: the patient is back within days, by a referral of its own.
func (w *way) returns(ctx context.Context) error {
	next := &trip{maker: w.maker, condition: w.condition, share: share{emergency, atOnce, 100}, home: w.home, doctor: w.doctor, patient: w.patient, fate: w.again()}
	return next.send(ctx)
}

func (w *way) again() fate {
	return fate{how: "accept", answer: w.between(3*time.Minute, 9*time.Minute), comes: true, admit: true, reply: time.Hour, read: w.between(time.Hour, oneDay)}
}
