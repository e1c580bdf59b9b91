//go:build e2e

package e2e_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
)

// busy is a county in which every page has something to show.
type busy struct {
	life
	s      *harness.System
	starts []start
}

// readers are those who are asked for pages, one of every kind; "" is nobody.
func readers() []string {
	return []string{"township", "desk", "specialist", "head", "baisha1", "village", "admin", "auditor", "system", "security", ""}
}

func openBusyCounty(t *testing.T) *busy {
	t.Helper()
	mllp, senders := freeAddress(t), filepath.Join(t.TempDir(), "senders.yaml")
	must(t, os.WriteFile(senders, []byte(`senders: [{application: HIS, facility: XY, addresses: [127.0.0.1], county: "450321", organization: "450321H01", account: feed-his}]`), 0o600))
	b := &busy{s: harness.Together(t, binary, true, "TONGZHEN_MLLP_ADDR="+mllp, "TONGZHEN_MLLP_SENDERS_FILE="+senders)}
	b.cast = signInAll(t, b.s)
	b.patient = b.cast.patient(t, "莫来回")
	b.goesUp(t)
	b.isSentDown(t, b.isFound(t))
	b.isFollowed(t)
	b.waits(t)
	b.record(t)
	b.plans(t)
	b.feeds(t, mllp)
	return b
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	must(t, listener.Close())
	return listener.Addr().String()
}

func (b *busy) from(who, path string, form ...string) {
	s := start{who: who, path: path}
	for i := 0; i+1 < len(form); i += 2 {
		if s.form == nil {
			s.form = url.Values{}
		}
		s.form.Set(form[i], form[i+1])
	}
	b.starts = append(b.starts, s)
}

// isFollowed: one patient is followed up at the township, another one could go down.
func (b *busy) isFollowed(t *testing.T) {
	t.Helper()
	r := plainly(t, b.township, acceptWalkIn(t, b.township, b.down), "arrive")
	plan := get[referralv1.ListFollowUpTemplatesResponse](t, b.township, "/follow-up-templates?referralId="+r.GetId()).GetTemplates()[0].GetPlan()
	plan.Visits = plan.GetVisits()[:2]
	plan.Visits[0].Due, plan.Visits[1].Due = day(0), day(7)
	act(t, b.township, r, "beginFollowUp", &referralv1.BeginFollowUpRequest{RequestId: id.New(), Version: r.GetVersion(), Plan: plan})
	b.from("township", "/referrals/"+b.down.GetId()+"/escalate")
	b.from("township", "/record/out")
	second := life{cast: b.cast, patient: b.cast.patient(t, "莫待下转")}
	second.goesUp(t)
	b.from("specialist", "/down/"+second.patient+"?reply_to="+second.up.GetId())
}

// waits: a draft, an emergency without consent, one that was returned, one that comes to a slot, one on the fallback list.
func (b *busy) waits(t *testing.T) {
	t.Helper()
	draft := b.upward(b.cast.patient(t, "莫草稿"), neurology)
	draft.Submit = false
	b.from("township", "/referrals/"+post[referralv1.Referral](t, b.township, "/referrals", draft).GetId()+"/edit")
	emergency := b.upward(b.cast.patient(t, "莫急救"), cardiology)
	emergency.Kind, emergency.Urgency = commonv1.Kind_EMERGENCY, commonv1.Urgency_EMERGENCY
	emergency.Consent = &referralv1.Consent{DeferredReason: "意识不清，家属未到"}
	post[referralv1.Referral](t, b.township, "/referrals", emergency)
	coming := b.cast.patient(t, "莫预约")
	hold := b.holdSlot(t, b.township, neurology, coming)
	request := b.upward(coming, neurology)
	request.HoldId = hold.GetId()
	r := post[referralv1.Referral](t, b.township, "/referrals", request)
	act(t, b.desk, r, "accept", &referralv1.AcceptRequest{RequestId: id.New(), Version: r.GetVersion(), HoldId: hold.GetId()})
	r = post[referralv1.Referral](t, b.township, "/referrals", b.upward(b.cast.patient(t, "莫候补"), neurology))
	post[schedulingv1.WaitlistEntry](t, b.township, "/waitlist", &schedulingv1.JoinWaitlistRequest{RequestId: id.New(), ReferralId: r.GetId(), Kind: "CLINIC"})
	slip := get[referralv1.Slip](t, b.township, "/referrals/"+r.GetId()+"/slip")
	key := "/" + slip.GetNumber() + "?k=" + slip.GetVerificationKey()
	b.from("", "/verify"+key)
	b.from("", "/api/v1/verify"+key)
	b.from("", "/k/nobodyknowsthistoken")
	b.from("", "/sign-in")
	b.from("", "/style-guide")
	b.from("township", "/refer/templates?language=zh-CN")
	b.from("desk", "/downtime", "organizationId", r.GetReceiver().GetOrganizationId(), "form", "OUT", "count", "2", "requestId", id.New())
	b.from("village", "/village/search", "query", "莫")
	b.from("township", "/referral-searches", "query", "莫")
	b.from("", "/api/docs")
}

