package store

import (
	"context"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// putAttachment is a new version of a document; the bytes come with the first.
type putAttachment struct {
	attachment         domain.Attachment
	content, thumbnail []byte
}

// Attachment implements app.AttachmentUnit.
func (u *unit) Attachment(ctx context.Context, id string) (domain.Attachment, error) {
	found, err := u.attachments(ctx, "a.id = $2 AND a.is_current"+u.tx.ForUpdate(), u.county, id)
	if err == nil && len(found) == 0 {
		err = errs.NotFound("attachment")
	}
	if err != nil {
		return domain.Attachment{}, err
	}
	return found[0], nil
}

// Travelling implements app.AttachmentUnit.
func (u *unit) Travelling(ctx context.Context, patient, referral string, from, to time.Time) ([]domain.Attachment, error) {
	return u.attachments(ctx, u.kin("a.patient_id", "$2")+` AND a.is_current AND a.status = $4 AND (a.referral_id = $3 OR a.create_time >= $5)
		AND a.create_time <= $6 ORDER BY a.id DESC LIMIT $7`,
		u.county, patient, referral, string(domain.AttachmentCurrent), from, to, attachmentsOfReferral)
}

// SameContent implements app.AttachmentUnit. The sum is sealed with what else is known of the file: a patient has few documents.
func (u *unit) SameContent(ctx context.Context, patient string, sum [32]byte) (domain.Attachment, bool, error) {
	list, err := u.attachments(ctx, u.kin("a.patient_id", "$2")+" AND a.is_current AND a.status = $3 ORDER BY a.id DESC",
		u.county, patient, string(domain.AttachmentCurrent))
	if err != nil {
		return domain.Attachment{}, false, err
	}
	for _, a := range list {
		if a.Keep().File.SHA256 == sum {
			return a, true, nil
		}
	}
	return domain.Attachment{}, false, nil
}

// PutAttachment implements app.AttachmentUnit.
func (u *unit) PutAttachment(a domain.Attachment, content, thumbnail []byte) {
	u.documents = append(u.documents, putAttachment{a, content, thumbnail})
}

// attachments turns the documents of a change into rows, pieces and audit entries; derive.go calls it.
func (d *derived) attachments() {
	u := d.u
	for _, p := range u.documents {
		k := p.attachment.Keep()
		sealed, err := u.seal("attachment", "content", versioned(k.ID, k.Version), toAttachmentContent(k))
		d.fail(err)
		if k.Version > 1 {
			d.write(1, `UPDATE attachment SET is_current = FALSE WHERE county_code = $1 AND id = $2 AND version = $3 - 1 AND is_current`,
				u.county, k.ID, k.Version)
		}
		// Every version stays with the record that the first was written for, so that a merge can be undone.
		d.write(1, `INSERT INTO attachment (county_code, id, version, is_current, patient_id, referral_id, kind, status, content, account_id,
			organization_id, create_time, update_time) VALUES ($1, $2, $3, TRUE, COALESCE((SELECT f.patient_id FROM attachment f
			WHERE f.county_code = $1 AND f.id = $2 AND f.version = 1), CAST($4 AS text)), $5, $6, $7, $8, $9, $10, $11, $12)`,
			u.county, k.ID, k.Version, k.PatientID, k.Details.ReferralID, string(k.Details.Kind), string(k.Status), sealed, k.Account,
			k.Organization, k.Created, k.Updated)
		d.chunks(k.ID, contentPart, p.content)
		d.chunks(k.ID, thumbnailPart, p.thumbnail)
		d.audit(attachmentAction(k), "attachment", k.ID, k.PatientID, string(k.Details.Kind))
	}
}

func attachmentAction(k domain.AttachmentKept) string {
	switch {
	case k.Status == domain.AttachmentEnteredInError:
		return "attachment.entered_in_error"
	case k.Version > 1:
		return "attachment.correct"
	}
	return "attachment.add"
}

func (d *derived) chunks(attachment, part string, bytes []byte) {
	total := (len(bytes) + chunkSize - 1) / chunkSize
	for number := range total {
		piece := bytes[number*chunkSize : min(len(bytes), (number+1)*chunkSize)]
		place := chunkPlace{d.u.county, attachment, part, number, total}
		sealed, err := d.u.ring.Seal("attachment_chunk", "content", d.u.row(place.row()), piece)
		d.fail(err)
		d.write(1, `INSERT INTO attachment_chunk (county_code, attachment_id, part, number, content) VALUES ($1, $2, $3, $4, $5)`,
			d.u.county, attachment, part, number, sealed)
	}
}
