package scheduling_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// planner is the fixture with the calendar's client.
type planner struct {
	*fixture
	calendar schedulingv1.CalendarServiceClient
}

func startPlanner(t *testing.T) *planner {
	t.Helper()
	f := start(t)
	return &planner{f, schedulingv1.NewCalendarServiceClient(f.Dial("gateway", "scheduling"))}
}

// head plans one department of the fixture's organisation.
func (p *planner) head(department string) context.Context {
	return p.As(authn.Identity{Subject: id.FromFact("head", department), Organization: p.org, Department: department, County: county, Roles: []string{"DEPARTMENT_HEAD"}})
}

// day is so many days from today, as the county has it.
func day(n int) string {
	return clock.System().Now().In(time.FixedZone("", 8*60*60)).AddDate(0, 0, n).Format(time.DateOnly)
}

func (p *planner) template() *schedulingv1.Template {
	return &schedulingv1.Template{Id: id.New(), OrganizationId: p.org, DepartmentCode: "0304", Kind: "CLINIC", Grade: "GENERAL", PractitionerId: "p", PractitionerName: "甲",
		Location: "2F", Pattern: schedulingv1.Pattern_INTERVAL, Every: 1, Anchor: day(0), FirstDay: day(2), Starts: "08:00", Ends: "09:00", SlotMinutes: 20, OnHolidays: true}
}