// record: entries, a document, two who may be one, one who was looked at in an emergency, and what was searched for.
func (b *busy) record(t *testing.T) {
	t.Helper()
	entry := post[patientrecordv1.RecordEntriesResponse](t, b.township, "/patients/"+b.patient+"/entries", &patientrecordv1.RecordEntriesRequest{
		RequestId: id.New(), PatientId: b.patient, Entries: []*patientrecordv1.EntryDraft{{Content: &patientrecordv1.ClinicalEntry{
			Resource: &patientrecordv1.ClinicalEntry_Problem{Problem: &patientrecordv1.Problem{
				Text: "高血压病", ClinicalStatus: "active", Codes: []*commonv1.Coding{{Code: "I10", Display: "特发性(原发性)高血压"}}, OnsetTime: timestamppb.Now(),
			}},
		}}},
	}).GetEntries()[0]
	for _, do := range []string{"amend", "correct", "withdraw"} {
		b.from("township", "/patients/"+b.patient+"/entries/"+entry.GetId()+"/"+do)
	}
	b.photographs(t)
	for range 2 {
		_, err := register(t.Context(), b.township, "莫同名", id.New())
		must(t, err)
	}
	glass := &patientrecordv1.BreakGlassRequest{PatientId: b.patient, Reason: "EMERGENCY", Note: "昏迷送来，需了解过敏史", RequestId: id.New()}
	_, err := harness.Call[patientrecordv1.Glass](t.Context(), b.township2, http.MethodPost, "/patients:breakGlass", glass)
	must(t, err)
	b.from("head", "/access/"+b.cast.patient(t, "莫破窗")+"/glass")
	b.from("township", "/access/"+b.patient+"/purpose")
	b.from("township", "/patients/search", "query", "莫")
	b.from("auditor", "/audit/patients", "query", "莫来回")
	b.from("township", "/inbox/count")
	b.from("admin", "/statistics/recognition/cases?measure=RECOGNISED&from="+day(-30)+"&to="+day(1))
}

// photographs a paper report and adds it to the record.
func (b *busy) photographs(t *testing.T) {
	t.Helper()
	var picture, body bytes.Buffer
	must(t, png.Encode(&picture, image.NewGray(image.Rect(0, 0, 300, 400))))
	form := multipart.NewWriter(&body)
	for name, value := range map[string]string{"requestId": id.New(), "kind": "LAB_REPORT", "title": "血常规", "documentDate": day(0)} {
		must(t, form.WriteField(name, value))
	}
	part, err := form.CreateFormFile("file", "report.png")
	must(t, err)
	_, err = io.Copy(part, &picture)
	must(t, err)
	must(t, form.Close())
	attachment := b.township.Upload(t, "/patients/"+b.patient+"/attachments", form.FormDataContentType(), &body)
	b.from("township", "/patients/"+b.patient+"/attachments/"+attachment+"/content")
}

// plans: a day on which nobody sits, and the calendar as a file.
func (b *busy) plans(t *testing.T) {
	t.Helper()
	saved := post[schedulingv1.SaveExceptionResponse](t, b.desk, "/schedule-exceptions", &schedulingv1.SaveExceptionRequest{RequestId: id.New(), Exception: &schedulingv1.ScheduleException{
		Id: id.New(), OrganizationId: b.hospital, DepartmentCode: "32", FirstDay: day(40), LastDay: day(40),
		Effect: schedulingv1.ExceptionEffect_CLOSED, ReasonCode: "EQUIPMENT", Note: "检修",
	}})
	b.from("desk", "/schedules/exceptions/"+saved.GetException().GetId())
	b.from("desk", "/schedules/export?format=csv&from="+day(0)+"&to="+day(7))
}

// feeds: a hospital's system sends what cannot be read.
func (b *busy) feeds(t *testing.T, address string) {
	t.Helper()
	directory := directoryv1.NewDirectoryServiceClient(b.s.Dial(t, "directory"))
	_, err := directory.ImportAccounts(rpc.WithCounty(t.Context(), harness.County), &directoryv1.ImportAccountsRequest{County: harness.County, Accounts: []*directoryv1.AccountEntry{{
		OrganizationCode: "450321H01", Password: harness.Password,
		Account: &directoryv1.Account{Login: "feed-his", Name: "HIS", Roles: []commonv1.Role_Code{commonv1.Role_INTEGRATION}},
	}}})
	must(t, err)
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	must(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "\x0b%s\r%s\r\x1c\r", `MSH|^~\&|HIS|XY|TZ|450321|20261120093000||ADT^A01|C1|P|2.4||||||UNICODE UTF-8`, "PID|1||B1001^^^XY^MR")
	must(t, err)
	_, err = conn.Read(make([]byte, 1))
	must(t, err)
}
