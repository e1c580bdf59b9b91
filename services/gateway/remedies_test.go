package gateway_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// What a role does not see is not "away at the moment": it is left out, and the rest stands.
func TestAPartThatARoleDoesNotSeeIsLeftOutOfTheOverview(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.countedFigures()
	w.refuse(patientrecordv1.RecognitionService_GetRecognitionStatistics_FullMethodName, errs.Denied(errs.ReasonRole))
	b := w.as("head", commonv1.Role_CENTRE_HEAD)
	for _, path := range []string{"/overview", "/overview/report"} {
		got := b.get(path)
		body := got.Body.String()
		if got.Code != http.StatusOK || strings.Contains(body, "recognition —") || strings.Contains(body, `"recognition"`) || strings.Contains(body, "#recognition") {
			t.Errorf("%s: %d, or the part is named", path, got.Code)
		}
		shows(t, body, "替格瑞洛片")
	}
}

// Who opens an address that somebody sent is told what it is narrowed to, also by what the own form does not offer.
func TestTheFiguresSayWhatTheyAreNarrowedTo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.countedFigures()
	w.recognised()
	sum := func(path string) string {
		_, rest, _ := strings.Cut(w.as("head", commonv1.Role_CENTRE_HEAD).get(path).Body.String(), `<p class="sum">`)
		line, _, _ := strings.Cut(rest, "</p>")
		return line
	}
	wide, narrow := sum("/overview?period=last-month"), sum("/overview?period=last-month&department=0304&urgency=URGENT")
	if !strings.Contains(narrow, "Cardiology") || !strings.Contains(narrow, "Urgent") || strings.Contains(wide, "Cardiology") {
		t.Errorf("%q, %q", narrow, wide)
	}
}

// What stands now is not of the period that the workbook is of.
func TestASheetOfWhatStandsNowSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.countedFigures()
	w.recognised()
	b := w.admin()
	b.language = "zh-CN"
	f := workbook(t, b.get("/overview/export?format=xlsx&period=last-month"))
	for sheet, now := range map[string]bool{"超时未办": true, "应转未转": true, "影响下转的药品": false} {
		rows, err := f.GetRows(sheet)
		if said := slices.ContainsFunc(rows, func(row []string) bool { return len(row) > 0 && strings.HasPrefix(row[0], "截至 2026-") }); err != nil || said != now {
			t.Errorf("%s: that it is as of now is said: %t, %v", sheet, said, err)
		}
	}
}

// The mark is of this period: after the figure of the one before it would be taken for that one's.
func TestThatAFigureStillFillsIsSaidBeforeThePeriodBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.countedFigures()
	w.recognised()
	body := w.admin().get("/overview").Body.String()
	_, move, found := strings.Cut(body, `<p class="move">`)
	move, _, _ = strings.Cut(move, "</p>")
	mark, before := strings.Index(move, `class="filling"`), strings.Index(move, "before")
	if !found || mark < 0 || before < 0 || mark > before {
		t.Errorf("%q", move)
	}
	shows(t, w.admin().get("/statistics/measure?measure=IND-DN-A&period=last-month").Body.String(), "more or fewer cases count too")
}

// Who is told that something is not right is told what would be.
func TestSettingsThatAreNotRightSayWhatWouldBe(t *testing.T) {
	t.Parallel()
	for field, remedy := range map[string]string{
		"settings.limits[2].minutes": "a whole number, such as 3", "settings.limits[0].repeatMinutes": "a whole number, such as 3",
		"settings.holidays[1]": "one date a line, such as 2026-10-01", "settings.workdays[0]": "one date a line", "settings.bounceBackDays": "a whole number, such as 14",
	} {
		w := newWorld(t)
		w.refuse(updateMethod, errs.Invalid(errs.Bad(field, errs.ReasonFieldInvalid)))
		shows(t, w.admin().post("/settings", typedSettings()).Body.String(), remedy)
	}
	for field, remedy := range map[string]string{
		"settings.limits[2].minutes": "30 working days, or 90 days, at most", "settings.limits[0].repeatMinutes": "between 5 minutes and 30 days", "settings.bounceBackDays": "“days within which a return counts” should be a whole number from 1 to 90",
	} {
		w := newWorld(t)
		w.refuse(updateMethod, errs.Invalid(errs.Bad(field, errs.ReasonFieldOutOfRange)))
		shows(t, w.admin().post("/settings", typedSettings()).Body.String(), remedy)
	}
	w := newWorld(t)
	shows(t, w.admin().post("/settings/targets", form("row", "0", "measure.0", "IND-DN-A", "value.0", "half")).Body.String(), "type a number, such as 50")
}

func TestADepartmentOfWhichNothingIsTypedIsAskedForItsCodeAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.admin().post(placePath+"/department", form("version", "7", "department.code", " "))
	body := got.Body.String()
	if got.Code != http.StatusBadRequest || !strings.Contains(body, `href="#f-department.code"`) || strings.Contains(body, `href="#f-department.name"`) {
		t.Errorf("%d: the code is not asked for, or the name is, which follows from it", got.Code)
	}
	if len(called[*directoryv1.SaveDepartmentRequest](w, departmentMethod)) != 0 {
		t.Error("it is saved")
	}
	closing := w.admin().post(placePath+"/department", form("version", "7", "code", "02", "department.name", "全科医疗科", "department.disabled", "1", "confirm", "全科"))
	shows(t, closing.Body.String(), "type the whole name as it stands above")
}
