// Package consents holds the pages of what patients agreed to: a patient's consents, recording one, withdrawing it, and the list of those that
// an emergency put off. Decides nothing: who may do what, and what a withdrawal means, is patient-record's.
package consents

import (
	"embed"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

//go:embed *.html
var files embed.FS

// Deps is what the pages need; all fields are required.
type Deps struct {
	Shell       *shell.Shell
	Record      patientrecordv1.PatientRecordServiceClient
	Consents    patientrecordv1.ConsentServiceClient
	Attachments patientrecordv1.AttachmentServiceClient
}

// Pages serves them.
type Pages struct {
	Deps
	listSet, oneSet, deferredSet *shell.Set
}

// New parses the pages.
func New(deps Deps) (*Pages, error) {
	p := &Pages{Deps: deps}
	for file, set := range map[string]**shell.Set{"list.html": &p.listSet, "one.html": &p.oneSet, "deferred.html": &p.deferredSet} {
		parsed, err := deps.Shell.Parse(files, file, "giving.html")
		if err != nil {
			return nil, err
		}
		*set = parsed
	}
	return p, nil
}

// Routes adds the pages to a mux.
func (p *Pages) Routes(mux shell.Mux) {
	mux.Handle("GET /patients/{id}/consents", p.Shell.Page(p.list))
	mux.Handle("POST /patients/{id}/consents", p.Shell.Page(p.record))
	mux.Handle("GET /patients/{id}/consents/{consent}", p.Shell.Page(p.one))
	mux.Handle("POST /patients/{id}/consents/{consent}", p.Shell.Page(p.change))
	mux.Handle("GET /consents", p.Shell.Page(p.deferred))
}

// row is a consent with the names of its organisations.
type row struct {
	*patientrecordv1.ConsentRecord
	Organization, Receiver, GivenAt, WithdrawnAt string
}

func (p *Pages) rows(r *http.Request, list ...*patientrecordv1.ConsentRecord) []row {
	county, err := p.Shell.Names().County(r.Context())
	out := make([]row, len(list))
	for i, c := range list {
		name := func(organization string) string {
			if err != nil || organization == "" {
				return organization
			}
			return county.OrganizationName(p.Shell.Language(r), organization)
		}
		out[i] = row{
			c, name(c.GetOrganizationId()), name(c.GetReceiverOrganizationId()), name(c.GetGiving().GetOrganizationId()), name(c.GetWithdrawal().GetOrganizationId()),
		}
	}
	return out
}

// giving is what the fields of who agrees need.
type giving struct {
	Form   shell.Form
	Sheets []*patientrecordv1.Attachment
	Upload string
}

type listData struct {
	Patient       *patientrecordv1.Patient
	Consents      []row
	Next          string
	Giving        giving
	Organizations []*directoryv1.Organization
	RequestID     string
	Problem       string
}

func (p *Pages) list(w http.ResponseWriter, r *http.Request) error {
	return p.showList(w, r, http.StatusOK, listData{RequestID: id.New()})
}

func (p *Pages) showList(w http.ResponseWriter, r *http.Request, status int, d listData) error {
	ctx, patient := r.Context(), r.PathValue("id")
	list, err := p.Consents.ListConsents(ctx, &patientrecordv1.ListConsentsRequest{PatientId: patient, PageToken: r.URL.Query().Get("page")})
	if err != nil {
		return err
	}
	if d.Patient, err = p.Record.GetPatient(ctx, &patientrecordv1.GetPatientRequest{Id: patient}); err != nil {
		return err
	}
	d.Consents, d.Next = p.rows(r, list.GetConsents()...), list.GetNextPageToken()
	if county, err := p.Shell.Names().County(ctx); err == nil {
		d.Organizations = slices.DeleteFunc(slices.Clone(county.Organizations), func(o *directoryv1.Organization) bool {
			return o.GetType() == directoryv1.OrganizationType_EXTERNAL || o.GetDisabled()
		})
	}
	d.Giving = p.giving(r, d.Giving.Form, d.Patient)
	return p.Shell.Render(w, r, p.listSet, shell.Page{Title: "consents.title", Nav: "patients", Status: status, Data: d})
}

// giving proposes the patient, or a guardian on record, and the sheets that were scanned.
func (p *Pages) giving(r *http.Request, form shell.Form, patient *patientrecordv1.Patient) giving {
	if form.Values == nil {
		form.Values = url.Values{"giving.name": {patient.GetName()}, "giving.relation": {"0"}, "giving.method": {"SIGNED"}}
		if patient.GetGuardianName() != "" {
			form.Values = url.Values{
				"giving.name": {patient.GetGuardianName()}, "giving.relation": {"5"}, "giving.phone": {patient.GetGuardianPhone()}, "giving.method": {"SIGNED"},
			}
		}
	}
	if form.Value("receiverOrganizationId") == "" {
		visitor, _ := door.VisitorFrom(r.Context())
		form.Values.Set("receiverOrganizationId", visitor.Account.GetOrganizationId())
	}
	out := giving{Form: form, Upload: "/patients/" + r.PathValue("id") + "/attachments"}
	list, err := p.Attachments.ListAttachments(r.Context(), &patientrecordv1.ListAttachmentsRequest{PatientId: r.PathValue("id"), PageSize: 100})
	if err != nil {
		return out // the form does without
	}
	for _, a := range list.GetAttachments() {
		if a.GetKind() == patientrecordv1.AttachmentKind_CONSENT && a.GetStatus() == patientrecordv1.AttachmentStatus_CURRENT {
			out.Sheets = append(out.Sheets, a)
		}
	}
	return out
}

// record takes the form of a new consent: given, or put off.
func (p *Pages) record(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	request := &patientrecordv1.RecordConsentRequest{
		RequestId: r.PostFormValue("requestId"), PatientId: r.PathValue("id"),
		Scope:      patientrecordv1.ConsentScope_Code(patientrecordv1.ConsentScope_Code_value[r.PostFormValue("scope")]),
		ReferralId: r.PostFormValue("referralId"), ReceiverOrganizationId: r.PostFormValue("receiverOrganizationId"),
	}
	var err error
	if r.PostFormValue("do") == "defer" {
		request.DeferredReason = strings.TrimSpace(r.PostFormValue("deferredReason"))
	} else {
		request.Giving, err = p.read(r.PostForm)
	}
	if err == nil {
		_, err = p.Consents.RecordConsent(r.Context(), request)
	}
	if err == nil {
		p.Shell.Flash(w, "consents.recorded")
		http.Redirect(w, r, "/patients/"+r.PathValue("id")+"/consents", http.StatusSeeOther)
		return nil
	}
	return p.Shell.Again(w, r, err, func(again shell.Refused) error {
		d := listData{RequestID: again.RequestID, Problem: again.Problem}
		d.Giving.Form = again.Form
		return p.showList(w, r, again.Status, d)
	})
}

// read reads who agrees. A day without an hour: today is now, another day its beginning; a consent that is limited counts to the end of the day.
func (p *Pages) read(form url.Values) (*patientrecordv1.Giving, error) {
	get := func(name string) string { return strings.TrimSpace(form.Get("giving." + name)) }
	out := &patientrecordv1.Giving{
		Name: get("name"), Relation: get("relation"), OnBehalf: get("onBehalf"), Phone: get("phone"), Method: get("method"), Witness: get("witness"),
		AttachmentId: get("attachmentId"),
	}
	var wrong []errs.Field
	day := func(name string) (time.Time, bool) {
		if get(name) == "" {
			return time.Time{}, false
		}
		at, err := time.ParseInLocation(time.DateOnly, get(name), p.Shell.Zone())
		if err != nil {
			wrong = append(wrong, errs.Bad("giving."+name, errs.ReasonFieldInvalid))
		}
		return at, err == nil
	}
	if at, ok := day("time"); ok && get("time") != p.Shell.Now().Format(time.DateOnly) {
		out.Time = timestamppb.New(at)
	}
	if at, ok := day("until"); ok {
		out.Until = timestamppb.New(at.AddDate(0, 0, 1).Add(-time.Second))
	}
	if len(wrong) > 0 {
		return nil, errs.Invalid(wrong...)
	}
	return out, nil
}

type oneData struct {
	Patient              *patientrecordv1.Patient
	Consent              row
	Give, Withdraw, Anew bool
	Giving               giving
	Withdrawal           shell.Form
	RequestID, Problem   string
	// Version is what the forms stand on.
	Version int32
	again   *shell.Refused
}

func (p *Pages) one(w http.ResponseWriter, r *http.Request) error {
	return p.showOne(w, r, http.StatusOK, oneData{RequestID: id.New()})
}

func (p *Pages) showOne(w http.ResponseWriter, r *http.Request, status int, d oneData) error {
	ctx := r.Context()
	c, err := p.Consents.GetConsent(ctx, &patientrecordv1.GetConsentRequest{PatientId: r.PathValue("id"), Id: r.PathValue("consent")})
	if err != nil {
		return err
	}
	if d.Patient, err = p.Record.GetPatient(ctx, &patientrecordv1.GetPatientRequest{Id: r.PathValue("id")}); err != nil {
		return err
	}
	visitor, _ := door.VisitorFrom(ctx)
	d.Consent = p.rows(r, c)[0]
	if d.Version = c.GetVersion(); d.again != nil {
		d.Version = d.again.Version(d.Version)
	}
	d.Give, d.Withdraw = slices.Contains(c.GetActions(), "GIVE"), slices.Contains(c.GetActions(), "WITHDRAW")
	d.Anew = c.GetScope() == patientrecordv1.ConsentScope_REFERRAL && !d.Withdraw && c.GetOrganizationId() == visitor.Account.GetOrganizationId()
	d.Giving = p.giving(r, d.Giving.Form, d.Patient)
	if d.Withdrawal.Values == nil {
		d.Withdrawal.Values = url.Values{"withdrawal.name": {d.Giving.Form.Value("giving.name")}, "withdrawal.relation": {d.Giving.Form.Value("giving.relation")}}
	}
	return p.Shell.Render(w, r, p.oneSet, shell.Page{Title: "consents.one", Nav: "patients", Status: status, Data: d})
}

// change gives or withdraws one.
func (p *Pages) change(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	version, _ := strconv.ParseInt(r.PostFormValue("version"), 10, 32)
	withdraw := r.PostFormValue("do") == "withdraw"
	err := p.write(r, int32(version), withdraw)
	if err == nil {
		done := "consents.given"
		if withdraw {
			done = "consents.withdrawn"
		}
		p.Shell.Flash(w, done)
		http.Redirect(w, r, "/patients/"+r.PathValue("id")+"/consents", http.StatusSeeOther)
		return nil
	}
	return p.Shell.Again(w, r, err, func(again shell.Refused) error {
		d := oneData{RequestID: again.RequestID, Problem: again.Problem, again: &again}
		if d.Giving.Form = again.Form; withdraw {
			d.Giving.Form, d.Withdrawal = shell.Form{}, again.Form
		}
		return p.showOne(w, r, again.Status, d)
	})
}

func (p *Pages) write(r *http.Request, version int32, withdraw bool) error {
	patient, consent, request := r.PathValue("id"), r.PathValue("consent"), r.PostFormValue("requestId")
	if withdraw {
		_, err := p.Consents.WithdrawConsent(r.Context(), &patientrecordv1.WithdrawConsentRequest{
			RequestId: request, PatientId: patient, Id: consent, Version: version, Withdrawal: &patientrecordv1.Withdrawal{
				Name: strings.TrimSpace(r.PostFormValue("withdrawal.name")), Relation: r.PostFormValue("withdrawal.relation"),
				Reason: strings.TrimSpace(r.PostFormValue("withdrawal.reason")),
			},
		})
		return err
	}
	giving, err := p.read(r.PostForm)
	if err != nil {
		return err
	}
	_, err = p.Consents.GiveConsent(r.Context(), &patientrecordv1.GiveConsentRequest{
		RequestId: request, PatientId: patient, Id: consent, Version: version, Giving: giving,
	})
	return err
}

type deferredData struct {
	Consents []row
	Next     string
}

// deferred is the list of those that the visitor's organisation put off.
func (p *Pages) deferred(w http.ResponseWriter, r *http.Request) error {
	list, err := p.Consents.ListDeferredConsents(r.Context(), &patientrecordv1.ListDeferredConsentsRequest{PageToken: r.URL.Query().Get("page")})
	if err != nil {
		return err
	}
	d := deferredData{Consents: p.rows(r, list.GetConsents()...), Next: list.GetNextPageToken()}
	return p.Shell.Render(w, r, p.deferredSet, shell.Page{Title: "consents.deferred", Nav: "consents", Data: d})
}
