package slips

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// blanksData is what blanks.html sees.
type blanksData struct {
	shell.Refused
	Form          shell.Form
	Organizations []*directoryv1.Organization
	// Organization is the one that gets the forms. Forms are those that it writes, Rest the others.
	Organization string
	Forms, Rest  []string
	State        string
	States       []string
	Items        []blankRow
	RequestID    string
	// Next is where the list goes on; empty at the end.
	Next string
	// Voiding is the number that was refused to be taken back.
	Voiding string
}

// blankRow is one form of the list.
type blankRow struct {
	*referralv1.BlankForm
	Organization, By string
	// RequestID of taking it back, which is done once.
	RequestID string
}

func (p *Pages) blanks(w http.ResponseWriter, r *http.Request) error {
	data := blanksData{RequestID: id.New(), Form: shell.Form{Values: url.Values{"count": {"10"}}}}
	return p.showBlanks(w, r, data)
}

func (p *Pages) showBlanks(w http.ResponseWriter, r *http.Request, data blanksData) error {
	data.States = []string{"OUTSTANDING", "USED", "VOID"}
	if data.State = r.URL.Query().Get("state"); !slices.Contains(data.States, data.State) {
		data.State = data.States[0]
	}
	list, err := p.Downtime.ListBlankForms(r.Context(), &referralv1.ListBlankFormsRequest{
		State: referralv1.BlankForm_State(referralv1.BlankForm_State_value[data.State]), PageSize: blanksShown, PageToken: r.URL.Query().Get("page"),
	})
	if err != nil {
		return err
	}
	data.Next = list.GetNextPageToken()
	county, err := p.Shell.Names().County(r.Context())
	if err != nil {
		return err
	}
	language := p.Shell.Language(r)
	for _, b := range list.GetForms() {
		data.Items = append(data.Items, blankRow{b, county.OrganizationName(language, b.GetOrganizationId()), county.OrganizationName(language, b.GetPrintedByOrganization()), id.FromFact("void", b.GetNumber())})
	}
	data.Organizations = p.printsFor(r.Context(), county)
	data.choose(r, county)
	return p.Shell.Render(w, r, p.blanksSet, shell.Page{Title: "downtime.title", Nav: "downtime", Status: data.Status, Data: data})
}

// choose is the organisation that the form names, else the one that was picked, the own, or the first; and the forms that its kind writes.
func (d *blanksData) choose(r *http.Request, county *shell.County) {
	v, _ := door.VisitorFrom(r.Context())
	for _, id := range []string{d.Form.Value("organizationId"), r.URL.Query().Get("organization"), v.Account.GetOrganizationId()} {
		if d.Organization == "" && slices.ContainsFunc(d.Organizations, func(o *directoryv1.Organization) bool { return o.GetId() == id }) {
			d.Organization = id
		}
	}
	if d.Organization == "" && len(d.Organizations) > 0 {
		d.Organization = d.Organizations[0].GetId()
	}
	d.Forms, d.Rest = []string{"OUT", "EMERGENCY"}, []string{"BACK"}
	if county.Organization(d.Organization).GetType() == directoryv1.OrganizationType_COUNTY_HOSPITAL {
		d.Forms, d.Rest = d.Rest, d.Forms
	}
	if d.Form.Value("form") == "" {
		d.Form.Values.Set("form", d.Forms[0])
	}
}

// Unusual tells that a form is chosen which the organisation seldom writes.
func (d blanksData) Unusual() bool { return slices.Contains(d.Rest, d.Form.Value("form")) }

// blanksShown is how many forms the list shows at once.
const blanksShown = 50

// usesForms tells that an organisation refers or is referred to on paper: those outside the county and the offices do not.
func usesForms(o *directoryv1.Organization) bool {
	switch o.GetType() {
	case directoryv1.OrganizationType_COUNTY_HOSPITAL, directoryv1.OrganizationType_TOWNSHIP_CENTRE, directoryv1.OrganizationType_VILLAGE_CLINIC:
		return !o.GetDisabled()
	default:
		return false
	}
}

// printsFor are the organisations for which the visitor may have forms printed.
func (p *Pages) printsFor(ctx context.Context, county *shell.County) []*directoryv1.Organization {
	v, _ := door.VisitorFrom(ctx)
	everywhere := slices.ContainsFunc(v.Account.GetRoles(), func(role commonv1.Role_Code) bool {
		return role == commonv1.Role_INTAKE_DESK || role == commonv1.Role_COUNTY_ADMIN
	})
	var out []*directoryv1.Organization
	for _, o := range county.Organizations {
		if usesForms(o) && (everywhere || o.GetId() == v.Account.GetOrganizationId()) {
			out = append(out, o)
		}
	}
	return out
}

