package domain

// Sex is the administrative sex of GB/T 2261.1.
type Sex uint8

// The zero Sex is "not given".
const (
	SexUnset Sex = iota
	Male
	Female
	SexUnknown
	SexNotStated
)

// DocumentType is the kind of paper that identifies a patient (证件类别 of 病案首页).
type DocumentType uint8

// The zero DocumentType is "not given".
const (
	DocumentUnset DocumentType = iota
	ResidentCard
	Military
	ArmedPolice
	HongKongMacaoPermit
	TaiwanPermit
	Passport
	ForeignPermanentResident
	OtherDocument
	NoDocument
)

// Reasons for having no document.
const (
	Newborn     = "NEWBORN"
	Lost        = "LOST"
	NeverIssued = "NEVER_ISSUED"
	Unconscious = "UNCONSCIOUS"
	OtherReason = "OTHER"
)

func knownNoDocumentReason(s string) bool {
	switch s {
	case Newborn, Lost, NeverIssued, Unconscious, OtherReason:
		return true
	}
	return false
}
