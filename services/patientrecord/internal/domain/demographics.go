package domain

import (
	"fmt"
	"strings"
	"unicode"
)

// guardianAge: younger patients without a document need a guardian.
const guardianAge = 14

// Details is who a patient is, as given or as shown; nothing about it is checked.
type Details struct {
	Name               string
	Sex                Sex
	BirthDate          Date
	DocumentType       DocumentType
	IdentityNumber     string
	NoDocumentReason   string
	Phone              string
	Address            string
	Village            string
	HealthRecordNumber string
	// InsuranceNumber is the 医保号 or 医保电子凭证号 as the patient has it; often the identity number itself.
	InsuranceNumber string
	GuardianName    string
	GuardianPhone   string
}

// Format hides the details in every verb.
func (Details) Format(f fmt.State, _ rune) { fmt.Fprint(f, "patient details") }

// Demographics are details that passed the checks of a registration or an import.
type Demographics struct{ d Details }

// Details is a copy of what is held.
func (d Demographics) Details() Details { return d.d }

// Format hides the details in every verb.
func (d Demographics) Format(f fmt.State, verb rune) { d.d.Format(f, verb) }

// Number is the document's number with its type in front: the same for two records of one person.
// Empty without a document.
func (d Demographics) Number() string {
	if d.d.IdentityNumber == "" {
		return ""
	}
	return NumberKey(d.d.DocumentType, d.d.IdentityNumber)
}

// lost names the numbers that were there before and are there no more.
func (d Demographics) lost(before Demographics) []string {
	var names []string
	for _, n := range []struct{ name, was, is string }{
		{"identityNumber", before.d.IdentityNumber, d.d.IdentityNumber}, {"phone", before.d.Phone, d.d.Phone},
		{"healthRecordNumber", before.d.HealthRecordNumber, d.d.HealthRecordNumber}, {"insuranceNumber", before.d.InsuranceNumber, d.d.InsuranceNumber},
		{"guardianPhone", before.d.GuardianPhone, d.d.GuardianPhone},
	} {
		if n.was != "" && n.is == "" {
			names = append(names, n.name)
		}
	}
	return names
}

// WithDocumentOf is d with the document of another: what remains to be written when d's own number belongs to somebody else's record.
func (d Demographics) WithDocumentOf(o Demographics) Demographics {
	d.d.DocumentType, d.d.IdentityNumber, d.d.NoDocumentReason = o.d.DocumentType, o.d.IdentityNumber, o.d.NoDocumentReason
	return d
}

// NumberKey is Demographics.Number for a number that is searched for.
func NumberKey(t DocumentType, number string) string {
	return fmt.Sprintf("%d:%s", t, NormaliseNumber(number))
}

// RestoreDemographics trusts what a store kept.
func RestoreDemographics(d Details) Demographics { return Demographics{d} }

// NewDemographics checks what a person typed, on the given local day, and answers with every problem at once.
// An identity number tells sex and birth date; given ones may not contradict it.
func NewDemographics(in Details, today Date) (Demographics, Problems) {
	var ps Problems
	d := tidy(in)
	checkName(&ps, d.Name)
	checkDocument(&ps, &d, today)
	checkBirth(&ps, d.BirthDate, today)
	if d.Sex == SexUnset && (d.DocumentType != ResidentCard || !failed(ps, "identityNumber")) {
		ps.add("sex", ReasonRequired, "")
	}
	if d.DocumentType == NoDocument {
		checkGuardian(&ps, d, today)
	}
	checkPhone(&ps, "phone", &d.Phone)
	checkPhone(&ps, "guardianPhone", &d.GuardianPhone)
	if n := d.HealthRecordNumber; n != "" && (len(n) != 17 || !allDigits(n)) {
		ps.add("healthRecordNumber", ReasonInvalid, "")
	}
	if n := d.InsuranceNumber; n != "" && !plausibleInsurance(n) {
		ps.add("insuranceNumber", ReasonInvalid, "")
	}
	if len(ps) > 0 {
		return Demographics{}, ps
	}
	return Demographics{d}, nil
}

// ImportedDemographics checks what another system kept. It asks for less than a registration, because nobody is there
// to ask: a name, a birth date that exists, and an identity number that is right if there is one. A telephone that
// cannot be one is kept as it came.
func ImportedDemographics(in Details, today Date) (Demographics, Problems) {
	var ps Problems
	d := tidy(in)
	checkName(&ps, d.Name)
	if d.DocumentType == DocumentUnset && d.IdentityNumber == "" {
		d.DocumentType, d.NoDocumentReason = NoDocument, OtherReason
	}
	if d.DocumentType == NoDocument {
		d.IdentityNumber = ""
	} else {
		checkDocument(&ps, &d, today)
	}
	if d.Sex == SexUnset {
		d.Sex = SexUnknown
	}
	if !d.BirthDate.IsZero() {
		checkBirth(&ps, d.BirthDate, today)
	}
	if len(ps) > 0 {
		return Demographics{}, ps
	}
	return Demographics{d}, nil
}

