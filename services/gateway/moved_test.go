package gateway_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

const movedMethod = referralv1.StatisticsService_ListContributions_FullMethodName

// sampleMoved is a rate that fell from 80 % to 60 %.
func sampleMoved() *referralv1.ListContributionsResponse {
	f := func(n, of int64) *referralv1.Figure {
		out := &referralv1.Figure{Numerator: n, Denominator: of}
		if of > 0 {
			out.HasValue, out.Value = true, 100*float64(n)/float64(of)
		}
		return out
	}
	return &referralv1.ListContributionsResponse{
		Now: f(6, 10), Before: f(8, 10), Change: -20, HasChange: true,
		Contributions: []*referralv1.Contribution{
			{Key: []string{hospitalID, "0304"}, Now: f(2, 5), Before: f(5, 5), Contribution: -30},
			{Key: []string{hospitalID, "0305"}, Now: f(4, 5), Before: f(3, 5), Contribution: 10},
		},
	}
}

func TestAMeasureSaysWhoMovedIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.countedFigures()
	b := w.admin()
	body := sound(t, "measure", b.get("/statistics/measure?measure=IND-DN-B&period=last-month&denominator=ENDED_FIT&urgency=URGENT"))
	for what, words := range map[string]string{
		"the change": "-20.00", "who pulled it down": `<strong class="worse">-30.00</strong> <small>(worse)</small>`, "who pulled it up": `<strong class="better">&#43;10.00</strong>`,
		"the own change": "-60.00", "the period before": "compared with 2026-01-01 to 2026-01-31", "how it adds up": "the rows add up to the change of the whole",
		"the chosen denominator": `<option value="ENDED_FIT" selected>`, "the filter stays": `name="urgency" value="URGENT"`, "by centre": "<h3>By township centre</h3>",
	} {
		if !strings.Contains(body, words) {
			t.Errorf("%s: %q is missing", what, words)
		}
	}
	// Each row opens its own cases of both periods.
	for _, from := range []string{"2026-02-01", "2026-01-01"} {
		at := regexp.MustCompile(`<a href="(/statistics/cases[^"]*department=0304[^"]*from=` + from + `[^"]*part=NUMERATOR[^"]*)">`).FindStringSubmatch(body)
		if at == nil || !strings.Contains(at[1], "denominator=ENDED_FIT") || !strings.Contains(at[1], "organization="+hospitalID) || !strings.Contains(at[1], "urgency=URGENT") {
			t.Errorf("the cases from %s: %q", from, at)
		}
	}
	asked := called[*referralv1.ListContributionsRequest](w, movedMethod)
	if len(asked) != 2 || strings.Join(asked[0].GetGroupBy(), " ") != "hospital department" || asked[0].GetBeforeFrom() != "2026-01-01" || asked[0].GetBeforeTo() != "2026-02-01" {
		t.Errorf("asked: %v", asked)
	}
	// What the contributions answer of the period before is not asked for again.
	for _, q := range called[*referralv1.QueryStatisticsRequest](w, figuresMethod) {
		if q.GetFrom() == "2026-01-01" && q.GetTo() == "2026-02-01" {
			t.Errorf("asked once more: %v", q)
		}
	}
	if !strings.Contains(section(body, `<p class="big">`), "80.0%") {
		t.Error("the head does not say what it was before")
	}
	if front := b.get("/overview").Body.String(); !strings.Contains(front, `href="/statistics/measure?measure=IND-DN-A&amp;period=last-month"`) {
		t.Error("the first page does not lead there")
	}
}

func TestWhatCannotBeTakenApartSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.countedFigures()
	b := w.admin()
	if got := b.get("/statistics/measure?measure=NOTHING"); got.Code != http.StatusNotFound {
		t.Errorf("an unknown measure: %d", got.Code)
	}
	body := sound(t, "a time", b.get("/statistics/measure?measure=TIME-ANSWER"))
	if !strings.Contains(body, "medians, which do not add up") || len(called[*referralv1.ListContributionsRequest](w, movedMethod)) != 0 {
		t.Error("a duration is taken apart")
	}
	w.refuse(movedMethod, errs.Invalid(errs.Bad("to", errs.ReasonFieldCombination)))
	w.refuse(movedMethod, errs.Invalid(errs.Bad("to", errs.ReasonFieldCombination)))
	if body := sound(t, "refused", b.get("/statistics/measure?measure=IND-DN-B")); !strings.Contains(body, `class="warning"`) {
		t.Error("a refusal is not told")
	}
}

