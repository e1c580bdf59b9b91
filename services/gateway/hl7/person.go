package hl7

import (
	"strings"
	"unicode"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
)

// person is the record with whom it is about. Only ADT keeps the patient's details up to date: others carry what was known when they were
// ordered.
func (r *reader) person() *patientrecordv1.FeedRecord {
	pid := r.m.first("PID")
	if !pid.there() {
		r.fail(ReasonMissing, "PID")
		return nil
	}
	p := &patientrecordv1.Patient{
		Name: r.name(pid, 5), Sex: sex(pid.text(8)), BirthDate: r.day(pid, 7), Address: address(pid.one(11)), Phone: phone(pid.all(13)),
		DocumentType: patientrecordv1.DocumentType_UNSPECIFIED,
	}
	identity := r.identify(pid, p)
	if p.Name == "" {
		r.fail(ReasonMissing, pid.at(5))
	}
	if kin := r.m.first("NK1"); kin.there() {
		p.GuardianName, p.GuardianPhone = r.name(kin, 2), phone(kin.all(5))
	}
	mother, number := r.mother(pid)
	return &patientrecordv1.FeedRecord{
		MotherIdentity: mother, MotherIdentityNumber: number,
		SourceSystem: "hl7:" + r.s.Organization, PatientIdentity: identity, Patient: p, UpdatesPatient: r.kind == "ADT", BecomesHome: r.s.Home,
		Event: r.event,
	}
}

// identify reads the identifiers of PID-3: the hospital's own number is the answer, an identity card or passport goes into p. A system that
// has no number of its own names the patient by the document. PID-19 is where older systems put the identity number.
func (r *reader) identify(pid segment, p *patientrecordv1.Patient) (own string) {
	other := ""
	for _, id := range pid.all(3) {
		number := id.at(1)
		switch strings.ToUpper(id.at(5)) {
		case "NI", "NNCHN", "NNCN", "SS", "SFZ", "IDCARD":
			p.DocumentType, p.IdentityNumber = patientrecordv1.DocumentType_RESIDENT_IDENTITY_CARD, number
		case "PPN":
			if p.IdentityNumber == "" {
				p.DocumentType, p.IdentityNumber = patientrecordv1.DocumentType_PASSPORT, number
			}
		case "", "MR", "PI", "PT":
			own = valued(own, number)
		default:
			other = valued(other, number)
		}
	}
	if number := pid.text(19); p.IdentityNumber == "" && len(number) == 18 {
		p.DocumentType, p.IdentityNumber = patientrecordv1.DocumentType_RESIDENT_IDENTITY_CARD, number
	}
	if own = valued(own, pid.text(2), other); own != "" {
		return own
	}
	if p.IdentityNumber == "" {
		r.fail(ReasonMissing, pid.at(3))
		return ""
	}
	return "document:" + p.IdentityNumber
}

// mother reads PID-21: her number at the sender, and that of her identity card.
func (r *reader) mother(pid segment) (own, number string) {
	for _, id := range pid.all(21) {
		switch strings.ToUpper(id.at(5)) {
		case "NI", "NNCHN", "NNCN", "SS", "SFZ", "IDCARD":
			number = valued(number, shorten(id.at(1), 40))
		default:
			own = valued(own, shorten(id.at(1), 60))
		}
	}
	if len(own) == 18 && number == "" {
		number = own // older systems do not say what kind of number it is
	}
	return own, number
}

// name is a person's: the ideographic form where there are several, family name first.
func (r *reader) name(s segment, n int) string {
	all := s.all(n)
	if len(all) == 0 {
		return ""
	}
	chosen := all[0]
	for _, one := range all {
		if one.at(8) == "I" {
			chosen = one
		}
	}
	family, given := chosen.at(1), chosen.at(2)
	if strings.ContainsFunc(family+given, func(c rune) bool { return unicode.Is(unicode.Han, c) }) {
		return family + given
	}
	return strings.TrimSpace(family + " " + given)
}

// day is a birth date as YYYY[-MM[-DD]].
func (r *reader) day(s segment, n int) string {
	text := s.text(n)
	if text == "" {
		return ""
	}
	if _, ok := parseTime(text, r.zone); !ok {
		r.fail(ReasonTime, s.at(n))
		return ""
	}
	switch {
	case len(text) >= 8:
		return text[:4] + "-" + text[4:6] + "-" + text[6:8]
	case len(text) >= 6:
		return text[:4] + "-" + text[4:6]
	}
	return text[:4]
}

// sex reads HL7 table 0001 and GB/T 2261.1.
func sex(code string) commonv1.Sex_Code {
	switch strings.ToUpper(code) {
	case "M", "1", "男":
		return commonv1.Sex_MALE
	case "F", "2", "女":
		return commonv1.Sex_FEMALE
	case "9":
		return commonv1.Sex_NOT_STATED
	}
	return commonv1.Sex_UNKNOWN
}

// address is the largest part first, as it is written in Chinese.
func address(f field) string {
	out := ""
	for _, n := range []int{4, 3, 1, 2} {
		if part := f.at(n); !strings.Contains(out, part) {
			out += part
		}
	}
	return shorten(out, 200)
}

func phone(all []field) string {
	for _, f := range all {
		if number := valued(f.at(1), f.at(12), f.at(6)+f.at(7)); number != "" && len(number) <= 30 {
			return number
		}
	}
	return ""
}

// shorten cuts a text to n letters.
func shorten(s string, n int) string {
	letters := 0
	for i := range s {
		if letters == n {
			return s[:i]
		}
		letters++
	}
	return s
}
