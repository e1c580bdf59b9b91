package gateway_test

import (
	"context"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// A county of seven declined referrals: five for want of a bed.
var declinedFor = map[string]int64{"NO_BED": 5, "OTHER": 2}

// countedFigures answers queries of figures and the cases behind them so that they agree.
func (w *world) countedFigures() {
	on(w, figuresMethod, func(_ context.Context, in *referralv1.QueryStatisticsRequest) (*referralv1.QueryStatisticsResponse, error) {
		out := &referralv1.QueryStatisticsResponse{}
		for _, m := range sampleMeasures() {
			if len(in.GetMeasure()) == 0 || slices.Contains(in.GetMeasure(), m.GetCode()) {
				out.Figures = append(out.Figures, figuresOf(m, in)...)
			}
		}
		return out, nil
	})
	w.always(movedMethod, sampleMoved())
	on(w, casesMethod, func(_ context.Context, in *referralv1.ListStatisticCasesRequest) (*referralv1.ListStatisticCasesResponse, error) {
		out := &referralv1.ListStatisticCasesResponse{}
		from, _ := strconv.Atoi(in.GetPageToken())
		all := casesOf(in)
		to := min(len(all), from+3)
		out.Cases = all[from:to]
		if to < len(all) {
			out.NextPageToken = strconv.Itoa(to)
		}
		return out, nil
	})
}

func figuresOf(m *referralv1.Measure, in *referralv1.QueryStatisticsRequest) []*referralv1.Figure {
	figure := func(n, of int64, key ...string) *referralv1.Figure {
		f := &referralv1.Figure{Measure: m.GetCode(), Key: key, Numerator: n, Denominator: of, Filling: in.GetTo() > "2026-02-01"}
		switch {
		case m.GetUnit() == "COUNT":
			f.Denominator, f.Value, f.HasValue = 0, float64(n), true
		case m.GetUnit() == "DURATION":
			f.Denominator, f.HasValue, f.Median, f.Percentile_90 = 0, true, 12, 600
		case of > 0:
			f.Value, f.HasValue = 100*float64(n)/float64(of), true
		}
		return f
	}
	var out []*referralv1.Figure
	switch by := strings.Join(in.GetGroupBy(), " "); by {
	case "reason":
		for reason, n := range declinedFor {
			out = append(out, figure(n, 0, reason))
		}
	case "month":
		for month, n := range map[string]int64{"2025-03-01": 2, "2026-01-01": 6, "2026-03-01": 4} {
			f := figure(n, 8)
			f.Period = month
			out = append(out, f)
		}
	case "month condition":
		for condition, n := range map[string]int64{"I10": 3, "": 1} {
			f := figure(n, 4, condition)
			f.Period = "2026-03-01"
			out = append(out, f)
		}
	case "centre hospital department":
		out = append(out, figure(7, 9, townshipID, hospitalID, "0304"))
	case "hospital department":
		out = append(out, figure(7, 9, hospitalID, "0304"))
	case "centre day":
		f := figure(7, 9, townshipID)
		f.Period = "2026-03-01"
		out = append(out, f)
	case "":
		f := figure(7, 9)
		if n := declinedFor[in.GetReason()]; n > 0 {
			f.Numerator = n
		}
		if in.GetWithTargets() && m.GetCode() == "IND-DN-A" {
			f.Aim = &referralv1.Aim{Target: 80, Apart: -2.2}
		}
		out = append(out, f)
	default:
		value := map[string]string{"centre": townshipID, "hospital": hospitalID, "department": "0304", "doctor": doctor().GetId(), "condition": "I10", "urgency": "URGENT", "kind": "INPATIENT"}[by]
		out = append(out, figure(7, 9, value), figure(0, 1, ""))
	}
	return out
}

// casesOf are seven in the numerator of everything, nine in the denominator.
func casesOf(in *referralv1.ListStatisticCasesRequest) []*referralv1.StatisticCase {
	n := map[string]int{"": 7, "NUMERATOR": 7, "DENOMINATOR": 9, "MISSED": 2, "EXCLUDED": 1}[in.GetPart()]
	var out []*referralv1.StatisticCase
	for i := range n {
		c := &referralv1.StatisticCase{
			ReferralId: referralID, Number: "450321-26-000020" + strconv.Itoa(i) + "-1", State: referralv1.State_DECLINED, Direction: commonv1.Direction_UP, Kind: commonv1.Kind_INPATIENT,
			Originator: &commonv1.Party{OrganizationId: townshipID}, Receiver: &commonv1.Party{OrganizationId: hospitalID, DepartmentCode: "0304"}, Condition: "I10", Day: "2026-03-01", Count: 1, ReasonCode: "OTHER",
			Ground: &referralv1.CaseGround{Place: "COUNTED", Above: 1, Fact: "DOWN_SENT"},
		}
		if in.GetPart() == "MISSED" || in.GetPart() == "DENOMINATOR" && i >= 7 {
			c.Ground = &referralv1.CaseGround{Place: "MISSED", Fact: "LEFT_FOR_CENTRE"}
		}
		if i < int(declinedFor["NO_BED"]) {
			c.ReasonCode = "NO_BED"
		}
		out = append(out, c)
	}
	out[n-1].Number, out[n-1].ReferralId, out[n-1].StayId = "", "", slotID
	return slices.DeleteFunc(out, func(c *referralv1.StatisticCase) bool {
		return in.GetReason() != "" && c.GetReasonCode() != in.GetReason()
	})
}

func TestTheTwoRatesStandSideBySideWithTheirDefinitions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.countedFigures()
	body := w.admin().get("/statistics?period=quarter&of-IND-DN-B=ENDED_FIT").Body.String()
	for what, words := range map[string]string{
		"the first rate": `<h2>Down-referral rate</h2>`, "the second": `<h2>Return rate</h2>`, "the value": `<p class="big">77.8%</p>`, "the numerator in words": "Return rate: those",
		"the chosen denominator": `<dt>Denominator</dt><dd>all ENDED_FIT</dd>`, "the choice": `<option value="ENDED_FIT" selected>all ENDED_FIT</option>`, "where it comes from": "本平台口径 (suggested by the system)",
		"its direction": "↑ higher is better", "that it fills": "and the number will move", "on whose day": "the day of sending", "the note": "A note", "minutes": "12 minutes (median)", "the 90th percentile": "nine of ten within 10.0 hours",
	} {
		if !strings.Contains(body, words) {
			t.Errorf("%s: %q is missing", what, words)
		}
	}
	asked := called[*referralv1.QueryStatisticsRequest](w, figuresMethod)
	var chosen, months int
	for _, q := range asked {
		if q.GetDenominator() == "ENDED_FIT" {
			chosen++
		}
		if slices.Equal(q.GetGroupBy(), []string{"month"}) {
			months++
			if q.GetFrom() != "2025-03-01" || q.GetTo() != "2026-04-01" {
				t.Errorf("the chart is of %s to %s, not of thirteen months", q.GetFrom(), q.GetTo())
			}
		}
	}
	if chosen != 2 || months != 2 {
		t.Errorf("the chosen denominator counts %d times, %d charts", chosen, months)
	}
}

