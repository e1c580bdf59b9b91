package gateway_test

import (
	"bytes"
	"errors"
	"html"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

const (
	attachmentID    = "0192f0c1-0000-7000-8000-0000000000f1"
	attachmentsPage = "/patients/" + patientID + "/attachments"
)

func sampleAttachment() *patientrecordv1.Attachment {
	return &patientrecordv1.Attachment{
		Id: attachmentID, Version: 2, PatientId: patientID, ReferralId: referralID, Kind: patientrecordv1.AttachmentKind_ECG, Status: patientrecordv1.AttachmentStatus_CURRENT,
		Title: markText, DocumentDate: "2026-03-01", Author: markText, OrganizationId: townshipID, MediaType: "image/jpeg", Size: 100_000, Width: 3000, Height: 2000,
		HasThumbnail: true, CreateTime: in(0), UpdateTime: in(0), Reason: markText,
	}
}

// papers are the answers about a patient's documents.
func papers() map[string]proto.Message {
	one, pdf, wrong := sampleAttachment(), sampleAttachment(), sampleAttachment()
	pdf.MediaType, pdf.Width, pdf.Height, pdf.HasThumbnail, pdf.Pages, pdf.Title, pdf.ReferralId = "application/pdf", 0, 0, false, 3, "", ""
	wrong.Status = patientrecordv1.AttachmentStatus_ENTERED_IN_ERROR
	one.History = []*patientrecordv1.Attachment{pdf}
	return map[string]proto.Message{
		patientrecordv1.AttachmentService_ListAttachments_FullMethodName: &patientrecordv1.ListAttachmentsResponse{
			Attachments: []*patientrecordv1.Attachment{sampleAttachment(), pdf, wrong}, NextPageToken: attachmentID,
		},
		patientrecordv1.AttachmentService_GetAttachment_FullMethodName:                one,
		patientrecordv1.AttachmentService_CorrectAttachment_FullMethodName:            one,
		patientrecordv1.AttachmentService_MarkAttachmentEnteredInError_FullMethodName: wrong,
	}
}

// archive is the peer that takes and gives files.
type archive struct {
	patientrecordv1.UnimplementedAttachmentServiceServer
	mu      sync.Mutex
	headers []*patientrecordv1.AttachmentHeader
	sizes   []int
	content []byte
	broken  bool
}

func (a *archive) UploadAttachment(s grpc.ClientStreamingServer[patientrecordv1.UploadAttachmentRequest, patientrecordv1.Attachment]) error {
	first, err := s.Recv()
	if err != nil {
		return err
	}
	size := 0
	for {
		in, err := s.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		size += len(in.GetData())
		if bytes.HasPrefix(in.GetData(), []byte("TWICE")) && !first.GetHeader().GetKeepDuplicate() {
			return errs.Conflict(errs.ReasonAttachmentExists, "there already").With("attachmentId", attachmentID)
		}
		if bytes.HasPrefix(in.GetData(), []byte("GIF")) {
			return errs.Invalid(errs.Bad("file", errs.ReasonFileRefused, "cause", "TYPE"))
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.headers, a.sizes = append(a.headers, first.GetHeader()), append(a.sizes, size)
	return s.SendAndClose(sampleAttachment())
}

func (a *archive) DownloadAttachment(in *patientrecordv1.DownloadAttachmentRequest, s grpc.ServerStreamingServer[patientrecordv1.AttachmentPiece]) error {
	if in.GetId() != attachmentID {
		return errs.NotFound("attachment")
	}
	one := sampleAttachment()
	kind := "image/jpeg"
	if bytes.HasPrefix(a.content, []byte("%PDF")) {
		kind = "application/pdf"
	}
	if err := s.Send(&patientrecordv1.AttachmentPiece{Attachment: one, MediaType: kind, Size: int32(len(a.content)), Data: a.content[:3]}); err != nil || a.broken {
		return errors.Join(err, errs.New(errs.KindInternal, errs.ReasonInternal, "not whole", nil))
	}
	return s.Send(&patientrecordv1.AttachmentPiece{Data: a.content[3:]})
}

// files is a form with fields and then files: name, content, ….
func filesForm(t *testing.T, fields []string, files ...string) (body io.Reader, contentType string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i < len(fields); i += 2 {
		check(t, w.WriteField(fields[i], fields[i+1]))
	}
	for i := 0; i < len(files); i += 2 {
		part, err := w.CreateFormFile("file", files[i])
		check(t, err)
		_, err = io.WriteString(part, files[i+1])
		check(t, err)
	}
	check(t, w.Close())
	return &b, w.FormDataContentType()
}

func (b *browser) upload(fields []string, header []string, files ...string) *httptest.ResponseRecorder {
	body, contentType := filesForm(b.w.t, fields, files...)
	r := httptest.NewRequestWithContext(b.w.t.Context(), http.MethodPost, attachmentsPage, body)
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(r, header...)
}

func TestSeveralDocumentsGoInAtOnceEachAWriteOfItsOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	request := id.New()
	fields := []string{"requestId", request, "kind", "ECG", "title", markText, "documentDate", "2026-03-01", "referralId", referralID}
	large := strings.Repeat("x", 300_000)
	for range 2 { // sent again after a line that broke
		if got := b.upload(fields, nil, "a.jpg", "\xff\xd8\xff", "b.jpg", large, "", ""); got.Code != http.StatusSeeOther || got.Header().Get("Location") != attachmentsPage {
			t.Fatal(got.Code, got.Body)
		}
	}
	a := w.archive
	if len(a.headers) != 4 || !proto.Equal(a.headers[0], a.headers[2]) || a.headers[0].GetRequestId() == a.headers[1].GetRequestId() || a.sizes[1] != len(large) {
		t.Fatalf("%v %v", a.headers, a.sizes)
	}
	if h := a.headers[0]; h.GetPatientId() != patientID || h.GetKind() != patientrecordv1.AttachmentKind_ECG || h.GetTitle() != markText || h.GetReferralId() != referralID {
		t.Errorf("%v", h)
	}
	mixed := b.upload(fields, nil, "a.jpg", "\xff\xd8\xff", "报告.gif", "GIF89a")
	if page := mixed.Body.String(); mixed.Code != http.StatusBadRequest || !strings.Contains(page, "报告.gif") || !strings.Contains(page, "Only JPG and PNG") || !strings.Contains(page, `value="`+markText+`"`) {
		t.Errorf("%d: the page does not name the file, the remedy and what was typed", mixed.Code)
	}
	if got := b.upload(fields, nil); got.Code != http.StatusBadRequest {
		t.Errorf("no file: %d", got.Code)
	}
	one := b.upload(append(fields, "index", "1"), []string{"X-Fragment", "upload"}, "b.jpg", large)
	if one.Code != http.StatusNoContent || a.headers[len(a.headers)-1].GetRequestId() != a.headers[1].GetRequestId() {
		t.Errorf("%d: the script's request is another than the form's", one.Code)
	}
	if got := b.upload(fields, []string{"X-Fragment", "upload"}, "c.gif", "GIF89a"); got.Code != http.StatusBadRequest || !strings.HasPrefix(got.Body.String(), "Only JPG and PNG") {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if got := w.browser("").upload(fields, nil, "a.jpg", "x"); got.Code != http.StatusSeeOther || !strings.HasPrefix(got.Header().Get("Location"), "/sign-in") {
		t.Errorf("a stranger: %d", got.Code)
	}
	if strings.Contains(b.overt.String()+w.log.String(), markText) {
		t.Error("a title is in an address or in the log")
	}
}

func TestAFileThatIsThereAlreadyIsNamedAndKeptOnPurpose(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	fields := []string{"requestId", id.New(), "kind", "ECG"}
	there := `href="` + attachmentsPage + "/" + attachmentID + `"`
	got := b.upload(fields, nil, "心电图一.jpg", "TWICE", "心电图二.jpg", "\xff\xd8\xff")
	page := got.Body.String()
	if got.Code != http.StatusConflict || !strings.Contains(page, "This file is in “"+sampleAttachment().GetTitle()+"” already") || !strings.Contains(page, there) || !strings.Contains(page, `name="keepDuplicate"`) {
		t.Errorf("%d: the page does not say which document has the file, or how to keep it", got.Code)
	}
	if tick, file := strings.Index(page, `name="keepDuplicate"`), strings.Index(page, `name="file"`); tick > file {
		t.Error("the browser sends the tick after the files, where it is not read")
	}
	if len(w.archive.headers) != 1 {
		t.Errorf("%d documents: the other file is lost, or the double kept", len(w.archive.headers))
	}
	for _, problem := range htmlcheck.Page(page) {
		t.Error(problem)
	}
	line := b.upload(fields, []string{"X-Fragment", "upload"}, "心电图一.jpg", "TWICE")
	if line.Code != http.StatusConflict || line.Header().Get("X-There") != attachmentsPage+"/"+attachmentID || !strings.HasPrefix(line.Body.String(), "This file is in “") {
		t.Errorf("the script is told %d %v %q", line.Code, line.Header(), line.Body)
	}
	if got := b.upload(append(fields, "keepDuplicate", "1"), nil, "心电图一.jpg", "TWICE"); got.Code != http.StatusSeeOther || !w.archive.headers[len(w.archive.headers)-1].GetKeepDuplicate() {
		t.Errorf("on purpose: %d", got.Code)
	}
	if strings.Contains(b.get(attachmentsPage).Body.String(), "keepDuplicate") {
		t.Error("everybody is asked whether to keep doubles")
	}
}

func TestALineThatBreaksLeavesNoDocument(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body, contentType := filesForm(t, []string{"requestId", id.New(), "kind", "ECG"}, "a.jpg", strings.Repeat("x", 200_000))
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, attachmentsPage, io.LimitReader(body, 150_000))
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if got := w.browser("township").do(r); got.Code != http.StatusBadRequest || len(w.archive.headers) != 0 {
		t.Errorf("%d, %d documents", got.Code, len(w.archive.headers))
	}
}

func TestADocumentComesOutWithHeadersThatLetItDoNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	at := attachmentsPage + "/" + attachmentID + "/content"
	w.archive.content = []byte("\xff\xd8\xff picture")
	got := b.get(at)
	h := got.Header()
	if got.Code != http.StatusOK || got.Body.String() != string(w.archive.content) || h.Get("Content-Type") != "image/jpeg" || h.Get("X-Content-Type-Options") != "nosniff" ||
		h.Get("Cache-Control") != "no-store" || h.Get("Content-Security-Policy") != "default-src 'none'; sandbox" || !strings.HasPrefix(h.Get("Content-Disposition"), "inline; ") {
		t.Errorf("%d %v", got.Code, h)
	}
	w.archive.content = []byte("%PDF-1.7")
	if got := b.get(at); !strings.HasPrefix(got.Header().Get("Content-Disposition"), "attachment; ") {
		t.Errorf("a PDF is opened: %v", got.Header())
	}
	if got := w.api(http.MethodGet, "/patients/"+patientID+"/attachments/"+attachmentID+"/content", "township", ""); got.Code != http.StatusOK || got.Body.String() != "%PDF-1.7" {
		t.Errorf("by REST: %d", got.Code)
	}
	w.archive.broken = true
	if got := b.get(at); got.Body.String() != "%PD" || got.Header().Get("Content-Length") != "8" {
		t.Errorf("%q: what is not whole is not told apart from the whole", got.Body)
	}
	if got := b.get(strings.Replace(at, attachmentID, id.New(), 1)); got.Code != http.StatusNotFound {
		t.Errorf("one that is not there: %d", got.Code)
	}
	if got := w.api(http.MethodGet, "/patients/"+patientID+"/attachments/"+id.New()+"/content", "", ""); got.Code != http.StatusUnauthorized {
		t.Errorf("without a session: %d", got.Code)
	}
}

func TestADocumentGoesInByREST(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body, contentType := filesForm(t, []string{"kind", "LAB_REPORT", "documentDate", "2026-03-01"}, "a.pdf", "%PDF-1.7")
	text, err := io.ReadAll(body)
	check(t, err)
	request := id.New()
	got := w.api(http.MethodPost, "/patients/"+patientID+"/attachments", "township", string(text), "Content-Type", contentType, "Idempotency-Key", request)
	if got.Code != http.StatusOK || !strings.Contains(got.Body.String(), `"id":"`+attachmentID+`"`) || len(w.archive.headers) != 1 || w.archive.headers[0].GetRequestId() != request {
		t.Fatalf("%d %s %v", got.Code, got.Body, w.archive.headers)
	}
	if got := w.api(http.MethodPost, "/patients/"+patientID+"/attachments", "township", "{}", "Content-Type", "application/json"); got.Code != http.StatusBadRequest {
		t.Errorf("JSON: %d", got.Code)
	}
	if got := w.api(http.MethodPost, "/patients/"+patientID+"/attachments", "", string(text), "Content-Type", contentType); got.Code != http.StatusUnauthorized {
		t.Errorf("without a session: %d", got.Code)
	}
}

func TestADocumentIsCorrectedWithAReason(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	page := attachmentsPage + "/" + attachmentID
	typed := form("requestId", id.New(), "version", "2", "kind", "ECG", "title", "复查", "reason", "选错了")
	if got := b.post(page, typed); got.Code != http.StatusSeeOther || got.Header().Get("Location") != page {
		t.Fatal(got.Code, got.Body)
	}
	made := called[*patientrecordv1.CorrectAttachmentRequest](w, patientrecordv1.AttachmentService_CorrectAttachment_FullMethodName)
	if len(made) != 1 || made[0].GetVersion() != 2 || made[0].GetTitle() != "复查" || made[0].GetReason() != "选错了" || made[0].GetPatientId() != patientID {
		t.Errorf("%v", made)
	}
	b.post(page, with(typed, "mistaken", "1"))
	if marked := called[*patientrecordv1.MarkAttachmentEnteredInErrorRequest](w, patientrecordv1.AttachmentService_MarkAttachmentEnteredInError_FullMethodName); len(marked) != 1 {
		t.Errorf("%v", marked)
	}
	w.refuse(patientrecordv1.AttachmentService_CorrectAttachment_FullMethodName, errs.Invalid(errs.Required("reason")))
	if got := b.post(page, with(typed, "reason", "")); got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), `value="复查"`) {
		t.Errorf("%d: what was typed is gone", got.Code)
	}
}

