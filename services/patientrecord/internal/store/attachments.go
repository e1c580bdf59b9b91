package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// Parts of a document's bytes.
const (
	contentPart   = "content"
	thumbnailPart = "thumbnail"
)

// chunkSize of the pieces that are written; those that are there may have any size.
const chunkSize = 256 << 10

// attachmentsOfReferral bounds what goes with one referral.
const attachmentsOfReferral = 200

// attachmentContent is what of an attachment's version is sealed.
type attachmentContent struct {
	Title     string `json:"title,omitempty"`
	Date      string `json:"date,omitempty"`
	Author    string `json:"author,omitempty"`
	Reason    string `json:"reason,omitempty"`
	MediaType string `json:"mediaType"`
	Size      int    `json:"size"`
	Thumbnail int    `json:"thumbnail,omitempty"`
	Width     int    `json:"width,omitempty"`
	Height    int    `json:"height,omitempty"`
	Pages     int    `json:"pages,omitempty"`
	SHA256    []byte `json:"sha256"`
}

func toAttachmentContent(k domain.AttachmentKept) attachmentContent {
	return attachmentContent{
		Title: k.Details.Title, Date: k.Details.Date.Text(), Author: k.Details.Author, Reason: k.Reason,
		MediaType: k.File.MediaType, Size: k.File.Size, Thumbnail: k.File.Thumbnail,
		Width: k.File.Width, Height: k.File.Height, Pages: k.File.Pages, SHA256: k.File.SHA256[:],
	}
}

func (j attachmentContent) into(k *domain.AttachmentKept) {
	date, _ := domain.ParseDate(j.Date)
	k.Details.Title, k.Details.Date, k.Details.Author, k.Reason = j.Title, date, j.Author, j.Reason
	k.File = domain.AttachmentFile{MediaType: j.MediaType, Size: j.Size, Thumbnail: j.Thumbnail, Width: j.Width, Height: j.Height, Pages: j.Pages}
	copy(k.File.SHA256[:], j.SHA256)
}

var attachmentColumns = `a.id, a.version, ` + rootOf("a.patient_id") + `, a.referral_id, a.kind, a.status, a.content, a.account_id, a.organization_id,
	a.create_time, a.update_time`

// attachments reads what the condition picks; args begin with the county.
func (c scope) attachments(ctx context.Context, where string, args ...any) ([]domain.Attachment, error) {
	rows, err := c.tx.Query(ctx, "SELECT "+attachmentColumns+" FROM attachment a WHERE a.county_code = $1 AND "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("load attachments: %w", err)
	}
	defer rows.Close()
	var out []domain.Attachment
	for rows.Next() {
		a, err := c.scanAttachment(rows.Scan)
		if err != nil {
			return nil, fmt.Errorf("load attachments: %w", err)
		}
		out = append(out, a)
	}
	return out, rows.Err()
}

// scanAttachment reads attachmentColumns, and what more follows them.
func (c scope) scanAttachment(scan func(...any) error, more ...any) (domain.Attachment, error) {
	var k domain.AttachmentKept
	var sealed []byte
	err := scan(append([]any{
		&k.ID, &k.Version, &k.PatientID, &k.Details.ReferralID, &k.Details.Kind, &k.Status, &sealed, &k.Account, &k.Organization, &k.Created, &k.Updated,
	}, more...)...)
	if err != nil {
		return domain.Attachment{}, err
	}
	var content attachmentContent
	if err := c.open("attachment", "content", versioned(k.ID, k.Version), sealed, &content); err != nil {
		return domain.Attachment{}, err
	}
	content.into(&k)
	k.Created, k.Updated = k.Created.UTC(), k.Updated.UTC()
	return domain.RestoreAttachment(k), nil
}

// counts is the condition that a document was not entered in error.
const counts = "a.status = '" + string(domain.AttachmentCurrent) + "'"