func TestTheBarsBeginAtNoughtAndSayTheirNumbers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.countedFigures()
	body := w.admin().get("/statistics?period=month").Body.String()
	chart := body[strings.Index(body, "<svg"):strings.Index(body, "</svg>")]
	if n := strings.Count(chart, "<rect"); n != 13 {
		t.Errorf("%d bars", n)
	}
	// 8 of 8 would be the whole length of 150; months without a case are there, without a bar.
	for _, words := range []string{`width="112"`, `width="75"`, `width="37"`, ">2026-03<", ">75.0% filling<", ">50.0% filling<", ">—<", `<line x1="62" y1="0" x2="62"`} {
		if !strings.Contains(chart, words) {
			t.Errorf("%q is not drawn", words)
		}
	}
}

var toCases = regexp.MustCompile(`<a href="(/statistics/cases\?[^"]*)">(\d+)</a>`)

// follow opens the cases behind a number, page by page, and counts them.
func follow(t *testing.T, b *browser, path string) (total string, rows int) {
	t.Helper()
	for path != "" {
		answer := b.get(path)
		body := answer.Body.String()
		if answer.Code != http.StatusOK {
			t.Fatal(answer.Code, path)
		}
		total = regexp.MustCompile(`(\d+) cases`).FindStringSubmatch(body)[1]
		rows += strings.Count(body, `<td class="date">`)
		path = ""
		if next := regexp.MustCompile(`class="button" href="([^"]*)"`).FindStringSubmatch(body); next != nil {
			path = html.UnescapeString(next[1])
		}
	}
	return total, rows
}

