package domain

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Bounds of a password, in characters. The upper one bounds what hashing it costs.
const (
	PasswordMin = 8
	PasswordMax = 256
)

// CheckNewPassword refuses a password that is too short or too long, as Violations of "password".
func CheckNewPassword(password string) error {
	var v Violations
	v.password("password", password)
	return v.err()
}

// CheckChosenPassword refuses a password that a person chose: too short, too long, or the login, as Violations of "newPassword".
func CheckChosenPassword(login, password string) error {
	var v Violations
	v.password("newPassword", password)
	if len(v) == 0 && NormalLogin(password) == login {
		v.add("newPassword", ReasonInvalid)
	}
	return v.err()
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
