package rpc

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain/document"
)

// Attachments implements AttachmentService.
type Attachments struct {
	patientrecordv1.UnimplementedAttachmentServiceServer
	app *app.Attachments
}

// NewAttachments serves the use cases.
func NewAttachments(a *app.Attachments) *Attachments { return &Attachments{app: a} }

// Register adds the service to a gRPC server.
func (s *Attachments) Register(r grpc.ServiceRegistrar) {
	patientrecordv1.RegisterAttachmentServiceServer(r, s)
}

// UploadAttachment implements the contract.
func (s *Attachments) UploadAttachment(stream grpc.ClientStreamingServer[patientrecordv1.UploadAttachmentRequest, patientrecordv1.Attachment]) error {
	ctx := stream.Context()
	who, err := caller(ctx)
	if err != nil {
		return err
	}
	first, err := stream.Recv()
	if errors.Is(err, io.EOF) || err == nil && first.GetHeader() == nil {
		return errs.Invalid(errs.Required("header"))
	}
	if err != nil {
		return err
	}
	header := first.GetHeader()
	details, fields := attachmentDetails(header)
	if len(fields) > 0 {
		return errs.Invalid(fields...)
	}
	in := app.NewAttachment{Patient: header.GetPatientId(), Details: details, Again: header.GetKeepDuplicate()}
	if err := s.app.Begin(ctx, who, in); err != nil {
		return err
	}
	content, err := received(stream)
	if err != nil {
		return err
	}
	if in.Request, err = requestOf("UploadAttachment", header.GetRequestId(), header); err != nil {
		return err
	}
	sum := sha256.Sum256(content)
	in.Request.Body = append(in.Request.Body, sum[:]...)
	added, err := s.app.Add(ctx, who, in, content)
	if err != nil {
		return err
	}
	return stream.SendAndClose(fromAttachment(added))
}

// received is the file, which is refused as soon as it is too large.
func received(stream grpc.ClientStreamingServer[patientrecordv1.UploadAttachmentRequest, patientrecordv1.Attachment]) ([]byte, error) {
	var content []byte
	for {
		in, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return content, nil
		case err != nil:
			return nil, err
		case in.GetHeader() != nil:
			return nil, errs.Invalid(errs.Bad("header", errs.ReasonFieldInvalid))
		case len(content)+len(in.GetData()) > document.MaxBytes:
			return nil, app.FileRefused(string(document.TooLarge))
		}
		content = append(content, in.GetData()...)
	}
}

// described is what says something about a document: the header of a new one, or a correction.
type described interface {
	GetKind() patientrecordv1.AttachmentKind_Code
	GetTitle() string
	GetDocumentDate() string
	GetAuthor() string
	GetReferralId() string
}

func attachmentDetails(in described) (domain.AttachmentDetails, []errs.Field) {
	d := domain.AttachmentDetails{Title: in.GetTitle(), Author: in.GetAuthor(), ReferralID: in.GetReferralId()}
	if in.GetKind() != patientrecordv1.AttachmentKind_UNSPECIFIED {
		d.Kind = domain.AttachmentKind(in.GetKind().String())
	}
	var wrong []errs.Field
	if text := in.GetDocumentDate(); text != "" {
		var ok bool
		if d.Date, ok = domain.ParseDate(text); !ok {
			wrong = append(wrong, errs.Bad("documentDate", errs.ReasonFieldInvalid))
		}
	}
	if d.ReferralID != "" && !id.Valid(d.ReferralID) {
		wrong = append(wrong, errs.Bad("referralId", errs.ReasonFieldInvalid))
	}
	return d, wrong
}

