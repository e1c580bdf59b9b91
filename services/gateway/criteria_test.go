package gateway_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

const criteriaPart = "/refer/" + patientID + "/criteria"

func TestCriteriaSayWhatIsMetWhyAndWhatIsMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	for what, body := range map[string]string{
		"live":            b.post(criteriaPart, typedReferral(), "X-Fragment", "1").Body.String(),
		"without scripts": b.post("/refer/"+patientID, with(typedReferral(), "do", "criteria")).Body.String(),
	} {
		for _, words := range []string{
			"systolic 180 or more", ">Emergency</span>", "国家规范 (original text)", "systolic pressure 182 mmHg", "record, 2026-03-01", "dizziness yes",
			"1 more cannot be judged", "kidney function falls", "county rule", "eGFR (the one of 2025-02-20 on record is too old to count)",
			`name="value.egfr"`, "mL/min", `name="finding" value="chest_pain"`, "Suggested: send as an emergency (green channel)", `data-choose="kind=EMERGENCY"`,
		} {
			if !strings.Contains(body, words) {
				t.Errorf("%s: %q is not said", what, words)
			}
		}
		if strings.Contains(body, "体温高") {
			t.Errorf("%s: a rule that is not met is shown", what)
		}
	}
	asked := called[*referralv1.EvaluateCriteriaRequest](w, evaluateMethod)
	if len(asked) != 2 || asked[0].GetPatientId() != patientID || asked[0].GetDirection() != commonv1.Direction_UP || len(asked[0].GetDiagnoses()) != 2 {
		t.Errorf("%v", asked)
	}
}

func TestCriteriaSuggestButChangeNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	body := b.post("/refer/"+patientID, with(typedReferral(), "do", "criteria")).Body.String()
	if !strings.Contains(body, `value="OUTPATIENT" checked`) || !strings.Contains(body, `value="URGENT" checked`) {
		t.Error("kind or urgency was changed")
	}
	if body := b.post(criteriaPart, with(typedReferral(), "kind", "EMERGENCY")).Body.String(); strings.Contains(body, "Suggested") {
		t.Error("what was chosen already is suggested")
	}
}

func TestTypedValuesGoWithTheReferralAndStayInTheForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	typed := with(typedReferral(), "value.egfr", "３３．５", "value.bp_systolic", "190", "finding", "dizzy", "finding.rest", "1")
	typed["finding.asked"] = []string{"dizzy", "chest_pain"}
	if got := b.post("/refer/"+patientID, typed); got.Code != http.StatusSeeOther {
		t.Fatal(got.Code)
	}
	values := map[string]any{}
	for _, v := range called[*referralv1.CreateReferralRequest](w, createMethod)[0].GetValues() {
		values[v.GetName()] = v.GetNumber()
		if _, ok := v.GetValue().(*referralv1.ClinicalValue_Finding); ok {
			values[v.GetName()] = v.GetFinding()
		}
	}
	if len(values) != 4 || values["egfr"] != 33.5 || values["bp_systolic"] != 190.0 || values["dizzy"] != true || values["chest_pain"] != false {
		t.Errorf("%v", values)
	}
	body := b.post(criteriaPart, typed).Body.String()
	for _, words := range []string{`name="value.egfr" value="３３．５"`, `value="dizzy" checked`, `name="finding.not" value="chest_pain"`, "Said not to be there: chest pain"} {
		if !strings.Contains(body, words) {
			t.Errorf("%q is lost", words)
		}
	}
	if strings.Contains(body, `name="finding.rest" value="1" checked`) {
		t.Error("findings that nobody was asked about would be denied")
	}
}

func TestAWrongValueIsNeitherGuessedNorInTheWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	on(w, evaluateMethod, func(_ context.Context, in *referralv1.EvaluateCriteriaRequest) (*referralv1.EvaluateCriteriaResponse, error) {
		if len(in.GetValues()) > 0 {
			return nil, errs.Invalid(errs.Bad("values[0].number", errs.ReasonFieldOutOfRange))
		}
		answer, _ := writing()[evaluateMethod].(*referralv1.EvaluateCriteriaResponse)
		return answer, nil
	})
	typed := with(typedReferral(), "value.egfr", "about 30", "value.bp_systolic", "1900")
	body := b.post(criteriaPart, typed).Body.String()
	for _, words := range []string{`value="about 30"`, "Please give a number", `value="1900"`, "Outside what is possible (40 to 300)"} {
		if !strings.Contains(body, words) {
			t.Errorf("%q is not said", words)
		}
	}
}

