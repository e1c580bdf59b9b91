package parts

import (
	"net/url"
	"strings"

	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// fewest digits of a number that can be called: the short one of a hospital's own exchange.
const fewest = 3

// WrongPhone is the refusal of the referring doctor's telephone where nobody can call what was typed; nil where somebody can, or nothing was typed.
// Beside digits it may hold what people write between them, and an extension (转 or 分机).
func WrongPhone(form url.Values) []errs.Field {
	const field = "originatorPhone"
	typed := strings.TrimSpace(form.Get(field))
	digits := 0
	for _, c := range strings.NewReplacer("转", "", "分机", "").Replace(typed) {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case !strings.ContainsRune(" +-－—()（）/、,，;；.*#", c):
			return []errs.Field{errs.Bad(field, errs.ReasonFieldInvalid, "cause", "CALLABLE")}
		}
	}
	if typed != "" && digits < fewest {
		return []errs.Field{errs.Bad(field, errs.ReasonFieldInvalid, "cause", "CALLABLE")}
	}
	return nil
}