// CarriedBy implements app.AttachmentStore.
func (s *Store) CarriedBy(ctx context.Context, county, attachment string) (out []string, err error) {
	err = s.read(ctx, county, func(c scope) error {
		out = nil
		rows, err := c.tx.Query(ctx, "SELECT DISTINCT referral_id FROM handover_attachment WHERE county_code = $1 AND attachment_id = $2", county, attachment)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var referral string
			if err := rows.Scan(&referral); err != nil {
				return err
			}
			out = append(out, referral)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("look with what attachment %s goes: %w", attachment, err)
	}
	return out, nil
}

// Attachments implements app.AttachmentStore.
func (s *Store) Attachments(ctx context.Context, county string, f app.AttachmentFilter) (out []domain.Attachment, err error) {
	err = s.read(ctx, county, func(c scope) error {
		q := query{args: []any{county, f.Patient}}
		where := c.kin("a.patient_id", "$2") + " AND a.is_current"
		if f.Referrals != nil {
			place := len(q.args) + 1
			put, list := c.tx.List("a.referral_id", place, f.Referrals)
			carried, _ := c.tx.List("h.referral_id", place, f.Referrals)
			q.arg(list)
			where += " AND (" + put + " OR " + counts + ` AND EXISTS (SELECT 1 FROM handover_attachment h
				WHERE h.county_code = a.county_code AND h.attachment_id = a.id AND ` + carried + ")"
			if !f.Since.IsZero() {
				where += " OR " + counts + " AND a.create_time >= " + q.arg(f.Since)
			}
			where += ")"
		}
		if f.After != "" {
			where += " AND a.id < " + q.arg(f.After)
		}
		out, err = c.attachments(ctx, where+" ORDER BY a.id DESC LIMIT "+q.arg(f.Limit), q.args...)
		return err
	})
	return out, err
}

// AttachmentVersions implements app.AttachmentStore.
func (s *Store) AttachmentVersions(ctx context.Context, county, id string) (out []domain.Attachment, err error) {
	err = s.read(ctx, county, func(c scope) error {
		out, err = c.attachments(ctx, "a.id = $2 ORDER BY a.version DESC", county, id)
		return err
	})
	if err == nil && len(out) == 0 {
		err = errs.NotFound("attachment")
	}
	return out, err
}

// errNotWhole is in the chain of every error of a document whose bytes are not what was put.
var errNotWhole = errors.New("the document's bytes are not whole")

// AttachmentContent implements app.AttachmentStore. Each piece is a query of its own: a slow line holds no connection.
func (s *Store) AttachmentContent(ctx context.Context, county, id string, want app.AttachmentContent, take func([]byte) error) error {
	part, size := contentPart, want.File.Size
	if want.Thumbnail {
		part, size = thumbnailPart, want.File.Thumbnail
	}
	var total int
	err := s.read(ctx, county, func(c scope) error {
		return c.tx.QueryRow(ctx, "SELECT count(*) FROM attachment_chunk WHERE county_code = $1 AND attachment_id = $2 AND part = $3", county, id, part).Scan(&total)
	})
	if err != nil {
		return fmt.Errorf("count pieces of attachment %s: %w", id, err)
	}
	sum, taken := sha256.New(), 0
	for number := range total {
		piece, err := s.chunk(ctx, chunkPlace{county, id, part, number, total})
		if err != nil {
			return err
		}
		taken += len(piece)
		sum.Write(piece)
		// The last piece goes out only when it is known that the whole is right.
		if number == total-1 {
			if taken != size || !want.Thumbnail && [sha256.Size]byte(sum.Sum(nil)) != want.File.SHA256 {
				break
			}
			return take(piece)
		}
		if err := take(piece); err != nil {
			return err
		}
	}
	return fmt.Errorf("read attachment %s: %w", id, errNotWhole)
}

// chunkPlace is where a piece belongs; it is sealed for it.
type chunkPlace struct {
	county, id, part string
	number, total    int
}

func (p chunkPlace) row() string { return fmt.Sprintf("%s/%s/%d/%d", p.id, p.part, p.number, p.total) }

func (s *Store) chunk(ctx context.Context, p chunkPlace) (piece []byte, err error) {
	err = s.read(ctx, p.county, func(c scope) error {
		var sealed []byte
		row := c.tx.QueryRow(ctx, `SELECT content FROM attachment_chunk WHERE county_code = $1 AND attachment_id = $2 AND part = $3 AND number = $4`,
			p.county, p.id, p.part, p.number)
		if err := row.Scan(&sealed); err != nil {
			return err
		}
		piece, err = c.ring.Open("attachment_chunk", "content", c.row(p.row()), sealed)
		return err
	})
	if sqldb.NoRows(err) {
		err = errNotWhole
	}
	if err != nil {
		return nil, fmt.Errorf("read piece %d of attachment %s: %w", p.number, p.id, err)
	}
	return piece, nil
}
