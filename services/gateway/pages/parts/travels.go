package parts

import (
	"context"
	"net/url"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
)

// travelsShown is how many documents a form names; of more it says so.
const travelsShown = 50

// Travels is what travels.html sees: the documents that a referral would carry if it were sent now.
type Travels struct {
	PatientID, ReferralID string
	// Back is the address of the form, to which one comes back from the documents.
	Back      string
	Documents []*patientrecordv1.Attachment
	// More: there are further ones. Away: the record could not be asked. Withheld: they are not shown to the visitor.
	More, Away, Withheld bool
}

// Add is the address where documents are added, with the way back.
func (t Travels) Add() string {
	query := url.Values{"back": {t.Back}}
	if t.ReferralID != "" {
		query.Set("referral", t.ReferralID)
	}
	return "/patients/" + t.PatientID + "/attachments?" + query.Encode()
}

// Travelling asks for them, for the form at an address; referral is empty for one that is not written yet.
func Travelling(ctx context.Context, client patientrecordv1.AttachmentServiceClient, patient, referral, form string) Travels {
	list, err := client.ListAttachments(ctx, &patientrecordv1.ListAttachmentsRequest{PatientId: patient, ReferralId: referral, Travelling: true, PageSize: travelsShown})
	return Travels{
		PatientID: patient, ReferralID: referral, Back: form, Documents: list.GetAttachments(), More: list.GetNextPageToken() != "",
		Away: err != nil, Withheld: list.GetWithheld().GetCount() > 0,
	}
}
