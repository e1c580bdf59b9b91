// Package files carries documents between a browser or API client and patient-record, in pieces: nothing of a file is kept here. It owns
// the deadlines of slow lines, the form that uploads come in and the headers that downloads go out with.
package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"time"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
)

const (
	// idle is how long a line may bring or take nothing. A file may take as long as a stream lives, as long as something moves.
	idle = 30 * time.Second
	// maxBody of one form: twenty files and more of the largest size.
	maxBody = 256 << 20
	// maxField of a form's text.
	maxField = 4 << 10
	// maxFiles and maxFields of one form.
	maxFiles  = 40
	maxFields = 20
	piece     = 64 << 10
)

// Slow gives a request the deadline of a stream instead of a page's; each read and write moves the line's own deadline on.
func Slow(next http.Handler, clk clock.Clock) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), rpc.StreamTimeout)
		defer cancel()
		line := &line{clk: clk, control: http.NewResponseController(w)}
		line.moved()
		r = r.WithContext(ctx)
		r.Body = struct {
			io.Reader
			io.Closer
		}{line.reader(http.MaxBytesReader(w, r.Body, maxBody)), r.Body}
		next.ServeHTTP(&slowWriter{ResponseWriter: w, line: line}, r)
	})
}

type line struct {
	clk     clock.Clock
	control *http.ResponseController
}

// moved is best effort: a recorder in a test and a proxy's writer have no deadlines.
func (l *line) moved() {
	_ = l.control.SetReadDeadline(l.clk.Now().Add(idle))
	_ = l.control.SetWriteDeadline(l.clk.Now().Add(2 * idle)) // the answer comes after the reading
}

func (l *line) reader(r io.Reader) io.Reader { return &slowReader{r, l} }

type slowReader struct {
	r    io.Reader
	line *line
}

// Read moves the deadline on before and after: what the service takes for a file is not the line's. After the end there is nothing to wait
// for, and a deadline that passed would end the request.
func (s *slowReader) Read(p []byte) (int, error) {
	s.line.moved()
	n, err := s.r.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		_ = s.line.control.SetReadDeadline(time.Time{})
	case n > 0:
		s.line.moved()
	}
	return n, err
}

type slowWriter struct {
	http.ResponseWriter
	line *line
}

// Write moves the deadline on before it.
func (s *slowWriter) Write(p []byte) (int, error) {
	s.line.moved()
	return s.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (s *slowWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// Upload is one file of a form, with the fields that stood before it.
type Upload struct {
	// Name as the browser gave it; it decides nothing.
	Name   string
	Index  int
	Fields map[string]string
	Body   io.Reader
}

// Each calls do for every file of a form, in order, while it comes in; what do leaves of a file is skipped. The fields must stand before
// the files. It answers how many files there were and the fields.
func Each(r *http.Request, do func(Upload)) (int, map[string]string, error) {
	form, err := r.MultipartReader()
	if err != nil {
		return 0, nil, malformed(err)
	}
	n, fields := 0, map[string]string{}
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return n, fields, nil
		}
		if err != nil {
			return n, fields, malformed(err)
		}
		if err := one(part, fields, &n, do); err != nil {
			return n, fields, err
		}
	}
}

func one(part *multipart.Part, fields map[string]string, n *int, do func(Upload)) error {
	if part.FormName() == "file" {
		if part.FileName() == "" {
			return nil // an input that was left empty
		}
		if *n == maxFiles {
			return errs.Invalid(errs.Bad("file", errs.ReasonFieldTooLong))
		}
		do(Upload{Name: part.FileName(), Index: *n, Fields: fields, Body: part})
		*n++
		if _, err := io.Copy(io.Discard, part); err != nil {
			return malformed(err)
		}
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(part, maxField+1))
	if err != nil {
		return malformed(err)
	}
	if len(text) > maxField {
		return errs.Invalid(errs.Bad(part.FormName(), errs.ReasonFieldTooLong))
	}
	if _, ok := fields[part.FormName()]; !ok && len(fields) == maxFields {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldTooLong))
	}
	fields[part.FormName()] = strings.TrimSpace(string(text))
	return nil
}

