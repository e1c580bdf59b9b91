package domain

import (
	"fmt"
	"strings"
	"unicode"
)

// Causes of ReasonIdentityNumber.
const (
	// CauseOldNumber: 15 digits, the form before 1999; it has no check character and two holders may share one.
	CauseOldNumber  = "OLD_15_DIGITS"
	CauseLength     = "LENGTH"
	CauseCharacters = "CHARACTERS"
	CauseRegion     = "REGION"
	CauseDate       = "DATE"
	CauseFuture     = "FUTURE_DATE"
	CauseCheck      = "CHECK_CHARACTER"
)

// oldestAge bounds birth dates: nobody older lives.
const oldestAge = 150

// IdentityNumber is a checked resident identity number (居民身份证号, GB 11643): 6 digits region, 8 birth date,
// 3 sequence (odd = male), 1 check character by ISO 7064 MOD 11-2.
type IdentityNumber struct {
	text  string
	birth Date
}

// ParseIdentityNumber reads a number as people type it (full-width digits, spaces, small x) on the given local day.
// A refusal is a cause, one of the constants above; it is empty when the number is right.
func ParseIdentityNumber(s string, today Date) (n IdentityNumber, cause string) {
	text := NormaliseNumber(s)
	switch {
	case len(text) == 15 && allDigits(text):
		return IdentityNumber{}, CauseOldNumber
	case len([]rune(text)) != 18:
		return IdentityNumber{}, CauseLength
	case len(text) != 18 || !allDigits(text[:17]) || !allDigits(text[17:]) && text[17] != 'X':
		return IdentityNumber{}, CauseCharacters
	case text[0] == '0':
		return IdentityNumber{}, CauseRegion
	}
	birth, ok := dateFromDigits(text[6:14])
	switch {
	case !ok || birth.Year < today.Year-oldestAge:
		return IdentityNumber{}, CauseDate
	case birth.After(today):
		return IdentityNumber{}, CauseFuture
	case CheckCharacter(text[:17]) != text[17]:
		return IdentityNumber{}, CauseCheck
	}
	return IdentityNumber{text: text, birth: birth}, ""
}

// CheckCharacter is the ISO 7064 MOD 11-2 character for 17 digits.
func CheckCharacter(digits string) byte {
	p := 0
	for i := range len(digits) {
		p = (p + int(digits[i]-'0')) * 2 % 11
	}
	return "10X98765432"[p]
}

// Value is the number itself, 18 characters with an upper-case X.
func (n IdentityNumber) Value() string { return n.text }

// BirthDate as the number says it.
func (n IdentityNumber) BirthDate() Date { return n.birth }

// Sex as the number says it.
func (n IdentityNumber) Sex() Sex {
	if (n.text[16]-'0')%2 == 1 {
		return Male
	}
	return Female
}

// Format hides the number in every verb.
func (n IdentityNumber) Format(f fmt.State, _ rune) { fmt.Fprint(f, "identity number") }

// NormaliseNumber brings the number of a document or a telephone into one form: full-width characters become ASCII,
// letters upper case, spaces and hyphens go.
func NormaliseNumber(s string) string {
	return strings.Map(func(r rune) rune {
		r = narrow(r)
		switch {
		case unicode.IsSpace(r), unicode.Is(unicode.Cf, r), isHyphen(r):
			return -1
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		}
		return r
	}, s)
}

func isHyphen(r rune) bool { return r == '-' || r >= '‐' && r <= '―' || r == '−' }

// narrow turns a full-width character into its ASCII form.
func narrow(r rune) rune {
	switch {
	case r >= '！' && r <= '～':
		return r - '！' + '!'
	case r == '\u3000':
		return ' '
	}
	return r
}

func allDigits(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return s != ""
}
