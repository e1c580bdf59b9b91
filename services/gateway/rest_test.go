package gateway_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

const (
	acceptMethod = referralv1.ReferralService_Accept_FullMethodName
	createMethod = referralv1.ReferralService_CreateReferral_FullMethodName
	listMethod   = referralv1.ReferralService_ListReferrals_FullMethodName
)

// apiError is the body of a refusal.
type apiError struct {
	Code    int
	Message string
	Details []struct {
		Type            string `json:"@type"`
		Reason          string
		Metadata        map[string]string
		FieldViolations []struct{ Field, Description, Reason string }
	}
}

func readError(t *testing.T, answer *httptest.ResponseRecorder) apiError {
	t.Helper()
	var e apiError
	if ct := answer.Header().Get("Content-Type"); ct != "application/json" {
		t.Errorf("an error of type %q", ct)
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &e); err != nil {
		t.Fatalf("%v in %s", err, answer.Body)
	}
	if e.Message == "" || strings.Contains(e.Message, "{") || len(e.Details) == 0 || !strings.HasSuffix(e.Details[0].Type, "google.rpc.ErrorInfo") {
		t.Errorf("an error without words or reason: %s", answer.Body)
	}
	return e
}

func TestWithoutSignInOnlySignInIsOpen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, secret := range []string{"", "unknown", strings.Repeat("x", 200), " "} {
		for _, c := range [][2]string{{"GET", "/referrals"}, {"POST", "/referrals"}, {"GET", "/sessions/current"}, {"GET", "/no-such-route"}, {"POST", "/patients:search"}} {
			got := w.api(c[0], c[1], secret, "{}")
			if got.Code != http.StatusUnauthorized || got.Header().Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("%s %s with %q: %d", c[0], c[1], secret, got.Code)
				continue
			}
			if e := readError(t, got); e.Code != 16 || e.Details[0].Reason != "SESSION_EXPIRED" {
				t.Errorf("%+v", e)
			}
		}
		got := w.api("POST", "/sessions", secret, `{"account":"township","password":"right"}`)
		if got.Code != http.StatusOK || !strings.Contains(got.Body.String(), `"accessToken":"fresh"`) {
			t.Errorf("sign-in with %q in the header: %d %s", secret, got.Code, got.Body)
		}
	}
	if got := w.api("DELETE", "/sessions/current", "", ""); got.Code != http.StatusUnauthorized {
		t.Error(got.Code)
	}
}

func TestEveryKindOfErrorHasItsStatusAndWords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct {
		err        error
		http, grpc int
		reason     string
		zh, en     string
	}{
		{errs.Invalid(errs.Required("form.presentIllness")), 400, 3, "FIELD_REQUIRED", "请填写", "Please fill in “present illness (reason for referral)”"},
		{errs.Invalid(errs.Bad("version", errs.ReasonVersionRequired)), 428, 3, "VERSION_REQUIRED", "", "The version is missing"},
		{errs.New(errs.KindUnauthenticated, errs.ReasonSessionExpired, "", nil), 401, 16, "SESSION_EXPIRED", "", "Your session has ended"},
		{errs.Denied(errs.ReasonRole), 403, 7, "ROLE", "", "Your role does not allow this"},
		{errs.NotFound("referral"), 404, 5, "NOT_FOUND", "", "Not found"},
		{errs.Stale(7, "ACCEPTED"), 409, 10, "STALE_VERSION", "", "Somebody has just changed"},
		{errs.Conflict(errs.ReasonOpenReferralExists, "x").With("number", "450321-26-0000123-4"), 409, 6, "OPEN_REFERRAL_EXISTS", "450321-26-0000123-4", "450321-26-0000123-4"},
		{errs.WrongState("accept", "CLOSED"), 412, 9, "ACTION_NOT_AVAILABLE", "", "not possible"},
		{errs.New(errs.KindLimited, errs.ReasonRateLimited, "", nil), 429, 8, "RATE_LIMITED", "", "Too many"},
		{errs.Unavailable("scheduling", nil), 503, 14, "PEER_AWAY", "", "cannot be reached"},
		{errs.New(errs.KindInternal, errs.ReasonInternal, markText, nil), 500, 13, "INTERNAL", "", "internal error"},
	} {
		w.refuse(acceptMethod, c.err)
		for language, words := range map[string]string{"zh-CN,zh;q=0.9": c.zh, "en-GB": c.en} {
			got := w.api("POST", "/referrals/"+referralID+":accept", "desk", `{"version":1}`, "Accept-Language", language)
			e := readError(t, got)
			if got.Code != c.http || e.Code != c.grpc || e.Details[0].Reason != c.reason || !strings.Contains(e.Message, words) {
				t.Errorf("%v in %s: %d %+v", c.err, language, got.Code, e)
			}
			if strings.Contains(got.Body.String(), markText) {
				t.Errorf("the inner text left: %s", got.Body)
			}
			if (c.http == 503 || c.http == 429) != (got.Header().Get("Retry-After") != "") {
				t.Errorf("%v: Retry-After %q", c.err, got.Header().Get("Retry-After"))
			}
		}
	}
}

func TestFieldsAreNamedAndWorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// Refused by the contract itself, before the service.
	got := w.api("POST", "/referrals", "township", `{"patientId":"no-uuid","direction":"UP","form":{"treatment":"`+strings.Repeat("x", 4001)+`"}}`, "Accept-Language", "en")
	e := readError(t, got)
	if got.Code != 400 || len(e.Details) < 2 || !strings.HasSuffix(e.Details[1].Type, "google.rpc.BadRequest") {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	words := map[string]string{}
	for _, v := range e.Details[1].FieldViolations {
		words[v.Field] = v.Reason + " " + v.Description
	}
	for field, want := range map[string]string{"patientId": "FIELD_INVALID “patient” is not right", "form.treatment": "FIELD_TOO_LONG “treatment so far” is too long"} {
		if words[field] != want {
			t.Errorf("%s: %q, want %q", field, words[field], want)
		}
	}
}

func TestAMalformedRequestIsTheCallersFault(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for body, reason := range map[string]string{
		`{"patientId":`: "FIELD_INVALID", `[]`: "FIELD_INVALID", `{"patientName":"` + markName + `"}`: "FIELD_UNKNOWN",
		`{"urgency":"` + markName + `"}`: "FIELD_INVALID", `{"submit":"` + markName + `"}`: "FIELD_INVALID",
	} {
		for _, header := range [][]string{nil, {"Idempotency-Key", "k"}} {
			got := w.api("POST", "/referrals", "township", body, append(header, "Accept-Language", "en")...)
			if e := readError(t, got); got.Code != 400 || e.Details[0].Reason != reason {
				t.Errorf("%s: %d %+v", body, got.Code, e)
			}
			if strings.Contains(got.Body.String(), markName) || strings.Contains(w.log.String(), markName) {
				t.Errorf("what was sent comes back: %s", got.Body)
			}
		}
	}
	if got := w.api("GET", "/referrals?pageSize=many", "township", ""); got.Code != 400 {
		t.Errorf("a parameter that is no number: %d %s", got.Code, got.Body)
	}
	for _, c := range [][2]string{{"GET", "/no-such-route"}, {"PUT", "/referrals"}, {"DELETE", "/referrals/" + referralID}} {
		got := w.api(c[0], c[1], "township", "")
		if e := readError(t, got); got.Code != 404 || e.Details[0].Reason != "NOT_FOUND" {
			t.Errorf("%v: %d %+v", c, got.Code, e)
		}
	}
}

func TestABodyHoldsOneMebibyteAtMost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	big := `{"note":"` + strings.Repeat("x", 1<<20) + `"}`
	for _, header := range [][]string{nil, {"Idempotency-Key", "k"}} {
		got := w.api("POST", "/referrals/"+referralID+":accept", "desk", big, header...)
		if e := readError(t, got); got.Code != 400 || e.Details[0].Reason != "FIELD_TOO_LONG" {
			t.Errorf("%d %+v", got.Code, e)
		}
	}
	if n := len(called[proto.Message](w, acceptMethod)); n != 0 {
		t.Error("it reached the service")
	}
}

