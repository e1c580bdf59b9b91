package app

import (
	"context"
	"time"

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// AttachmentFilter picks attachments of a patient: all of them, or those that go with one of the referrals: that were put to it, or are in
// one of its packages. Those that were entered in error go with none.
type AttachmentFilter struct {
	Patient string
	// Referrals: nil is all attachments; an empty list is none.
	Referrals []string
	// Since: beside those of Referrals also those that were added from then on and count, unless it is zero.
	Since time.Time
	// After is the id of the last one that was seen; empty from the newest.
	After string
	Limit int
}

// AttachmentStore is the part of Store that keeps documents. A missing attachment is errs.NotFound.
type AttachmentStore interface {
	// Attachments in their current versions, newest first.
	Attachments(ctx context.Context, county string, f AttachmentFilter) ([]domain.Attachment, error)
	// AttachmentVersions of one, newest first.
	AttachmentVersions(ctx context.Context, county, id string) ([]domain.Attachment, error)
	// CarriedBy are the referrals one of whose packages holds the attachment.
	CarriedBy(ctx context.Context, county, attachment string) ([]string, error)
	// AttachmentContent hands the content, or the thumbnail, to take, in pieces and in order. It fails when a piece is missing, does not fit
	// its place, or the whole has not the size and sum of file; never is less than the whole taken without an error.
	AttachmentContent(ctx context.Context, county, id string, want AttachmentContent, take func(piece []byte) error) error
}

// AttachmentContent is which bytes of an attachment are wanted.
type AttachmentContent struct {
	File      domain.AttachmentFile
	Thumbnail bool
}

// AttachmentUnit is the part of Unit that keeps documents.
type AttachmentUnit interface {
	// Attachment in its current version, locked.
	Attachment(ctx context.Context, id string) (domain.Attachment, error)
	// Travelling are the attachments of a patient that count and were put to the referral, or added from (inclusive) to (inclusive), newest
	// first, at most 200.
	Travelling(ctx context.Context, patient, referral string, from, to time.Time) ([]domain.Attachment, error)
	// SameContent is the newest attachment of a patient that counts and has a content of this SHA-256.
	SameContent(ctx context.Context, patient string, sum [32]byte) (a domain.Attachment, found bool, err error)
	// PutAttachment takes a new version; content and thumbnail with the first.
	PutAttachment(a domain.Attachment, content, thumbnail []byte)
}

// Scanner looks for harmful content before a file is kept.
type Scanner interface {
	// Scan answers nil for a file that may be kept, Invalid FILE_REFUSED (cause INFECTED) for one that may not, Unavailable SCANNER_AWAY when
	// it could not be found out. It does not change content and does not keep it.
	Scan(ctx context.Context, content []byte) error
}
