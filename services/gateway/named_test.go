package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// unsure lets the centre list the second medicine under another name.
func (w *world) unsure() {
	w.always(medicinesMethod, &referralv1.CheckMedicinesResponse{FormularyKnown: true, Checks: []*referralv1.MedicineCheck{
		{Availability: "IN_STOCK"}, {Availability: "UNCONFIRMED", Named: []*referralv1.NamedMedicine{{Name: "硫酸替格瑞洛片", Availability: "ORDERABLE"}}},
	}})
}

func TestANameThatTheCentreWritesOtherwiseIsTakenWithOneClick(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.concluded()
	w.unsure()
	typed := typedDown()
	typed["medicine.decision"] = []string{"", "", ""}
	b := w.browser("desk")
	body := b.post("/down/"+patientID+"/medicines", typed, "X-Fragment", "1").Body.String()
	shows(t, body, "? name to confirm", "Is it", `data-row-set="medicine.name" data-row-value="硫酸替格瑞洛片"`, "○ can be ordered", `<noscript><button name="do" value="name 1 硫酸替格瑞洛片"`)
	if strings.Contains(body, "✗ missing") || strings.Count(body, "<select") != 1 {
		t.Error("it is said to be missing, or nothing else can be decided")
	}
	// Enter in a field sends the form: no button before that of the form may take a name.
	if strings.Contains(strings.ReplaceAll(body, "<noscript><button name", ""), "<button name") {
		t.Error("a name is taken by Enter")
	}
	typed.Set("do", "name 1 硫酸替格瑞洛片")
	body = b.post(answersUp, typed).Body.String()
	shows(t, body, `name="medicine.name" value="硫酸替格瑞洛片"`, `value="90mg×14"`, `value="84"`, `name="medicine.name" value="阿司匹林肠溶片"`, ">支架一枚</textarea>")
	if n := len(called[*referralv1.CreateReferralRequest](w, createMethod)); n != 0 || strings.Contains(body, `value="替格瑞洛片"`) {
		t.Errorf("%d referrals were made, or the old name is still there", n)
	}
	typed.Set("do", "send")
	w.refuse(createMethod, errs.Invalid(errs.Bad("medicines[1].name", errs.ReasonFieldUnknown)))
	got := b.post(answersUp, typed)
	if got.Code != http.StatusBadRequest {
		t.Error(got.Code)
	}
	shows(t, got.Body.String(), `<a href="#f-medicines.1.name">Medicine 2: The centre does not list this name`)
}

func TestTheCentreIsToldWhatItsOwnListMayCallAMedicine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.unsure()
	down := downAnswer(referralv1.State_SUBMITTED)
	down.Receiver.OrganizationId = townshipID
	for _, stored := range []string{"UNCONFIRMED", "MISSING"} {
		down.Medicines = []*referralv1.DischargeMedicine{{Name: "阿司匹林", Availability: "IN_STOCK"}, {Name: "替格瑞洛片", Availability: stored}}
		w.always(getMethod, down)
		body := w.browser("township").get("/referrals/" + downID).Body.String()
		shows(t, body, "name to confirm", "Is it <strong>硫酸替格瑞洛片</strong>")
		if strings.Contains(body, `class="abnormal">missing`) {
			t.Errorf("%s: it is said to be missing", stored)
		}
	}
	w.refuse(medicinesMethod, errs.Unavailable("referral", nil))
	shows(t, w.browser("township").get("/referrals/"+downID).Body.String(), `class="abnormal"`)
}

func TestTheTemplateThatIsProposedSaysOfWhatKindADownReferralIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.concluded()
	if body := w.browser("desk").get(answersUp).Body.String(); strings.Contains(body, `name="kind" value="CHRONIC" checked`) {
		t.Error("a kind that no template names is chosen")
	}
	template := followUpTemplate("CHD_STABLE", "CHD", "冠心病", "Coronary disease", "2026-03-16")
	template.Kinds = []commonv1.Kind_Code{commonv1.Kind_CHRONIC, commonv1.Kind_REHABILITATION}
	w.always(templatesMethod, &referralv1.ListFollowUpTemplatesResponse{Templates: []*referralv1.FollowUpTemplate{template}})
	shows(t, w.browser("desk").get(answersUp).Body.String(), `name="kind" value="CHRONIC" checked`)
}
