package app

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// A match is how well a patient fits a query; the smaller the better.
type match struct {
	found Found
	score int
}

// Ranks of one word, best first.
const (
	rankWhole = iota
	rankNumber
	rankNamePrefix
	rankPinyinWhole
	rankPinyin
	rankInitials
	rankInside
	rankTail
	rankVillage
)

// rank checks every candidate against every word, because hashed terms may collide and a tail is not a whole number, and orders
// those that fit: best match first, then by name and id.
func rank(candidates []Found, words []Word) []match {
	var out []match
	for _, c := range candidates {
		if score, ok := best(c, words); ok {
			out = append(out, match{found: c, score: score})
		}
	}
	slices.SortFunc(out, func(a, b match) int {
		return cmp.Or(
			cmp.Compare(a.score, b.score),
			cmp.Compare(a.found.Patient.Demographics().Details().Name, b.found.Patient.Demographics().Details().Name),
			cmp.Compare(a.found.Patient.ID(), b.found.Patient.ID()),
		)
	})
	return out
}

// best is the score of the record, or of one that was merged into it: whoever knows the patient by the former name finds the patient.
func best(c Found, words []Word) (int, bool) {
	least, ok := score(c.Patient.Demographics().Details(), words)
	for _, d := range c.Also {
		if n, fits := score(d, words); fits && (!ok || n < least) {
			least, ok = n, true
		}
	}
	return least, ok
}

func score(d domain.Details, words []Word) (int, bool) {
	held := make(map[Term]bool)
	for _, t := range Terms(d) {
		held[t] = true
	}
	total := 0
	for _, w := range words {
		best := -1
		for _, t := range w.Any {
			if !held[t] {
				continue
			}
			if r, ok := rankOf(d, w, t); ok && (best < 0 || r < best) {
				best = r
			}
		}
		if best < 0 {
			return 0, false
		}
		total += best
	}
	return total, true
}

func rankOf(d domain.Details, w Word, t Term) (int, bool) {
	name := joined(strings.ToLower(domain.NormaliseName(d.Name)))
	switch t.Kind {
	case TermName:
		if name == w.Text || name == t.Text {
			return rankWhole, true
		}
		return rankNamePrefix, strings.Contains(name, w.Text)
	case TermPair:
		return rankInside, strings.Contains(name, w.Text)
	case TermPinyin:
		for _, r := range readings(name) {
			if slices.Contains(spellings(r.whole()), w.Text) {
				return rankPinyinWhole, true
			}
		}
		return rankPinyin, true
	case TermInitials:
		return rankInitials, true
	case TermLatin:
		begins := false
		for _, part := range nameParts(strings.ToLower(d.Name)) {
			part = plainLatin(part)
			if part == w.Text {
				return rankWhole, true
			}
			begins = begins || strings.HasPrefix(part, w.Text)
		}
		return rankNamePrefix, begins
	case TermPhoneTail:
		return rankTail, strings.HasSuffix(digitsOf(d.Phone), w.Text)
	case TermNumberTail:
		return rankTail, strings.HasSuffix(d.IdentityNumber, w.Text)
	case TermHealthTail:
		return rankTail, strings.HasSuffix(d.HealthRecordNumber, w.Text)
	case TermInsuranceTail:
		return rankTail, strings.HasSuffix(d.InsuranceNumber, w.Text)
	case TermVillage, TermVillagePair:
		return rankVillage, strings.Contains(plainVillage(d.Village), w.Text)
	}
	return rankNumber, true
}