// ListAttachments implements the contract.
func (s *Attachments) ListAttachments(ctx context.Context, in *patientrecordv1.ListAttachmentsRequest) (*patientrecordv1.ListAttachmentsResponse, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	if in.GetPageToken() != "" && !id.Valid(in.GetPageToken()) {
		return nil, errs.Invalid(errs.Bad("pageToken", errs.ReasonFieldInvalid))
	}
	f := app.AttachmentFilter{Patient: in.GetPatientId(), After: in.GetPageToken(), Limit: int(in.GetPageSize())}
	if in.GetReferralId() != "" {
		f.Referrals = []string{in.GetReferralId()}
	}
	list := s.app.List
	if in.GetTravelling() {
		list = s.app.Travelling
	}
	page, err := list(ctx, who, f)
	if err != nil {
		return nil, err
	}
	out := &patientrecordv1.ListAttachmentsResponse{Withheld: fromWithheld(page.Withheld)}
	for _, a := range page.Attachments {
		out.Attachments = append(out.Attachments, fromAttachment(a))
	}
	if page.More && len(page.Attachments) > 0 {
		out.NextPageToken = page.Attachments[len(page.Attachments)-1].ID()
	}
	return out, nil
}

// GetAttachment implements the contract.
func (s *Attachments) GetAttachment(ctx context.Context, in *patientrecordv1.GetAttachmentRequest) (*patientrecordv1.Attachment, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	versions, err := s.app.Get(ctx, who, in.GetPatientId(), in.GetId())
	if err != nil {
		return nil, err
	}
	out := fromAttachment(versions[0])
	for _, v := range versions[1:] {
		out.History = append(out.History, fromAttachment(v))
	}
	return out, nil
}

// DownloadAttachment implements the contract.
func (s *Attachments) DownloadAttachment(in *patientrecordv1.DownloadAttachmentRequest, stream grpc.ServerStreamingServer[patientrecordv1.AttachmentPiece]) error {
	ctx := stream.Context()
	who, err := caller(ctx)
	if err != nil {
		return err
	}
	opened, err := s.app.Open(ctx, who, in.GetPatientId(), in.GetId(), in.GetThumbnail())
	if err != nil {
		return err
	}
	next := &patientrecordv1.AttachmentPiece{Attachment: fromAttachment(opened.Attachment)}
	next.MediaType, next.Size = next.Attachment.GetMediaType(), next.Attachment.GetSize()
	if in.GetThumbnail() {
		next.MediaType, next.Size = document.JPEG, int32(opened.Attachment.Keep().File.Thumbnail)
	}
	return opened.Pieces(ctx, func(piece []byte) error {
		next.Data = piece
		err := stream.Send(next)
		next = &patientrecordv1.AttachmentPiece{}
		return err
	})
}

// CorrectAttachment implements the contract.
func (s *Attachments) CorrectAttachment(ctx context.Context, in *patientrecordv1.CorrectAttachmentRequest) (*patientrecordv1.Attachment, error) {
	details, fields := attachmentDetails(in)
	if len(fields) > 0 {
		return nil, errs.Invalid(fields...)
	}
	return s.change(ctx, "CorrectAttachment", in, app.ChangedAttachment{Details: details})
}

// MarkAttachmentEnteredInError implements the contract.
func (s *Attachments) MarkAttachmentEnteredInError(ctx context.Context, in *patientrecordv1.MarkAttachmentEnteredInErrorRequest) (*patientrecordv1.Attachment, error) {
	return s.change(ctx, "MarkAttachmentEnteredInError", in, app.ChangedAttachment{Mistaken: true})
}

type changeRequest interface {
	proto.Message
	GetRequestId() string
	GetPatientId() string
	GetId() string
	GetVersion() int32
	GetReason() string
}

func (s *Attachments) change(ctx context.Context, method string, in changeRequest, c app.ChangedAttachment) (*patientrecordv1.Attachment, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	if c.Request, err = requestOf(method, in.GetRequestId(), in); err != nil {
		return nil, err
	}
	c.Patient, c.ID, c.Version, c.Reason = in.GetPatientId(), in.GetId(), in.GetVersion(), in.GetReason()
	changed, err := s.app.Change(ctx, who, c)
	if err != nil {
		return nil, err
	}
	return fromAttachment(changed), nil
}
