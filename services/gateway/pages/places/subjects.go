package places

import (
	_ "embed"
	"strings"
	"sync"
)

// subjectList is the national catalogue of departments, a code without dots and a name a line.
//
//go:embed subjects.txt
var subjectList string

// subject is a department of the national catalogue.
type subject struct{ Code, Name string }

var subjects = sync.OnceValue(func() (out []subject) {
	for line := range strings.Lines(subjectList) {
		if code, name, ok := strings.Cut(strings.TrimSpace(line), " "); ok && !strings.HasPrefix(line, "#") {
			out = append(out, subject{code, name})
		}
	}
	return out
})

// picked reads what was typed or chosen: a code, with or without dots and a name, or a name of the catalogue. What is neither stays, to be refused.
func picked(text string) (code, name string) {
	code, name, _ = strings.Cut(strings.TrimSpace(text), " ")
	code, name = strings.ReplaceAll(code, ".", ""), strings.TrimSpace(name)
	for _, s := range subjects() {
		switch {
		case s.Code == code:
			return s.Code, s.Name
		case s.Name == text:
			return s.Code, s.Name
		}
	}
	return code, name
}
