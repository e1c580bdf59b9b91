package parts

import (
	"net/url"
	"strings"
	"unicode"

	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// fewest digits of a number that can be called: the short one of a hospital's own exchange.
const fewest = 3

// WrongPhone is the refusal of the referring doctor's telephone where nobody can call what was typed; nil where somebody can, or nothing was typed.
// Beside digits it may hold what people write between them, whose it is, and an extension; a letter that touches a digit is a slip of the hand.
func WrongPhone(form url.Values) []errs.Field {
	const field = "originatorPhone"
	typed := strings.TrimSpace(form.Get(field))
	digits, slip, before := 0, false, ' '
	for _, c := range strings.NewReplacer("ext", " ", "tel", " ").Replace(strings.ToLower(typed)) {
		if unicode.IsDigit(c) {
			digits++
		}
		slip = slip || touches(before, c) || touches(c, before)
		before = c
	}
	if typed != "" && (slip || digits < fewest) {
		return []errs.Field{errs.Bad(field, errs.ReasonFieldInvalid, "cause", "CALLABLE")}
	}
	return nil
}

func touches(digit, letter rune) bool {
	return unicode.IsDigit(digit) && unicode.Is(unicode.Latin, letter)
}
