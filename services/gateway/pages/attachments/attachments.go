// Package attachments holds the pages of a patient's documents: the list with small pictures, the form to add several at once, one document
// with its versions, and its correction. Files go through package files; nothing of them is kept here.
package attachments

import (
	"context"
	"embed"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/files"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

//go:embed *.html
var templates embed.FS

const (
	// listed is how many documents a page shows.
	listed = 60
	// referralsOffered is how many referrals a document can be put to.
	referralsOffered = 20
)

// Deps is what the pages need; all fields are required.
type Deps struct {
	Shell       *shell.Shell
	Attachments patientrecordv1.AttachmentServiceClient
	Record      patientrecordv1.PatientRecordServiceClient
	Referral    referralv1.ReferralServiceClient
}

// Pages serves them.
type Pages struct {
	Deps
	listSet, oneSet *shell.Set
}

// New parses the pages.
func New(deps Deps) (*Pages, error) {
	list, err := deps.Shell.Parse(templates, "list.html", "form.html")
	if err != nil {
		return nil, err
	}
	one, err := deps.Shell.Parse(templates, "one.html", "form.html")
	if err != nil {
		return nil, err
	}
	return &Pages{Deps: deps, listSet: list, oneSet: one}, nil
}

// The routes that carry files; whoever serves the pages gives them the deadline of files.Slow.
const (
	UploadRoute  = "POST /patients/{id}/attachments"
	ContentRoute = "GET /patients/{id}/attachments/{attachment}/content"
)

// Routes adds the pages to a mux.
func (p *Pages) Routes(mux shell.Mux) {
	mux.Handle("GET /patients/{id}/attachments", p.Shell.Page(p.list))
	mux.Handle(UploadRoute, p.Shell.Page(p.upload))
	mux.Handle("GET /patients/{id}/attachments/{attachment}", p.Shell.Page(p.one))
	mux.Handle("POST /patients/{id}/attachments/{attachment}", p.Shell.Page(p.change))
	mux.Handle(ContentRoute, p.Shell.Page(p.content))
}

// kinds are those that can be chosen, in the order of the form.
func kinds() []string {
	return []string{"LAB_REPORT", "EXAM_REPORT", "IMAGE", "ECG", "MEDICAL_RECORD", "CONSENT", "OTHER"}
}

// fate is what became of one file of a form. There is the address of the document that has its content already.
type fate struct{ Name, Text, There string }

type listData struct {
	Patient     *patientrecordv1.Patient
	Attachments []item
	Withheld    *patientrecordv1.Withheld
	After       string
	Form        shell.Form
	RequestID   string
	Kinds       []string
	Referrals   []shell.Row
	// Added and Refused are the files of a form that was just sent without the script.
	Added, Refused []fate
	// Back is the form from which somebody came to add documents, "" for none; Here the address of the page with it.
	Back, Here string
}

// Doubles tells that a file was refused because a document has it already: the visitor may say that it is to be kept.
func (d listData) Doubles() bool {
	return d.Form.Value("keepDuplicate") != "" || slices.ContainsFunc(d.Refused, func(f fate) bool { return f.There != "" })
}

// Older is the address where the list goes on, for the same referral and with the same way back.
func (d listData) Older() string {
	mark := "?"
	if strings.Contains(d.Here, "?") {
		mark = "&"
	}
	return d.Here + mark + "after=" + url.QueryEscape(d.After)
}

// item is a document with its organisation's name.
type item struct {
	*patientrecordv1.Attachment
	Organization string
}

func (p *Pages) list(w http.ResponseWriter, r *http.Request) error {
	return p.show(w, r, http.StatusOK, listData{Form: shell.Form{Values: url.Values{"kind": {"LAB_REPORT"}, "referralId": {r.URL.Query().Get("referral")}}}})
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request, status int, data listData) error {
	ctx, patient := r.Context(), r.PathValue("id")
	list, err := p.Attachments.ListAttachments(ctx, &patientrecordv1.ListAttachmentsRequest{PatientId: patient, PageSize: listed, PageToken: r.URL.Query().Get("after")})
	if err != nil {
		return err
	}
	if data.Patient, err = p.Record.GetPatient(ctx, &patientrecordv1.GetPatientRequest{Id: patient}); err != nil {
		return err
	}
	data.Attachments, data.Withheld, data.After = p.named(r, list.GetAttachments()...), list.GetWithheld(), list.GetNextPageToken()
	data.Back, data.Here = back(r), here(r)
	data.Kinds, data.Referrals, data.RequestID = kinds(), p.referrals(r, patient), id.New()
	return p.Shell.Render(w, r, p.listSet, shell.Page{Title: "attachments.title", Nav: "patients", Status: status, Data: data})
}

// back is the form of a referral from which somebody came, "" for none.
func back(r *http.Request) string {
	path := r.URL.Query().Get("back")
	if path == "" || shell.LocalPath(path) != path {
		return ""
	}
	return path
}

// here is the address of the list, for the referral and with the way back with which it was opened.
func here(r *http.Request) string {
	query := url.Values{}
	if referral := r.URL.Query().Get("referral"); referral != "" {
		query.Set("referral", referral)
	}
	if form := back(r); form != "" {
		query.Set("back", form)
	}
	path := "/patients/" + r.PathValue("id") + "/attachments"
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return path
}

func (p *Pages) named(r *http.Request, list ...*patientrecordv1.Attachment) []item {
	county, err := p.Shell.Names().County(r.Context())
	out := make([]item, len(list))
	for i, a := range list {
		out[i].Attachment = a
		if err == nil {
			out[i].Organization = county.OrganizationName(p.Shell.Language(r), a.GetOrganizationId())
		}
	}
	return out
}

// referrals that a document can go with; without an answer the form does without.
func (p *Pages) referrals(r *http.Request, patient string) []shell.Row {
	list, err := p.Referral.ListReferrals(r.Context(), &referralv1.ListReferralsRequest{View: "all", PatientId: patient, PageSize: referralsOffered})
	if err != nil {
		return nil
	}
	return p.Shell.Rows(r, list.GetReferrals())
}

// upload takes all files of a form, each as a write of its own. A script sends them one by one and is answered in one line; else the page is
// shown again with what became of each.
func (p *Pages) upload(w http.ResponseWriter, r *http.Request) error {
	data := listData{}
	var first error
	n, fields, err := files.Each(r, func(u files.Upload) {
		index := u.Fields["index"]
		if index == "" {
			index = strconv.Itoa(u.Index)
		}
		// The same form sent again names the same writes.
		request := id.FromFact(u.Fields["requestId"], index)
		if _, err := files.Send(door.Renewed(r.Context()), p.Attachments, files.Header(r.PathValue("id"), request, u.Fields), u.Body); err != nil {
			first = errors.Join(first, err)
			data.Refused = append(data.Refused, p.refused(r, u.Name, err))
			return
		}
		data.Added = append(data.Added, fate{Name: u.Name})
	})
	if err == nil && n == 0 {
		err = errs.Invalid(errs.Required("file"))
	}
	first = errors.Join(first, err)
	if r.Header.Get("X-Fragment") != "" {
		there := ""
		if len(data.Refused) == 1 {
			there = data.Refused[0].There
		}
		return p.line(w, r, answered{first, data.Refused, there})
	}
	data.Form.Values = url.Values{}
	for name, text := range fields {
		data.Form.Values.Set(name, text)
	}
	switch {
	case first == nil:
		p.Shell.Flash(w, "attachments.added")
		http.Redirect(w, r, here(r), http.StatusSeeOther)
		return nil
	case err != nil && errs.KindOf(err) != errs.KindInvalid || len(data.Refused) > 0 && errs.KindOf(first) == errs.KindNotFound:
		return first
	case err != nil:
		data.Form.Errors = p.Shell.FieldErrors(r, shell.Called(err, labels()))
	}
	return p.show(w, r, errs.HTTPStatus(first), data)
}

// labels are what the forms call the fields that others call otherwise.
func labels() map[string]string {
	return map[string]string{"kind": "attachments.kind", "referralId": "attachments.referral"}
}

// refused is what is said of a file that was not kept: of one that a document has already, which document that is.
func (p *Pages) refused(r *http.Request, name string, err error) fate {
	out := fate{Name: name, Text: p.Shell.ErrorText(r, err)}
	e, ok := errs.As(err)
	if !ok || e.Reason != errs.ReasonAttachmentExists || !id.Valid(e.Meta["attachmentId"]) {
		return out
	}
	patient, there := r.PathValue("id"), e.Meta["attachmentId"]
	out.There = "/patients/" + patient + "/attachments/" + there
	a, err := p.Attachments.GetAttachment(door.Renewed(r.Context()), &patientrecordv1.GetAttachmentRequest{PatientId: patient, Id: there})
	if err != nil {
		return out // that it is there is known; what it is called is not
	}
	title := a.GetTitle()
	if title == "" {
		title = p.Shell.T(r, "attachments.kind."+a.GetKind().String())
	}
	out.Text = p.Shell.T(r, "attachments.there", "title", title, "day", a.GetCreateTime().AsTime().In(p.Shell.Zone()).Format(time.DateOnly))
	return out
}

// answered is what a script is told.
type answered struct {
	err     error
	refused []fate
	there   string
}

// line answers a script: the status, and what to say; in a header the address of the document that has the file already.
func (p *Pages) line(w http.ResponseWriter, r *http.Request, a answered) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if a.err == nil {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	text := p.Shell.ErrorText(r, a.err)
	if a.there != "" {
		text = a.refused[0].Text
		w.Header().Set("X-There", a.there)
	}
	w.WriteHeader(errs.HTTPStatus(a.err))
	_, err := io.WriteString(w, text)
	return err
}

type oneData struct {
	// At is the address of the patient's documents, ID the document's.
	At, PatientID, ID string
	// Patient is nil when the record cannot be asked: whose the document is stands above it.
	Patient *patientrecordv1.Patient
	// Attachment is empty while it cannot be read: then the form that was sent stands alone.
	Attachment item
	History    []item
	// Form corrects, Mistake says that it was entered in error.
	Form, Mistake shell.Form
	RequestID     string
	Kinds         []string
	Referrals     []shell.Row
	Large         bool
	// Problem is why a change was not made, if no field is to blame.
	Problem string
}

func (p *Pages) one(w http.ResponseWriter, r *http.Request) error {
	data, err := p.loadOne(r)
	if err != nil {
		return err
	}
	return p.showOne(w, r, http.StatusOK, data)
}

// loadOne reads the page; with an error there is the form alone.
func (p *Pages) loadOne(r *http.Request) (oneData, error) {
	patient := r.PathValue("id")
	data := oneData{At: "/patients/" + patient + "/attachments", PatientID: patient, ID: r.PathValue("attachment"), Kinds: kinds(), RequestID: id.New()}
	a, err := p.Attachments.GetAttachment(r.Context(), &patientrecordv1.GetAttachmentRequest{PatientId: patient, Id: data.ID})
	if err != nil {
		return data, err
	}
	data.Attachment, data.History, data.Referrals = p.named(r, a)[0], p.named(r, a.GetHistory()...), p.referrals(r, patient)
	data.Patient, _ = p.Record.GetPatient(r.Context(), &patientrecordv1.GetPatientRequest{Id: patient})
	data.Large = r.URL.Query().Get("size") == "full"
	data.Form.Values = shell.Original(valuesOf(a), nil)
	data.Form.Values.Set("version", strconv.Itoa(int(a.GetVersion())))
	data.Mistake.Values = url.Values{"version": data.Form.Values["version"]}
	return data, nil
}

func valuesOf(a *patientrecordv1.Attachment) url.Values {
	return url.Values{
		"kind": {a.GetKind().String()}, "title": {a.GetTitle()}, "documentDate": {a.GetDocumentDate()}, "author": {a.GetAuthor()}, "referralId": {a.GetReferralId()},
	}
}

func (p *Pages) showOne(w http.ResponseWriter, r *http.Request, status int, data oneData) error {
	return p.Shell.Render(w, r, p.oneSet, shell.Page{Title: "attachments.one", Nav: "patients", Status: status, Data: data})
}

// change corrects a document's metadata, or marks it as entered in error.
func (p *Pages) change(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	err := p.write(r.Context(), r.PathValue("id"), r.PathValue("attachment"), r.PostForm)
	if err == nil {
		p.Shell.Flash(w, "attachments.changed")
		http.Redirect(w, r, r.URL.Path, http.StatusSeeOther)
		return nil
	}
	return p.Shell.Again(w, r, shell.Called(err, labels()), func(again shell.Refused) error {
		data, _ := p.loadOne(r) // without the document the form stands alone
		if a := data.Attachment.Attachment; a != nil && errs.KindOf(err) == errs.KindStale {
			again.Form.Rebase(valuesOf(a), nil)
			again.Form.Values.Set("version", strconv.Itoa(int(a.GetVersion())))
		}
		data.Problem, data.RequestID = again.Problem, again.RequestID
		if again.Form.Value("mistaken") == "" {
			data.Form = again.Form
			return p.showOne(w, r, again.Status, data)
		}
		data.Mistake = again.Form
		for i, e := range data.Mistake.Errors {
			if e.Name == "reason" {
				data.Mistake.Errors[i].Name = "mistake"
			}
		}
		return p.showOne(w, r, again.Status, data)
	})
}

func (p *Pages) write(ctx context.Context, patient, attachment string, form url.Values) error {
	version, err := strconv.ParseInt(form.Get("version"), 10, 32)
	if err != nil {
		return errs.Invalid(errs.Bad("version", errs.ReasonFieldInvalid))
	}
	if form.Get("mistaken") != "" {
		_, err = p.Attachments.MarkAttachmentEnteredInError(ctx, &patientrecordv1.MarkAttachmentEnteredInErrorRequest{
			RequestId: form.Get("requestId"), PatientId: patient, Id: attachment, Version: int32(version), Reason: form.Get("reason"),
		})
		return err
	}
	_, err = p.Attachments.CorrectAttachment(ctx, &patientrecordv1.CorrectAttachmentRequest{
		RequestId: form.Get("requestId"), PatientId: patient, Id: attachment, Version: int32(version), Kind: files.Kind(form.Get("kind")), Title: form.Get("title"),
		DocumentDate: form.Get("documentDate"), Author: form.Get("author"), ReferralId: form.Get("referralId"), Reason: form.Get("reason"),
	})
	return err
}

func (p *Pages) content(w http.ResponseWriter, r *http.Request) error {
	err := files.Receive(w, r, p.Attachments, &patientrecordv1.DownloadAttachmentRequest{
		PatientId: r.PathValue("id"), Id: r.PathValue("attachment"), Thumbnail: r.URL.Query().Get("thumbnail") == "true",
	}, r.URL.Query().Get("download") == "true")
	if errors.Is(err, files.ErrBroken) {
		return nil // nothing can be said any more
	}
	return err
}
