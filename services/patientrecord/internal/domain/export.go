package domain

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Kinds of exports. A printed slip is none: it goes with its referral.
const (
	ExportOwnCopy    = "OWN_COPY"
	ExportAudit      = "AUDIT"
	ExportStatistics = "STATISTICS"
)

// Forms of exports.
const (
	FormFHIR  = "FHIR"
	FormPrint = "PRINT"
)

// Who may ask for a patient's own copy.
const (
	AskedByPatient    = "PATIENT"
	AskedByGuardian   = "GUARDIAN"
	AskedByAuthorised = "AUTHORISED"
)

// How the identity of who asks was checked.
const (
	CheckedCard    = "IDENTITY_CARD"
	CheckedOther   = "OTHER_DOCUMENT"
	CheckedKinship = "KINSHIP_PROOF"
	CheckedLetter  = "AUTHORISATION_LETTER"
)

const maxExportNote = 200

// CopyStatement is what is said before a patient's own copy is made (个人信息保护法 art. 45). Name and Relation are of who is not the patient.
type CopyStatement struct {
	AskedBy, Name, Relation, IdentityCheck string
	Purpose, Note                          string
	Sensitive                              bool
	Form                                   string
	// From is inclusive, To exclusive; either may be zero.
	From, To time.Time
}

// Format prints no name in any verb.
func (s CopyStatement) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "copy for %s", s.AskedBy) }

// Check tells what is wrong with a statement as it was typed, for this patient on the county's day.
func (s CopyStatement) Check(p Patient, today Date) Problems {
	var ps Problems
	checks, known := map[string][]string{
		AskedByPatient: {CheckedCard, CheckedOther}, AskedByGuardian: {CheckedKinship}, AskedByAuthorised: {CheckedLetter},
	}[s.AskedBy]
	switch {
	case s.AskedBy == "":
		ps.add("statement.askedBy", ReasonRequired, "")
	case !known:
		ps.add("statement.askedBy", ReasonUnknown, "")
	case s.AskedBy == AskedByPatient && p.IsChild(today):
		ps.add("statement.askedBy", ReasonInvalid, CauseChild)
	}
	switch {
	case s.IdentityCheck == "":
		ps.add("statement.identityCheck", ReasonRequired, "")
	case known && !slices.Contains(checks, s.IdentityCheck):
		ps.add("statement.identityCheck", ReasonCombination, "askedBy")
	}
	if known && s.AskedBy != AskedByPatient {
		person(&ps, "statement.name", s.Name, true)
		switch {
		case s.Relation == "":
			ps.add("statement.relation", ReasonRequired, "")
		case !KnownRelation(s.Relation) || s.Relation == Self:
			ps.add("statement.relation", ReasonUnknown, "")
		}
	}
	s.purpose(&ps)
	if s.Form != FormFHIR && s.Form != FormPrint {
		ps.add("statement.form", ReasonUnknown, "")
	}
	if !s.From.IsZero() && !s.To.IsZero() && !s.From.Before(s.To) {
		ps.add("statement.to", ReasonOutOfRange, "")
	}
	return ps
}

func (s CopyStatement) purpose(ps *Problems) {
	switch s.Purpose {
	case "SELF", "TREATMENT", "INSURANCE", "LEGAL":
	case "OTHER":
		if strings.TrimSpace(s.Note) == "" {
			ps.add("statement.note", ReasonRequired, "")
		}
	case "":
		ps.add("statement.purpose", ReasonRequired, "")
	default:
		ps.add("statement.purpose", ReasonUnknown, "")
	}
	if utf8.RuneCountInString(s.Note) > maxExportNote {
		ps.add("statement.note", ReasonTooLong, "")
	}
}

// Export is one row of the ledger of what left. It never changes.
type Export struct {
	ID         string
	Kind, Form string
	// PatientID and Statement of an own copy; Home is the patient's centre at that time.
	PatientID, Home string
	Statement       CopyStatement
	By              Recorder
	// Entries, rows or cases that it holds.
	Entries int
	// Digest is the SHA-256 of what was handed out.
	Digest [32]byte
}

// Format prints the id in every verb.
func (e Export) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "export %s", e.ID) }

// CheckExport tells what is wrong with the kind and form of an export.
func CheckExport(kind, form string) Problems {
	var ps Problems
	forms, known := map[string][]string{
		ExportOwnCopy: {FormFHIR, FormPrint}, ExportAudit: {"CSV", "JSONL"}, ExportStatistics: {"CSV", "XLSX"},
	}[kind]
	switch {
	case !known:
		ps.add("kind", ReasonUnknown, "")
	case !slices.Contains(forms, form):
		ps.add("form", ReasonUnknown, "")
	}
	return ps
}
