// Package slips holds what is printed: the national 转出单 and 回转单 with their stubs and the county's additions, and the page on which anybody
// who holds one may verify it.
//
// Owns the order and wording of the forms (fields.go) and the printed sheet, which is in Chinese whatever the visitor reads. Decides
// nothing: what is genuine the referral service says. Safe for concurrent use.
package slips

import (
	"embed"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/cache"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

//go:embed *.html
var files embed.FS

// Deps is what the pages need; all fields are required.
type Deps struct {
	Shell    *shell.Shell
	Referral referralv1.ReferralServiceClient
	Handover referralv1.HandoverServiceClient
	// Downtime allots the numbers of forms that are printed beforehand.
	Downtime referralv1.DowntimeServiceClient
	// Scheduling tells when and where the patient is expected; while it is away a slip says when, as the referral knows it.
	Scheduling schedulingv1.SchedulingServiceClient
	// Limiter counts verifications by address, of which Ring keeps a keyed hash.
	Limiter cache.Limiter
	Ring    *crypt.Ring
	// Secure tells that the gateway is reached over TLS, for the address in the QR code.
	Secure bool
}

// Pages are the printed slips and their verification.
type Pages struct {
	Deps
	slipSet, verifySet, blanksSet, printSet *shell.Set
}

// New parses the pages.
func New(deps Deps) (*Pages, error) {
	p := &Pages{Deps: deps}
	var err error
	if p.slipSet, err = deps.Shell.Parse(files, "slip.html", "sheet.html"); err != nil {
		return nil, err
	}
	if p.blanksSet, err = deps.Shell.Parse(files, "blanks.html"); err != nil {
		return nil, err
	}
	if p.printSet, err = deps.Shell.Parse(files, "print.html", "sheet.html"); err != nil {
		return nil, err
	}
	p.verifySet, err = deps.Shell.Parse(files, "verify.html")
	return p, err
}

// Routes adds the pages to a mux.
func (p *Pages) Routes(mux shell.Mux) {
	mux.Handle("GET /referrals/{id}/slip", p.Shell.Page(p.both))
	mux.Handle("GET /referrals/{id}/slip/stub", p.Shell.Page(p.stub))
	mux.Handle("GET /referrals/{id}/slip/reply", p.Shell.Page(p.reply))
	mux.Handle("GET /downtime", p.Shell.Page(p.blanks))
	mux.Handle("POST /downtime", p.Shell.Page(p.allot))
	mux.Handle("POST /downtime/void", p.Shell.Page(p.void))
	mux.Handle("GET /downtime/{batch}", p.Shell.Page(p.printBatch))
	mux.Handle("GET /verify/{number}", p.Shell.Open(p.verify))
}

// slipData is what slip.html sees.
type slipData struct {
	ID, Number         string
	Draft, Down, Reply bool
	// Blank: filled in by hand, whole.
	Blank              bool
	Form               form
	StubOnly           bool
	Stub, Slip         []filled
	County             []addition
	Choices            []choices
	Consent            string
	Doctor             string
	Valid              string
	To                 string
	QR                 template.HTML
	Notices            []string
	SealFrom, SealHome string
}

// addition is one line of the county's block.
type addition struct{ Code, Label, Value string }

// choices is a line of boxes.
type choices struct {
	Code, Label string
	Boxes       []choice
}

func (p *Pages) both(w http.ResponseWriter, r *http.Request) error { return p.sheet(w, r, false) }

func (p *Pages) stub(w http.ResponseWriter, r *http.Request) error { return p.sheet(w, r, true) }

// reply is the 回转单 of an up-referral: what its reply says, from the hospital back to the sender, under the number that it went with.
func (p *Pages) reply(w http.ResponseWriter, r *http.Request) error {
	referral, err := p.Referral.GetReferral(r.Context(), &referralv1.GetReferralRequest{Id: r.PathValue("id")})
	if err != nil {
		return err
	}
	if referral.GetDirection() != commonv1.Direction_UP || referral.GetKind() == commonv1.Kind_ADVICE || referral.GetReply() == nil || referral.GetConcludeTime() == nil {
		return errs.NotFound("slip") // nothing came back, or nobody travelled
	}
	s, err := p.source(r, referral)
	if err != nil {
		return err
	}
	return p.print(w, r, s, s.replied())
}

func (p *Pages) sheet(w http.ResponseWriter, r *http.Request, stubOnly bool) error {
	referral, err := p.Referral.GetReferral(r.Context(), &referralv1.GetReferralRequest{Id: r.PathValue("id")})
	if err != nil {
		return err
	}
	if d := referral.GetDirection(); d != commonv1.Direction_UP && d != commonv1.Direction_DOWN {
		return errs.NotFound("slip") // a patient who left the county got none
	}
	s, err := p.source(r, referral)
	if err != nil {
		return err
	}
	return p.print(w, r, s, s.data(stubOnly))
}

// source is what a referral's slips are filled from.
func (p *Pages) source(r *http.Request, referral *referralv1.Referral) (source, error) {
	slip, err := p.Handover.GetSlip(r.Context(), &referralv1.GetSlipRequest{ReferralId: referral.GetId()})
	if err != nil {
		return source{}, err
	}
	s := source{referral: referral, slip: slip, now: p.Shell.Now(), zone: p.Shell.Zone()}
	county, err := p.Shell.Names().County(r.Context())
	if err != nil {
		return source{}, err // a slip that does not say where to go is worth nothing
	}
	const chinese = "zh-CN"
	to := referral.GetReceiver()
	s.from = county.OrganizationName(chinese, referral.GetOriginator().GetOrganizationId())
	s.to = county.OrganizationName(chinese, to.GetOrganizationId())
	s.department = county.DepartmentName(chinese, to.GetOrganizationId(), to.GetDepartmentCode())
	if booking := referral.GetBookingId(); booking != "" {
		s.booking, _ = p.Scheduling.GetBooking(r.Context(), &schedulingv1.GetBookingRequest{Id: booking})
	}
	return s, nil
}

// print shows a sheet with the code by which it is verified.
func (p *Pages) print(w http.ResponseWriter, r *http.Request, s source, data slipData) error {
	if !data.Draft {
		var err error
		if data.QR, err = qrCode(p.address(r, s.slip)); err != nil {
			return err
		}
	}
	return p.Shell.Render(w, r, p.slipSet, shell.Page{Title: "slip.title", Nav: "referrals", Data: data})
}

// data is the whole sheet but its QR code.
func (s source) data(stubOnly bool) slipData {
	r := s.referral
	down := r.GetDirection() == commonv1.Direction_DOWN
	form := out()
	if down {
		form = back()
	}
	d := slipData{
		ID: r.GetId(), Number: r.GetNumber(), Draft: r.GetState() == referralv1.State_DRAFT || s.slip.GetVerificationKey() == "", Down: down, Form: form,
		StubOnly: stubOnly, Stub: s.fill(form.Stub), Slip: s.fill(form.Slip), Consent: s.consent(), Doctor: s.slip.GetDoctor().GetName(),
		To: s.to, Notices: notices(), SealFrom: s.from,
	}
	if from, until := s.slip.GetValidFrom(), s.slip.GetValidUntil(); from != nil && until != nil {
		d.Valid = s.span(from, until)
	}
	d.County = []addition{
		{"county.number", "转诊单号", r.GetNumber()},
		{"county.identity_no", "身份证号", r.GetPatient().GetMaskedIdentityNumber()},
		{"county.health_record_no", "健康档案号", r.GetPatient().GetHealthRecordNumber()},
		{"county.visit_no", "门诊号/住院号", r.GetForm().GetInpatientNumber()},
		{"county.diagnoses", "诊断编码", coded(r.GetDiagnoses())},
		{"county.urgency", "紧急程度", urgency(r.GetUrgency())},
		{"county.left", "转出时间", s.minute(r.GetDepartTime())},
		{"county.validity", "转诊时限", d.Valid},
		{"county.appointment", "就诊时间、地点", s.appointment()},
		{"county.preparation", "检查前准备", s.booking.GetPreparation()},
		{"county.purpose", "转诊目的、注意事项", r.GetTransferNote()},
	}
	d.Choices = []choices{
		{"county.payment", "支付方式", payments()}, {"county.patient_kind", "病人性质", s.patients()}, {"county.transport", "转送方式", s.transports()},
	}
	return d
}

// appointment is when, with whom and where the patient is expected; empty while nothing is arranged.
func (s source) appointment() string {
	b := s.booking
	switch {
	case b.GetDisplaced():
		return "原预约场次已取消，新的时间由接收机构另行通知，请勿按原时间前往"
	case b != nil && b.GetState() != schedulingv1.BookingState_RELEASED:
		parts := []string{s.minute(b.GetStart()), b.GetPractitionerName(), b.GetEquipmentName(), b.GetLocation()}
		if b.GetWard() != "" {
			parts = []string{"住院", b.GetWard(), b.GetBed()}
		}
		return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), "　")
	case b == nil && s.referral.GetBookingId() != "" && s.referral.GetExpectedFrom() != nil: // scheduling is away
		return s.minute(s.referral.GetExpectedFrom()) + "　地点到导诊台询问"
	}
	if w := s.referral.GetWalkIn(); w != nil {
		return s.minute(w.GetFrom()) + " 至 " + s.minute(w.GetTo())
	}
	return ""
}

