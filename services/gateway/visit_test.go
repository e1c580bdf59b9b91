package gateway_test

import (
	"strings"
	"testing"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

// followedUp is a patient whose next visit asks for the lipids alone.
func followedUp(condition string) *referralv1.Referral {
	r := sampleDown(referralv1.State_FOLLOW_UP)
	r.Plan = &referralv1.FollowUpPlan{Condition: condition, Visits: []*referralv1.PlannedVisit{{Number: 1, Due: "2026-03-02", Mode: "CLINIC", Items: []string{"LIPIDS"}}}}
	return r
}

func TestTheFormOfAVisitHasTheNumbersOfTheDiseaseInSight(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(actionsMethod, actionsOf("record_visit", "revise_plan", "complete", "escalate", "message"))
	b := w.browser("township")
	for condition, names := range map[string]string{
		"HYPERTENSION": "sbp dbp heart_rate ldl", "DIABETES": "sbp dbp heart_rate fasting_glucose glucose ldl", "CHD": "sbp dbp heart_rate ldl", "COPD": "spo2 resp_rate ldl", "TB": "ldl",
	} {
		w.always(getMethod, followedUp(condition))
		body := says(t, b, markName)
		_, form, _ := strings.Cut(body, `id="visit"`)
		sight, folded, _ := strings.Cut(form, "<details")
		for _, name := range strings.Fields("sbp dbp heart_rate fasting_glucose glucose spo2 resp_rate ldl") {
			field := `name="value.` + name + `"`
			if in := strings.Contains(" "+names+" ", " "+name+" "); strings.Contains(sight, field) != in || strings.Contains(folded, field) == in {
				t.Errorf("%s: %s in sight: %v", condition, name, strings.Contains(sight, field))
			}
		}
		if title, _, _ := strings.Cut(sight, "</h3>"); !strings.Contains(title, markName) {
			t.Errorf("%s: the form does not say whose it is", condition)
		}
		for _, problem := range htmlcheck.Page(body) {
			t.Error(problem)
		}
	}
}

func TestAVisitWarnsOfAReferralUpThatIsNotOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(actionsMethod, actionsOf("record_visit"))
	w.always(getMethod, followedUp("CHD"))
	b := w.browser("township")
	const warning = "has a referral up that is not over"
	w.always(underWayMethod, &referralv1.ListUnderWayResponse{})
	if strings.Contains(says(t, b), warning) {
		t.Error("it warns of nothing")
	}
	up := sampleReferral(referralv1.State_ACCEPTED)
	up.Id, up.Direction = slotID, commonv1.Direction_UP
	w.always(underWayMethod, &referralv1.ListUnderWayResponse{Hospitals: []*referralv1.UnderWay{{OrganizationId: hospitalID, Referrals: []*referralv1.Referral{up}}}})
	says(t, b, warning, `href="/referrals/`+slotID+`"`)
	w.refuse(underWayMethod, errs.Unavailable("referral", nil))
	if body := says(t, b); strings.Contains(body, warning) || !strings.Contains(body, `id="visit"`) {
		t.Error("without an answer the form does not stand")
	}
}

// On a telephone only what the page is for takes room; what was refused in the rest is seen.
func TestWhatElseCanBeDoneIsBehindMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(getMethod, sampleReferral(referralv1.State_SUBMITTED))
	b := w.browser("desk")
	rest := func(body string) (before, after string) {
		before, after, found := strings.Cut(body, `<div class="rest">`)
		if !found {
			t.Fatal("there is no rest")
		}
		_, before, _ = strings.Cut(before, `id="actions"`)
		return before, after
	}
	w.always(actionsMethod, actionsOf("accept", "return", "decline"))
	before, after := rest(says(t, b, "More actions"))
	if !strings.Contains(before, "/accept") || strings.Contains(before, "/decline") || !strings.Contains(after, "/decline") || !strings.Contains(after, "/return") || strings.Contains(before, `id="next-more" class="next-more" checked`) {
		t.Error("what the page is for is not before the rest")
	}
	w.refuse(referralv1.ReferralService_Decline_FullMethodName, errs.Invalid(errs.Required("reasonCode")))
	body := b.post("/referrals/"+referralID+"/decline", form("version", "3", "requestId", "x")).Body.String()
	if !strings.Contains(body, `id="next-more" class="next-more" checked`) {
		t.Error("what was refused is folded")
	}
	w.always(actionsMethod, actionsOf("depart", "cancel"))
	if before, _ = rest(says(t, b)); !strings.Contains(before, "/depart") || strings.Contains(before, "/cancel") {
		t.Error("setting out is not what the page is for")
	}
	w.always(actionsMethod, actionsOf("accept", "edit"))
	if strings.Contains(says(t, b), "More actions") {
		t.Error("there is a rest without anything in it")
	}
}
