package hl7

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// charset is one of those that a message may be in.
type charset uint8

const (
	utf8Text charset = iota
	gb18030
)

// charsetOf knows the names of HL7 table 0211 and what Chinese systems write instead. ASCII, 8859/1 and UNICODE count as not named: systems
// that say so send Chinese all the same.
func charsetOf(name string) (set charset, known bool) {
	switch strings.ToUpper(strings.NewReplacer(" ", "", "-", "", "_", "").Replace(name)) {
	case "UNICODEUTF8", "UTF8":
		return utf8Text, true
	case "GB18030", "GB180302000", "GB180302005", "GBK", "GB2312":
		return gb18030, true
	}
	return utf8Text, false
}

// decode makes UTF-8 of a message. Bytes of GB18030 may look like separators, so it is decoded before it is split.
func decode(raw []byte, fallback string) (string, charset, *Error) {
	set, named := charsetOf(declared(raw))
	if !named {
		set, named = charsetOf(fallback)
	}
	valid := utf8.Valid(raw)
	if !named && !valid {
		set = gb18030
	}
	if set == utf8Text {
		if !valid {
			return strings.ToValidUTF8(string(raw), "\uFFFD"), set, wrong(ReasonCharset, "MSH-18")
		}
		return string(raw), set, nil
	}
	text, err := simplifiedchinese.GB18030.NewDecoder().Bytes(raw)
	if err != nil || bytes.ContainsRune(text, utf8.RuneError) {
		return strings.ToValidUTF8(string(text), "\uFFFD"), set, wrong(ReasonCharset, "MSH-18")
	}
	return string(text), set, nil
}

// declared is MSH-18. The header may itself be in GB18030; what stands before MSH-18 is then read as such.
func declared(raw []byte) string {
	line := raw
	if end := bytes.IndexAny(raw, "\r\n"); end >= 0 {
		line = raw[:end]
	}
	if len(line) < 8 {
		return ""
	}
	pick := func(line []byte) string {
		fields := bytes.Split(line, line[3:4])
		if len(fields) < 18 {
			return ""
		}
		name, _, _ := bytes.Cut(fields[17], []byte("~"))
		return string(name)
	}
	name := pick(line)
	if _, known := charsetOf(name); known || utf8.Valid(line) {
		return name
	}
	if text, err := simplifiedchinese.GB18030.NewDecoder().Bytes(line); err == nil {
		return pick(text)
	}
	return ""
}

// encode is text in the character set of a message.
func encode(text string, set charset) []byte {
	if set == gb18030 {
		if b, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(text)); err == nil {
			return b
		}
	}
	return []byte(text)
}
