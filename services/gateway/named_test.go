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
	shows(t, got.Body.String(), `<a href="#f-medicines.1.name">替格瑞洛片 (medicine 2): The centre does not list this name`)
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

// A name alone is dispensed by guess: the line says which medicine, and one click leaves it to the centre.
func TestAMedicineWithoutHowItIsTakenIsNamedAndCanBeLeftToTheCentre(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.concluded()
	b := w.browser("desk")
	typed := typedDown()
	typed["medicine.dosage"] = []string{"每日一片", "", ""}
	w.refuse(createMethod, errs.Invalid(errs.Required("medicines[1].dosage")))
	got := b.post(answersUp, typed)
	body := got.Body.String()
	if got.Code != http.StatusBadRequest {
		t.Error(got.Code)
	}
	shows(t, body, `<a href="#f-medicines.1.dosage">替格瑞洛片 (medicine 2): Say how it is taken`, `id="f-medicines.1.dosage"`,
		`data-row-set="medicine.dosage" data-row-value="for the centre’s doctor to decide"`, `<noscript><button name="do" value="dosage 1 for the centre’s doctor to decide"`)
	if n := strings.Count(body, `data-row-set="medicine.dosage"`); n != 1 {
		t.Errorf("%d lines are asked about", n)
	}
	typed.Set("do", "dosage 1 for the centre’s doctor to decide")
	body = b.post(answersUp, typed).Body.String()
	shows(t, body, `name="medicine.dosage" value="for the centre’s doctor to decide"`, `name="medicine.dosage" value="每日一片"`, `value="84"`)
	typed["medicine.decision"] = []string{"", "", "STOPPED"}
	if strings.Contains(b.post(answersUp, typed).Body.String(), `data-row-set="medicine.dosage"`) {
		t.Error("it is asked of what is stopped")
	}
}

const concludeMethod = referralv1.ReferralService_Conclude_FullMethodName

func TestAReplyNamesTheMedicinesOfWhichNobodySaysHowTheyAreTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(getMethod, sampleReferral(referralv1.State_ARRIVED))
	w.always(actionsMethod, &referralv1.ListActionsResponse{Actions: []*referralv1.Action{{Name: "conclude"}}})
	w.refuse(concludeMethod, errs.Invalid(errs.Required("reply.medications[0].dosage"), errs.Required("reply.medications[2].dosage")))
	typed := form("version", "3", "requestId", "0192f0c1-0000-7000-8000-0000000000d2", "outcomeCode", "IMPROVED", "reply.diagnosis", "冠心病",
		"reply.treatment", "支架一枚", "reply.nextSteps", "随访", "reply.medications", "替格瑞洛片 90mg×14\n阿司匹林肠溶片 100mg 每日一次\n\n氯沙坦钾片")
	got := w.browser("desk").post("/referrals/"+referralID+"/conclude", typed)
	if got.Code != http.StatusBadRequest {
		t.Error(got.Code)
	}
	body := got.Body.String()
	shows(t, body, "替格瑞洛片、氯沙坦钾片: say how it is taken", "替格瑞洛片 90mg×14\n阿司匹林肠溶片 100mg 每日一次")
	if strings.Count(body, "say how it is taken") != 2 { // on top and at the field
		t.Error("it is said more than once")
	}
	sent := called[*referralv1.ConcludeRequest](w, concludeMethod)[0].GetReply().GetMedications()
	if len(sent) != 3 || sent[0].GetName() != "替格瑞洛片" || sent[1].GetDosage() != "100mg 每日一次" || sent[2].GetDosage() != "" {
		t.Errorf("%v", sent)
	}
}

// A value for the criteria that cannot be is not left out silently.
func TestAValueThatCannotBeIsMendedBeforeAPatientGoesDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.concluded()
	b := w.browser("desk")
	typed := with(typedDown(), "value.egfr", "33a", "value.bp_systolic", "1900")
	for _, page := range []string{answersUp, "/down/" + patientID + "?draft=" + downID} {
		got := b.post(page, with(typed, "version", "3"))
		if got.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", page, got.Code)
		}
		shows(t, got.Body.String(), `href="#f-value.egfr">Please give “eGFR” as a number`, `href="#f-value.bp_systolic">“systolic pressure” is outside what is possible (40 to 300)`)
	}
	for _, sent := range called[*referralv1.CreateReferralRequest](w, createMethod) {
		if !sent.GetValidateOnly() {
			t.Error("it was sent")
		}
	}
	if n := len(called[*referralv1.EditReferralRequest](w, editMethod)); n != 0 {
		t.Error("the draft was changed")
	}
	if got := b.post(answersUp, with(typed, "do", "draft")); got.Code != http.StatusSeeOther {
		t.Errorf("what is not kept stands in the way of a draft: %d", got.Code)
	}
}
