package document

import (
	"slices"
	"strconv"
	"strings"
)

// maxAddress bounds the address of a link, as it stands in the file.
const maxAddress = 4096

// links follows the dictionaries of a PDF for actions that open an address. Allowed is a link that somebody must click: see CheckPDF. What
// opens by itself (OpenAction, AA), goes on to another action (Next), or is pointed at from elsewhere does not pass.
type links struct {
	open []frame
	// wrong: an address was named where it may not be.
	wrong bool
}

// frame is a dictionary or an array that has begun.
type frame struct {
	dict bool
	// under is the key whose value it is, in the dictionary right around it; empty in an array and where nothing is certain.
	under string
	// key is the last one, filled whether its value has begun.
	key    string
	filled bool

	// acts: S is URI. addresses are how many entries URI there are, harmless those whose address is allowed. other: there are entries that
	// a link does not have.
	acts, other         bool
	addresses, harmless int
}

// take follows one token.
func (l *links) take(t token) {
	if len(l.open) == 0 && t.kind != openDict && t.kind != openArray {
		l.wrong = l.wrong || t.kind == nameToken && t.text == "URI"
		return
	}
	switch t.kind {
	case openDict, openArray:
		next := frame{dict: t.kind == openDict, filled: true}
		if len(l.open) > 0 {
			around := &l.open[len(l.open)-1]
			if around.dict && !around.filled {
				next.under = around.key
			}
			around.filled = true
		}
		l.open = append(l.open, next)
	case closeDict, closeArray:
		l.end()
	default:
		l.open[len(l.open)-1].entry(t, &l.wrong)
	}
}

// end judges the dictionary that ends.
func (l *links) end() {
	last := len(l.open) - 1
	f, byItself := l.open[last], last > 0 && l.open[last-1].under == "AA"
	l.open = l.open[:last]
	if !f.acts && f.addresses == 0 {
		return
	}
	if f.under != "A" || byItself || !f.acts || f.other || f.addresses != 1 || f.harmless != 1 {
		l.wrong = true
	}
}

func (f *frame) entry(t token, wrong *bool) {
	switch {
	case !f.dict:
		*wrong = *wrong || t.kind == nameToken && t.text == "URI"
	case t.kind == nameToken && f.filled:
		f.key, f.filled = t.text, false
		if t.text == "URI" {
			f.addresses++
		}
		f.other = f.other || !slices.Contains([]string{"Type", "S", "URI", "IsMap"}, t.text)
	default:
		switch {
		case t.kind == nameToken && t.text == "URI" && f.key == "S":
			f.acts = true
		case t.kind == nameToken && t.text == "URI":
			*wrong = true
		case t.kind == stringToken && f.key == "URI" && !f.filled && harmless(t.text):
			f.harmless++
		}
		f.filled = true
	}
}

// harmless tells whether a string as it stands in the file is an address of the web, of mail or a telephone number. A reader may run what
// other schemes say.
func harmless(raw string) bool {
	address, ok := unquoted(raw)
	if !ok || strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return false
	}
	address = strings.ToLower(address)
	return slices.ContainsFunc([]string{"http://", "https://", "mailto:", "tel:"}, func(scheme string) bool { return strings.HasPrefix(address, scheme) })
}

// unquoted is what a string says: (written with its escapes) or <in hexadecimal>. What is too long says nothing.
func unquoted(raw string) (string, bool) {
	if len(raw) < 2 || len(raw) > maxAddress {
		return "", false
	}
	body := raw[1 : len(raw)-1]
	if raw[0] == '<' {
		digits := strings.Map(func(r rune) rune {
			if r < 0x80 && blank(byte(r)) {
				return -1
			}
			return r
		}, body)
		if len(digits)%2 == 1 {
			digits += "0"
		}
		out := make([]byte, 0, len(digits)/2)
		for i := 0; i < len(digits); i += 2 {
			c, err := strconv.ParseUint(digits[i:i+2], 16, 8)
			if err != nil {
				return "", false
			}
			out = append(out, byte(c))
		}
		return string(out), true
	}
	out := make([]byte, 0, len(body))
	for i := 0; i < len(body); i++ {
		if body[i] != '\\' {
			out = append(out, body[i])
			continue
		}
		c, n := escaped(body[i+1:])
		out, i = append(out, c...), i+n
	}
	return string(out), true
}

// escaped reads what follows a backslash (PDF 32000-1, 7.3.4.2): the bytes that it stands for, and how many it takes.
func escaped(rest string) (bytes []byte, taken int) {
	if rest == "" {
		return nil, 0
	}
	if at := strings.IndexByte("nrtbf", rest[0]); at >= 0 {
		return []byte{"\n\r\t\b\f"[at]}, 1
	}
	octal := 0
	for octal < len(rest) && octal < 3 && rest[octal] >= '0' && rest[octal] <= '7' {
		octal++
	}
	switch {
	case octal > 0:
		n, _ := strconv.ParseUint(rest[:octal], 8, 16)
		return []byte{byte(n)}, octal
	case strings.HasPrefix(rest, "\r\n"):
		return nil, 2
	case rest[0] == '\r' || rest[0] == '\n':
		return nil, 1
	}
	return []byte{rest[0]}, 1
}
