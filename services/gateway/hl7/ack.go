package hl7

import (
	"strconv"
	"strings"
	"time"
)

// Acknowledgement codes of MSA-1.
const (
	accepted    = "AA"
	quarantined = "AE"
	refused     = "AR"
)

// acknowledge answers a message in its separators and character set. m is nil when its header could not be read.
func acknowledge(m *Message, code string, problem *Error, now time.Time) []byte {
	if m == nil {
		m = &Message{seps: separators{"|", "^", "~", `\`, "&"}}
	}
	msh, f, c := m.first("MSH"), m.seps.field, m.seps.component
	version := msh.raw(12)
	if version == "" {
		version = "2.4"
	}
	header := []string{
		"MSH", m.seps.component + m.seps.repetition + m.seps.escape + m.seps.sub, msh.raw(5), msh.raw(6), msh.raw(3), msh.raw(4),
		now.Format("20060102150405-0700"), "", "ACK" + c + msh.one(9).at(2), strconv.FormatInt(now.UnixMicro(), 36), "P", version, "", "", "", "", "",
		msh.raw(18),
	}
	lines := []string{strings.TrimRight(strings.Join(header, f), f), strings.Join([]string{"MSA", code, msh.raw(10)}, f)}
	if problem != nil {
		lines = append(lines, strings.Join([]string{
			"ERR", "", place(problem.Position, c), errorCode(problem.Reason) + c + c + "HL70357", "E", "", "", "", problem.Reason,
		}, f))
	}
	return encode(strings.Join(lines, "\r")+"\r", m.charset)
}

// place is ERR-2: segment, its number, field.
func place(position, c string) string {
	name, n, _ := strings.Cut(position, "-")
	name, count, several := strings.Cut(strings.TrimSuffix(name, "]"), "[")
	if !segmentName(name) {
		return ""
	}
	if !several {
		count = "1"
	}
	return strings.TrimRight(name+c+count+c+n, c)
}

// errorCode is a code of HL7 table 0357.
func errorCode(reason string) string {
	switch reason {
	case ReasonHeader:
		return "100"
	case ReasonMissing, ReasonNoControlID:
		return "101"
	case ReasonTime, ReasonCharset:
		return "102"
	case ReasonCode, ReasonDepartment:
		return "103"
	case reasonTypeRefused:
		return "200"
	case ReasonEvent:
		return "201"
	case "CONTROL_ID_REUSED":
		return "205"
	}
	return "207"
}