func TestAValueThatCannotBeIsMendedBeforeSending(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	typed := with(typedReferral(), "value.egfr", "33a", "value.bp_systolic", "1900")
	kept := with(typed)
	kept.Del("requestId") // what was refused is another request when it is mended
	for _, page := range []string{"/refer/" + patientID, "/referrals/" + referralID + "/edit"} {
		w.always(getMethod, sampleReferral(referralv1.State_DRAFT))
		got := b.post(page, with(typed, "version", "3"))
		body := got.Body.String()
		keeps(t, body, kept)
		for _, words := range []string{`href="#f-value.egfr">Please give “eGFR” as a number`, `href="#f-value.bp_systolic">“systolic pressure” is outside what is possible (40 to 300)`} {
			if got.Code != http.StatusBadRequest || !strings.Contains(body, words) {
				t.Errorf("%s: %d, %q is not said", page, got.Code, words)
			}
		}
	}
	for _, sent := range called[*referralv1.CreateReferralRequest](w, createMethod) {
		if !sent.GetValidateOnly() {
			t.Error("it was sent")
		}
	}
	if got := b.post("/refer/"+patientID, with(typed, "do", "draft")); got.Code != http.StatusSeeOther {
		t.Errorf("a draft is not kept: %d", got.Code)
	}
	if got := b.post("/refer/"+patientID, with(typedReferral(), "value.egfr", "33", "value.bp_systolic", "190")); got.Code != http.StatusSeeOther {
		t.Errorf("good values stop it: %d", got.Code)
	}
}

func TestAnImpossibleValueDoesNotCount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.browser("township").post(criteriaPart, with(typedReferral(), "value.egfr", "33", "value.bp_systolic", "1900"))
	asked := called[*referralv1.EvaluateCriteriaRequest](w, evaluateMethod)
	if len(asked) != 2 || len(asked[1].GetValues()) != 1 || asked[1].GetValues()[0].GetName() != "egfr" {
		t.Errorf("%v", asked)
	}
}

func TestManyValuesAreFoldedAndOneTypedOutOfSightUnfoldsThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	many := &referralv1.EvaluateCriteriaResponse{Results: []*referralv1.CriterionResult{{Status: "UNKNOWN", Criterion: &referralv1.Criterion{Text: "x"}}}}
	for i := range 12 {
		name := "finding_" + string(rune('a'+i))
		many.Inputs = append(many.Inputs, &referralv1.ValueDefinition{Name: name, Label: name, Type: "FINDING"})
		many.Results[0].Missing = append(many.Results[0].Missing, &referralv1.MissingValue{Name: name, Label: name})
	}
	w.always(evaluateMethod, many)
	b := w.browser("township")
	body := b.post(criteriaPart, typedReferral()).Body.String()
	sight, folded, _ := strings.Cut(body, "<details>")
	if strings.Count(sight, `name="finding"`) != 8 || strings.Count(folded, `name="finding"`) != 4 ||
		!strings.Contains(folded, `name="finding.rest.more"`) || !strings.Contains(sight, `name="finding.rest"`) {
		t.Error("not 8 in sight and 4 folded, each with a denial of the rest of its own")
	}
	if body := b.post(criteriaPart, with(typedReferral(), "finding", "finding_l")).Body.String(); !strings.Contains(body, "<details open>") {
		t.Error("what was typed is out of sight")
	}
}

// One rule is met by another value: what else was found can still be ticked, and no box moves.
func TestABoxStaysWhenItsRuleIsMetByAnotherValue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(evaluateMethod, &referralv1.EvaluateCriteriaResponse{
		Results: []*referralv1.CriterionResult{{Status: "MET", Criterion: &referralv1.Criterion{Text: "x"}}},
		Inputs: []*referralv1.ValueDefinition{
			{Name: "suspected", Label: "suspected", Type: "FINDING"}, {Name: "st_elevation", Label: "ST elevation", Type: "FINDING"}, {Name: "never_asked", Label: "never asked", Type: "FINDING"},
			{Name: "onset_hours", Label: "onset"}, {Name: "minutes", Label: "minutes"}, {Name: "potassium", Label: "potassium"},
		},
	})
	form := with(typedReferral(), "finding", "suspected", "value.minutes", "60", "value.onset_hours", "")
	form["finding.asked"] = []string{"suspected", "st_elevation"}
	body := w.browser("township").post(criteriaPart, form, "X-Fragment", "1").Body.String()
	before := 0
	for _, words := range []string{`name="value.onset_hours" value=""`, `name="value.minutes" value="60"`, `value="suspected" checked`, `name="finding" value="st_elevation"`, `name="finding.asked" value="st_elevation"`} {
		at := strings.Index(body, words)
		if at <= before {
			t.Errorf("%q is gone or has moved", words)
		}
		before = at
	}
	if strings.Contains(body, "never_asked") || strings.Contains(body, "potassium") {
		t.Error("what no rule waits for is asked")
	}
}

func TestWithoutCriteriaTheFormGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.refuse(evaluateMethod, errs.Unavailable("referral", nil))
	b := w.browser("township")
	typed := with(typedReferral(), "value.egfr", "33", "finding", "dizzy")
	body := b.post(criteriaPart, typed, "X-Fragment", "1").Body.String()
	if !strings.Contains(body, "cannot be looked up now") {
		t.Error("it is not said")
	}
	keeps(t, body, with(form("value.egfr", "33"), "finding", "dizzy"))
	if got := b.post("/refer/"+patientID, typed); got.Code != http.StatusSeeOther {
		t.Error(got.Code)
	}
	asked := len(called[*referralv1.EvaluateCriteriaRequest](w, evaluateMethod))
	none := b.get("/refer/" + patientID).Body.String()
	if !strings.Contains(none, "Choose a diagnosis") || len(called[*referralv1.EvaluateCriteriaRequest](w, evaluateMethod)) != asked {
		t.Error("criteria are asked without a diagnosis")
	}
}

// Without scripts the server shows what the kind needs and drops what it does not.
func TestEachKindShowsAndSendsWhatItNeeds(t *testing.T) {
	t.Parallel()
	for kind, c := range map[string]struct {
		shown, hidden []string
		urgency       commonv1.Urgency_Code
		exams         int
		transport     string
	}{
		"OUTPATIENT": {[]string{"f-slot", "f-urgency", "f-transport"}, []string{"f-examItems"}, commonv1.Urgency_URGENT, 0, "ESCORTED"},
		"EMERGENCY":  {[]string{"f-slot", "f-transport"}, []string{"f-examItems", "f-urgency"}, commonv1.Urgency_EMERGENCY, 0, "ESCORTED"},
		"EXAM":       {[]string{"f-examItems", "f-urgency", "f-transport", "f-slot", "f-modality"}, nil, commonv1.Urgency_URGENT, 2, "ESCORTED"},
		"ADVICE":     {[]string{"f-urgency"}, []string{"f-slot", "f-examItems", "f-modality", "f-transport"}, commonv1.Urgency_URGENT, 0, ""},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			b := w.browser("township")
			typed := with(typedReferral(), "kind", kind)
			typed["examItem"] = []string{"CT without contrast", " ", "血常规"}
			body := b.post("/refer/"+patientID, with(typed, "do", "kind")).Body.String()
			isHidden := func(id string) bool {
				_, tag, _ := strings.Cut(body, `id="`+id+`"`)
				tag, _, _ = strings.Cut(tag, ">")
				return strings.HasSuffix(tag, " hidden")
			}
			for _, id := range c.shown {
				if isHidden(id) {
					t.Errorf("%s is hidden", id)
				}
			}
			for _, id := range c.hidden {
				if !isHidden(id) {
					t.Errorf("%s is shown", id)
				}
			}
			for _, problem := range htmlcheck.Page(body) {
				t.Error(problem)
			}
			w.refuse(createMethod, errs.Invalid(errs.Required("form.presentIllness")))
			words := "Please fill in “" + map[bool]string{true: "your question", false: "present illness (reason for referral)"}[kind == "ADVICE"]
			if !strings.Contains(b.post("/refer/"+patientID, typed).Body.String(), words) {
				t.Errorf("it does not say %q", words)
			}
			w.always(createMethod, sampleReferral(referralv1.State_SUBMITTED))
			if got := b.post("/refer/"+patientID, typed); got.Code != http.StatusSeeOther {
				t.Fatal(got.Code, got.Body)
			}
			made := called[*referralv1.CreateReferralRequest](w, createMethod)[1]
			if made.GetKind().String() != kind || made.GetUrgency() != c.urgency || len(made.GetExamItems()) != c.exams || made.GetTransport() != c.transport {
				t.Errorf("%v", made)
			}
			if holds := len(called[*schedulingv1.CreateHoldRequest](w, holdMethod)); holds != 0 && kind != "OUTPATIENT" {
				t.Error("a slot is held for who takes none")
			}
		})
	}
}

