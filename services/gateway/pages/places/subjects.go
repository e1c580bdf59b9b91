package places

import (
	_ "embed"
	"strings"
	"sync"

	"github.com/tongzhen/tongzhen/services/internal/errs"
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
	if found := alike(text); len(found) == 1 {
		return found[0].Code, found[0].Name
	}
	return code, name
}

// severalNamed is how many entries a refusal names.
const severalNamed = 8

// unclear refuses a text of which no code could be made, and names the entries that it may stand for; the name follows from the code and is not asked for.
func unclear(adds bool, code, typed string) error {
	if !adds || code == "" || strings.Trim(code, "0123456789") == "" {
		return nil
	}
	found := alike(typed)
	if len(found) == 0 {
		return errs.Invalid(errs.Bad("department.code", errs.ReasonFieldInvalid))
	}
	var names []string
	for _, s := range found[:min(len(found), severalNamed)] {
		names = append(names, s.Code+" "+s.Name)
	}
	cause := "department.several"
	if len(found) > severalNamed {
		cause = "department.many"
	}
	return errs.Invalid(errs.Bad("department.code", errs.ReasonFieldInvalid, "cause", cause, "entries", strings.Join(names, "、")))
}

// alike are the entries of the catalogue whose name holds a typed text.
func alike(text string) (out []subject) {
	if text = strings.TrimSpace(text); text == "" {
		return nil
	}
	for _, s := range subjects() {
		if strings.Contains(s.Name, text) {
			out = append(out, s)
		}
	}
	return out
}