// replied is the whole 回转单 of a reply but its QR code. What the county adds about the way up does not belong on it; how the patient goes
// back, and whether the patient agrees, is filled in by hand.
func (s source) replied() slipData {
	r := s.referral
	back := back()
	at := s.answer()
	return slipData{
		ID: r.GetId(), Number: r.GetNumber(), Down: true, Reply: true, Form: back, Stub: at.fill(back.Stub), Slip: at.fill(back.Slip),
		To: at.to, Notices: notices(), SealFrom: at.from,
		County: []addition{
			{"county.number", "转诊单号", r.GetNumber()},
			{"county.identity_no", "身份证号", r.GetPatient().GetMaskedIdentityNumber()},
			{"county.health_record_no", "健康档案号", r.GetPatient().GetHealthRecordNumber()},
			{"county.visit_no", "门诊号/住院号", r.GetForm().GetInpatientNumber()},
			{"county.sent", "上转时间", s.minute(r.GetSubmitTime())},
			{"county.medicines", "带药", medicines(r.GetReply().GetMedications())},
		},
		Choices: []choices{
			{"county.payment", "支付方式", payments()}, {"county.patient_kind", "病人性质", s.patients()},
			{"county.transport", "转送方式", source{referral: &referralv1.Referral{}}.transports()},
		},
	}
}

