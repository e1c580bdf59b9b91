package patientrecord_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"image"
	"image/png"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// noisy is a PNG that does not become small.
func noisy(t *testing.T, side int) []byte {
	t.Helper()
	p, r := image.NewNRGBA(image.Rect(0, 0, side, side)), rand.New(rand.NewPCG(1, 2))
	for i := range p.Pix {
		p.Pix[i] = byte(r.Uint32())
	}
	var b bytes.Buffer
	if err := png.Encode(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (f *fixture) upload(ctx context.Context, header *patientrecordv1.AttachmentHeader, file []byte) (*patientrecordv1.Attachment, error) {
	f.t.Helper()
	stream, err := f.files.UploadAttachment(ctx)
	if err != nil {
		f.t.Fatal(err)
	}
	err = stream.Send(&patientrecordv1.UploadAttachmentRequest{Part: &patientrecordv1.UploadAttachmentRequest_Header{Header: header}})
	for len(file) > 0 && err == nil {
		n := min(64<<10, len(file))
		err = stream.Send(&patientrecordv1.UploadAttachmentRequest{Part: &patientrecordv1.UploadAttachmentRequest_Data{Data: file[:n]}})
		file = file[n:]
	}
	if err != nil && !errors.Is(err, io.EOF) {
		f.t.Fatal(err)
	}
	return stream.CloseAndRecv()
}

func (f *fixture) download(ctx context.Context, in *patientrecordv1.DownloadAttachmentRequest) (content []byte, first *patientrecordv1.AttachmentPiece, err error) {
	f.t.Helper()
	stream, err := f.files.DownloadAttachment(ctx, in)
	if err != nil {
		f.t.Fatal(err)
	}
	for {
		piece, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return content, first, nil
		}
		if err != nil {
			return content, first, err
		}
		if first == nil {
			first = piece
		}
		content = append(content, piece.GetData()...)
	}
}

func TestADocumentGoesInAndComesOutInPieces(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx := f.as("township", "TOWNSHIP_DOCTOR")
		p, err := f.client.RegisterPatient(ctx, zeng())
		if err != nil {
			t.Fatal(err)
		}
		const title = "化验单 MARK-45032119"
		header := &patientrecordv1.AttachmentHeader{
			RequestId: id.New(), PatientId: p.GetId(), Kind: patientrecordv1.AttachmentKind_LAB_REPORT, Title: title, DocumentDate: "2026-03-01", Author: "检验科",
		}
		file := noisy(t, 500) // a million bytes
		added, err := f.upload(ctx, header, file)
		if err != nil {
			t.Fatal(err)
		}
		if added.GetVersion() != 1 || added.GetWidth() != 500 || added.GetMediaType() != "image/png" || !added.GetHasThumbnail() || added.GetTitle() != title || added.GetOrganizationId() != "township" {
			t.Errorf("%v", added)
		}
		again, err := f.upload(ctx, header, file)
		if err != nil || !proto.Equal(again, added) {
			t.Errorf("the same again: %v", err)
		}
		_, err = f.upload(ctx, header, noisy(t, 10))
		f.reason(err, errs.ReasonRequestIDReused)
		content, first, err := f.download(ctx, &patientrecordv1.DownloadAttachmentRequest{PatientId: p.GetId(), Id: added.GetId()})
		sum := sha256.Sum256(content)
		if err != nil || hex.EncodeToString(sum[:]) != added.GetSha256() || int(first.GetSize()) != len(content) || !proto.Equal(first.GetAttachment(), added) {
			t.Errorf("%d bytes, %v", len(content), err)
		}
		small, first, err := f.download(ctx, &patientrecordv1.DownloadAttachmentRequest{PatientId: p.GetId(), Id: added.GetId(), Thumbnail: true})
		if err != nil || first.GetMediaType() != "image/jpeg" || len(small) != int(first.GetSize()) || len(small) > 60_000 {
			t.Errorf("thumbnail of %d bytes, %v", len(small), err)
		}
		list, err := f.files.ListAttachments(ctx, &patientrecordv1.ListAttachmentsRequest{PatientId: p.GetId()})
		if err != nil || len(list.GetAttachments()) != 1 || !proto.Equal(list.GetAttachments()[0], added) {
			t.Errorf("%v %v", list, err)
		}
		corrected, err := f.files.CorrectAttachment(ctx, &patientrecordv1.CorrectAttachmentRequest{
			RequestId: id.New(), PatientId: p.GetId(), Id: added.GetId(), Version: 1, Kind: patientrecordv1.AttachmentKind_EXAM_REPORT, Reason: "类型选错",
		})
		if err != nil || corrected.GetVersion() != 2 {
			t.Fatalf("%v %v", corrected, err)
		}
		wrong, err := f.files.MarkAttachmentEnteredInError(ctx, &patientrecordv1.MarkAttachmentEnteredInErrorRequest{
			RequestId: id.New(), PatientId: p.GetId(), Id: added.GetId(), Version: 2, Reason: "别的病人的",
		})
		if err != nil || wrong.GetStatus() != patientrecordv1.AttachmentStatus_ENTERED_IN_ERROR {
			t.Fatalf("%v %v", wrong, err)
		}
		whole, err := f.files.GetAttachment(ctx, &patientrecordv1.GetAttachmentRequest{PatientId: p.GetId(), Id: added.GetId()})
		if err != nil || len(whole.GetHistory()) != 2 || whole.GetHistory()[1].GetTitle() != title {
			t.Errorf("%v %v", whole, err)
		}
		if strings.Contains(f.log.String(), "MARK-45032119") {
			t.Error("the title is in the log")
		}
	})
}

func TestAnUploadIsRefusedAsEarlyAsItIsKnown(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx := f.as("township", "TOWNSHIP_DOCTOR")
		p, err := f.client.RegisterPatient(ctx, zeng())
		if err != nil {
			t.Fatal(err)
		}
		header := func() *patientrecordv1.AttachmentHeader {
			return &patientrecordv1.AttachmentHeader{RequestId: id.New(), PatientId: p.GetId(), Kind: patientrecordv1.AttachmentKind_ECG}
		}
		_, err = f.upload(f.as("township", "AUDITOR"), header(), nil)
		f.reason(err, errs.ReasonRole)
		_, err = f.upload(f.as("elsewhere", "TOWNSHIP_DOCTOR"), header(), []byte("x"))
		f.reason(err, errs.ReasonNotFound)
		bad := header()
		bad.DocumentDate = "yesterday"
		_, err = f.upload(ctx, bad, []byte("x"))
		f.reason(err, errs.ReasonFieldInvalid)
		for _, c := range []struct {
			file  []byte
			cause string
		}{{append([]byte("\xff\xd8\xff"), make([]byte, 11<<20)...), "TOO_LARGE"}, {nil, "EMPTY"}, {[]byte("MZ"), "TYPE"}} {
			_, err := f.upload(ctx, header(), c.file)
			if e, _ := errs.As(err); e == nil || e.Reason != errs.ReasonFileRefused || e.Fields[0].Meta["cause"] != c.cause {
				t.Errorf("want %s: %v", c.cause, err)
			}
		}
		stream, err := f.files.UploadAttachment(ctx)
		if err != nil {
			t.Fatal(err)
		}
		_, err = stream.CloseAndRecv()
		f.reason(err, errs.ReasonFieldRequired)
	})
}
