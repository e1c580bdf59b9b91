package domain

import (
	"strings"
	"time"
	"unicode/utf8"
)

// AttachmentKind is what a document is; the names are those of the contract.
type AttachmentKind string

// Kinds of documents.
const (
	ExamReport      AttachmentKind = "EXAM_REPORT"
	LabReport       AttachmentKind = "LAB_REPORT"
	Image           AttachmentKind = "IMAGE"
	ECG             AttachmentKind = "ECG"
	MedicalRecord   AttachmentKind = "MEDICAL_RECORD"
	ConsentForm     AttachmentKind = "CONSENT"
	OtherAttachment AttachmentKind = "OTHER"
)

// Known tells whether the kind is one of the list.
func (k AttachmentKind) Known() bool {
	switch k {
	case ExamReport, LabReport, Image, ECG, MedicalRecord, ConsentForm, OtherAttachment:
		return true
	}
	return false
}

// AttachmentStatus tells a document that counts from one that was entered in error.
type AttachmentStatus string

// Statuses of an attachment.
const (
	AttachmentCurrent        AttachmentStatus = "CURRENT"
	AttachmentEnteredInError AttachmentStatus = "ENTERED_IN_ERROR"
)

// AttachmentDetails are what people say of a document.
type AttachmentDetails struct {
	Kind  AttachmentKind
	Title string
	// Date of the document itself; zero if not said.
	Date Date
	// Author as on paper.
	Author string
	// ReferralID of the referral it goes with; empty if none.
	ReferralID string
}

// AttachmentFile is what the system knows of a document's content. It never changes.
type AttachmentFile struct {
	MediaType string
	// Size of the content and of its thumbnail in bytes; a thumbnail of 0 is none.
	Size, Thumbnail int
	// Width and Height in pixels, 0 for PDF; Pages of a PDF.
	Width, Height, Pages int
	// SHA256 of the content.
	SHA256 [32]byte
}

// AttachmentKept is an attachment as a store keeps it.
type AttachmentKept struct {
	ID        string
	Version   int32
	PatientID string
	Status    AttachmentStatus
	Details   AttachmentDetails
	File      AttachmentFile
	// Account and Organization wrote this version, for this Reason (empty in the first).
	Account, Organization, Reason string
	Created, Updated              time.Time
}

// Attachment is one version of a document's metadata.
type Attachment struct{ kept AttachmentKept }

// Writer is who writes a version, and when.
type Writer struct {
	Account, Organization string
	Now                   time.Time
}

const (
	maxTitle  = 100
	maxAuthor = 60
	maxReason = 200
)

// Check tells what is wrong with the details; today is the county's.
func (d AttachmentDetails) Check(today Date) Problems {
	var ps Problems
	switch {
	case d.Kind == "":
		ps.add("kind", ReasonRequired, "")
	case !d.Kind.Known():
		ps.add("kind", ReasonUnknown, "")
	}
	if utf8.RuneCountInString(d.Title) > maxTitle {
		ps.add("title", ReasonTooLong, "")
	}
	if d.Date.After(today) {
		ps.add("documentDate", ReasonOutOfRange, "")
	}
	if utf8.RuneCountInString(d.Author) > maxAuthor {
		ps.add("author", ReasonTooLong, "")
	}
	return ps
}

// NewAttachment is the first version of a document whose details passed Check.
func NewAttachment(id, patient string, d AttachmentDetails, file AttachmentFile, by Writer) Attachment {
	return Attachment{AttachmentKept{
		ID: id, Version: 1, PatientID: patient, Status: AttachmentCurrent, Details: d, File: file,
		Account: by.Account, Organization: by.Organization, Created: by.Now, Updated: by.Now,
	}}
}

// RestoreAttachment is for stores.
func RestoreAttachment(k AttachmentKept) Attachment { return Attachment{k} }

// Keep is for stores and answers.
func (a Attachment) Keep() AttachmentKept { return a.kept }

// ID of the document, the same in every version.
func (a Attachment) ID() string { return a.kept.ID }

// Counts tells a document that was not entered in error.
func (a Attachment) Counts() bool { return a.kept.Status == AttachmentCurrent }

// String hides what the document says.
func (a Attachment) String() string { return "attachment " + a.kept.ID }

// Correct is the next version with other details, which passed Check. A document that was entered in error is not corrected.
func (a Attachment) Correct(d AttachmentDetails, reason string, by Writer) (Attachment, Problems) {
	next, ps := a.next(reason, by)
	next.kept.Details = d
	return next, ps
}

// EnterInError is the next version that says that the document does not belong here. It goes with no referral any more.
func (a Attachment) EnterInError(reason string, by Writer) (Attachment, Problems) {
	next, ps := a.next(reason, by)
	next.kept.Status, next.kept.Details.ReferralID = AttachmentEnteredInError, ""
	return next, ps
}

func (a Attachment) next(reason string, by Writer) (Attachment, Problems) {
	var ps Problems
	reason = strings.TrimSpace(reason)
	switch {
	case reason == "":
		ps.add("reason", ReasonRequired, "")
	case utf8.RuneCountInString(reason) > maxReason:
		ps.add("reason", ReasonTooLong, "")
	}
	k := a.kept
	k.Version++
	k.Reason, k.Account, k.Organization, k.Updated = reason, by.Account, by.Organization, by.Now
	return Attachment{k}, ps
}