func TestACaseLeadsBackToItsListAtItsRow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.countedFigures()
	w.always(courseMethod, sampleCourse())
	b := w.admin()
	list := rateCases + "MISSED"
	body := sound(t, "list", b.get(list+"&department=0304"))
	at := regexp.MustCompile(`<a href="(/statistics/cases/[0-9a-f-]{36}\?[^"]*)">`).FindStringSubmatch(body)
	if at == nil {
		t.Fatal("no case of the list opens")
	}
	page := sound(t, "case", b.get(strings.ReplaceAll(at[1], "&amp;", "&")))
	back := regexp.MustCompile(`<a href="([^"]*)">← Back to the list</a>`).FindStringSubmatch(page)
	if back == nil {
		t.Fatal("no way back")
	}
	to, err := url.Parse(strings.ReplaceAll(back[1], "&amp;", "&"))
	if err != nil || to.Path != "/statistics/cases" || to.Query().Get("department") != "0304" || to.Query().Get("part") != "MISSED" || !strings.Contains(body, `id="`+to.Fragment+`"`) {
		t.Errorf("back leads to %s, %v", to, err)
	}
	for what, words := range map[string]string{
		"the down-referral": "450321-26-0000201-9", "what became of it": "a down-referral was sent and taken back", "one that is left out": "not answered yet, within the limit",
		"the print": `<dt class="screen">Condition</dt>`, "and says so": "The print leaves out the condition",
	} {
		if !strings.Contains(page, words) {
			t.Errorf("%s: %q is missing", what, words)
		}
	}
	for _, elsewhere := range []string{"https://example.org/", "//example.org/overview", "/settings"} {
		if got := b.get("/statistics/cases/" + referralID + "?back=" + url.QueryEscape(elsewhere)); got.Code != http.StatusNotFound {
			t.Errorf("back to %s: %d", elsewhere, got.Code)
		}
	}
}

func TestTheFirstPageNamesWhoDidNothingAndWhatIsMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.countedFigures()
	w.recognised()
	b := w.admin()
	body := sound(t, "overview", b.get("/overview"))
	for what, words := range map[string]string{
		"the centres": "Centres that sent nobody up last month", "the departments": "Departments that sent nobody down last month", "a centre's list": `href="/settings/formulary?organization=` + townshipID,
		"how many lack it": "not there · patients: 2", "onto its list": `href="/settings/formulary/medicine?name=`, "no target": `no target · <a href="/settings/targets">set one</a>`,
		"what filling means": `<p class="help" id="filling"><strong>filling</strong>`, "the mark leads there": `<a class="filling" href="#filling" title="the period ended less than 30 days ago`,
		"a fold with its figure": `id="now"><summary><h2>Now</h2> <small>Late now 3 · `,
	} {
		if !strings.Contains(body, words) {
			t.Errorf("%s: %q is missing", what, words)
		}
	}
	if first, tools := strings.Index(body, `<p class="big">`), strings.Index(body, `class="screen tools"`); first < 0 || first > tools {
		t.Error("the main number does not come first")
	}
	// A department with candidates that sent somebody down is not named.
	if named := section(body, "Departments that sent nobody down"); named == "" || strings.Contains(named, "<li>") {
		t.Error("a department that sent patients down is among those that did not")
	}
	head := w.as("head", commonv1.Role_CENTRE_HEAD).get("/overview").Body.String()
	if strings.Contains(head, "set one</a>") || strings.Contains(head, "Centres that sent nobody up") || !strings.Contains(head, "no target") {
		t.Error("who sees one place is told of the county, or may set a target")
	}
}

func TestADepartmentThatSendsNobodyDownIsNamedWithItsCandidates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.countedFigures()
	on(w, figuresMethod, func(_ context.Context, in *referralv1.QueryStatisticsRequest) (*referralv1.QueryStatisticsResponse, error) {
		out := &referralv1.QueryStatisticsResponse{}
		if strings.Join(in.GetGroupBy(), " ") == "hospital department" {
			out.Figures = []*referralv1.Figure{{Measure: "CAND-OPEN", Key: []string{hospitalID, "0304"}, Numerator: 7}}
		}
		return out, nil
	})
	body := sound(t, "overview", w.admin().get("/overview"))
	named := section(body, "Departments that sent nobody down")
	if !strings.Contains(named, `measure=CAND-OPEN`) || !strings.Contains(named, ">7</a>") {
		t.Errorf("%s", named)
	}
	centres := section(body, "Centres that sent nobody up")
	if !strings.Contains(centres, "organization="+townshipID) || !strings.Contains(centres, "last on 2026-01-10") {
		t.Errorf("%s", centres)
	}
}

// section is what a section says from a heading on.
func section(body, heading string) string {
	_, rest, _ := strings.Cut(body, heading)
	said, _, _ := strings.Cut(rest, "</section>")
	return said
}
