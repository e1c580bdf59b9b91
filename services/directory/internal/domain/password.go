package domain

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of a password, in characters. The upper one bounds what hashing it costs.
const (
	PasswordMin = 8
	PasswordMax = 256
)

// CheckPassword refuses a password for a login, as Violations of a field, whoever chose it: too short, too long, of one kind of characters only (letters,
// digits, others), the login, or one of the commonest.
func CheckPassword(field, login, password string) error {
	var v Violations
	v.password(field, password)
	switch plain := NormalLogin(password); {
	case len(v) > 0:
	case plain == login || slices.Contains(strings.Fields(commonest), plain):
		v.add(field, ReasonInvalid)
	case kinds(password) < 2:
		v.add(field, ReasonCombination)
	}
	return v.err()
}

// commonest are passwords of two kinds that are tried first.
const commonest = `a1234567 a12345678 a123456789 aa123456 aa12345678 aa123123 aaa123456 abc12345 abc123456 abcd1234 abcd12345 abc123123 asd12345 asd123456 asdf1234
	admin123 admin1234 admin123456 admin@123 admin888 iloveyou1 letmein1 p@ssw0rd p@ssword pass1234 passw0rd password1 password12 password123 q1w2e3r4 q1w2e3r4t5
	qwe12345 qwe123456 qwer1234 qwert12345 qwerty12 qwerty123 qwerty1234 welcome1 welcome123 woaini123 woaini520 woaini521 woaini1314 zxc12345 zxc123456 zxcv1234
	1234abcd 12345abc 123456aa 123456abc 12345678a 123456789a 1q2w3e4r 1q2w3e4r5t 1qaz2wsx 1qaz@wsx 123qweasd 123abc123 5201314a wang1234 zhang123 li123456
	yiyuan123 weisheng123 tongzhen1 tongzhen123`

// kinds is how many kinds of characters a text has: letters of any script, digits, others.
func kinds(text string) int {
	var letter, digit, other int
	for _, c := range text {
		switch {
		case unicode.IsLetter(c):
			letter = 1
		case unicode.IsDigit(c):
			digit = 1
		default:
			other = 1
		}
	}
	return letter + digit + other
}

func (v *Violations) password(field, password string) {
	switch n := utf8.RuneCountInString(password); {
	case n == 0:
		v.add(field, ReasonRequired)
	case n < PasswordMin || n > PasswordMax:
		v.add(field, ReasonOutOfRange)
	}
}

// The one-time password is read off paper and typed once: no letter that looks like another letter or a digit, and groups.
const (
	oneTimeLetters = "abcdefghjkmnpqrstuvwxyz23456789"
	oneTimeGroups  = 3
	oneTimeGroup   = 4
)

// OneTimePassword is a new one of 59 bits out of r, e.g. "k7mq-2fdx-9wbn". A reader that ends is an error.
func OneTimePassword(r io.Reader) (string, error) {
	// Bytes from here on would make some letters likelier than others.
	const fair = 256 - 256%len(oneTimeLetters)
	var out strings.Builder
	var one [1]byte
	for n := 0; n < oneTimeGroups*oneTimeGroup; {
		if _, err := io.ReadFull(r, one[:]); err != nil {
			return "", fmt.Errorf("make one-time password: %w", err)
		}
		if int(one[0]) >= fair {
			continue
		}
		if n > 0 && n%oneTimeGroup == 0 {
			out.WriteByte('-')
		}
		out.WriteByte(oneTimeLetters[int(one[0])%len(oneTimeLetters)])
		n++
	}
	return out.String(), nil
}
