package gateway_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

// admitted lets the up-referral wait for its reply; what is concluded has it.
func (w *world) admitted() {
	up := sampleReferral(referralv1.State_ADMITTED)
	up.Version, up.Reply = 6, nil
	on(w, getMethod, func(_ context.Context, in *referralv1.GetReferralRequest) (*referralv1.Referral, error) {
		if in.GetId() == downID {
			return downAnswer(referralv1.State_SUBMITTED), nil
		}
		return up, nil
	})
	w.always(actionsMethod, &referralv1.ListActionsResponse{Actions: []*referralv1.Action{{Name: "conclude"}}})
	w.always(createMethod, downAnswer(referralv1.State_SUBMITTED))
	w.always(concludeMethod, sampleReferral(referralv1.State_CONCLUDED))
}

func TestAPatientIsSentDownAndTheUpReferralRepliedToInOneStep(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.admitted()
	b := w.browser("desk")
	body := b.get(answersUp).Body.String()
	shows(t, body, `name="reply" value="1" checked`, `name="replyVersion" value="6"`, `<select id="f-outcomeCode"`, "See the reply")
	for _, problem := range htmlcheck.Page(body) {
		t.Error(problem)
	}
	typed := with(typedDown(), "reply", "1", "replyVersion", "6")
	preview := b.post("/down/"+patientID+"/reply", typed, "X-Fragment", "1").Body.String()
	shows(t, preview, "<dd>支架一枚</dd>", "<dd>双抗一年</dd>", "替格瑞洛片 90mg×14 每日两次")

	refused := b.post(answersUp, typed)
	if refused.Code != http.StatusBadRequest || len(called[*referralv1.ConcludeRequest](w, concludeMethod)) != 0 {
		t.Errorf("without an outcome: %d", refused.Code)
	}
	shows(t, refused.Body.String(), `<a href="#f-outcomeCode">Please choose`, `name="reply" value="1" checked`)
	for _, sent := range called[*referralv1.CreateReferralRequest](w, createMethod) {
		if !sent.GetValidateOnly() {
			t.Error("one of the two went without the other")
		}
	}

	typed = with(typed, "outcomeCode", "IMPROVED")
	for range 2 { // a double click
		got := b.post(answersUp, typed)
		if got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/referrals/"+downID {
			t.Fatal(got.Code, got.Header().Get("Location"))
		}
	}
	shows(t, b.get("/referrals/"+downID).Body.String(), "and so is the reply")
	replied := called[*referralv1.ConcludeRequest](w, concludeMethod)
	if len(replied) != 2 || !proto.Equal(replied[0], replied[1]) {
		t.Fatalf("a double click is not the same reply: %v", replied)
	}
	got := replied[0]
	if got.GetId() != referralID || got.GetVersion() != 6 || got.GetOutcomeCode() != "IMPROVED" || got.GetRequestId() == typed.Get("requestId") || got.GetRequestId() == "" {
		t.Errorf("%v", got)
	}
	if reply := got.GetReply(); reply.GetDiagnosis() != "冠心病稳定期" || reply.GetFindings() != "造影见狭窄" || len(reply.GetMedications()) != 2 || reply.GetMedications()[1].GetDosage() != "每日两次" {
		t.Errorf("%v", reply)
	}
}

func TestAReplyThatIsNotWantedOrNotTheirsIsNotSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.admitted()
	b := w.browser("desk")
	if got := b.post(answersUp, with(typedDown(), "replyVersion", "6")); got.Code != http.StatusSeeOther {
		t.Error(got.Code)
	}
	if got := b.post(answersUp, with(typedDown(), "reply", "1", "replyVersion", "6", "outcomeCode", "CURED", "do", "draft")); got.Code != http.StatusSeeOther {
		t.Error(got.Code)
	}
	if n := len(called[*referralv1.ConcludeRequest](w, concludeMethod)); n != 0 {
		t.Error("the tick was taken away, or only a draft was kept, and a reply was sent")
	}
	w.always(actionsMethod, &referralv1.ListActionsResponse{})
	if body := b.get(answersUp).Body.String(); strings.Contains(body, `name="reply"`) {
		t.Error("a reply is offered to who may not reply")
	}
	w.concluded()
	if body := b.get(answersUp).Body.String(); strings.Contains(body, `name="reply"`) {
		t.Error("a second reply is offered")
	}
}

