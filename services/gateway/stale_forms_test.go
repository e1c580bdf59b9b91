package gateway_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"google.golang.org/protobuf/proto"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

// formAt is what a browser would send of the form with an action.
func formAt(t *testing.T, body, action string) url.Values {
	t.Helper()
	page, err := html.Parse(strings.NewReader(body))
	check(t, err)
	attribute := func(n *html.Node, name string) (string, bool) {
		i := slices.IndexFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
		if i < 0 {
			return "", false
		}
		return n.Attr[i].Val, true
	}
	out, found := url.Values{}, false
	for form := range page.Descendants() {
		at, _ := attribute(form, "action")
		if at, _, _ = strings.Cut(at, "?"); form.Data != "form" || at != action || found {
			continue
		}
		found = true
		for n := range form.Descendants() {
			name, named := attribute(n, "name")
			value, _ := attribute(n, "value")
			kind, _ := attribute(n, "type")
			_, checked := attribute(n, "checked")
			switch {
			case !named:
			case n.Data == "textarea" && n.FirstChild != nil:
				out.Add(name, strings.ReplaceAll(n.FirstChild.Data, "\n", "\r\n")) // as browsers send it
			case n.Data == "textarea":
				out.Add(name, "")
			case n.Data == "select":
				chosen := ""
				for i, option := range slices.Collect(n.Descendants()) {
					_, selected := attribute(option, "selected")
					if v, ok := attribute(option, "value"); ok && (selected || i == 0) {
						chosen = v
					}
				}
				out.Add(name, chosen)
			case n.Data != "input", (kind == "checkbox" || kind == "radio") && !checked:
			case kind == "checkbox" && value == "":
				out.Add(name, "on")
			default:
				out.Add(name, strings.ReplaceAll(value, "\n", "\r\n"))
			}
		}
	}
	if !found {
		t.Fatalf("no form is sent to %s", action)
	}
	return out
}

// changed is the prepared answer of a method after somebody else has changed it.
func changed[M proto.Message](t *testing.T, w *world, method string, change func(M)) {
	t.Helper()
	w.mu.Lock()
	answer := w.answers[method]
	w.mu.Unlock()
	stands, err := answer(t.Context(), nil)
	check(t, err)
	next, ok := proto.Clone(stands).(M)
	if !ok {
		t.Fatalf("%s answers %T", method, stands)
	}
	change(next)
	w.always(method, next)
}

