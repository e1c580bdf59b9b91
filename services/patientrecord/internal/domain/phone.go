package domain

import "strings"

// NormalisePhone reads a telephone number as people write it: 11 digits beginning with 1 (mobile), or a landline with its area
// code, kept as digits only; +86 in front goes. ok is false for anything else.
func NormalisePhone(s string) (digits string, ok bool) {
	text := strings.NewReplacer("(", "", ")", "").Replace(NormaliseNumber(s))
	if rest, found := strings.CutPrefix(text, "+86"); found {
		text = rest
	} else if rest, found := strings.CutPrefix(text, "0086"); found {
		text = rest
	}
	if !allDigits(text) {
		return "", false
	}
	switch {
	case len(text) == 11 && text[0] == '1' && text[1] >= '3':
		return text, true
	case len(text) >= 10 && len(text) <= 12 && text[0] == '0' && text[1] != '0':
		return text, true
	}
	return "", false
}

func checkPhone(ps *Problems, field string, phone *string) {
	if *phone == "" {
		return
	}
	digits, ok := NormalisePhone(*phone)
	if !ok {
		ps.add(field, ReasonInvalid, "")
		return
	}
	*phone = digits
}
