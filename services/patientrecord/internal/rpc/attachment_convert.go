package rpc

import (
	"encoding/hex"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// fromAttachment leaves the history to whoever has it.
func fromAttachment(a domain.Attachment) *patientrecordv1.Attachment {
	k := a.Keep()
	return &patientrecordv1.Attachment{
		Id: k.ID, Version: k.Version, PatientId: k.PatientID, ReferralId: k.Details.ReferralID,
		Kind:   patientrecordv1.AttachmentKind_Code(patientrecordv1.AttachmentKind_Code_value[string(k.Details.Kind)]),
		Status: patientrecordv1.AttachmentStatus_Code(patientrecordv1.AttachmentStatus_Code_value[string(k.Status)]),
		Title:  k.Details.Title, DocumentDate: k.Details.Date.Text(), Author: k.Details.Author,
		AccountId: k.Account, OrganizationId: k.Organization, Reason: k.Reason,
		MediaType: k.File.MediaType, Size: int32(k.File.Size), Width: int32(k.File.Width), Height: int32(k.File.Height), Pages: int32(k.File.Pages),
		Sha256: hex.EncodeToString(k.File.SHA256[:]), HasThumbnail: k.File.Thumbnail > 0,
		CreateTime: stamp(k.Created), UpdateTime: stamp(k.Updated),
	}
}
