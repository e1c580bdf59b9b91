// Package schedulefile reads and writes schedules as files: CSV with templates and single sessions, and iCalendar with sessions.
//
// Owns: the columns and the words in them, Chinese and English; the encodings; what of RFC 5545 is understood (VEVENT with RRULE, EXDATE and
// RECURRENCE-ID). Refuses: to decide what may be planned; that is app's. What cannot be read is named by line and field, never by its content.
//
// Invariants:
//  1. What was written is read again as the same sessions.
//  2. A file that is read ends: it makes at most MaxSessions sessions, whatever its rules say.
package schedulefile

import (
	"bytes"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// Limits of one file.
const (
	MaxBytes    = 1 << 20
	MaxSessions = 2000
)

// Options are what a file does not say.
type Options struct {
	Zone *time.Location
	// From and To bound the sessions that a rule of an iCalendar file makes, half-open.
	From, To time.Time
	// DepartmentCode and SlotMinutes of events that have none.
	DepartmentCode string
	SlotMinutes    int
}

// File is what was read. Organisation, and ids that the file does not give, are left empty.
type File struct {
	Templates []Template
	Sessions  []Session
	Problems  []Problem
}

// Template is one that comes back. Equipment is the id or the name of its device.
type Template struct {
	Line      int
	Equipment string
	domain.Template
}

// Session is a single one. Key tells it from the others of the file where it has no id.
type Session struct {
	Line           int
	Equipment, Key string
	domain.Session
}

// Problem is what is wrong with a line: a column, empty for the whole line, and a reason of the contract.
type Problem struct {
	Line          int
	Field, Reason string
}

func (f *File) refuse(line int, field, reason string) {
	f.Problems = append(f.Problems, Problem{line, field, reason})
}

// text is the content as UTF-8; false if it is neither that nor GB18030.
func text(content []byte) ([]byte, bool) {
	content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf")) // Excel begins UTF-8 with it
	if utf8.Valid(content) {
		return content, true
	}
	decoded, err := simplifiedchinese.GB18030.NewDecoder().Bytes(content)
	if err != nil || bytes.ContainsRune(decoded, utf8.RuneError) {
		return nil, false
	}
	return decoded, true
}
