package hl7

import (
	"encoding/hex"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxSize bounds a message, in bytes.
const MaxSize = 1 << 20

const maxSegments = 5000

// Reasons of an Error.
const (
	ReasonHeader       = "HL7_HEADER"        // no readable MSH
	ReasonCharset      = "HL7_CHARSET"       // not in the character set that it names
	ReasonTooLarge     = "HL7_TOO_LARGE"     // beyond MaxSize or maxSegments
	ReasonEvent        = "HL7_EVENT"         // a trigger event that is not taken
	ReasonMissing      = "HL7_MISSING"       // a segment or field that is needed
	ReasonTime         = "HL7_TIME"          // not a time
	ReasonCode         = "HL7_CODE"          // a code of no known table
	ReasonDepartment   = "HL7_DEPARTMENT"    // a ward or department that the sender's settings do not name
	ReasonMerge        = "HL7_MERGE"         // several merges at once: a person looks which is which
	ReasonNoControlID  = "HL7_NO_CONTROL_ID" // without MSH-10 a repeat cannot be told
	reasonTypeRefused  = "HL7_TYPE"
	reasonSenderDenied = "HL7_SENDER"
)

// Error is what is wrong with a message.
type Error struct {
	Reason string
	// Position is e.g. "PID-3" or "OBX[2]-5".
	Position string
}

// Error is place and reason.
func (e *Error) Error() string { return e.Position + ": " + e.Reason }

func wrong(reason, position string) *Error { return &Error{Reason: reason, Position: position} }

// separators are those of MSH-1 and MSH-2.
type separators struct{ field, component, repetition, escape, sub string }

// Message is a parsed message: text in UTF-8, split on demand.
type Message struct {
	seps     separators
	charset  charset
	segments []segment
}

// segment is one line; fields[0] is its name. Of MSH, fields[1] is the field separator, as HL7 counts.
type segment struct {
	message *Message
	// place is its name, with its number where there are several: "OBX[2]".
	place  string
	fields []string
}

// Parse reads a message without its MLLP frame. fallback is the character set of a sender that names none; "" tells UTF-8 from GB18030 by
// what is valid. A message with a readable header is answered together with an *Error about the rest.
func Parse(raw []byte, fallback string) (*Message, *Error) {
	if len(raw) > MaxSize {
		return nil, wrong(ReasonTooLarge, "MSH")
	}
	text, set, problem := decode(raw, fallback)
	seps, ok := header(text)
	if !ok {
		return nil, wrong(ReasonHeader, "MSH")
	}
	m := &Message{seps: seps, charset: set}
	counts := map[string]int{}
	for line := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '\r' || r == '\n' }) {
		if len(m.segments) == maxSegments {
			return m, wrong(ReasonTooLarge, "MSH")
		}
		fields := strings.Split(line, seps.field)
		name := fields[0]
		if !segmentName(name) {
			if problem == nil {
				problem = wrong(ReasonHeader, "line "+strconv.Itoa(len(m.segments)+1))
			}
			continue
		}
		if name == "MSH" {
			if len(m.segments) > 0 {
				return m, wrong(ReasonHeader, "MSH[2]")
			}
			fields = append([]string{name, seps.field}, fields[1:]...)
		}
		counts[name]++
		place := name
		if counts[name] > 1 || repeats(name) {
			place += "[" + strconv.Itoa(counts[name]) + "]"
		}
		m.segments = append(m.segments, segment{message: m, place: place, fields: fields})
	}
	return m, problem
}

func repeats(name string) bool {
	return name == "OBX" || name == "OBR" || name == "DG1" || name == "AL1" || name == "NK1"
}

