package domain

import (
	"slices"
	"strings"
	"unicode"
)

// Class is a kind of content that is shown only after a further check.
type Class string

// Classes. Child is not a class of content: everything about a patient under 14 is sensitive.
const (
	Mental Class = "MENTAL"
	HIV    Class = "HIV"
	Sexual Class = "SEXUAL"
	Child  Class = "CHILD"
)

// Coding is a code of some system.
type Coding struct{ System, Code string }

// Marks are what of an entry tells its class: its codes, the department where it happened, and its words.
type Marks struct {
	Codes      []Coding
	Department string
	Words      []string
}

// ClassRule says what belongs to a class. One match is enough.
type ClassRule struct {
	Class Class
	// ICD are categories of three characters or spans of them ("F00-F16"); longer codes of a category belong to it.
	ICD []string
	// Codes of other systems, without the system: LOINC, SNOMED CT, local ones.
	Codes []string
	// Departments where whatever happens is of the class; a longer code belongs to a shorter one.
	Departments []string
	// Words in a text or display. One of Latin letters counts only as a whole word.
	Words []string
	// Treating are the departments that see the class without being asked.
	Treating []string
}

// Classifier tells the classes of entries. The zero Classifier knows none.
type Classifier struct{ rules []ClassRule }

// NewClassifier trusts the rules; whoever reads them from a file checks them.
func NewClassifier(rules []ClassRule) Classifier { return Classifier{slices.Clone(rules)} }

// Idle reports whether there are no rules, so that nothing has a class.
func (c Classifier) Idle() bool { return len(c.rules) == 0 }

// Classes that the marks belong to, in the order of the rules.
func (c Classifier) Classes(m Marks) []Class {
	var out []Class
	for _, r := range c.rules {
		if r.matches(m) && !slices.Contains(out, r.Class) {
			out = append(out, r.Class)
		}
	}
	return out
}

// Treats reports whether a department sees the class without being asked.
func (c Classifier) Treats(department string, class Class) bool {
	return department != "" && slices.ContainsFunc(c.rules, func(r ClassRule) bool {
		return r.Class == class && below(department, r.Treating)
	})
}

func (r ClassRule) matches(m Marks) bool {
	return below(m.Department, r.Departments) ||
		slices.ContainsFunc(m.Codes, func(k Coding) bool {
			return slices.Contains(r.Codes, k.Code) || !foreign(k.System) && inCategory(k.Code, r.ICD)
		}) ||
		slices.ContainsFunc(m.Words, func(text string) bool {
			return slices.ContainsFunc(r.Words, func(w string) bool { return says(text, w) })
		})
}

// foreign: a system whose codes are no ICD-10 even if they look like it.
func foreign(system string) bool {
	return strings.Contains(system, "loinc") || strings.Contains(system, "snomed") || strings.Contains(system, "rxnorm") || strings.Contains(system, "cvx")
}

func below(department string, codes []string) bool {
	d := strings.ReplaceAll(strings.TrimPrefix(department, "A"), ".", "")
	return d != "" && slices.ContainsFunc(codes, func(c string) bool { return strings.HasPrefix(d, c) })
}

// inCategory: code is an ICD-10 code of one of the categories.
func inCategory(code string, categories []string) bool {
	code = strings.ToUpper(strings.TrimSpace(code))
	if len(code) < 3 || code[0] < 'A' || code[0] > 'Z' || code[1] < '0' || code[1] > '9' {
		return false
	}
	category := code[:3]
	return slices.ContainsFunc(categories, func(c string) bool {
		from, to, span := strings.Cut(c, "-")
		return category == from || span && from <= category && category <= to
	})
}

// says reports whether the text holds the word.
func says(text, word string) bool {
	text, word = strings.ToLower(text), strings.ToLower(word)
	latin := word != "" && word[0] < 0x80
	for at := 0; word != ""; {
		i := strings.Index(text[at:], word)
		if i < 0 {
			return false
		}
		begin, end := at+i, at+i+len(word)
		if !latin || !letterBefore(text[:begin]) && !letterAfter(text[end:]) {
			return true
		}
		at = end
	}
	return false
}

func letterBefore(s string) bool { return s != "" && latinLetter(rune(s[len(s)-1])) }

func letterAfter(s string) bool { return s != "" && latinLetter(rune(s[0])) }

func latinLetter(r rune) bool { return r < 0x80 && unicode.IsLetter(r) }

// ChildAge: every fact about a younger patient is sensitive (个人信息保护法 art. 28).
const ChildAge = 14

// IsChild on the given local day. An unknown birth date is nobody's childhood.
func (p Patient) IsChild(today Date) bool {
	birth := p.demographics.d.BirthDate
	return !birth.IsZero() && birth.AgeOn(today) < ChildAge
}
