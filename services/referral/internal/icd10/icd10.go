// Package icd10 finds diagnoses in the Chinese list of ICD-10 categories.
//
// Owns: the embedded list (its source and licence are in README.md) and the index over it, built once. Refuses: to say what a patient has.
// A [List] is never changed and safe for concurrent use.
package icd10

import (
	"cmp"
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/mozillazg/go-pinyin"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

//go:embed disease.csv
var source string

// System is how the codes are named in a coding.
const System = "ICD-10"

// List is the categories with their index.
type List struct {
	entries []entry
	names   map[string]string
}

type entry struct {
	code, name string
	// initials holds, for each character of the name that is spoken, the first letters of all its readings.
	initials []string
}

// New builds the index.
func New() (*List, error) {
	// Tabs part the columns: the names hold commas.
	_, body, _ := strings.Cut(source, "\n")
	l := &List{names: map[string]string{}}
	for line := range strings.Lines(body) {
		code, name, ok := strings.Cut(strings.TrimSpace(line), "\t")
		// A dagger (+) or an asterisk says which of two codes is the cause; it is no part of the code.
		code = strings.TrimRight(code, "+*")
		if !ok || len(code) != categoryLength {
			return nil, fmt.Errorf("read the ICD-10 list: %q has no code and name", line)
		}
		l.entries = append(l.entries, entry{code, name, initials(name)})
		l.names[code] = name
	}
	return l, nil
}

const categoryLength = 3

// Name is the name of a code's category; "" for one that is not in the list.
func (l *List) Name(code string) string {
	if len(code) < categoryLength {
		return ""
	}
	return l.names[code[:categoryLength]]
}

// match is how well an entry fits: the way first, then how early, then the shorter name, then the code.
type match struct {
	entry
	way, at int
}

const (
	byCode = iota
	byName
	byStartOfName
	byPartOfName
	byInitials
	byPartOfInitials
	ways
)

var subcategory = regexp.MustCompile(`^[A-Z][0-9]{2}\.[0-9x]{1,3}(x[0-9]{3})?$`)

// Search finds by code prefix, part of the name, or pinyin initials; every word of the query must fit. Best first, at most n. A code below
// a category is answered as typed, under the category's name.
func (l *List) Search(query string, n int) []domain.Diagnosis {
	words := strings.Fields(query)
	if len(words) == 0 || n <= 0 {
		return nil
	}
	if exact := capital(words[0]); len(words) == 1 && subcategory.MatchString(exact) {
		if name := l.Name(exact); name != "" {
			return []domain.Diagnosis{{System: System, Code: exact, Display: name}}
		}
	}
	var found []match
	for _, e := range l.entries {
		if m, ok := fit(e, words); ok {
			found = append(found, m)
		}
	}
	slices.SortFunc(found, func(a, b match) int {
		return cmp.Or(a.way-b.way, a.at-b.at, len(a.name)-len(b.name), cmp.Compare(a.code, b.code))
	})
	out := make([]domain.Diagnosis, 0, min(n, len(found)))
	for _, m := range found[:min(n, len(found))] {
		out = append(out, domain.Diagnosis{System: System, Code: m.code, Display: m.name})
	}
	return out
}

// fit adds up how each word fits; all must.
func fit(e entry, words []string) (match, bool) {
	m := match{entry: e}
	for _, w := range words {
		way, at := fitWord(e, w)
		if way == ways {
			return match{}, false
		}
		m.way += way
		m.at += at
	}
	return m, true
}

func fitWord(e entry, word string) (way, at int) {
	if strings.HasPrefix(e.code, capital(word)) {
		return byCode, 0
	}
	switch at := strings.Index(e.name, word); {
	case e.name == word:
		return byName, 0
	case at == 0:
		return byStartOfName, 0
	case at > 0:
		return byPartOfName, at
	}
	lower := strings.ToLower(word)
	// One letter would fit nearly everything.
	if len(lower) < 2 || strings.IndexFunc(lower, func(r rune) bool { return r < 'a' || r > 'z' }) >= 0 {
		return ways, 0
	}
	for at := 0; at+len(lower) <= len(e.initials); at++ {
		if spoken(e.initials[at:], lower) {
			if at == 0 {
				return byInitials, 0
			}
			return byPartOfInitials, at
		}
	}
	return ways, 0
}

func spoken(initials []string, letters string) bool {
	for i := range len(letters) {
		if strings.IndexByte(initials[i], letters[i]) < 0 {
			return false
		}
	}
	return true
}

// initials takes every reading of a character: which one is meant depends on the word.
func initials(name string) []string {
	args := pinyin.NewArgs()
	args.Style, args.Heteronym = pinyin.FirstLetter, true
	var out []string
	for _, r := range name {
		switch readings := pinyin.SinglePinyin(r, args); {
		case len(readings) > 0:
			out = append(out, strings.Join(readings, ""))
		case r < unicode.MaxASCII && unicode.IsLetter(r):
			out = append(out, strings.ToLower(string(r)))
		}
	}
	return out
}

// capital writes a code as the list does: the letter large, the x of an extension small.
func capital(s string) string { return strings.ToUpper(s[:1]) + strings.ToLower(s[1:]) }
