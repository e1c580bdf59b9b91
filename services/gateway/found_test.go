package gateway_test

import (
	"slices"
	"strings"
	"testing"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

func foundNumber(name string, n float64) *referralv1.ClinicalValue {
	return &referralv1.ClinicalValue{Name: name, Value: &referralv1.ClinicalValue_Number{Number: n}}
}

func foundSign(name string, there bool) *referralv1.ClinicalValue {
	return &referralv1.ClinicalValue{Name: name, Value: &referralv1.ClinicalValue_Finding{Finding: there}}
}

func TestTheFormOfADraftShowsWhatWasFoundAndAnEditChangesIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	draft := sampleReferral(referralv1.State_DRAFT)
	draft.Values = []*referralv1.ClinicalValue{foundNumber("bp_systolic", 182.5), foundSign("dizzy", true), foundSign("chest_pain", false), foundNumber("onset_hours", 3), foundNumber("of_last_year", 7)}
	w.always(getMethod, draft)
	b := w.browser("township")
	body := b.get("/referrals/" + referralID + "/edit").Body.String()
	for _, field := range []string{
		`name="value.bp_systolic" value="182.5"`, `name="finding" value="dizzy" checked`, `name="finding.not" value="chest_pain"`,
		`<label for="f-value.onset_hours">hours since onset`, `name="value.onset_hours" value="3"`, `<input type="hidden" name="value.of_last_year" value="7">`,
	} {
		if !strings.Contains(body, field) {
			t.Errorf("%s is not in the form", field)
		}
	}
	for _, problem := range htmlcheck.Page(body) {
		t.Error(problem)
	}
	b.post("/referrals/"+referralID+"/edit", with(typedReferral(), "version", "3", "do", "draft", "value.bp_systolic", "150", "finding.asked.more", "dizzy", "finding.rest.more", "1"))
	edited := lastly[*referralv1.EditReferralRequest](t, w, editMethod)
	got := edited.GetReferral().GetValues()
	if !slices.Contains(edited.GetUpdateMask().GetPaths(), "values") || len(got) != 2 || got[0].GetNumber() != 150 || got[1].GetName() != "dizzy" || got[1].GetFinding() {
		t.Errorf("%v", edited)
	}
}

func TestAReferralShowsWhatWasFoundBesideItsCriterion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sent := sampleReferral(referralv1.State_SUBMITTED)
	sent.MatchedCriteria = []string{"UP-HTN-01"}
	sent.Values = []*referralv1.ClinicalValue{foundNumber("bp_systolic", 182), foundSign("chest_pain", false), foundNumber("of_last_year", 7)}
	w.always(getMethod, sent)
	body := says(t, w.browser("desk"), "systolic 180 or more", "Other values and findings")
	_, beside, _ := strings.Cut(body, "systolic 180 or more")
	beside, other, _ := strings.Cut(beside, "</dd>")
	if !strings.Contains(beside, "systolic pressure 182 mmHg") || strings.Contains(beside, "chest pain") {
		t.Errorf("beside the criterion stands %q", beside)
	}
	if other, _, _ = strings.Cut(other, "</dl>"); !strings.Contains(other, "chest pain no") || !strings.Contains(other, "of_last_year 7") {
		t.Errorf("%q", other)
	}
}

// A finding that says what its criterion says is not said twice.
func TestAFindingThatIsTheCriterionIsSaidOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(criteriaMethod, &referralv1.ListCriteriaResponse{
		Criteria: []*referralv1.Criterion{{Code: "UP-GEN-04", Text: "本院缺乏设备", TextEn: "No equipment here", Values: []string{"lacks_equipment"}}},
		Values:   []*referralv1.ValueDefinition{{Name: "lacks_equipment", Label: "本院缺乏设备", LabelEn: "No equipment here", Type: "FINDING"}},
	})
	r := sampleReferral(referralv1.State_SUBMITTED)
	r.MatchedCriteria, r.Values = []string{"UP-GEN-04"}, []*referralv1.ClinicalValue{foundSign("lacks_equipment", true)}
	w.always(getMethod, r)
	if body := w.browser("desk").get("/referrals/" + referralID).Body.String(); strings.Count(body, "No equipment here") != 1 {
		t.Errorf("said %d times", strings.Count(body, "No equipment here"))
	}
}