func tidy(d Details) Details {
	d.Name = NormaliseName(d.Name)
	d.GuardianName = NormaliseName(d.GuardianName)
	d.IdentityNumber = NormaliseNumber(d.IdentityNumber)
	d.HealthRecordNumber = NormaliseNumber(d.HealthRecordNumber)
	d.InsuranceNumber = NormaliseNumber(d.InsuranceNumber)
	d.NoDocumentReason = strings.TrimSpace(d.NoDocumentReason)
	d.Phone = strings.TrimSpace(d.Phone)
	d.GuardianPhone = strings.TrimSpace(d.GuardianPhone)
	d.Address = strings.TrimSpace(d.Address)
	d.Village = strings.TrimSpace(d.Village)
	if d.DocumentType == DocumentUnset && d.IdentityNumber != "" {
		d.DocumentType = ResidentCard
	}
	if d.DocumentType != NoDocument {
		d.NoDocumentReason = ""
	}
	return d
}

func checkDocument(ps *Problems, d *Details, today Date) {
	switch d.DocumentType {
	case DocumentUnset:
		ps.add("documentType", ReasonRequired, "")
	case ResidentCard:
		checkResident(ps, d, today)
	case NoDocument:
		switch {
		case d.NoDocumentReason == "":
			ps.add("noDocumentReason", ReasonRequired, "")
		case !knownNoDocumentReason(d.NoDocumentReason):
			ps.add("noDocumentReason", ReasonUnknown, "")
		}
		if d.IdentityNumber != "" {
			ps.add("identityNumber", ReasonCombination, "documentType")
		}
		if d.BirthDate.IsZero() {
			ps.add("birthDate", ReasonRequired, "")
		}
	default:
		if d.DocumentType > NoDocument {
			ps.add("documentType", ReasonUnknown, "")
		}
		switch {
		case d.IdentityNumber == "":
			ps.add("identityNumber", ReasonRequired, "")
		case !plausibleNumber(d.IdentityNumber):
			ps.add("identityNumber", ReasonInvalid, "")
		}
		if d.BirthDate.IsZero() {
			ps.add("birthDate", ReasonRequired, "")
		}
	}
}

func checkResident(ps *Problems, d *Details, today Date) {
	if d.IdentityNumber == "" {
		ps.add("identityNumber", ReasonRequired, "")
		return
	}
	n, cause := ParseIdentityNumber(d.IdentityNumber, today)
	if cause != "" {
		ps.add("identityNumber", ReasonIdentityNumber, cause)
		return
	}
	d.IdentityNumber = n.Value()
	switch d.Sex {
	case SexUnset, SexUnknown, SexNotStated:
		d.Sex = n.Sex()
	default:
		if d.Sex != n.Sex() {
			ps.add("sex", ReasonCombination, "identityNumber")
		}
	}
	if !d.BirthDate.IsZero() && !d.BirthDate.Agrees(n.BirthDate()) {
		ps.add("birthDate", ReasonCombination, "identityNumber")
		return
	}
	d.BirthDate = n.BirthDate()
}

func checkBirth(ps *Problems, birth, today Date) {
	if birth.After(today) || !birth.IsZero() && birth.Year < today.Year-oldestAge {
		ps.add("birthDate", ReasonOutOfRange, "")
	}
}

func checkGuardian(ps *Problems, d Details, today Date) {
	child := !d.BirthDate.IsZero() && d.BirthDate.AgeOn(today) < guardianAge
	if d.GuardianName == "" && (child || d.NoDocumentReason == Newborn) {
		ps.add("guardianName", ReasonRequired, "")
	}
}

func checkName(ps *Problems, name string) {
	if name == "" {
		ps.add("name", ReasonRequired, "")
		return
	}
	letters := 0
	for _, r := range name {
		switch {
		case unicode.IsLetter(r):
			letters++
		case unicode.IsMark(r), unicode.IsDigit(r), unicode.IsSpace(r), strings.ContainsRune("·.-'’()（）", r):
		default:
			ps.add("name", ReasonInvalid, "")
			return
		}
	}
	if letters == 0 {
		ps.add("name", ReasonInvalid, "")
	}
}

// plausibleNumber is all that can be said of the numbers of other documents.
func plausibleNumber(s string) bool {
	if len(s) < 4 || len(s) > 30 {
		return false
	}
	for _, r := range s {
		if (r < '0' || r > '9') && (r < 'A' || r > 'Z') && r != '(' && r != ')' {
			// 军字第…, 武字第…: military documents carry Chinese characters.
			if !unicode.Is(unicode.Han, r) {
				return false
			}
		}
	}
	return true
}

// plausibleInsurance: the number of the insurance is 6 to 30 letters and digits; its form differs by region.
func plausibleInsurance(s string) bool {
	if len(s) < 6 || len(s) > 30 {
		return false
	}
	for _, r := range s {
		if (r < '0' || r > '9') && (r < 'A' || r > 'Z') {
			return false
		}
	}
	return true
}

func failed(ps Problems, field string) bool {
	for _, p := range ps {
		if p.Field == field {
			return true
		}
	}
	return false
}