func medicines(list []*referralv1.ReplyMedication) string {
	text := ""
	for i, m := range list {
		if i > 0 {
			text += "；"
		}
		text += strings.Join(strings.Fields(m.GetName()+" "+m.GetSpecification()+" "+m.GetDosage()), " ")
	}
	return text
}

func (s source) span(from, until *timestamppb.Timestamp) string {
	// The end is the midnight after the last day.
	return s.day(from.AsTime()) + " 至 " + s.day(until.AsTime().Add(-1))
}

func coded(diagnoses []*commonv1.Coding) string {
	text := ""
	for i, d := range diagnoses {
		if i > 0 {
			text += "；"
		}
		text += d.GetCode() + " " + d.GetDisplay()
	}
	return text
}

func urgency(code commonv1.Urgency_Code) string {
	switch code {
	case commonv1.Urgency_EMERGENCY:
		return "急诊"
	case commonv1.Urgency_URGENT:
		return "加急"
	case commonv1.Urgency_ROUTINE:
		return "普通"
	case commonv1.Urgency_UNSPECIFIED:
	}
	return ""
}

// address is where a slip is verified. Number and key name no patient.
func (p *Pages) address(r *http.Request, slip *referralv1.Slip) string {
	scheme := "http"
	if p.Secure || door.OverTLS(r) {
		scheme = "https"
	}
	return scheme + "://" + r.Host + "/verify/" + slip.GetNumber() + "?k=" + slip.GetVerificationKey()
}