func TestEveryNumberLeadsToExactlyItsCases(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.countedFigures()
	b := w.admin()
	seen := map[string]bool{}
	for _, by := range strings.Fields("centre department doctor condition") {
		body := b.get("/statistics?period=month&by=" + by).Body.String()
		for _, found := range toCases.FindAllStringSubmatch(body, -1) {
			path := html.UnescapeString(found[1])
			// The months of the fake are no sum of its whole.
			if address, err := url.Parse(path); err != nil || address.Query().Get("from") != "2026-03-01" || found[2] == "4" || found[2] == "8" || seen[path] {
				continue
			}
			seen[path] = true
			total, rows := follow(t, b, path)
			if total != found[2] || strconv.Itoa(rows) != found[2] {
				t.Errorf("%s: the figure is %s, the page says %s and lists %d", path, found[2], total, rows)
			}
		}
	}
	if len(seen) < 20 {
		t.Errorf("only %d numbers lead to cases", len(seen))
	}
	for _, q := range called[*referralv1.ListStatisticCasesRequest](w, casesMethod) {
		if q.GetCondition() == "I10" && q.GetMeasure() == "IND-DN-A" && q.GetPart() == "DENOMINATOR" {
			return
		}
	}
	t.Error("the condition is lost on the way to its cases")
}

func TestReasonsAreRankedAndLeadToTheirCases(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.countedFigures()
	b := w.admin()
	body := b.get("/statistics").Body.String()
	_, body, _ = strings.Cut(body, "<h2>Reasons</h2>")
	if most, least := strings.Index(body, "No bed"), strings.Index(body, "Another reason"); most < 0 || least < most {
		t.Error("the most frequent reason is not first")
	}
	path := html.UnescapeString(toCases.FindStringSubmatch(body)[1])
	if total, rows := follow(t, b, path); total != "5" || rows != 5 {
		t.Errorf("of 5 for want of a bed the page says %s and lists %d", total, rows)
	}
}

func TestCasesNameNoPatientAndAnAdministratorOpensNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.countedFigures()
	const path = "/statistics/cases?measure=IND-DN-A&from=2026-03-01&to=2026-04-01"
	body := w.admin().get(path).Body.String()
	if strings.Contains(body, `href="/referrals/`) || !strings.Contains(body, "450321-26-0000200-1") || !strings.Contains(body, "Baisha Township") || !strings.Contains(body, "2026-03-01 to 2026-03-31") {
		t.Errorf("%s", body)
	}
	if body := w.browser("desk").get(path).Body.String(); !strings.Contains(body, `href="/referrals/`+referralID+`"`) {
		t.Error("a clinician cannot open the case")
	}
	w.always(casesMethod, &referralv1.ListStatisticCasesResponse{Cases: []*referralv1.StatisticCase{{ReferralId: referralID, Number: "450321-26-0000200-1", Day: "2026-03-01", Count: 7}}})
	if body := w.admin().get(path).Body.String(); !strings.Contains(body, "counts 7 times") || !strings.Contains(body, "add up to it") {
		t.Error("one row for seven is not explained")
	}
	if got := w.admin().get("/statistics/cases?measure=NONE&from=2026-03-01&to=2026-04-01"); got.Code != http.StatusNotFound {
		t.Error(got.Code)
	}
}

func TestThePeriodIsChosenInDaysAsPeopleCountThem(t *testing.T) {
	t.Parallel()
	for query, want := range map[string][2]string{
		"": {"2026-02-01", "2026-03-01"}, "period=month": {"2026-03-01", "2026-04-01"}, "period=last-month": {"2026-02-01", "2026-03-01"}, "period=quarter": {"2026-01-01", "2026-04-01"},
		"period=year": {"2026-01-01", "2027-01-01"}, "period=custom&from=2026-01-05&to=2026-01-31": {"2026-01-05", "2026-02-01"},
		"period=custom&from=2026-02-05&to=2026-01-31": {"2026-03-01", "2026-04-01"}, "period=custom&from=2020-01-01&to=2022-12-31": {"2020-01-01", "2023-01-01"},
		"period=custom&from=2020-01-01&to=2023-01-01": {"2026-03-01", "2026-04-01"}, "period=nonsense": {"2026-02-01", "2026-03-01"},
	} {
		w := newWorld(t)
		body := w.admin().get("/statistics?" + query).Body.String()
		if asked := called[*referralv1.QueryStatisticsRequest](w, figuresMethod)[0]; asked.GetFrom() != want[0] || asked.GetTo() != want[1] {
			t.Errorf("%s: %s to %s", query, asked.GetFrom(), asked.GetTo())
		}
		if typed, custom := strings.CutPrefix(query, "period=custom&from="); strings.Contains(body, "Please enter both days") != (custom && want[0] == "2026-03-01") || custom && !strings.Contains(body, `value="`+typed[:10]+`"`) {
			t.Errorf("%s: what is wrong with it is not said beside what was typed", query)
		}
	}
}

func TestAGroupingThatIsKeptByMonthsSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.countedFigures()
	on(w, figuresMethod, func(_ context.Context, in *referralv1.QueryStatisticsRequest) (*referralv1.QueryStatisticsResponse, error) {
		if slices.Contains(in.GetGroupBy(), "doctor") {
			return nil, errs.Invalid(errs.Bad("groupBy", errs.ReasonFieldCombination))
		}
		return &referralv1.QueryStatisticsResponse{}, nil
	})
	got := w.admin().get("/statistics?period=custom&from=2026-01-05&to=2026-01-31&by=doctor")
	if got.Code != http.StatusOK || !strings.Contains(got.Body.String(), "kept by whole months") || !strings.Contains(got.Body.String(), `<p class="big">—</p>`) {
		t.Errorf("%d", got.Code)
	}
}

func TestADoctorSeesTheVerdictsOnTheOwnReferrals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.countedFigures()
	body := w.browser("township").get("/statistics/mine").Body.String()
	asked := called[*referralv1.QueryStatisticsRequest](w, figuresMethod)[0]
	want := &referralv1.QueryStatisticsRequest{
		Measure: []string{"VERDICT-NECESSARY", "VERDICT-TOO-LATE"}, From: "2026-01-01", To: "2027-01-01", GroupBy: []string{"month", "condition"}, Doctor: doctor().GetId(),
	}
	if !proto.Equal(asked, want) {
		t.Errorf("%v", asked)
	}
	for _, words := range []string{"I10 原发性高血压", "2026-03", "<th class=\"n\">Too late</th>", "condition=I10", "doctor=" + doctor().GetId(), "from=2026-03-01", "Not recorded"} {
		if !strings.Contains(body, words) {
			t.Errorf("%q is missing", words)
		}
	}
	w.always(figuresMethod, &referralv1.QueryStatisticsResponse{Figures: []*referralv1.Figure{
		{Measure: "VERDICT-NECESSARY", Period: "2026-03-01", Key: []string{"I10"}, Numerator: 2, Denominator: 2}, {Measure: "VERDICT-TOO-LATE", Period: "2026-03-01", Key: []string{"I10"}, Denominator: 2},
	}})
	if body := w.browser("township").get("/statistics/mine").Body.String(); !strings.Contains(body, ">2</a></td>") || strings.Contains(body, ">0</a>") || !strings.Contains(body, `<td class="n">0</td>`) {
		t.Error("a zero leads to a list of nobody")
	}
	w.always(figuresMethod, &referralv1.QueryStatisticsResponse{})
	if body := w.browser("township").get("/statistics/mine").Body.String(); !strings.Contains(body, "gave no verdict") {
		t.Error("it is not said that there is none")
	}
}

func TestAHeadIsNotLedToTheCasesOfOtherOrganisations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.countedFigures()
	head := w.as("head", commonv1.Role_DEPARTMENT_HEAD)
	for by, led := range map[string]bool{"centre": false, "hospital": true} {
		body := head.get("/statistics?by=" + by).Body.String()
		if got := strings.Contains(body, "organization="); got != led {
			t.Errorf("%s: led %v", by, got)
		}
	}
}

func TestWhatCannotBeDerivedIsNoFigure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(definitionsMethod, &referralv1.ListDefinitionsResponse{Measures: append(sampleMeasures(), &referralv1.Measure{Code: "IND-UP-A", Name: "上转率", NameEn: "Up-referral rate", Note: "缺少诊疗人次", NoteEn: "it needs all visits", Source: "看板", Certainty: "FOUND"})})
	body := w.admin().get("/statistics").Body.String()
	if before, after, found := strings.Cut(body, "Indicators that cannot be derived here"); !found || strings.Contains(before, "Up-referral rate") || !strings.Contains(after, "it needs all visits") {
		t.Error("an indicator without data stands among the figures, or it is not said why there is none")
	}
	if got := w.admin().get("/statistics/cases?measure=IND-UP-A&from=2026-03-01&to=2026-04-01"); got.Code != http.StatusNotFound {
		t.Error(got.Code)
	}
}

func TestWhoMayNotSeeFiguresIsToldSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.refuse(figuresMethod, errs.Denied(errs.ReasonRole))
	got := w.browser("desk").get("/statistics")
	if got.Code != http.StatusForbidden || !strings.Contains(got.Body.String(), "<h1>") || strings.Contains(got.Body.String(), `class="big"`) {
		t.Errorf("%d", got.Code)
	}
}
