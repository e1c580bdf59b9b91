package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/check"
	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// settleTime is how long facts and sweeps may take until a county is at rest.
const settleTime = 20 * time.Second

// neurology is the department that a stroke is sent to.
const neurology = "0303"

// cast is who takes part in a journey, and where it goes.
type cast struct {
	township, township2, desk, specialist, head, admin *harness.Person
	hospital, centre                                   string // organisation ids
}

func signInAll(t *testing.T, s *harness.System) cast {
	t.Helper()
	var c cast
	for login, p := range map[string]**harness.Person{
		"township": &c.township, "township2": &c.township2, "desk": &c.desk, "specialist": &c.specialist, "head": &c.head, "admin": &c.admin,
	} {
		person, err := s.SignIn(t.Context(), login)
		must(t, err)
		*p = person
	}
	c.hospital, c.centre = c.desk.Account.GetOrganizationId(), c.township.Account.GetOrganizationId()
	return c
}

// rests waits until the county is at rest, as those see it who together see every referral and candidate.
func (c cast) rests(t *testing.T, s *harness.System, patience time.Duration) check.World {
	t.Helper()
	return s.CheckRests(t, patience, c.township, c.township2, c.desk)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// get and post are calls that have to succeed.
func get[M any, P interface {
	*M
	proto.Message
}](t *testing.T, p *harness.Person, path string) P {
	t.Helper()
	out, err := harness.Call[M, P](t.Context(), p, http.MethodGet, path, nil)
	if err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
	return out
}

func post[M any, P interface {
	*M
	proto.Message
}](t *testing.T, p *harness.Person, path string, body proto.Message) P {
	t.Helper()
	out, err := harness.Call[M, P](t.Context(), p, http.MethodPost, path, body)
	if err != nil {
		t.Fatalf("POST %s: %v", path, err)
	}
	return out
}

// act carries out a transition that has to succeed.
func act(t *testing.T, p *harness.Person, r *referralv1.Referral, action string, body proto.Message) *referralv1.Referral {
	t.Helper()
	return post[referralv1.Referral](t, p, "/referrals/"+r.GetId()+":"+action, body)
}

// refused is the refusal of a call that must not succeed, with the status and reason it must have.
func refused(t *testing.T, err error, status int, reason string) harness.Refusal {
	t.Helper()
	var r *harness.Refusal
	if !errors.As(err, &r) {
		t.Fatalf("want a refusal %d %s, got %v", status, reason, err)
	}
	if r.Status != status || (reason != "" && r.Reason != reason) {
		t.Fatalf("want a refusal %d %s, got %v", status, reason, r)
	}
	return *r
}

// eventually asks until the answer is yes; what travels as a fact arrives a little later.
func eventually(t *testing.T, what string, ask func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ask() {
		select {
		case <-ctx.Done():
			t.Fatalf("no %s within 20 s", what)
		case <-tick.C:
		}
	}
}

// register makes a patient of the person's own organisation without a document.
func register(ctx context.Context, p *harness.Person, name, requestID string) (*patientrecordv1.Patient, error) {
	return harness.Call[patientrecordv1.Patient](ctx, p, http.MethodPost, "/patients", &patientrecordv1.RegisterPatientRequest{
		RequestId: requestID, Name: name, Sex: commonv1.Sex_MALE, BirthDate: "1957-05-01",
		DocumentType: patientrecordv1.DocumentType_NONE, NoDocumentReason: "LOST",
	})
}

// upward is a complete referral to a department of the hospital, to be submitted at once.
func (c cast) upward(patientID, department string) *referralv1.CreateReferralRequest {
	return &referralv1.CreateReferralRequest{
		RequestId: id.New(), PatientId: patientID, Direction: commonv1.Direction_UP,
		Kind: commonv1.Kind_OUTPATIENT, Urgency: commonv1.Urgency_URGENT,
		Receiver:  &commonv1.Party{OrganizationId: c.hospital, DepartmentCode: department},
		Diagnoses: []*commonv1.Coding{{Code: "I63.9", Display: "脑梗死"}},
		Form: &referralv1.Form{
			InitialImpression: "脑梗死可能", PresentIllness: "突发右侧肢体无力3小时，伴言语不清", PastHistory: "高血压病", Treatment: "已建立静脉通路",
		},
		Consent: &referralv1.Consent{GivenBy: "本人", Relation: "0", Method: "SIGNED"},
		Submit:  true,
	}
}

// freeSlots of a department, soonest first.
func freeSlots(ctx context.Context, p *harness.Person, hospital, department string) ([]*schedulingv1.Slot, error) {
	query := url.Values{"organizationId": {hospital}, "department": {department}, "kind": {"CLINIC"}, "freeOnly": {"true"}, "pageSize": {"100"}}
	list, err := harness.Call[schedulingv1.ListSlotsResponse](ctx, p, http.MethodGet, "/slots?"+query.Encode(), nil)
	return list.GetSlots(), err
}

// holdSlot takes the first free slot of a department for a patient.
func (c cast) holdSlot(t *testing.T, p *harness.Person, department, patientID string) *schedulingv1.Hold {
	t.Helper()
	slots, err := freeSlots(t.Context(), p, c.hospital, department)
	must(t, err)
	if len(slots) == 0 {
		t.Fatalf("department %s has no free slot", department)
	}
	return post[schedulingv1.Hold](t, p, "/holds", &schedulingv1.CreateHoldRequest{RequestId: id.New(), SlotId: slots[0].GetId(), PatientId: patientID})
}

func walkIn() *referralv1.WalkIn {
	from := time.Now().Add(time.Hour)
	return &referralv1.WalkIn{From: timestamppb.New(from), To: timestamppb.New(from.Add(4 * time.Hour))}
}

func reply() *referralv1.Reply {
	return &referralv1.Reply{
		Diagnosis: "急性脑梗死（左侧大脑中动脉供血区）", Findings: "头颅 MRI：左侧基底节急性梗死灶", Treatment: "抗血小板、调脂治疗",
		NextSteps:   "两周后复查，继续康复训练",
		Medications: []*referralv1.ReplyMedication{{Name: "阿司匹林肠溶片 100mg", Dosage: "每日1次"}},
	}
}

// inbox is what a person was told about a referral, as "event" → how often.
func inbox(t *testing.T, p *harness.Person, referralID string) map[string]int {
	t.Helper()
	told := map[string]int{}
	for token := ""; ; {
		page := get[notificationv1.ListNotificationsResponse](t, p, "/notifications?state=ALL&pageSize=100&pageToken="+url.QueryEscape(token))
		for _, n := range page.GetNotifications() {
			if n.GetReferralId() == referralID {
				told[n.GetEvent()]++
			}
		}
		if token = page.GetNextPageToken(); token == "" {
			return told
		}
	}
}

// organization of a person, as the directory has it.
func organization(t *testing.T, p *harness.Person) *directoryv1.Organization {
	t.Helper()
	return get[directoryv1.Organization](t, p, "/organizations/"+p.Account.GetOrganizationId())
}

// step is what a row of the timeline must say.
type step struct {
	action   string
	from, to referralv1.State_Code
	by       *harness.Person
}

// checkTimeline asserts every transition: action, states, person, organisation, order, and versions without a gap.
func checkTimeline(t *testing.T, p *harness.Person, referralID string, want ...step) []*referralv1.HistoryRow {
	t.Helper()
	history := get[referralv1.ListHistoryResponse](t, p, "/referrals/"+referralID+"/history").GetHistory()
	var rows []*referralv1.HistoryRow
	var last time.Time
	for _, row := range history {
		if at := row.GetTime().AsTime(); at.Before(last) {
			t.Errorf("the timeline goes back at %s", row.GetAction())
		} else {
			last = at
		}
		if row.GetKind() == "TRANSITION" {
			rows = append(rows, row)
		}
	}
	if len(rows) != len(want) {
		t.Fatalf("the timeline has %d transitions, want %d: %v", len(rows), len(want), rows)
	}
	for i, w := range want {
		row := rows[i]
		got := fmt.Sprintf("%s %s→%s by %s (%s) of %s version %d", row.GetAction(), row.GetFrom(), row.GetTo(),
			row.GetActor().GetAccountId(), row.GetActor().GetName(), row.GetActor().GetOrganizationId(), row.GetVersion())
		account := w.by.Account
		if due := fmt.Sprintf("%s %s→%s by %s (%s) of %s version %d", w.action, w.from, w.to,
			account.GetId(), account.GetName(), account.GetOrganizationId(), i+1); got != due {
			t.Errorf("row %d of the timeline:\n got %s\nwant %s", i+1, got, due)
		}
	}
	return history
}
