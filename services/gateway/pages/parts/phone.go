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
// Beside digits it may hold what people write between them, whose it is, and an extension; letters among the digits are a slip of the hand.
func WrongPhone(form url.Values) []errs.Field {
	const field = "originatorPhone"
	typed := strings.TrimSpace(form.Get(field))
	digits, letters := 0, false
	for _, c := range strings.ReplaceAll(strings.ToLower(typed), "ext", "") {
		if unicode.IsDigit(c) {
			digits++
		}
		letters = letters || unicode.Is(unicode.Latin, c)
	}
	if typed != "" && (letters || digits < fewest) {
		return []errs.Field{errs.Bad(field, errs.ReasonFieldInvalid, "cause", "CALLABLE")}
	}
	return nil
}
