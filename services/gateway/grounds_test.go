package gateway_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

const rateCases = "/statistics/cases?measure=IND-DN-A&from=2026-02-01&to=2026-03-01&part="

func TestEveryCaseOfARateSaysWhyItCountsOrNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.countedFigures()
	b := w.admin()
	body := sound(t, "denominator", b.get(rateCases+"DENOMINATOR"))
	for what, words := range map[string]string{
		"one that counts": "✓ above the line<br><small>sent down; the down-referral stands", "the others": "part=MISSED",
	} {
		if !strings.Contains(body, words) {
			t.Errorf("%s: %q is missing", what, words)
		}
	}
	missed := sound(t, "missed", b.get(rateCases+"MISSED"))
	if !strings.Contains(missed, "2 cases") || !strings.Contains(missed, "✗ below the line only<br><small>discharged to a centre, without a down-referral") {
		t.Error("those below the line only are not told, or not why")
	}
	if strings.Contains(body, "part=EXCLUDED") {
		t.Error("a denominator that leaves nothing out offers what it leaves out")
	}
	count := sound(t, "a count", b.get("/statistics/cases?measure=DECLINED-N&from=2026-02-01&to=2026-03-01&part=MISSED&organization="+townshipID))
	if strings.Contains(count, "Which cases") || !strings.Contains(count, "7 cases") {
		t.Error("a count has cases below a line")
	}
	if !strings.Contains(count, `href="/statistics/cases?from=2026-02-01&amp;measure=DECLINED-N&amp;part=NUMERATOR&amp;to=2026-03-01">Reset filters</a>`) {
		t.Error("the filters cannot be reset")
	}
}

func TestTheCasesAreExportedWithTheirGrounds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.countedFigures()
	b := w.admin()
	b.language = "zh-CN"
	got := b.get("/statistics/cases/export?measure=IND-DN-A&from=2026-02-01&to=2026-03-01&part=DENOMINATOR&page=3")
	f := workbook(t, got)
	rows, err := f.GetRows(f.GetSheetList()[0])
	if err != nil {
		t.Fatal(err)
	}
	cases := slices.DeleteFunc(rows, func(row []string) bool { return len(row) < 11 || row[9] == "是否计入" })
	if len(cases) != 9 || cases[0][9] != "计入分子" || cases[0][11] != "心血管内科" || cases[8][9] != "未计入分子" || cases[8][10] != "出院去向写的是基层，但没有下转单" {
		t.Errorf("%d cases: %q", len(cases), cases)
	}
	if got := b.get("/statistics/cases/export?measure=NOTHING&from=2026-02-01&to=2026-03-01"); got.Code != http.StatusNotFound {
		t.Errorf("an unknown measure: %d", got.Code)
	}
}

func TestTotalsThatDifferSayWhyAndChartsBeginWithTheirFirstCase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.countedFigures()
	b := w.admin()
	report := sound(t, "report", b.get("/overview/report?month=2026-03"))
	for what, words := range map[string]string{
		"what differs": "The 7 referrals up include advice and mere examinations.", "the end of a table": "<tfoot><tr><th scope=\"row\">total</th>",
		"what is of now": "not of this month alone",
	} {
		if !strings.Contains(report, words) {
			t.Errorf("%s: %q is missing", what, words)
		}
	}
	later := sound(t, "a later year", b.get("/overview/report?month=2026-01"))
	if !strings.Contains(later, "Nothing before 2025-03, which is left out.") || strings.Contains(later, ">2025-02<") {
		t.Error("months before the first case head the chart")
	}
}

func TestConditionsAreNamedWithoutAskingTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.countedFigures()
	b := w.admin()
	b.get(rateCases + "DENOMINATOR")
	b.get(rateCases + "DENOMINATOR")
	if asked := called[*referralv1.SearchDiagnosesRequest](w, referralv1.ReferralService_SearchDiagnoses_FullMethodName); len(asked) != 1 {
		t.Errorf("asked %d times for one condition", len(asked))
	}
}
