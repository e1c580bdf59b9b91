package places

import (
	_ "embed"
	"slices"
	"strings"
	"sync"

	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// subjectList is the national catalogue of departments; its head says where each line is from and how certain it is.
//
//go:embed subjects.txt
var subjectList string

// subject is a department of the national catalogue: Official as the catalogue has it, Name as doctors say it, Others under which it is looked for too.
type subject struct {
	Code, Official, Name string
	Others               []string
}

var subjects = sync.OnceValue(func() (out []subject) {
	for line := range strings.Lines(subjectList) {
		words := strings.Fields(line)
		if len(words) < 3 || strings.HasPrefix(line, "#") {
			continue
		}
		out = append(out, subject{words[0], words[1], words[2], words[3:]})
	}
	return out
})

// Also is what is said of an entry beside its name: the official one where it is another, and the others.
func (s subject) Also() string {
	also := s.Others
	if s.Official != s.Name {
		also = append([]string{s.Official}, also...)
	}
	return strings.Join(also, "、")
}

// named tells whether a whole text is one of the entry's names.
func (s subject) named(text string) bool {
	return text == s.Name || text == s.Official || slices.Contains(s.Others, text)
}

// officialName of a code, "" for what is not in the catalogue.
func officialName(code string) string {
	for _, s := range subjects() {
		if s.Code == code {
			return s.Official
		}
	}
	return ""
}

// picked reads what was typed or chosen: a code, with or without dots and a name, or a name of the catalogue. What is neither stays, to be refused.
func picked(text string) (code, name string) {
	text = strings.TrimSpace(text)
	code, name, _ = strings.Cut(text, " ")
	code, name = strings.ReplaceAll(code, ".", ""), strings.TrimSpace(name)
	var found []subject
	for _, s := range subjects() {
		if s.Code == code {
			return s.Code, s.Name
		}
		if s.named(text) {
			found = append(found, s)
		}
	}
	if found == nil {
		found = alike(text)
	}
	if len(found) == 1 {
		return found[0].Code, found[0].Name
	}
	return code, name
}

// severalNamed is how many entries a refusal names.
const severalNamed = 8

// unclear refuses a text of which no code could be made, and names the entries that it may stand for; the name follows from the code and is not asked for.
func unclear(adds bool, code, typed string) error {
	if adds && code == "" {
		return errs.Invalid(errs.Required("department.code"))
	}
	if !adds || strings.Trim(code, "0123456789") == "" {
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

// alike are the entries of the catalogue of which a name holds a typed text.
func alike(text string) (out []subject) {
	if text = strings.TrimSpace(text); text == "" {
		return nil
	}
	for _, s := range subjects() {
		if strings.Contains(s.Name+"、"+s.Also(), text) {
			out = append(out, s)
		}
	}
	return out
}