func TestAnExamKeepsItsLines(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.refuse(createMethod, errs.Invalid(errs.Required("examItems")))
	typed := with(typedReferral(), "kind", "EXAM")
	typed["examItem"] = []string{"CT 平扫", "胃镜", "肠镜", "心脏彩超"}
	body := w.browser("township").post("/refer/"+patientID, typed).Body.String()
	keeps(t, body, typed, "requestId", "holdKey", "do", "slot")
	if !strings.Contains(body, `href="#f-examItems"`) || strings.Count(body, `<input name="examItem"`) != 5 {
		t.Error("no empty line is left to fill, or the error leads nowhere")
	}
	w.always(getMethod, func() *referralv1.Referral {
		r := sampleReferral(referralv1.State_DRAFT)
		r.Kind, r.ExamItems = commonv1.Kind_EXAM, []*commonv1.Coding{{Display: "动态心电图"}}
		return r
	}())
	b := w.browser("township")
	if body := b.get("/referrals/" + referralID + "/edit").Body.String(); !strings.Contains(body, `name="examItem" value="动态心电图"`) {
		t.Error("a draft loses its lines")
	}
	b.post("/referrals/"+referralID+"/edit", with(typed, "version", "3", "do", "draft"))
	edited := called[*referralv1.EditReferralRequest](w, editMethod)
	if len(edited) != 1 || !slices.Contains(edited[0].GetUpdateMask().GetPaths(), "exam_items") || len(edited[0].GetReferral().GetExamItems()) != 4 {
		t.Errorf("%v", edited)
	}
}

func TestAReturnedReferralKeepsTheCriteriaThatWereMetWhenItWasSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	returned := sampleReferral(referralv1.State_RETURNED)
	returned.MatchedCriteria = []string{"GEN-2"}
	w.always(getMethod, returned)
	answer, _ := writing()[evaluateMethod].(*referralv1.EvaluateCriteriaResponse)
	answer.Results = answer.GetResults()[1:] // nothing is met by what the form and the record say
	w.always(evaluateMethod, answer)
	b := w.browser("township")
	carried := with(typedReferral(), "criterion", "GEN-2")
	for what, body := range map[string]string{
		"the form": b.get("/referrals/" + referralID + "/edit").Body.String(), "live": b.post(criteriaPart, carried, "X-Fragment", "1").Body.String(),
	} {
		if !strings.Contains(body, "met when the referral was sent") || !strings.Contains(body, `name="criterion" value="GEN-2"`) || strings.Contains(body, "No criterion is met") ||
			strings.Contains(body, "cannot be judged") {
			t.Errorf("%s does not say what was met", what)
		}
	}
	if body := b.post(criteriaPart, typedReferral(), "X-Fragment", "1").Body.String(); !strings.Contains(body, "No criterion is met") {
		t.Error("a new referral knows of what was met before")
	}
}

func TestUnitsAreWorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, language := range []struct {
		name  string
		words map[string]string
	}{
		{"zh-CN", map[string]string{"{grade}": "级", "/a": "次/年", "[pH]": "", "/min": "次/分", "{score}": "分", "1": "", "a": "岁", "mm[Hg]": "mmHg", "{odd}": "{odd}"}},
		{"en", map[string]string{"{grade}": "grade", "/a": "per year", "[pH]": "", "/min": "/min", "{score}": "points", "1": "", "a": "years", "mm[Hg]": "mmHg", "{odd}": "{odd}"}},
	} {
		for unit, word := range language.words {
			answer, _ := writing()[evaluateMethod].(*referralv1.EvaluateCriteriaResponse)
			answer.Inputs[1].Unit = unit
			w.always(evaluateMethod, answer)
			body := w.browser("township").post(criteriaPart, typedReferral(), "X-Fragment", "1", "Accept-Language", language.name).Body.String()
			if _, after, _ := strings.Cut(body, `<label for="f-value.egfr">`); !strings.Contains(strings.SplitN(after, "</label>", 2)[0], "<small>"+word+"</small>") {
				t.Errorf("%s: %q is not %q", language.name, unit, word)
			}
		}
	}
}