func TestADocumentThatSomebodyElseCorrectedIsNotOverwrittenUnseen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	page := attachmentsPage + "/" + attachmentID
	now := sampleAttachment()
	now.Version, now.Title, now.Author, now.Kind = 3, "同事改的标题", "同事改的出具人", patientrecordv1.AttachmentKind_IMAGE
	w.always(patientrecordv1.AttachmentService_GetAttachment_FullMethodName, now)
	w.refuse(patientrecordv1.AttachmentService_CorrectAttachment_FullMethodName, errs.Stale(3, ""))
	body := b.post(page, form("requestId", "r1", "version", "2", "kind", "ECG", "was.kind", "ECG", "title", "复查", "was.title", markText, "author", markText, "was.author", markText,
		"documentDate", "2026-03-01", "was.documentDate", "2026-03-01", "referralId", referralID, "was.referralId", referralID, "reason", "选错了")).Body.String()
	for what, words := range map[string]string{
		"what was typed": `value="复查"`, "the reason": `value="选错了"`, "what stands now": `name="author" type="text" value="同事改的出具人"`, "its kind": `value="IMAGE" selected`,
		"what somebody else changed": "changed this to: 同事改的标题", "the version": `name="version" value="3"`,
	} {
		if !strings.Contains(body, words) {
			t.Errorf("%s: %q is missing", what, words)
		}
	}
}

