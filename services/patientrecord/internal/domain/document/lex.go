package document

import (
	"bytes"
	"strconv"
)

// tokenKind is what a token of PDF is. Strings are told apart from the rest and otherwise not looked at.
type tokenKind uint8

const (
	endOfData tokenKind = iota
	nameToken
	numberToken
	wordToken
	stringToken
	openDict
	closeDict
	openArray
	closeArray
)

type token struct {
	kind tokenKind
	text string // of a name (decoded), a number, a word; of a string all that stands in the file
}

// lexer reads tokens of PDF 32000-1, 7.2 and 7.3.
type lexer struct {
	data []byte
	at   int
}

func blank(c byte) bool {
	return c == 0 || c == '\t' || c == '\n' || c == '\f' || c == '\r' || c == ' '
}

func delimiter(c byte) bool { return bytes.IndexByte([]byte("()<>[]{}/%"), c) >= 0 }

// maxWord bounds names, numbers and words; the standard allows names of 127 bytes.
const maxWord = 512

func (l *lexer) next() (token, error) {
	l.skip()
	if l.at >= len(l.data) {
		return token{}, nil
	}
	switch c := l.data[l.at]; c {
	case '/':
		l.at++
		text, err := l.word()
		return token{nameToken, decoded(text)}, err
	case '(':
		from := l.at
		err := l.literal()
		return token{stringToken, string(l.data[from:min(l.at, len(l.data))])}, err
	case '<':
		if l.sees("<<") {
			return token{kind: openDict}, nil
		}
		from := l.at
		err := l.hexadecimal()
		return token{stringToken, string(l.data[from:min(l.at, len(l.data))])}, err
	case '>':
		if l.sees(">>") {
			return token{kind: closeDict}, nil
		}
	case '[':
		l.at++
		return token{kind: openArray}, nil
	case ']':
		l.at++
		return token{kind: closeArray}, nil
	case ')', '{', '}':
	default:
		text, err := l.word()
		kind := wordToken
		if bytes.IndexByte([]byte("+-.0123456789"), c) >= 0 {
			kind = numberToken
		}
		return token{kind, text}, err
	}
	return token{}, errBroken
}

func (l *lexer) sees(text string) bool {
	if !bytes.HasPrefix(l.data[l.at:], []byte(text)) {
		return false
	}
	l.at += len(text)
	return true
}

// skip goes past blanks and comments.
func (l *lexer) skip() {
	for l.at < len(l.data) {
		switch c := l.data[l.at]; {
		case blank(c):
			l.at++
		case c == '%':
			for l.at < len(l.data) && l.data[l.at] != '\n' && l.data[l.at] != '\r' {
				l.at++
			}
		default:
			return
		}
	}
}

func (l *lexer) word() (string, error) {
	from := l.at
	for l.at < len(l.data) && !blank(l.data[l.at]) && !delimiter(l.data[l.at]) {
		if l.at++; l.at-from > maxWord {
			return "", errBroken
		}
	}
	return string(l.data[from:l.at]), nil
}

// decoded resolves #xx in a name.
func decoded(name string) string {
	out := make([]byte, 0, len(name))
	for i := 0; i < len(name); i++ {
		if name[i] == '#' && i+2 < len(name) {
			if c, err := strconv.ParseUint(name[i+1:i+3], 16, 8); err == nil {
				out = append(out, byte(c))
				i += 2
				continue
			}
		}
		out = append(out, name[i])
	}
	return string(out)
}

func (l *lexer) literal() error {
	depth := 0
	for ; l.at < len(l.data); l.at++ {
		switch l.data[l.at] {
		case '\\':
			l.at++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				l.at++
				return nil
			}
		}
	}
	return errBroken
}

func (l *lexer) hexadecimal() error {
	for l.at++; l.at < len(l.data); l.at++ {
		switch c := l.data[l.at]; {
		case c == '>':
			l.at++
			return nil
		case !blank(c) && bytes.IndexByte([]byte("0123456789abcdefABCDEF"), c) < 0:
			return errBroken
		}
	}
	return errBroken
}

// streamData goes past the data of a stream, whose keyword was read, and its end. The length counts if the end is there; else the data goes
// on to the first end.
func (l *lexer) streamData(length int) ([]byte, error) {
	if !l.sees("\r\n") && !l.sees("\n") {
		return nil, errBroken
	}
	const end = "endstream"
	from := l.at
	if length >= 0 && length <= len(l.data)-from {
		l.at = from + length
		for l.at < len(l.data) && (l.data[l.at] == '\r' || l.data[l.at] == '\n') {
			l.at++
		}
		if l.sees(end) {
			return l.data[from : from+length], nil
		}
	}
	n := bytes.Index(l.data[from:], []byte(end))
	if n < 0 {
		return nil, errBroken
	}
	l.at = from + n + len(end)
	return l.data[from : from+n], nil
}

// dictionary follows the outermost dictionary of an object, which is what a stream's data is read by.
type dictionary struct {
	open []tokenKind
	// key is the last one, filled whether its value has begun.
	key    string
	filled bool
	has    map[string]bool
	kind   string // value of Type, if it is a name
	// filters by name; length is -1 unless it is a number that stands here.
	filters []string
	length  int
}

// maxDepth of dictionaries and arrays in one another.
const maxDepth = 200

// take follows one token. Depths that do not fit are broken.
func (d *dictionary) take(t token) error {
	switch t.kind {
	case openDict, openArray:
		if len(d.open) == 0 {
			*d = dictionary{open: d.open, has: map[string]bool{}, length: -1, filled: true}
		} else if len(d.open) == 1 {
			d.filled = true
		}
		if d.open = append(d.open, t.kind); len(d.open) > maxDepth {
			return errBroken
		}
		return nil
	case closeDict, closeArray:
		last := len(d.open) - 1
		if last < 0 || (d.open[last] == openDict) != (t.kind == closeDict) {
			return errBroken
		}
		d.open = d.open[:last]
		return nil
	}
	switch len(d.open) {
	case 0:
		if t.kind == wordToken && (t.text == "obj" || t.text == "endobj") {
			*d = dictionary{open: d.open, length: -1}
		}
	case 1:
		d.entry(t)
	case 2:
		if d.key == "Filter" && t.kind == nameToken {
			d.filters = append(d.filters, t.text)
		}
	}
	return nil
}

// entry takes a token of the outermost dictionary itself.
func (d *dictionary) entry(t token) {
	if t.kind == nameToken && d.filled {
		d.key, d.filled = t.text, false
		d.has[t.text] = true
		return
	}
	switch {
	case d.key == "Type" && t.kind == nameToken:
		d.kind = t.text
	case d.key == "Filter" && t.kind == nameToken:
		d.filters = append(d.filters, t.text)
	case d.key == "Length" && t.kind == numberToken && !d.filled:
		if n, err := strconv.Atoi(t.text); err == nil {
			d.length = n
		}
	case d.key == "Length" && t.kind == wordToken && t.text == "R":
		d.length = -1
	}
	d.filled = true
}