func malformed(cause error) error {
	e := errs.New(errs.KindInvalid, errs.ReasonFieldInvalid, "not a form with files, or it broke off", cause)
	e.Fields = []errs.Field{errs.Bad("body", errs.ReasonFieldInvalid)}
	return e
}

// Header of a document as the fields of a form describe it.
func Header(patient, requestID string, fields map[string]string) *patientrecordv1.AttachmentHeader {
	return &patientrecordv1.AttachmentHeader{
		RequestId: requestID, PatientId: patient, Kind: Kind(fields["kind"]), Title: fields["title"],
		DocumentDate: fields["documentDate"], Author: fields["author"], ReferralId: fields["referralId"],
		KeepDuplicate: fields["keepDuplicate"] == "1" || fields["keepDuplicate"] == "true",
	}
}

// Kind by its word; UNSPECIFIED for every other.
func Kind(word string) patientrecordv1.AttachmentKind_Code {
	return patientrecordv1.AttachmentKind_Code(patientrecordv1.AttachmentKind_Code_value[word])
}

// Send hands a file on while it comes in.
func Send(ctx context.Context, client patientrecordv1.AttachmentServiceClient, header *patientrecordv1.AttachmentHeader, body io.Reader) (*patientrecordv1.Attachment, error) {
	ctx, cancel := context.WithCancel(ctx) // what breaks off on the line must not be taken for the whole file
	defer cancel()
	stream, err := client.UploadAttachment(ctx)
	if err != nil {
		return nil, err
	}
	err = stream.Send(&patientrecordv1.UploadAttachmentRequest{Part: &patientrecordv1.UploadAttachmentRequest_Header{Header: header}})
	buffer := make([]byte, piece)
	for err == nil {
		n, rerr := io.ReadFull(body, buffer)
		if n > 0 {
			err = stream.Send(&patientrecordv1.UploadAttachmentRequest{Part: &patientrecordv1.UploadAttachmentRequest_Data{Data: buffer[:n]}})
		}
		if errors.Is(rerr, io.EOF) || errors.Is(rerr, io.ErrUnexpectedEOF) && n > 0 && whole(body) {
			break
		}
		if rerr != nil && err == nil {
			return nil, malformed(rerr)
		}
	}
	return stream.CloseAndRecv() // a refusal on the way is told here
}

// whole tells the end of a file from a line that broke: after the end there is nothing, again.
func whole(body io.Reader) bool {
	n, err := body.Read(make([]byte, 1))
	return n == 0 && errors.Is(err, io.EOF)
}

// ErrBroken is in the chain of an error that came after the first byte: nothing can be answered any more.
var ErrBroken = errors.New("the document broke off")

// Receive answers with a document's content. An error comes before the first byte, or breaks the answer off: never is a part taken for
// the whole. download makes the browser save it, which it does with a PDF in any case: its viewer does not run in a sandbox.
func Receive(w http.ResponseWriter, r *http.Request, client patientrecordv1.AttachmentServiceClient, in *patientrecordv1.DownloadAttachmentRequest, download bool) error {
	stream, err := client.DownloadAttachment(r.Context(), in)
	if err != nil {
		return err
	}
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", first.GetMediaType())
	h.Set("Content-Length", strconv.Itoa(int(first.GetSize())))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	disposition := "inline"
	if download || first.GetMediaType() == "application/pdf" {
		disposition = "attachment"
	}
	h.Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": name(first)}))
	for next := first; ; {
		if _, err := w.Write(next.GetData()); err != nil {
			return fmt.Errorf("%w: %w", ErrBroken, err) // the browser went away
		}
		if next, err = stream.Recv(); errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			// Fewer bytes than announced: the server closes the connection, and the browser knows that it is not the whole.
			return fmt.Errorf("%w: %w", ErrBroken, err)
		}
	}
}

// name of a saved file tells nothing of the patient.
func name(first *patientrecordv1.AttachmentPiece) string {
	ext := map[string]string{"image/jpeg": ".jpg", "image/png": ".png", "application/pdf": ".pdf"}[first.GetMediaType()]
	return first.GetAttachment().GetId() + ext
}