func TestADocumentThatNeedsAPurposeLeadsToWhereItIsStated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.refuse(patientrecordv1.AttachmentService_GetAttachment_FullMethodName, errs.Denied(errs.ReasonPurposeRequired).With("patientId", patientID))
	b := w.browser("township")
	page := attachmentsPage + "/" + attachmentID
	got := b.get(page)
	body := sound(t, "withheld", got)
	if got.Code != http.StatusForbidden || !strings.Contains(body, `href="/access/`+patientID+`/purpose"`) || !strings.Contains(body, "after a purpose is stated") || strings.Contains(body, "no care relation") {
		t.Errorf("%d: no way to the document", got.Code)
	}
	if back := b.get("/access/"+patientID+"/purpose", "Referer", "http://example.com"+page).Body.String(); !strings.Contains(back, `name="back" value="`+page+`"`) {
		t.Error("the purpose does not lead back to the document")
	}
	w.always(patientrecordv1.AttachmentService_ListAttachments_FullMethodName, &patientrecordv1.ListAttachmentsResponse{Withheld: &patientrecordv1.Withheld{Count: 1, Child: true}})
	if body := b.get(attachmentsPage).Body.String(); !strings.Contains(body, `href="/access/`+patientID+`/purpose"`) {
		t.Error("the list does not lead to where a purpose is stated")
	}
	w.recognising()
	if body := b.get(ordersPage).Body.String(); !strings.Contains(body, `href="/access/`+patientID+`/purpose"`) {
		t.Error("the examinations do not lead to where a purpose is stated")
	}
}

