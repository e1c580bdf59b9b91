package parts

import (
	"context"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
)

// travelsShown is how many documents a form names; of more it says so.
const travelsShown = 50

// Travels is what travels.html sees: the documents that a referral would carry if it were sent now.
type Travels struct {
	PatientID, ReferralID string
	Documents             []*patientrecordv1.Attachment
	// More: there are further ones. Away: the record could not be asked. Withheld: they are not shown to the visitor.
	More, Away, Withheld bool
}

// Travelling asks for them; referral is empty for one that is not written yet.
func Travelling(ctx context.Context, client patientrecordv1.AttachmentServiceClient, patient, referral string) Travels {
	list, err := client.ListAttachments(ctx, &patientrecordv1.ListAttachmentsRequest{PatientId: patient, ReferralId: referral, Travelling: true, PageSize: travelsShown})
	return Travels{
		PatientID: patient, ReferralID: referral, Documents: list.GetAttachments(), More: list.GetNextPageToken() != "",
		Away: err != nil, Withheld: list.GetWithheld().GetCount() > 0,
	}
}