func (p *Pages) allot(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	count, _ := strconv.ParseInt(strings.TrimSpace(r.PostFormValue("count")), 10, 32)
	made, err := p.Downtime.AllotBlankForms(r.Context(), &referralv1.AllotBlankFormsRequest{
		RequestId: r.PostFormValue("requestId"), OrganizationId: r.PostFormValue("organizationId"), Form: r.PostFormValue("form"), Count: int32(count),
	})
	if err != nil {
		return p.Shell.Again(w, r, err, func(again shell.Refused) error {
			return p.showBlanks(w, r, blanksData{Refused: again, Form: again.Form, RequestID: again.RequestID})
		})
	}
	http.Redirect(w, r, "/downtime/"+made.GetForms()[0].GetBatchId(), http.StatusSeeOther)
	return nil
}

func (p *Pages) void(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	_, err := p.Downtime.VoidBlankForm(r.Context(), &referralv1.VoidBlankFormRequest{
		Number: r.PostFormValue("number"), RequestId: r.PostFormValue("requestId"), ReasonCode: r.PostFormValue("reasonCode"), Note: r.PostFormValue("note"),
	})
	if err != nil {
		return p.Shell.Again(w, r, err, func(again shell.Refused) error {
			return p.showBlanks(w, r, blanksData{Refused: again, Form: again.Form, RequestID: again.RequestID, Voiding: r.PostFormValue("number")})
		})
	}
	p.Shell.Flash(w, "downtime.voided")
	http.Redirect(w, r, "/downtime", http.StatusSeeOther)
	return nil
}

// printBatch are the sheets of a batch that are still outstanding, one a page.
func (p *Pages) printBatch(w http.ResponseWriter, r *http.Request) error {
	list, err := p.Downtime.ListBlankForms(r.Context(), &referralv1.ListBlankFormsRequest{
		BatchId: r.PathValue("batch"), State: referralv1.BlankForm_OUTSTANDING,
	})
	if err != nil {
		return err
	}
	if len(list.GetForms()) == 0 {
		return errs.NotFound("blank forms")
	}
	county, err := p.Shell.Names().County(r.Context())
	if err != nil {
		return err
	}
	var sheets []slipData
	for _, b := range list.GetForms() {
		sheet := p.blankSheet(b, county.OrganizationName("zh-CN", b.GetOrganizationId()))
		if sheet.QR, err = qrCode(p.address(r, &referralv1.Slip{Number: b.GetNumber(), VerificationKey: b.GetVerificationKey()})); err != nil {
			return err
		}
		sheets = append(sheets, sheet)
	}
	return p.Shell.Render(w, r, p.printSet, shell.Page{Title: "downtime.print", Nav: "downtime", Data: sheets})
}

// blankSheet is a form that is filled in by hand but for what is known when it is printed.
func (p *Pages) blankSheet(b *referralv1.BlankForm, organization string) slipData {
	s := source{referral: &referralv1.Referral{}, now: p.Shell.Now(), zone: p.Shell.Zone()}
	paper, heading := out(), ""
	switch b.GetForm() {
	case "BACK":
		paper = back()
	case "EMERGENCY":
		heading = "（急诊）"
	}
	paper.Heading += heading
	urgency := choices{"county.urgency", "紧急程度", []choice{{"普通", false}, {"加急", false}}}
	if b.GetForm() == "EMERGENCY" {
		urgency.Boxes = []choice{{"急诊", true}}
	}
	return slipData{
		Number: b.GetNumber(), Blank: true, Down: b.GetForm() == "BACK", Form: paper, Stub: byHand(paper.Stub), Slip: byHand(paper.Slip), SealFrom: organization,
		Notices: notices(),
		County: []addition{
			{"county.number", "转诊单号", b.GetNumber()}, {"county.identity_no", "身份证号", byPen}, {"county.diagnoses", "诊断", byPen},
			{"county.left", "填写时间", "　　　年　　月　　日　　时　　分"},
			{"county.downtime", "停机用单", "系统不能用时手填；恢复后三十日内按本单编号补录。最迟填写日期 " + s.day(b.GetValidUntil().AsTime())},
		},
		Choices: []choices{urgency, {"county.payment", "支付方式", payments()}, {"county.transport", "转送方式", s.transports()}},
	}
}

// byPen stands for a line to write on.
const byPen = "　"

func byHand(fields []field) []filled {
	list := make([]filled, len(fields))
	for i, f := range fields {
		f.Hand = true
		// A sheet must stay one page: what is signed stands in two lines.
		if slices.Contains([]string{"out.referring_phone", "out.date", "back.referring_phone", "back.date"}, f.Code) {
			f.Break = false
		}
		list[i] = filled{f, ""}
	}
	return list
}