// Values are kept by name; the page says them as the rule does: systolic before diastolic.
func TestWhatWasMeasuredIsSaidInTheOrderOfItsCriterion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(criteriaMethod, &referralv1.ListCriteriaResponse{Criteria: []*referralv1.Criterion{{Code: "UP-HTN-10", Text: "血压高", TextEn: "high pressure", Values: []string{"sbp", "dbp"}}}})
	r := sampleReferral(referralv1.State_SUBMITTED)
	r.MatchedCriteria = []string{"UP-HTN-10"}
	for name, number := range map[string]float64{"dbp": 125, "sbp": 190} {
		r.Values = append(r.Values, &referralv1.ClinicalValue{Name: name, Value: &referralv1.ClinicalValue_Number{Number: number}})
	}
	slices.SortFunc(r.Values, func(a, b *referralv1.ClinicalValue) int { return strings.Compare(a.GetName(), b.GetName()) })
	w.always(getMethod, r)
	body := w.browser("desk").get("/referrals/" + referralID).Body.String()
	if sbp, dbp := strings.Index(body, "sbp 190"), strings.Index(body, "dbp 125"); sbp < 0 || dbp < sbp {
		t.Errorf("systolic at %d, diastolic at %d", sbp, dbp)
	}
}

func TestWhatEverybodyIsAskedStaysBehindTheFold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	answer, _ := writing()[evaluateMethod].(*referralv1.EvaluateCriteriaResponse)
	answer.Inputs[1].General = true // eGFR, which a rule misses
	w.always(evaluateMethod, answer)
	b := w.browser("township")
	sight, folded, _ := strings.Cut(b.post(criteriaPart, typedReferral()).Body.String(), "<details>")
	if strings.Contains(sight, "value.egfr") || !strings.Contains(folded, "value.egfr") || !strings.Contains(sight, `value="chest_pain"`) {
		t.Error("what everybody is asked is in sight, or what the diagnosis is about is not")
	}
	body := b.post(criteriaPart, with(typedReferral(), "value.egfr", "33")).Body.String()
	if _, open, _ := strings.Cut(body, "<details open>"); !strings.Contains(open, `name="value.egfr" value="33"`) {
		t.Error("what was typed is out of sight")
	}
}

func TestADiagnosisThatIsAnEmergencyWhileFreshAndTheUsualDepartmentAreProposed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	answer, _ := writing()[evaluateMethod].(*referralv1.EvaluateCriteriaResponse)
	answer.Results, answer.Acute, answer.DepartmentCode = answer.GetResults()[1:], true, "0304"
	w.always(evaluateMethod, answer)
	b := w.browser("township")
	const acute, usual = "When fresh, the chosen diagnosis is mostly an emergency", `data-choose="department=0304"`
	typed := with(typedReferral(), "department", "")
	for _, c := range []struct {
		kind, department     string
		wantAcute, wantUsual bool
	}{
		{"OUTPATIENT", "", true, true}, {"OUTPATIENT", "20", true, false}, {"EMERGENCY", "", false, false}, {"EXAM", "", true, false}, {"INPATIENT", "", true, true},
	} {
		body := b.post(criteriaPart, with(typed, "kind", c.kind, "department", c.department)).Body.String()
		if strings.Contains(body, acute) != c.wantAcute || strings.Contains(body, usual) != c.wantUsual {
			t.Errorf("%+v: %v %v", c, strings.Contains(body, acute), strings.Contains(body, usual))
		}
	}
	body := b.post("/refer/"+patientID, with(typed, "do", "emergency")).Body.String()
	if !strings.Contains(body, `name="kind" value="EMERGENCY" checked`) || len(called[*referralv1.CreateReferralRequest](w, createMethod)) != 0 {
		t.Error("without scripts the kind is not taken over, or the referral was sent")
	}
	// No table of the county names a department that this hospital does not have.
	answer.DepartmentCode = "9999"
	w.always(evaluateMethod, answer)
	if body := b.post(criteriaPart, typed).Body.String(); strings.Contains(body, "Usually received by") {
		t.Error("a department is proposed that the hospital does not have")
	}
}
