package referral_test

import (
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

func (f *fixture) walkIn(r *referralv1.Referral) *referralv1.AcceptRequest {
	return &referralv1.AcceptRequest{Id: r.GetId(), Version: r.GetVersion(), WalkIn: &referralv1.WalkIn{
		From: timestamppb.New(f.begin), To: timestamppb.New(f.begin.Add(12 * time.Hour)),
	}}
}

func (f *fixture) emergency(patient string) *referralv1.CreateReferralRequest {
	in := f.creation()
	in.PatientId, in.HoldId, in.Kind, in.Urgency = patient, "", commonv1.Kind_EMERGENCY, commonv1.Urgency_EMERGENCY
	return in
}

// Up, down with a plan, followed, worse, up again: by the contract, as a page would.
func TestAPatientGoesUpComesDownGetsWorseAndGoesUpAgain(t *testing.T) {
	t.Parallel()
	each(t, func(f *fixture) {
		c, doctor, desk, specialist := f.client, f.as("TOWNSHIP_DOCTOR"), f.as("INTAKE_DESK"), f.as("SPECIALIST")
		up := f.must(c.CreateReferral(doctor, f.emergency(id.New())))
		up = f.must(c.Depart(doctor, &referralv1.DepartRequest{Id: up.GetId(), Transport: "AMBULANCE", ExpectedArrival: timestamppb.New(f.begin.Add(time.Hour))}))
		if up.GetDepartTime() == nil || up.GetExpectedArrival() == nil || up.GetTransport() != "AMBULANCE" {
			f.t.Error("who is on the way is not shown")
		}
		up = f.must(c.Arrive(desk, &referralv1.ActionRequest{Id: up.GetId(), Version: up.GetVersion()}))
		up = f.must(c.Assess(specialist, &referralv1.AssessRequest{Id: up.GetId(), Verdict: "TOO_LATE", Note: " " + secret}))
		if up.GetVerdict() != "TOO_LATE" || up.GetVerdictNote() != secret {
			f.t.Errorf("the verdict is %s", up.GetVerdict())
		}
		up = f.must(c.Conclude(specialist, &referralv1.ConcludeRequest{
			Id: up.GetId(), Version: up.GetVersion(), OutcomeCode: "IMPROVED", Reply: &referralv1.Reply{Diagnosis: secret, Treatment: secret, NextSteps: secret},
		}))

		in := f.back(up.GetPatientId())
		in.ReplyTo = up.GetId()
		down := f.must(c.CreateReferral(specialist, in))
		if down.GetLinkKind() != "ANSWERS" || down.GetForm().GetNextPlan() != "康复 "+secret || down.GetForm().GetRehabilitationAdvice() != secret {
			f.t.Error("the way back is not as written")
		}
		down = f.begun(f.must(c.Accept(doctor, f.walkIn(down))))
		if down.GetState() != referralv1.State_FOLLOW_UP || down.GetFamilyDoctor() != id.FromFact("TOWNSHIP_DOCTOR") || down.GetPlan().GetGoal() != secret {
			f.t.Errorf("%s of %s", down.GetState(), down.GetFamilyDoctor())
		}
		work, err := referralv1.NewFollowUpServiceClient(f.Dial("gateway", "referral")).ListFollowUps(doctor, &referralv1.ListFollowUpsRequest{Due: "all", FamilyDoctor: "me"})
		if err != nil || len(work.GetFollowUps()) != 2 || work.GetFollowUps()[0].GetDue() != f.day(7) || work.GetFollowUps()[0].GetPatient().GetName() != secret {
			f.t.Fatalf("%d to do, %v", len(work.GetFollowUps()), err)
		}
		down = f.must(c.RecordVisit(doctor, &referralv1.RecordVisitRequest{
			Id: down.GetId(), Version: down.GetVersion(), Visit: 1, Findings: &referralv1.Findings{
				Result: "WORSE", Note: secret, Values: []*referralv1.Measured{{Name: "sbp", Number: 178, Unit: "mm[Hg]"}},
			},
		}))
		if v := down.GetPlan().GetVisits()[0]; !v.GetDone() || v.GetFindings().GetValues()[0].GetNumber() != 178 || v.GetDoneBy().GetName() == "" {
			f.t.Errorf("the visit is kept as %d, done %v", v.GetNumber(), v.GetDone())
		}
		if !slices.Contains(down.GetWorseReasons(), "RESULT_WORSE") {
			f.t.Errorf("going up is offered for %q", down.GetWorseReasons())
		}
		worse := f.emergency("")
		worse.Submit, worse.PatientId = false, ""
		closed := f.must(c.Escalate(doctor, &referralv1.EscalateRequest{Id: down.GetId(), Version: down.GetVersion(), RequestId: id.New(), Referral: worse}))
		again := f.must(c.GetReferral(desk, &referralv1.GetReferralRequest{Id: closed.GetEscalatedTo()}))
		if closed.GetState() != referralv1.State_CLOSED || again.GetState() != referralv1.State_SUBMITTED || again.GetPatientId() != up.GetPatientId() {
			f.t.Fatalf("%s, and %s", closed.GetState(), again.GetState())
		}
		f.expectLinks(desk, up.GetId(), "ANSWERED_BY")
		f.expectLinks(doctor, down.GetId(), "ANSWERS", "ESCALATED_TO")
		f.expectLinks(desk, again.GetId(), "WORSENED")
	})
}

func TestMarksCorrectionsAndMessagesAreReadByBothSides(t *testing.T) {
	t.Parallel()
	each(t, func(f *fixture) {
		c, doctor, desk := f.client, f.as("TOWNSHIP_DOCTOR"), f.as("INTAKE_DESK")
		in := f.emergency(id.New())
		in.Consent = &referralv1.Consent{DeferredReason: secret}
		r := f.must(c.CreateReferral(doctor, in))
		f.expectMarks("TOWNSHIP_DOCTOR", r.GetId(), "depart", "message", "correct", "record_consent")
		f.expectMarks("INTAKE_DESK", r.GetId(), "message", "correct")
		post := &referralv1.PostMessageRequest{Id: r.GetId(), Text: " " + secret + " ", RequestId: id.New()}
		said, err := c.PostMessage(doctor, post)
		if err != nil || said.GetText() != secret || said.GetAuthor().GetName() == "" {
			f.t.Fatalf("said %v, %v", said, err)
		}
		if again, err := c.PostMessage(doctor, post); err != nil || !proto.Equal(again, said) {
			f.t.Errorf("the same request again: %v, %v", again, err)
		}
		thread, err := c.ListMessages(desk, &referralv1.ListMessagesRequest{Id: r.GetId()})
		if err != nil || len(thread.GetMessages()) != 1 || !proto.Equal(thread.GetMessages()[0], said) {
			f.t.Errorf("thread %v, %v", thread, err)
		}
		r = f.must(c.RecordConsent(doctor, &referralv1.RecordConsentRequest{Id: r.GetId(), Consent: &referralv1.Consent{GivenBy: secret, Relation: "1", Method: "SIGNED"}}))
		if r.GetConsent().GetAt() == nil || r.GetConsent().GetDeferredReason() != secret {
			f.t.Error("the consent is not as given")
		}
		correct := &referralv1.CorrectRequest{
			Id: r.GetId(), RequestId: id.New(), ReasonCode: "TYPING_ERROR", UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"form.past_history"}},
			Referral: &referralv1.Referral{Form: &referralv1.Form{PastHistory: "高血压" + secret}},
		}
		for range 2 {
			if r = f.must(c.Correct(doctor, correct)); r.GetCorrections() != 1 || r.GetForm().GetPastHistory() != "高血压"+secret {
				f.t.Errorf("%d corrections", r.GetCorrections())
			}
		}
		list, err := c.ListCorrections(desk, &referralv1.ListCorrectionsRequest{Id: r.GetId()})
		if err != nil || len(list.GetCorrections()) != 1 {
			f.t.Fatalf("%d corrections, %v", len(list.GetCorrections()), err)
		}
		if one := list.GetCorrections()[0]; one.GetNumber() != 1 || one.GetReasonCode() != "TYPING_ERROR" || len(one.GetFields()) != 1 ||
			one.GetFields()[0].GetPath() != "form.past_history" || one.GetFields()[0].GetBefore() != "" || one.GetFields()[0].GetAfter() != "高血压"+secret {
			f.t.Errorf("corrected as %v", one)
		}
		history, err := c.ListHistory(desk, &referralv1.ListHistoryRequest{Id: r.GetId()})
		if err != nil {
			f.t.Fatal(err)
		}
		for _, h := range history.GetHistory() {
			if mark := h.GetVersion() == 0; mark != (h.GetKind() == "MARK") {
				f.t.Errorf("%s is a %s", h.GetAction(), h.GetKind())
			}
			if h.GetAction() == "correct" && len(h.GetDetail()) > 0 {
				f.t.Error("the timeline repeats what was corrected")
			}
		}
		f.expectFacts("created", "submitted", "message_posted", "consent_recorded", "corrected")
	})
}