func TestHeadersAreFoldedIntoTheBody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := "/referrals/" + referralID + ":accept"
	for _, c := range []struct {
		body    string
		header  []string
		request string
		version int32
	}{
		{`{}`, []string{"Idempotency-Key", "key-1", "If-Match", `W/"7"`}, "key-1", 7},
		{``, []string{"If-Match", `"8"`, "Idempotency-Key", "key-2"}, "key-2", 8},
		{`null`, []string{"Idempotency-Key", "key-3"}, "key-3", 0},
		{`null`, []string{"If-Match", "9"}, "", 9},
		{`{"requestId":"body","version":2}`, []string{"Idempotency-Key", "header", "If-Match", `W/"7"`}, "body", 2},
	} {
		got := w.api("POST", path, "desk", c.body, c.header...)
		if got.Code != 200 {
			t.Errorf("%+v: %d %s", c, got.Code, got.Body)
			continue
		}
		calls := called[*referralv1.AcceptRequest](w, acceptMethod)
		last := calls[len(calls)-1]
		if last.GetRequestId() != c.request || last.GetVersion() != c.version || last.GetId() != referralID {
			t.Errorf("%+v: the service was asked %v", c, last)
		}
	}
	if got := w.api("POST", path, "desk", `{}`, "If-Match", `W/"x"`); got.Code != 400 {
		t.Errorf("If-Match without a version: %d", got.Code)
	}
	w.refuse(acceptMethod, errs.Stale(9, "ACCEPTED"))
	got := w.api("POST", path, "desk", `{}`, "If-Match", `W/"7"`)
	if e := readError(t, got); got.Code != 412 || e.Details[0].Metadata["version"] != "9" {
		t.Errorf("stale by If-Match: %d %+v", got.Code, e)
	}
}

func TestTheSecretNeverLeavesTheGateway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var header metadata.MD
	var caller authn.Identity
	on(w, listMethod, func(ctx context.Context, _ *referralv1.ListReferralsRequest) (*referralv1.ListReferralsResponse, error) {
		header, _ = metadata.FromIncomingContext(ctx)
		caller, _ = authn.FromContext(ctx)
		return &referralv1.ListReferralsResponse{}, nil
	})
	w.api("GET", "/referrals", "township", "", "X-Secret", "township-2", "Grpc-Metadata-Authorization", "Bearer township-3", "Cookie", "tongzhen_session=desk")
	if caller.Subject != doctor().GetId() {
		t.Errorf("the service sees %q", caller.Subject)
	}
	for key, values := range header {
		for _, v := range values {
			if strings.Contains(v, "township") || strings.Contains(v, "tongzhen_session") {
				t.Errorf("%s was sent on: %q", key, v)
			}
		}
	}
	if len(header.Get("authorization")) != 1 {
		t.Errorf("authorization: %q", header.Get("authorization"))
	}
}

func TestAnswersWriteDefaultsAndBareWords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var got map[string]any
	answer := w.api("GET", "/referrals/"+referralID, "township", "")
	if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{"state": "SUBMITTED", "direction": "UP", "version": 3.0, "bookingId": "", "createTime": "2026-03-02T00:30:00Z", "unread": true} {
		if got[name] != want {
			t.Errorf("%s: %v, want %v", name, got[name], want)
		}
	}
	if list, ok := got["matchedCriteria"].([]any); !ok || len(list) != 0 {
		t.Errorf("an empty list is %v", got["matchedCriteria"])
	}
}

func TestParametersReachTheService(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if got := w.api("GET", "/referrals?view=inbox&state=SUBMITTED&state=RETURNED&urgency=URGENT&pageSize=5&pageToken=abc", "desk", ""); got.Code != 200 {
		t.Fatal(got.Code, got.Body)
	}
	want := &referralv1.ListReferralsRequest{
		View: "inbox", State: []referralv1.State_Code{referralv1.State_SUBMITTED, referralv1.State_RETURNED}, Urgency: commonv1.Urgency_URGENT, PageSize: 5, PageToken: "abc",
	}
	if got := called[*referralv1.ListReferralsRequest](w, listMethod); len(got) != 1 || !proto.Equal(got[0], want) {
		t.Errorf("%v", got)
	}
}

func TestTheDescriptionIsServedToEverybody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.api("GET", "/openapi.json", "", "")
	var doc struct{ Paths map[string]any }
	if err := json.Unmarshal(got.Body.Bytes(), &doc); err != nil || len(doc.Paths) < 20 {
		t.Error(err, len(doc.Paths))
	}
	if ct := got.Header().Get("Content-Type"); ct != "application/json" {
		t.Error(ct)
	}
}