func segmentName(s string) bool {
	if len(s) != 3 {
		return false
	}
	for i, c := range []byte(s) {
		if (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// header reads the separators.
func header(text string) (separators, bool) {
	if !strings.HasPrefix(text, "MSH") || len(text) < 8 {
		return separators{}, false
	}
	field := text[3:4]
	marks, _, found := strings.Cut(text[4:min(len(text), 12)], field)
	if !found || len(marks) < 3 || len(marks) > 5 {
		return separators{}, false
	}
	all := field + marks
	for i, r := range all {
		if r <= ' ' || r >= utf8.RuneSelf || unicode.IsLetter(r) || unicode.IsDigit(r) || strings.IndexRune(all, r) != i {
			return separators{}, false
		}
	}
	s := separators{field: field, component: marks[:1], repetition: marks[1:2], escape: marks[2:3], sub: "&"}
	if len(marks) > 3 {
		s.sub = marks[3:4]
	}
	return s, true
}

// first is the first segment of a name; a message without it answers one without fields.
func (m *Message) first(name string) segment {
	for _, s := range m.segments {
		if s.fields[0] == name {
			return s
		}
	}
	return segment{message: m, place: name}
}

func (m *Message) all(name string) (out []segment) {
	for _, s := range m.segments {
		if s.fields[0] == name {
			out = append(out, s)
		}
	}
	return out
}

func (s segment) there() bool { return len(s.fields) > 0 }

// at is the place of a field, for an Error.
func (s segment) at(n int) string { return s.place + "-" + strconv.Itoa(n) }

// raw is a field as it was sent.
func (s segment) raw(n int) string {
	if n >= len(s.fields) {
		return ""
	}
	return s.fields[n]
}

// field is a repetition of a field, split into components.
type field struct {
	seps       separators
	components []string
}

// all repetitions of a field that say something.
func (s segment) all(n int) (out []field) {
	raw := s.raw(n)
	if raw == "" || raw == `""` {
		return nil
	}
	seps := s.message.seps
	for one := range strings.SplitSeq(raw, seps.repetition) {
		if one != "" && one != `""` {
			out = append(out, field{seps, strings.Split(one, seps.component)})
		}
	}
	return out
}

// one is the first repetition.
func (s segment) one(n int) field {
	if all := s.all(n); len(all) > 0 {
		return all[0]
	}
	return field{}
}

// text is the first component of the first repetition.
func (s segment) text(n int) string { return s.one(n).at(1) }

// at is a component, its first subcomponent, unescaped; "" for what is not valued.
func (f field) at(n int) string {
	if n > len(f.components) {
		return ""
	}
	c := f.components[n-1]
	if f.seps.sub != "" {
		c, _, _ = strings.Cut(c, f.seps.sub)
	}
	if c == `""` {
		return ""
	}
	return strings.TrimSpace(unescape(c, f.seps))
}

// words is the whole field as text, for free text that holds separators nobody escaped.
func (f field) words() string {
	var parts []string
	for _, c := range f.components {
		if c = strings.TrimSpace(unescape(c, f.seps)); c != "" && c != `""` {
			parts = append(parts, c)
		}
	}
	return strings.Join(parts, " ")
}

// unescape resolves escape sequences and drops what is neither text nor a line's end. A sequence that is not known is left out: it is
// formatting.
func unescape(s string, seps separators) string {
	if strings.Contains(s, seps.escape) && seps.escape != "" {
		parts := strings.Split(s, seps.escape)
		var b strings.Builder
		b.WriteString(parts[0])
		for i := 1; i < len(parts); i++ {
			if i == len(parts)-1 {
				// One that nobody closed is text.
				b.WriteString(seps.escape + parts[i])
				break
			}
			b.WriteString(sequence(parts[i], seps))
			i++
			b.WriteString(parts[i])
		}
		s = b.String()
	}
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || !unicode.IsControl(r) && r != utf8.RuneError {
			return r
		}
		return -1
	}, s)
}

func sequence(s string, seps separators) string {
	switch s {
	case "F":
		return seps.field
	case "S":
		return seps.component
	case "R":
		return seps.repetition
	case "E":
		return seps.escape
	case "T":
		return seps.sub
	case ".br", ".sp":
		return "\n"
	}
	if digits, ok := strings.CutPrefix(s, "X"); ok {
		if b, err := hex.DecodeString(digits); err == nil && utf8.Valid(b) {
			return string(b)
		}
	}
	return ""
}

// Lines are a message as a person may read it, whatever is wrong with it.
func Lines(raw []byte) []string {
	text, _, _ := decode(raw, "")
	return strings.FieldsFunc(text, func(r rune) bool { return r == '\r' || r == '\n' })
}
