package gateway_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

// typedSettings are the sample's as the form sends them, but for the first limit, the opening time and a holiday.
func typedSettings() url.Values {
	v := form("version", "5", "requestId", "0192f0c1-0000-7000-8000-0000000000e1", "opens", "08:30", "closes", "17:30", "bounceBackDays", "14",
		"holidays", "2026-10-01\r\n\r\n2026-10-03，2026-10-04", "workdays", "2026-10-10",
		"limit.0", "2", "unit.0", "HOURS", "repeat.0", "10", "repeatUnit.0", "MINUTES", "limit.1", "1", "repeat.1", "", "repeatUnit.1", "HOURS",
		"limit.2", "7", "unit.2", "DAYS", "repeat.2", "3", "repeatUnit.2", "HOURS", "repeat.3", "3", "repeatUnit.3", "DAYS", "limit.4", "", "unit.4", "HOURS")
	v["step"], v["direction"] = strings.Fields("ANSWER ANSWER FIRST_CONTACT VISIT ARRIVAL"), strings.Fields("UP UP DOWN DOWN UP")
	v["urgency"], v["kind"] = strings.Fields("EMERGENCY ROUTINE ROUTINE ROUTINE EMERGENCY"), strings.Fields("timed working timed given timed")
	return v
}

func TestAnAdministratorChangesTheSettings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.admin()
	body := b.get("/settings").Body.String()
	for what, words := range map[string]string{
		"minutes": `name="limit.0" value="10"`, "working days": `name="limit.1" value="1"`, "a week in days": `name="limit.2" value="7"`, "hours": `name="repeat.2" value="3"`,
		"that open limits stay": "limits that run already stay as they began", "a holiday": "2026-10-02</textarea>", "the version": `name="version" value="5"`,
	} {
		if !strings.Contains(body, words) {
			t.Errorf("%s: %q is missing", what, words)
		}
	}
	for range 2 { // a double click
		if got := b.post("/settings", typedSettings()); got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/settings" {
			t.Fatal(got.Code, got.Body)
		}
	}
	sent := called[*referralv1.UpdateSettingsRequest](w, updateMethod)
	if len(sent) != 2 || !proto.Equal(sent[0], sent[1]) || sent[0].GetRequestId() != typedSettings().Get("requestId") {
		t.Fatalf("%v", sent)
	}
	want := sampleSettings()
	want.Opens, want.Limits[0].Minutes, want.Limits[4].Minutes, want.Holidays = "08:30", 120, 0, strings.Fields("2026-10-01 2026-10-03 2026-10-04")
	if !proto.Equal(sent[0].GetSettings(), want) {
		t.Errorf("%v", sent[0].GetSettings())
	}
	if body := b.get("/settings").Body.String(); !strings.Contains(body, "The settings are saved.") {
		t.Error("not confirmed")
	}
}

func TestRefusedSettingsKeepEverythingAndAreExplainedInPlace(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		field, at string
		row       string
	}{
		"a limit": {"settings.limits[2].minutes", `href="#f-limit.2"`, "First contact after coming down · Down · "}, "a repetition": {"settings.limits[0].repeatMinutes", `href="#f-repeat.0"`, "Answer to a referral · Up · Emergency"},
		"a step": {"settings.limits[3].step", `href="#f-limit.3"`, "Follow-up visit"}, "the hours": {"settings.closes", `href="#f-closes"`, "closing time"},
		"a holiday": {"settings.holidays[1]", `href="#f-holidays"`, "days off"}, "a working day": {"settings.workdays[0]", `href="#f-workdays"`, "worked"}, "the days": {"settings.bounceBackDays", `href="#f-bounceBackDays"`, "days"},
	} {
		w := newWorld(t)
		w.refuse(updateMethod, errs.Invalid(errs.Bad(c.field, errs.ReasonFieldInvalid)))
		got := w.admin().post("/settings", typedSettings())
		body := got.Body.String()
		if got.Code != http.StatusBadRequest || !strings.Contains(body, c.at) || !strings.Contains(body, c.row) || strings.Count(body, "is not right") != 2 {
			t.Errorf("%s: %d, explained %d times", name, got.Code, strings.Count(body, "is not right"))
		}
		keeps(t, body, typedSettings(), "requestId", "holidays")
		if !strings.Contains(body, "2026-10-04</textarea>") || hidden(t, body, "requestId") == typedSettings().Get("requestId") {
			t.Errorf("%s: the days are lost, or the corrected form is the same request", name)
		}
		for _, problem := range htmlcheck.Page(body) {
			t.Error(problem)
		}
	}
}

