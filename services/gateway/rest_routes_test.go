package gateway_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	contracts "github.com/tongzhen/tongzhen/proto"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
)

// routes are all that the description promises: method and path below /api/v1, with an id in each place.
func routes(t *testing.T) [][2]string {
	t.Helper()
	var doc struct{ Paths map[string]map[string]any }
	check(t, json.Unmarshal(contracts.OpenAPI, &doc))
	variable := regexp.MustCompile(`\{\w+\}`)
	var out [][2]string
	for path, methods := range doc.Paths {
		for method := range methods {
			out = append(out, [2]string{strings.ToUpper(method), strings.TrimPrefix(variable.ReplaceAllString(path, referralID), "/api/v1")})
		}
	}
	return out
}

func TestEveryPathOfTheDescriptionIsServed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if n := len(routes(t)); n < 100 {
		t.Fatalf("%d routes", n)
	}
	for _, route := range routes(t) {
		body := "{}"
		if route[0] == http.MethodGet {
			body = ""
		}
		// The headers of a write are taken, or say nothing: a client may send them with each.
		for _, header := range [][]string{nil, {"Idempotency-Key", referralID, "If-Match", `W/"7"`}} {
			got := w.api(route[0], route[1], "township", body, header...)
			if got.Code == http.StatusNotFound || got.Code == http.StatusMethodNotAllowed || strings.Contains(got.Body.String(), "FIELD_UNKNOWN") {
				t.Errorf("%v %v: %d %s", route, header, got.Code, got.Body)
			}
		}
	}
}

// headers sends a write with both headers and answers what the service was asked.
func headers[T proto.Message](t *testing.T, w *world, route [2]string, body, method string) T {
	t.Helper()
	w.api(route[0], route[1], "township", body, "Idempotency-Key", keptAccountID, "If-Match", `W/"7"`)
	calls := called[T](w, method)
	if len(calls) == 0 {
		t.Fatalf("%v did not reach the service", route)
	}
	return calls[len(calls)-1]
}

func TestTheHeadersReachEveryKindOfWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	account := headers[*directoryv1.UpdateAccountRequest](t, w, [2]string{"PUT", "/accounts/" + keptAccountID}, `{"account":{"name":"王"}}`, updateAccount)
	if account.GetRequestId() != keptAccountID || account.GetVersion() != 7 {
		t.Errorf("PUT: %v", account)
	}
	settings := headers[*referralv1.UpdateSettingsRequest](t, w, [2]string{"PUT", "/settings/referrals"}, `{"settings":{}}`, referralv1.SettingService_UpdateSettings_FullMethodName)
	if settings.GetRequestId() != keptAccountID || settings.GetSettings().GetVersion() != 7 {
		t.Errorf("the version of what is carried: %v", settings)
	}
	settings = headers[*referralv1.UpdateSettingsRequest](t, w, [2]string{"PUT", "/settings/referrals"}, `{"settings":{"version":3},"requestId":"mine"}`, referralv1.SettingService_UpdateSettings_FullMethodName)
	if settings.GetRequestId() != "mine" || settings.GetSettings().GetVersion() != 3 {
		t.Errorf("the body goes before the headers: %v", settings)
	}
	patient := headers[*patientrecordv1.UpdatePatientRequest](t, w, [2]string{"PATCH", "/patients/" + patientID}, `{}`, patientrecordv1.PatientIndexService_UpdatePatient_FullMethodName)
	if patient.GetRequestId() != keptAccountID || patient.GetVersion() != 7 {
		t.Errorf("PATCH: %v", patient)
	}
	gone := headers[*schedulingv1.RemoveExceptionRequest](t, w, [2]string{"DELETE", "/schedule-exceptions/" + bookingID}, "", schedulingv1.CalendarService_RemoveException_FullMethodName)
	if gone.GetVersion() != 7 || gone.GetId() != bookingID {
		t.Errorf("DELETE: %v", gone)
	}
	if got := w.api("PUT", "/settings/referrals", "township", `{"settings":{}}`, "If-Match", "x"); got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), "settings.version") {
		t.Errorf("no version: %d %s", got.Code, got.Body)
	}
}
