package app

import (
	"context"
	"slices"
	"strings"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// blocks are the terms under which another record of the same person is looked for besides telephone and numbers.
func (t *terms) blocks(d domain.Details) {
	if phone, ok := domain.NormalisePhone(d.GuardianPhone); ok {
		t.add(TermGuardianPhone, phone)
	}
	name, guardian := plainName(d.Name), plainName(d.GuardianName)
	if d.BirthDate.Whole() {
		day := "|" + d.BirthDate.Text()
		t.add(TermNameBirth, name+day)
		for _, s := range sounds(d.Name) {
			t.add(TermSoundBirth, s+day)
		}
		if guardian != "" {
			t.add(TermGuardianBirth, guardian+day)
		}
	}
	if village := plainVillage(d.Village); village != "" {
		t.add(TermNameVillage, name+"|"+village)
	}
}

// MatchTerms are the terms of other records that a description would be found under.
func MatchTerms(d domain.Details) []Term {
	t := terms{seen: map[Term]bool{}}
	t.blocks(d)
	for _, text := range []string{d.Phone, d.GuardianPhone} {
		if phone, ok := domain.NormalisePhone(text); ok {
			t.add(TermPhone, phone)
			t.add(TermGuardianPhone, phone)
		}
	}
	t.add(TermHealthRecord, d.HealthRecordNumber)
	for _, number := range []string{d.InsuranceNumber, d.IdentityNumber} {
		// The insurance's number is often the identity number.
		t.add(TermInsurance, number)
		t.add(TermNumber, number)
	}
	return t.list
}

func plainName(name string) string { return joined(strings.ToLower(domain.NormaliseName(name))) }

// sounds are the readings of a whole name.
func sounds(name string) []string {
	var out []string
	for _, r := range readings(plainName(name)) {
		if s := r.whole(); s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// compare is domain.Compare with the names' sounds.
func compare(a, b domain.Details) domain.Comparison {
	other := sounds(b.Name)
	same := slices.ContainsFunc(sounds(a.Name), func(s string) bool { return slices.Contains(other, s) })
	return domain.Compare(a, b, same)
}

// closest is the best comparison between a person's records and those of another.
func closest(ds []domain.Details, other Found) domain.Comparison {
	var top domain.Comparison
	for _, a := range ds {
		for _, b := range append([]domain.Details{other.Patient.Demographics().Details()}, other.Also...) {
			if c := compare(a, b); c.Score > top.Score {
				top = c
			}
		}
	}
	return top
}

// rematch looks for other records of the same person; also are records that were merged into this one.
func rematch(ctx context.Context, u Unit, p domain.Patient, also ...domain.Details) error {
	ds := append([]domain.Details{p.Demographics().Details()}, also...)
	alike, err := u.Alike(ctx, ds...)
	if err != nil {
		return err
	}
	var found []domain.Match
	for _, other := range alike {
		if other.Patient.ID() == p.ID() {
			continue
		}
		if c := closest(ds, other); c.Possible() {
			found = append(found, domain.NewMatch(id.New(), p.ID(), other.Patient.ID(), c))
		}
	}
	u.PutMatches(p.ID(), found)
	return nil
}