// A limit in words is refused by who holds the rules, together with everything else that is wrong: nobody corrects a form twice.
func TestALimitInWordsHidesNothingElseThatIsWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.refuse(updateMethod, errs.Invalid(errs.Bad("settings.limits[0].minutes", errs.ReasonFieldOutOfRange), errs.Bad("settings.limits[2].repeatMinutes", errs.ReasonFieldOutOfRange),
		errs.Bad("settings.holidays[0]", errs.ReasonFieldInvalid)))
	body := w.admin().post("/settings", with(typedSettings(), "limit.0", "两小时", "repeat.2", "-1", "holidays", "2026-02-30")).Body.String()
	for _, words := range []string{`href="#f-limit.0"`, `href="#f-repeat.2"`, `href="#f-holidays"`, `value="两小时"`, "2026-02-30"} {
		if !strings.Contains(body, words) {
			t.Errorf("%q is missing", words)
		}
	}
	if strings.Count(body, `href="#f-limit.0"`) != 1 {
		t.Error("the same field is refused twice")
	}
	sent := lastly[*referralv1.UpdateSettingsRequest](t, w, updateMethod).GetSettings()
	if sent.GetLimits()[0].GetMinutes() != -1 || sent.GetLimits()[2].GetRepeatMinutes() != -1 || sent.GetHolidays()[0] != "2026-02-30" {
		t.Errorf("what is no number can be taken for one: %v", sent)
	}
	// What is a number and too long is not told to be none.
	shows(t, w.admin().post("/settings", with(typedSettings(), "limit.0", "999", "unit.0", "DAYS")).Body.String(), "is too long: 30 working days, or 90 days, at most")
	shows(t, w.admin().post("/settings", with(typedSettings(), "bounceBackDays", "0")).Body.String(), "should be a whole number from 1 to 90")
	if asked := called[*referralv1.UpdateSettingsRequest](w, updateMethod); asked[len(asked)-1].GetSettings().GetBounceBackDays() != -1 {
		t.Error("no days at all are saved as the days that are shipped")
	}
	// Nothing is told to be saved, whatever is answered.
	if got := w.admin().post("/settings", with(typedSettings(), "limit.0", "两小时")); got.Code != http.StatusBadRequest {
		t.Errorf("%d", got.Code)
	}
}

func TestAChangeBySomebodyElseIsShownBesideWhatWasTyped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	typed := with(formAt(t, w.admin().get("/settings").Body.String(), "/settings"), "limit.0", "2", "unit.0", "HOURS", "closes", "18:30")
	now := sampleSettings()
	now.Version = 6
	now.Limits[0].Minutes = 15
	w.always(settingsMethod, now)
	w.refuse(updateMethod, errs.Stale(6, ""))
	got := w.admin().post("/settings", typed)
	body := got.Body.String()
	if got.Code != http.StatusConflict || hidden(t, body, "version") != "6" || !strings.Contains(body, "Another administrator") || !strings.Contains(body, "Now: 15 minutes") || !strings.Contains(body, `name="limit.0" value="2"`) {
		t.Errorf("%d %s", got.Code, body)
	}
	if strings.Count(body, "Now:") != 1 { // the limit: what the visitor alone changed needs no word
		t.Errorf("%d fields are marked", strings.Count(body, "Now:"))
	}
	w.refuse(updateMethod, errs.Unavailable("referral", nil))
	body = w.admin().post("/settings", typedSettings()).Body.String()
	if hidden(t, body, "version") != "5" || hidden(t, body, "requestId") != typedSettings().Get("requestId") {
		t.Error("a lost answer would be asked for by another request")
	}
}

func TestEverybodyElseReadsTheSettings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	body := b.get("/settings").Body.String()
	if strings.Contains(body, `action="/settings"`) || !strings.Contains(body, "10 minutes") || !strings.Contains(body, "1 working days") || !strings.Contains(body, "the day in the plan") || !strings.Contains(body, "08:00–17:30") {
		t.Errorf("%s", body)
	}
	w.refuse(updateMethod, errs.Denied(errs.ReasonRole))
	if got := b.post("/settings", typedSettings()); got.Code != http.StatusForbidden {
		t.Error(got.Code)
	}
}

func TestTheCriteriaAreListedWithSourceAndCertainty(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := w.as("beds", commonv1.Role_BED_MANAGER).get("/criteria").Body.String()
	places := []int{strings.Index(body, "<h2>Hypertension</h2>"), strings.Index(body, "systolic 180 or more"), strings.Index(body, "Pressure controlled")}
	if places[0] < 0 || !slices.IsSorted(places) {
		t.Errorf("%v: not by condition, up before down", places)
	}
	for _, words := range []string{"sbp &gt;= 180.0", "国家规范 (original text)", "(reprint)", "county rule", "数值取自附录", "https://example.org/norm"} {
		if !strings.Contains(strings.ToLower(body), strings.ToLower(words)) {
			t.Errorf("%q is missing", words)
		}
	}
}

// A long page folds, but never over something that is wrong.
func TestAStepStandsOpenWhenSomethingInItIsWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.admin()
	folds := func(body string) (closed, open int) {
		return strings.Count(body, `<details class="fold"><summary>`), strings.Count(body, `<details class="fold" open>`)
	}
	if closed, open := folds(b.get("/settings").Body.String()); closed != 4 || open != 0 {
		t.Errorf("%d steps are folded, %d open", closed, open)
	}
	wrong := typedSettings()
	wrong.Set("limit.2", "soon")
	body := b.post("/settings", wrong).Body.String()
	if closed, open := folds(body); closed != 3 || open != 1 {
		t.Errorf("refused: %d steps are folded, %d open", closed, open)
	}
	_, after, _ := strings.Cut(body, `<details class="fold" open>`)
	if open, _, _ := strings.Cut(after, "</details>"); !strings.Contains(open, `value="soon"`) {
		t.Error("the step that is open is not the one that is wrong")
	}
}
