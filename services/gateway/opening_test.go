package gateway_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// In the first days of a month there is hardly a figure of it: every page of figures opens on the month before, says so and leads to the running one.
func TestFiguresOpenOnTheMonthBeforeWhileTheRunningOneIsYoung(t *testing.T) {
	t.Parallel()
	w := newWorld(t) // on the second of March
	w.countedFigures()
	w.recognised()
	w.recognising()
	b := w.admin()
	const said = "This is day 2 of the month"
	for path, present := range map[string]string{
		"/overview": "/overview?period=month",
		"/overview?urgency=URGENT&department=0304": "/overview?department=0304&amp;period=month&amp;urgency=URGENT",
		"/statistics":                          "/statistics?period=month",
		"/statistics/measure?measure=IND-DN-A": "/statistics/measure?measure=IND-DN-A&amp;period=month",
		"/statistics/discharges?page=x":        "/statistics/discharges?period=month",
		"/statistics/recognition?by=item":      "/statistics/recognition?by=item&amp;from=2026-03-01&amp;to=2026-03-31",
		"/statistics/recognition?from=&to=":    "/statistics/recognition?from=2026-03-01&amp;to=2026-03-31", // the days were emptied
	} {
		shows(t, b.get(path).Body.String(), said, "2026-02-01 to 2026-02-28", `href="`+present+`"`)
		if body := b.get(strings.ReplaceAll(present, "&amp;", "&")).Body.String(); strings.Contains(body, said) || !strings.Contains(body, "2026-03-01 to 2026-03-31") {
			t.Errorf("%s is not of the running month", present)
		}
	}
	asked := called[*referralv1.QueryStatisticsRequest](w, figuresMethod)
	recognised := called[*patientrecordv1.GetRecognitionStatisticsRequest](w, patientrecordv1.RecognitionService_GetRecognitionStatistics_FullMethodName)
	if asked[0].GetFrom() == "2026-03-01" || recognised[0].GetFrom() == "2026-03-01" {
		t.Error("the running month is asked for")
	}

	w.clk.Advance(6 * 24 * time.Hour) // the eighth
	body := w.admin().get("/overview").Body.String()
	if strings.Contains(body, "of the month and there is little") || !strings.Contains(body, "2026-03-01 to 2026-03-31") {
		t.Error("after a week the overview is not of the running month")
	}
}

// The printed month is read by people who do not know the county's pages: it names the county, and who moved the rates.
func TestTheReportNamesTheCountyAndWhoMovedTheRates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.countedFigures()
	w.recognised()
	on(w, figuresMethod, func(_ context.Context, in *referralv1.QueryStatisticsRequest) (*referralv1.QueryStatisticsResponse, error) {
		f := &referralv1.Figure{Measure: "IND-DN-A", Numerator: 6, Denominator: 10, HasValue: true, Value: 60}
		if in.GetFrom() == "2026-01-01" {
			f.Numerator, f.Value = 8, 80
		}
		return &referralv1.QueryStatisticsResponse{Figures: []*referralv1.Figure{f}}, nil
	})
	w.always(directoryv1.DirectoryService_ListOrganizations_FullMethodName, &directoryv1.ListOrganizationsResponse{CountyName: "阳朔县", Organizations: []*directoryv1.Organization{
		{Id: hospitalID, Code: "H1", Name: "阳朔县人民医院", NameEn: "Yangshuo County People's Hospital", Type: directoryv1.OrganizationType_COUNTY_HOSPITAL},
		{Id: slotID, Code: "A1", Name: "阳朔县卫生健康局", NameEn: "Yangshuo County Health Bureau", Type: directoryv1.OrganizationType_AUTHORITY},
	}})
	body := sound(t, "report", w.admin().get("/overview/report?month=2026-02"))
	shows(t, body, `<p class="issuer">Yangshuo County Health Bureau</p>`, "Two-way referral in 2026-02: 阳朔县</h1>", "60.0% (6 of 10)", "Pulled down by Cardiology (30 points). Pulled up by 0305 (10 points).")
	if own := w.as("head", commonv1.Role_CENTRE_HEAD).get("/overview/report?month=2026-02"); own.Code != http.StatusOK || strings.Contains(own.Body.String(), "issuer") {
		t.Errorf("%d: what a place prints of itself is headed by the authority", own.Code)
	}
	asked := called[*referralv1.ListContributionsRequest](w, movedMethod)[:1]
	if len(asked) != 1 || asked[0].GetMeasure() != "IND-DN-A" || asked[0].GetFrom() != "2026-02-01" || asked[0].GetBeforeFrom() != "2026-01-01" {
		t.Errorf("%v", asked)
	}
	w.refuse(movedMethod, errs.Unavailable("referral", nil))
	shows(t, w.admin().get("/overview/report?month=2026-02").Body.String(), "who moved the rates —")
}