// Who adds a document to a referral that is being mended comes back to its form.
func TestAddingADocumentLeadsBackToTheForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(getMethod, sampleReferral(referralv1.State_RETURNED))
	b := w.browser("township")
	form := "/referrals/" + referralID + "/edit"
	add := "/patients/" + patientID + "/attachments?back=" + url.QueryEscape(form) + "&referral=" + referralID
	if page := b.get(form).Body.String(); !strings.Contains(page, `href="`+html.EscapeString(add)+`"`) {
		t.Errorf("the form does not lead to %s", add)
	}
	page := b.get(add).Body.String()
	for _, problem := range htmlcheck.Page(page) {
		t.Error(problem)
	}
	if !strings.Contains(page, `href="`+form+`"`) || !strings.Contains(page, `action="`+html.EscapeString(add)+`"`) {
		t.Error("there is no way back, or it is lost when a document was added")
	}
	w.always(patientrecordv1.AttachmentService_ListAttachments_FullMethodName, &patientrecordv1.ListAttachmentsResponse{Attachments: []*patientrecordv1.Attachment{sampleAttachment()}, NextPageToken: "a&b"})
	if older := b.get(add).Body.String(); !strings.Contains(older, `href="`+html.EscapeString("/patients/"+patientID+"/attachments?back="+url.QueryEscape(form)+"&referral="+referralID+"&after=a%26b")+`"`) {
		t.Error("the older documents lose the way back")
	}
	for _, elsewhere := range []string{"https://elsewhere.example/", "//elsewhere.example/", `/\elsewhere.example/`} {
		if got := b.get("/patients/" + patientID + "/attachments?back=" + url.QueryEscape(elsewhere)); strings.Contains(got.Body.String(), `href="`+html.EscapeString(elsewhere)) {
			t.Errorf("%s is led to", elsewhere)
		}
	}
}