// The patient is on the way when the reply fails: the page says so, and the reply's own form has everything.
func TestAReplyThatFailedIsFilledInFromTheDownReferral(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.admitted()
	w.refuse(concludeMethod, errs.Unavailable("referral", nil))
	b := w.browser("desk")
	typed := with(typedDown(), "reply", "1", "replyVersion", "6", "outcomeCode", "IMPROVED")
	got := b.post(answersUp, typed)
	if got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/referrals/"+referralID+"#actions" {
		t.Fatal(got.Code, got.Header().Get("Location"))
	}
	up := sampleReferral(referralv1.State_ADMITTED)
	up.Reply, up.DownReferral = nil, downID
	down := downAnswer(referralv1.State_SUBMITTED)
	down.Form = &referralv1.Form{Diagnosis: "冠心病稳定期", Treatment: "支架一枚", NextPlan: "双抗一年"}
	down.Medicines = []*referralv1.DischargeMedicine{
		{Name: "替格瑞洛片", Specification: "90mg×14", Dosage: "每日两次"}, {Name: "氯吡格雷片", Decision: "STOPPED"},
	}
	on(w, getMethod, func(_ context.Context, in *referralv1.GetReferralRequest) (*referralv1.Referral, error) {
		if in.GetId() == downID {
			return down, nil
		}
		return up, nil
	})
	body := b.get("/referrals/" + referralID).Body.String()
	shows(t, body, "the reply to the up-referral is not", "<details open><summary>Reply to the sender", ">支架一枚</textarea>", ">双抗一年</textarea>", ">替格瑞洛片 90mg×14 每日两次</textarea>", "filled from the down-referral")

	// Its answer was lost, or a colleague was faster: nobody is asked to reply twice.
	w.concluded()
	if got := b.post(answersUp, typed); got.Header().Get("Location") != "/referrals/"+downID && got.Header().Get("Location") != "/referrals/"+referralID {
		t.Error(got.Header().Get("Location"))
	}
	shows(t, b.get("/referrals/"+downID).Body.String(), "and so is the reply")
}

// Nobody is told of a reply that there is not.
func TestOfAnUpReferralWhoseArrivalWasTakenBackNoReplyIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.admitted()
	w.refuse(concludeMethod, errs.Stale(7, "ACCEPTED"))
	b := w.browser("desk")
	typed := with(typedDown(), "reply", "1", "replyVersion", "6", "outcomeCode", "IMPROVED")
	meanwhile := sampleReferral(referralv1.State_ADMITTED) // it is taken back between the look at it and the reply
	meanwhile.Version = 6
	on(w, getMethod, func(context.Context, *referralv1.GetReferralRequest) (*referralv1.Referral, error) {
		defer w.always(getMethod, sampleReferral(referralv1.State_ACCEPTED))
		return meanwhile, nil
	})
	if got := b.post(answersUp, typed); got.Header().Get("Location") != "/referrals/"+referralID+"#actions" {
		t.Error(got.Code, got.Header().Get("Location"))
	}
	shows(t, b.get("/referrals/"+referralID).Body.String(), "the reply to the up-referral is not")
}

// Somebody changed the up-referral while the form was filled in: neither of the two goes out before who wrote them has seen what and by whom.
func TestAReplyAlongWithADownReferralIsNotSentUnseenUponAnotherVersion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.admitted()
	up := sampleReferral(referralv1.State_ARRIVED)
	up.Version, up.Reply = 7, nil
	w.always(getMethod, up)
	w.always(historyMethod, &referralv1.ListHistoryResponse{History: []*referralv1.HistoryRow{
		{Kind: "TRANSITION", Action: "admit", Version: 6, Actor: &commonv1.Actor{Name: "早先的人"}, Time: in(0)},
		{Kind: "TRANSITION", Action: "undo_admit", Version: 7, Actor: &commonv1.Actor{Name: "同事甲"}, Time: in(0)},
	}})
	b := w.browser("desk")
	sent := with(typedDown(), "reply", "1", "replyVersion", "6", "outcomeCode", "IMPROVED")
	got := b.post(answersUp, sent)
	body := got.Body.String()
	if got.Code != http.StatusConflict || len(called[*referralv1.CreateReferralRequest](w, createMethod)) != 0 || len(called[*referralv1.ConcludeRequest](w, concludeMethod)) != 0 {
		t.Fatalf("%d, and something was sent", got.Code)
	}
	shows(t, body, "the up-referral changed", "同事甲", `name="replyVersion" value="7"`, ">支架一枚</textarea>", `<option value="IMPROVED" selected>`)
	if strings.Contains(body, "早先的人") || hidden(t, body, "requestId") == sent.Get("requestId") {
		t.Error("what was before is told too, or the request is still that of before")
	}
	for _, problem := range htmlcheck.Page(body) {
		t.Error(problem)
	}
	// A form that is refused for something else keeps the version that it was drawn with.
	up.Version = 6
	refused := b.post(answersUp, with(sent, "outcomeCode", "")).Body.String()
	up.Version = 7
	if hidden(t, refused, "replyVersion") != "6" {
		t.Error("the version of now is taken without a word")
	}
	if got := b.post(answersUp, with(sent, "replyVersion", "7")); got.Code != http.StatusSeeOther {
		t.Errorf("again: %d", got.Code)
	}
	if replied := called[*referralv1.ConcludeRequest](w, concludeMethod); len(replied) != 1 || replied[0].GetVersion() != 7 {
		t.Errorf("%v", replied)
	}
}

func TestAColleaguesReplyIsNotTakenForOnesOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.admitted()
	w.refuse(concludeMethod, errs.Stale(7, "CONCLUDED"))
	w.concluded()
	b := w.browser("desk")
	b.post(answersUp, with(typedDown(), "reply", "1", "replyVersion", "6", "outcomeCode", "IMPROVED"))
	shows(t, b.get("/referrals/"+downID).Body.String(), "A colleague had replied")
}
