package domain

import (
	"fmt"
	"strings"
)

// Number is a referral's number as 16 digits: county (6), year (2), sequence (7), check digit (ISO 7064 MOD 11,10).
// The zero value means not given yet.
type Number string

// MaxSequence is the last sequence of a county and year.
const MaxSequence = 9_999_999

// NewNumber builds the number of a sequence. County must be six digits, year is the full year.
func NewNumber(county string, year int, sequence int64) (Number, error) {
	if len(county) != 6 || !digits(county) || sequence < 1 || sequence > MaxSequence {
		return "", fmt.Errorf("no number for county %q, sequence %d", county, sequence)
	}
	body := fmt.Sprintf("%s%02d%07d", county, year%100, sequence)
	return Number(body + string(checkDigit(body))), nil
}

// ParseNumber reads a number as printed or typed: dashes, spaces and full-width digits are put right, the check digit is verified.
func ParseNumber(s string) (Number, bool) {
	var b strings.Builder
	for _, c := range s {
		switch {
		case c >= '0' && c <= '9':
			b.WriteRune(c)
		case c >= '０' && c <= '９':
			b.WriteRune(c - '０' + '0')
		case c == '-' || c == '－' || c == '—' || c == '–' || c == ' ' || c == '　' || c == '\t':
		default:
			return "", false
		}
	}
	n := b.String()
	if len(n) != 16 || checkDigit(n[:15]) != n[15] {
		return "", false
	}
	return Number(n), true
}

// Printed is the form on slips and screens: 450321-26-0000123-4. Empty for the zero value.
func (n Number) Printed() string {
	if len(n) != 16 {
		return ""
	}
	return string(n[:6] + "-" + n[6:8] + "-" + n[8:15] + "-" + n[15:])
}

// checkDigit is ISO 7064 MOD 11,10: it finds every single wrong digit and nearly every pair of neighbours that changed places.
func checkDigit(body string) byte {
	product := 10
	for i := range len(body) {
		sum := (product + int(body[i]-'0')) % 10
		if sum == 0 {
			sum = 10
		}
		product = sum * 2 % 11
	}
	return byte('0' + (11-product)%10)
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
