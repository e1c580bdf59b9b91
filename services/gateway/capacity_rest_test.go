package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
)

func TestWhatCanBeBookedIsReachedByREST(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct{ method, path, body, shows string }{
		{"GET", "/waiting-times?organizationId=" + hospitalID, "", `"days":3`},
		{"POST", "/slots:find", `{"departments":["0304"],"kind":"CLINIC"}`, `"pool":"RESERVED"`},
		{"GET", "/days?organizationId=" + hospitalID, "", `"referralState":"ACCEPTED"`},
		{"GET", "/waitlist", "", `"entries"`},
		{"POST", "/waitlist", `{"referralId":"` + referralID + `","kind":"CLINIC"}`, `"position":2`},
		{"POST", "/waitlist/" + entryID2 + ":leave", `{}`, `"state":"LEFT"`},
		{"GET", "/bed-board?organizationId=" + hospitalID, "", `"state":"CLEANING"`},
		{"POST", "/wards/" + wardID + ":addBeds", `{"version":3,"beds":2}`, `"version":3`},
		{"POST", "/wards/" + wardID + ":close", `{"version":3}`, `"version":3`},
		{"POST", "/beds/" + bedID + ":set", `{"version":1,"inService":true}`, `"label":"1"`},
		{"GET", "/clinic-sessions?organizationId=" + hospitalID, "", `"displaced":1`},
		{"GET", "/clinic-sessions/" + sessionID, "", `"bookingId"`},
		{"POST", "/clinic-sessions/" + sessionID + ":cancel", `{"version":4,"reasonCode":"LEAVE"}`, `"displacedBookingIds"`},
		{"POST", "/bookings/" + bookingID + ":move", `{"slotId":"` + otherSlotID + `"}`, bookingID},
		{"GET", "/schedule-templates?organizationId=" + hospitalID, "", `"LUNAR_DIGITS"`},
		{"GET", "/booking-policy", "", `"reservePercent":30`},
		{"GET", "/deliveries", "", `"deadCount":7`},
		{"GET", "/channels", "", `"breaker":"OPEN"`},
		{"GET", "/addresses", "", `"hasSecret":true`},
	} {
		got := w.api(c.method, c.path, "desk", c.body)
		if got.Code != http.StatusOK || !strings.Contains(strings.ReplaceAll(got.Body.String(), " ", ""), c.shows) {
			t.Errorf("%s %s: %d %s", c.method, c.path, got.Code, got.Body)
		}
	}
	// A person's own session is none of a clinic.
	if got := w.api("GET", "/sessions/current", "desk", ""); got.Code != http.StatusOK || len(called[*schedulingv1.GetSessionRequest](w, getSessionMethod)) != 1 {
		t.Errorf("%d %s", got.Code, got.Body)
	}
}