func (p *planner) save(x *schedulingv1.Template) *schedulingv1.SaveTemplateResponse {
	p.t.Helper()
	out, err := p.calendar.SaveTemplate(p.as("INTAKE_DESK"), &schedulingv1.SaveTemplateRequest{Template: x})
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

func (p *planner) sessions(size int32) *schedulingv1.ListSessionsResponse {
	p.t.Helper()
	out, err := p.calendar.ListSessions(p.as("INTAKE_DESK"), &schedulingv1.ListSessionsRequest{OrganizationId: p.org, PageSize: size})
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

func TestWhatIsPlannedIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	p := startPlanner(t)
	desk := p.as("INTAKE_DESK")
	same := func(what string, got, want proto.Message) {
		t.Helper()
		if !proto.Equal(got, want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	device := &schedulingv1.Equipment{Id: id.New(), OrganizationId: p.org, DepartmentCode: "3202", Modality: "CT", Name: "CT", Location: "1F",
		Preparation: "空腹", PreparationEnglish: "Do not eat.", InService: true}
	saved, err := p.calendar.SaveEquipment(desk, &schedulingv1.SaveEquipmentRequest{Equipment: device, RequestId: id.New()})
	if err != nil {
		t.Fatal(err)
	}
	device.Version = 1
	same("saved", saved, device)
	devices, err := p.calendar.ListEquipment(p.as("VILLAGE_DOCTOR"), &schedulingv1.ListEquipmentRequest{OrganizationId: p.org})
	if err != nil || len(devices.GetEquipment()) != 1 {
		t.Fatalf("%v, %v", devices, err)
	}
	same("listed", devices.GetEquipment()[0], device)
	for _, x := range []*schedulingv1.Template{p.template(), {
		Id: id.New(), OrganizationId: p.org, DepartmentCode: "3202", Kind: "EXAM", EquipmentId: device.GetId(), Pattern: schedulingv1.Pattern_WEEKLY,
		Weekdays: []int32{1, 5}, Every: 2, Anchor: "2026-01-01", FirstDay: "2026-01-01", LastDay: day(40), Starts: "14:30", Ends: "24:00", SlotMinutes: 30,
	}, {
		Id: id.New(), OrganizationId: p.org, DepartmentCode: "0304", Kind: "EXPERT", Grade: "EXPERT", Pattern: schedulingv1.Pattern_LUNAR_DIGITS,
		Digits: []int32{3, 6, 9}, FirstDay: day(0), Starts: "09:00", Ends: "11:00", SlotMinutes: 10, OnHolidays: true,
	}} {
		out := p.save(x)
		x.Version = 1
		same("template", out.GetTemplate(), x)
	}
	list, err := p.calendar.ListTemplates(desk, &schedulingv1.ListTemplatesRequest{OrganizationId: p.org, Ended: true})
	if err != nil || len(list.GetTemplates()) != 3 {
		t.Errorf("%v, %v", list, err)
	}
	e := &schedulingv1.ScheduleException{Id: id.New(), OrganizationId: p.org, DepartmentCode: "0304", FirstDay: day(2), LastDay: day(3),
		Effect: schedulingv1.ExceptionEffect_SUBSTITUTE, SubstitutePractitionerId: "q", SubstitutePractitionerName: "乙", SubstituteLocation: "3F",
		ReasonCode: "LEAVE", Note: "年休"}
	exception, err := p.calendar.SaveException(desk, &schedulingv1.SaveExceptionRequest{Exception: e})
	if err != nil || exception.GetMade() == 0 {
		t.Fatalf("%v, %v", exception, err)
	}
	e.Version = 1
	same("exception", exception.GetException(), e)
	if all, err := p.calendar.ListExceptions(desk, &schedulingv1.ListExceptionsRequest{OrganizationId: p.org}); err != nil || len(all.GetExceptions()) != 1 {
		t.Errorf("%v, %v", all, err)
	}
	policy := &schedulingv1.BookingPolicy{OrganizationId: p.org, ReservePercent: 40, ExpertPercent: 60, CommonDays: 7, ReserveLeadDays: 10, FallbackHours: 12}
	set, err := p.calendar.SetBookingPolicy(p.as("COUNTY_ADMIN"), &schedulingv1.SetBookingPolicyRequest{Policy: policy})
	if err != nil {
		t.Fatal(err)
	}
	policy.Version = 1
	same("policy", set, policy)
	preview, err := p.calendar.PreviewTemplate(desk, &schedulingv1.PreviewTemplateRequest{Template: p.template(), From: day(2), Days: 2})
	if err != nil || len(preview.GetDays()) != 2 || preview.GetDays()[0].GetDate() != day(2) || !strings.Contains(preview.GetDays()[0].GetLunarDate(), "月") ||
		preview.GetDays()[0].GetConflictingTemplateId() == "" {
		t.Errorf("%v, %v", preview, err)
	}
	bad := p.template()
	bad.Starts, bad.FirstDay = "8h", "tomorrow"
	_, err = p.calendar.SaveTemplate(desk, &schedulingv1.SaveTemplateRequest{Template: bad})
	if refused, ok := errs.As(err); !ok || len(refused.Fields) != 2 || refused.Fields[0].Name != "template.firstDay" || refused.Fields[1].Name != "template.starts" {
		t.Errorf("%v", err)
	}
}

func TestACancelledSessionMovesItsPatientsAndTellsThem(t *testing.T) {
	t.Parallel()
	p := startPlanner(t)
	p.save(p.template())
	page := p.sessions(1)
	first := page.GetSessions()[0]
	next, err := p.calendar.ListSessions(p.as("CENTRE_HEAD"), &schedulingv1.ListSessionsRequest{OrganizationId: p.org, PageSize: 1, PageToken: page.GetNextPageToken()})
	if err != nil || next.GetSessions()[0].GetId() == first.GetId() || first.GetSlots() != 3 || first.GetReserved() != 1 || first.GetFree() != 3 {
		t.Fatalf("%v, %v", next, err)
	}
	detail, err := p.calendar.GetSession(p.head("0304"), &schedulingv1.GetSessionRequest{Id: first.GetId()})
	if err != nil || len(detail.GetSlots()) != 3 {
		t.Fatalf("%v, %v", detail, err)
	}
	referral := id.New()
	h, err := p.client.CreateHold(p.as("INTAKE_DESK"), &schedulingv1.CreateHoldRequest{SlotId: detail.GetSlots()[1].GetSlot().GetId(), PatientId: p.patient})
	if err != nil {
		t.Fatal(err)
	}
	township := id.New()
	booking, err := p.referral.ConfirmHold(p.asService(), &schedulingv1.ConfirmHoldRequest{HoldId: h.GetId(), ReferralId: referral, PatientId: p.patient, OriginatorOrganizationId: township})
	if err != nil {
		t.Fatal(err)
	}
	p.next("booking_confirmed")
	meta := &commonv1.FactMeta{FactId: id.New(), County: county}
	p.publish("accepted", &referralv1.Accepted{Meta: meta, Referral: &referralv1.ReferralFact{ReferralId: referral, BookingId: booking.GetId()}}, meta.GetFactId())
	if detail, err = p.calendar.GetSession(p.as("INTAKE_DESK"), &schedulingv1.GetSessionRequest{Id: first.GetId()}); err != nil ||
		detail.GetSlots()[1].GetBookingId() != booking.GetId() || detail.GetSlots()[1].GetSenderOrganizationId() != township {
		t.Errorf("%v, %v", detail, err)
	}
	if detail, err = p.calendar.GetSession(p.as("COUNTY_ADMIN"), &schedulingv1.GetSessionRequest{Id: first.GetId()}); err != nil ||
		detail.GetSlots()[1].GetState() != schedulingv1.HoldState_BOOKED || detail.GetSlots()[1].GetBookingId() != "" || detail.GetSlots()[1].GetReferralId() != "" {
		t.Errorf("the administrator sees who: %v, %v", detail, err)
	}
	gone, err := p.calendar.CancelSession(p.head("0304"), &schedulingv1.CancelSessionRequest{Id: first.GetId(), Version: first.GetVersion(), ReasonCode: "LEAVE", RequestId: id.New()})
	if err != nil || len(gone.GetMoved()) != 1 || gone.GetMoved()[0].GetBookingId() != booking.GetId() || gone.GetSession().GetState() != schedulingv1.SessionState_CANCELLED {
		t.Fatalf("%v, %v", gone, err)
	}
	told := map[string]bool{}
	for range 2 {
		m := <-p.facts
		told[m.Subject[strings.LastIndexByte(m.Subject, '.')+1:]] = true
	}
	if !told["booking_moved"] || !told["session_cancelled"] {
		t.Errorf("told %v", told)
	}
	now, err := p.client.GetBooking(p.as("INTAKE_DESK"), &schedulingv1.GetBookingRequest{Id: booking.GetId()})
	if err != nil || now.GetSlotId() != gone.GetMoved()[0].GetSlot().GetId() || now.GetDisplaced() {
		t.Errorf("%v, %v", now, err)
	}
	sender := p.As(authn.Identity{Subject: id.New(), Organization: township, County: county, Roles: []string{"TOWNSHIP_DOCTOR"}})
	detail, err = p.calendar.GetSession(p.as("INTAKE_DESK"), &schedulingv1.GetSessionRequest{Id: next.GetSessions()[0].GetId()})
	if err != nil {
		t.Fatal(err)
	}
	moved, err := p.calendar.MoveBooking(sender, &schedulingv1.MoveBookingRequest{Id: booking.GetId(), SlotId: detail.GetSlots()[2].GetSlot().GetId(), FromSlotId: now.GetSlotId()})
	if err != nil || moved.GetSlotId() != detail.GetSlots()[2].GetSlot().GetId() {
		t.Errorf("%v, %v", moved, err)
	}
	sub, err := p.calendar.SubstituteSession(p.as("BED_MANAGER"), &schedulingv1.SubstituteSessionRequest{Id: detail.GetSession().GetId(), Version: 1, PractitionerName: "乙"})
	if err != nil || sub.GetPractitionerName() != "乙" {
		t.Errorf("%v, %v", sub, err)
	}
	block := &schedulingv1.BlockSlotsRequest{SlotIds: []string{detail.GetSlots()[0].GetSlot().GetId()}, ReasonCode: "BREAK"}
	if n, err := p.calendar.BlockSlots(p.as("INTAKE_DESK"), block); err != nil || n.GetChanged() != 1 {
		t.Errorf("%v, %v", n, err)
	}
	if n, err := p.calendar.UnblockSlots(p.as("INTAKE_DESK"), &schedulingv1.UnblockSlotsRequest{SlotIds: block.GetSlotIds()}); err != nil || n.GetChanged() != 1 {
		t.Errorf("%v, %v", n, err)
	}
}

func TestWhoPlansPlansTheOwn(t *testing.T) {
	t.Parallel()
	p := startPlanner(t)
	stranger := p.As(authn.Identity{Subject: id.New(), Organization: id.New(), County: county, Roles: []string{"INTAKE_DESK"}})
	template := &schedulingv1.SaveTemplateRequest{Template: p.template()}
	for name, ctx := range map[string]context.Context{
		"another organisation": stranger, "another department": p.head("03"), "a head without a department": p.head(""),
		"a doctor": p.as("TOWNSHIP_DOCTOR"), "a specialist": p.as("SPECIALIST"), "the system": p.as("SYSTEM"),
	} {
		if _, err := p.calendar.SaveTemplate(ctx, template); errs.ReasonOf(err) != errs.ReasonRole {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := p.calendar.SaveTemplate(p.head("0304"), template); err != nil {
		t.Errorf("the head of the department: %v", err)
	}
	session := p.sessions(1).GetSessions()[0]
	if _, err := p.calendar.GetSession(stranger, &schedulingv1.GetSessionRequest{Id: session.GetId()}); errs.ReasonOf(err) != errs.ReasonNotFound {
		t.Errorf("another organisation's session: %v", err)
	}
	if _, err := p.calendar.SetBookingPolicy(p.as("INTAKE_DESK"), &schedulingv1.SetBookingPolicyRequest{Policy: &schedulingv1.BookingPolicy{CommonDays: 1}}); errs.ReasonOf(err) != errs.ReasonRole {
		t.Errorf("a desk sets the policy: %v", err)
	}
	if policy, err := p.calendar.GetBookingPolicy(p.as("TOWNSHIP_DOCTOR"), &schedulingv1.GetBookingPolicyRequest{}); err != nil || policy.GetReservePercent() != 30 {
		t.Errorf("%v, %v", policy, err)
	}
	// The machine names the county, as its import does.
	cli := schedulingv1.NewCalendarServiceClient(p.Dial("cli", "scheduling"))
	table := "department,kind,practitioner,date,starts,ends,slot_minutes\n0304,CLINIC,乙," + day(5) + ",08:00,10:00,30\n0304,CLINIC,乙," + day(5) + ",08:00,10:00,0\n"
	done, err := cli.ImportSchedules(t.Context(), &schedulingv1.ImportSchedulesRequest{County: county, OrganizationId: p.org, Format: "CSV", Content: []byte(table)})
	if err != nil || done.GetSessions() != 1 || len(done.GetProblems()) != 1 || done.GetProblems()[0].GetLine() != 3 {
		t.Fatalf("%v, %v", done, err)
	}
	for _, format := range []string{"CSV", "ICS"} {
		file, err := p.calendar.ExportSchedules(p.as("CENTRE_HEAD"), &schedulingv1.ExportSchedulesRequest{OrganizationId: p.org, Format: format})
		if err != nil || len(file.GetContent()) == 0 || file.GetContentType() == "" {
			t.Fatalf("%v, %v", file, err)
		}
		again, err := p.calendar.ImportSchedules(p.as("CENTRE_HEAD"), &schedulingv1.ImportSchedulesRequest{OrganizationId: p.org, Format: format, Content: file.GetContent()})
		if err != nil || again.GetSessions() != 0 || again.GetUnchanged() == 0 || len(again.GetProblems()) != 0 {
			t.Errorf("%s: %v, %v", format, again, err)
		}
	}
	e := &schedulingv1.ScheduleException{Id: id.New(), OrganizationId: p.org, FirstDay: day(1), LastDay: day(90), Effect: schedulingv1.ExceptionEffect_CLOSED, ReasonCode: "EPIDEMIC"}
	closed, err := p.calendar.SaveException(p.as("COUNTY_ADMIN"), &schedulingv1.SaveExceptionRequest{Exception: e})
	if err != nil || closed.GetRemoved() == 0 {
		t.Fatalf("%v, %v", closed, err)
	}
	open, err := p.calendar.RemoveException(p.as("COUNTY_ADMIN"), &schedulingv1.RemoveExceptionRequest{Id: e.GetId(), Version: 1})
	if err != nil || open.GetMade() != closed.GetRemoved() {
		t.Errorf("%v, %v", open, err)
	}
}