// What somebody else changed meanwhile is never undone by a field that was not touched, and what was typed stays.
func TestAStaleFormShowsWhatStandsWhereItWasNotTouched(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		page, method string
		typed, mine  string
		theirs, now  string
		change       func(*testing.T, *world)
	}{
		"a device": {"/schedules/equipment/" + deviceID, saveEquipmentMethod, "equipment.location", "五楼", "equipment.name", "CT 二号机", func(t *testing.T, w *world) {
			changed(t, w, schedulingv1.CalendarService_ListEquipment_FullMethodName, func(m *schedulingv1.ListEquipmentResponse) {
				m.Equipment[0].Name, m.Equipment[0].Version, m.Equipment[0].InService = "CT 二号机", 7, false
			})
		}},
		"a template": {"/schedules/templates/" + templateID, saveTemplateMethod, "template.location", "五楼", "template.ends", "11:30", func(t *testing.T, w *world) {
			changed(t, w, listTemplatesMethod, func(m *schedulingv1.ListTemplatesResponse) {
				m.Templates[0].Ends, m.Templates[0].Version, m.Templates[0].Weekdays = "11:30", 7, []int32{2}
			})
		}},
		"an exception": {"/schedules/exceptions/" + exceptionID, saveExceptionMethod, "exception.note", "我写的", "exception.lastDay", "2026-03-09", func(t *testing.T, w *world) {
			changed(t, w, schedulingv1.CalendarService_ListExceptions_FullMethodName, func(m *schedulingv1.ListExceptionsResponse) {
				m.Exceptions[0].LastDay, m.Exceptions[0].Version = "2026-03-09", 7
			})
		}},
		"a policy": {"/schedules/policy", setPolicyMethod, "policy.commonDays", "21", "policy.reservePercent", "45", func(t *testing.T, w *world) {
			changed(t, w, schedulingv1.CalendarService_GetBookingPolicy_FullMethodName, func(m *schedulingv1.BookingPolicy) { m.ReservePercent, m.Version = 45, 7 })
		}},
		"preferences": {"/preferences", preferMethod, "preferences.digestTimes", "09:00", "preferences.quietFrom", "21:30", func(t *testing.T, w *world) {
			changed(t, w, preferencesMethod, func(m *notificationv1.Preferences) {
				m.QuietFrom, m.Version, m.Urgent, m.SoundForUrgent = "21:30", 7, []string{"SMS"}, true
			})
		}},
		"a county's rules": {"/preferences/county", ruleMethod, "rules.callMinutes", "9", "rules.ringSeconds", "90", func(t *testing.T, w *world) {
			changed(t, w, countyMethod, func(m *notificationv1.CountyRules) { m.RingSeconds, m.Version, m.PatientSms = 90, 7, false })
		}},
		"an item": {itemsPage + "/HBA1C", itemMethod, "note", "我写的", "name", "糖化", func(t *testing.T, w *world) {
			changed(t, w, patientrecordv1.RecognitionService_ListRecognitionItems_FullMethodName, func(m *patientrecordv1.ListRecognitionItemsResponse) {
				m.Items[0].Name, m.Items[0].Version = "糖化", 7
			})
		}},
		"settings": {"/settings", updateMethod, "closes", "18:30", "opens", "07:45", func(t *testing.T, w *world) {
			changed(t, w, referralv1.SettingService_GetSettings_FullMethodName, func(m *referralv1.Settings) { m.Opens, m.Version = "07:45", 7 })
		}},
		"targets": {"/settings/targets", setTargetsMethod, "toMonth.0", "2026-12", "value.0", "77", func(t *testing.T, w *world) {
			changed(t, w, targetsMethod, func(m *referralv1.Targets) { m.Targets[0].Value, m.Version = 77, 7 })
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.recognising()
			admin := w.admin()
			sent := formAt(t, admin.get(c.page).Body.String(), c.page)
			c.change(t, w)
			w.refuse(c.method, errs.Stale(7, ""))
			got := admin.post(c.page, with(sent, c.typed, c.mine))
			body := got.Body.String()
			shown := formAt(t, body, c.page)
			if got.Code != http.StatusConflict || shown.Get(c.typed) != c.mine || shown.Get(c.theirs) != c.now || shown.Get("version") != "7" || shown.Get("requestId") == sent.Get("requestId") {
				t.Errorf("%d: %s is %q, %s is %q, version %s", got.Code, c.typed, shown.Get(c.typed), c.theirs, shown.Get(c.theirs), shown.Get("version"))
			}
			if !strings.Contains(body, "has just changed this to") && name != "targets" {
				t.Error("it is not told what somebody else changed")
			}
			// Every other field shows what a fresh form shows.
			fresh := formAt(t, admin.get(c.page).Body.String(), c.page)
			for field, values := range fresh {
				if field != c.typed && field != "requestId" && !strings.HasPrefix(field, "was.") && !slices.Equal(shown[field], values) {
					t.Errorf("%s is %q, and stands at %q", field, shown[field], values)
				}
			}
			for _, problem := range htmlcheck.Page(body) {
				t.Error(problem)
			}
			// An answer that is lost keeps the version that was sent: the repetition is the same request.
			w.refuse(c.method, errs.Unavailable("x", nil))
			again := formAt(t, admin.post(c.page, sent).Body.String(), c.page)
			if again.Get("version") != sent.Get("version") || again.Get("requestId") != sent.Get("requestId") {
				t.Errorf("after a lost answer: version %s", again.Get("version"))
			}
		})
	}
}

func TestAStaleWeekOfDutyTellsWhatStandsAndKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.admin()
	sent := formAt(t, admin.get(deskPost).Body.String(), "/rosters/post")
	changed(t, w, rosterMethod, func(m *directoryv1.Roster) { m.Version += 4; m.Shifts[0].From = "06:45" })
	w.refuse(planMethod, errs.Stale(9, ""))
	untouched := formAt(t, admin.post("/rosters/post", sent).Body.String(), "/rosters/post")
	if untouched["from"][0] != "06:45" {
		t.Errorf("the week that was not touched: %v", untouched["from"])
	}
	mine := with(sent)
	mine["from"] = slices.Clone(sent["from"])
	mine["from"][0] = "05:15"
	body := admin.post("/rosters/post", mine).Body.String()
	shown := formAt(t, body, "/rosters/post")
	if shown["from"][0] != "05:15" || !strings.Contains(body, "06:45–") || shown.Get("version") == sent.Get("version") {
		t.Errorf("mine: %v", shown["from"])
	}
	w.refuse(planMethod, errs.Unavailable("directory", nil))
	if again := formAt(t, admin.post("/rosters/post", mine).Body.String(), "/rosters/post"); again.Get("version") != sent.Get("version") || again.Get("was.shifts") != sent.Get("was.shifts") {
		t.Errorf("after a lost answer: %v", again)
	}
}