func TestWhatHappenedWithoutAReferralAndAQuestionAreRecorded(t *testing.T) {
	t.Parallel()
	each(t, func(f *fixture) {
		c, doctor, desk, specialist := f.client, f.as("TOWNSHIP_DOCTOR"), f.as("INTAKE_DESK"), f.as("SPECIALIST")
		came := f.must(c.RecordArrival(desk, &referralv1.RecordArrivalRequest{
			PatientId: id.New(), Kind: commonv1.Kind_OUTPATIENT, Urgency: commonv1.Urgency_URGENT, Originator: &commonv1.Party{OrganizationId: f.township},
			DepartmentCode: "0304", Diagnoses: []*commonv1.Coding{{Code: "i10"}}, ReasonCode: "OTHER", Note: secret,
		}))
		if !came.GetRetrospective() || came.GetState() != referralv1.State_ARRIVED || came.GetDiagnoses()[0].GetCode() != "I10" || came.GetArriveTime() == nil {
			f.t.Errorf("recorded as %s", came.GetState())
		}
		left := f.must(c.RecordOut(specialist, &referralv1.RecordOutRequest{
			PatientId: id.New(), Destination: " 桂林 ", Diagnoses: []*commonv1.Coding{{Code: "I21.9"}}, ReasonCode: "NO_BED",
		}))
		if left.GetDirection() != commonv1.Direction_OUT || left.GetState() != referralv1.State_CLOSED || left.GetDestination() != "桂林" {
			f.t.Errorf("recorded as %s to %q", left.GetState(), left.GetDestination())
		}
		asked := f.sent(commonv1.Kind_ADVICE)
		asked = f.must(c.Answer(specialist, &referralv1.AnswerRequest{Id: asked.GetId(), Version: asked.GetVersion(), Answer: " " + secret}))
		if asked.GetState() != referralv1.State_CONCLUDED || asked.GetReply().GetAnswer() != secret {
			f.t.Errorf("answered, and %s", asked.GetState())
		}
		made := f.must(c.Convert(doctor, &referralv1.ConvertRequest{Id: asked.GetId(), Kind: commonv1.Kind_EXAM}))
		if made.GetState() != referralv1.State_DRAFT || made.GetReplyTo() != asked.GetId() || !proto.Equal(made.GetForm(), asked.GetForm()) {
			f.t.Errorf("converted to %s", made.GetState())
		}
		_, err := c.Submit(doctor, &referralv1.SubmitRequest{Id: made.GetId(), Version: made.GetVersion()})
		f.expectReason(err, errs.ReasonFieldRequired) // an EXAM says which
	})
}
