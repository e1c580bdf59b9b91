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

// wordList holds what doctors type, the most common diagnoses first; README.md says what its columns and grounds are.
//
//go:embed words.tsv
var wordList string

// System is how the codes are named in a coding.
const System = "ICD-10"

// List is the categories with their index.
type List struct {
	entries []entry
	names   map[string]string
}

type entry struct {
	code string
	// terms are the name in the list, then what else it is called.
	terms []term
	// called is what doctors call the category; its name when they have no word for the whole of it.
	called string
	// rank is the place among the common ones; rare for the rest.
	rank int
}

type term struct {
	text string
	// initials holds, for each character that is spoken, the first letters of its readings.
	initials []string
	// called is what the doctor who types it calls what is meant: an abbreviation in full; "" where it does not name the category.
	called string
	// place is 0 for what names the category, and grows with how late it is thought of for what does not.
	place int
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
		l.entries = append(l.entries, entry{code, []term{newTerm(name, true)}, name, rare})
		l.names[code] = name
	}
	return l, l.addSpoken()
}

// rare is the rank of what doctors have no other word for.
const rare = 1 << 20

// wholeCategory is the ground of words for the whole of a category.
const wholeCategory = "NAME"

func (l *List) addSpoken() error {
	_, body, _ := strings.Cut(wordList, "\n")
	rank := 0
	for line := range strings.Lines(body) {
		columns := strings.Split(strings.TrimSpace(line), "\t")
		if len(columns) != 3 {
			return fmt.Errorf("read the words for diagnoses: %q has not three columns", line)
		}
		for place, code := range strings.Fields(columns[0]) {
			i := slices.IndexFunc(l.entries, func(e entry) bool { return e.code == code })
			if i < 0 {
				return fmt.Errorf("read the words for diagnoses: %q has no category of the list", line)
			}
			l.entries[i].learn(strings.Fields(columns[1]), place, columns[2], rank)
		}
		rank++
	}
	return nil
}

// learn adds what a line of words says of an entry.
func (e *entry) learn(words []string, place int, ground string, rank int) {
	if place == 0 && e.rank == rare {
		e.rank = rank
		if ground == wholeCategory {
			e.called = words[0]
		}
	}
	for _, word := range words {
		t := newTerm(word, false)
		t.place = place
		switch {
		case place > 0:
			t.called = ""
		case abbreviated(word):
			t.called = words[0]
		}
		e.terms = append(e.terms, t)
	}
}

// abbreviated tells a word of letters from one of characters.
func abbreviated(word string) bool {
	return !strings.ContainsFunc(word, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

func newTerm(text string, everyReading bool) term {
	return term{text: strings.ToLower(text), initials: initials(text, everyReading), called: text}
}

// All implements what the service offers to who must choose without asking it: an entry that doctors have words for carries them and the initials of
// each of its names.
func (l *List) All() []domain.KnownDiagnosis {
	sorted := slices.Clone(l.entries)
	slices.SortStableFunc(sorted, func(a, b entry) int { return cmp.Or(a.rank-b.rank, cmp.Compare(a.code, b.code)) })
	out := make([]domain.KnownDiagnosis, len(sorted))
	for i, e := range sorted {
		out[i] = domain.KnownDiagnosis{Code: e.code, Name: l.names[e.code]}
		for at, t := range e.terms {
			switch {
			case t.place > 0:
				out[i].Related = append(out[i].Related, t.text)
				continue
			case at > 0:
				out[i].Words = append(out[i].Words, t.text)
			}
			if spoken := t.usual(); e.rank < rare && len(spoken) > 1 && !slices.Contains(out[i].Words, spoken) {
				out[i].Words = append(out[i].Words, spoken)
			}
		}
	}
	return out
}

// usual are the initials of a term, the usual reading of each character.
func (t term) usual() string {
	var out strings.Builder
	for _, readings := range t.initials {
		out.WriteString(readings[:1])
	}
	return out.String()
}

const categoryLength = 3

// Name is the name of a code's category; "" for one that is not in the list.
func (l *List) Name(code string) string {
	if len(code) < categoryLength {
		return ""
	}
	return l.names[code[:categoryLength]]
}

// match is how well an entry fits: what is meant before what is ruled out, then the way, then what is named before what is thought of, then the common
// ones, then the shorter name, then the code.
type match struct {
	entry
	fit
}

type fit struct {
	// negated: the name says that it is something else, as in 非糖尿病低血糖性昏迷 for 糖尿病.
	negated bool
	way     int
	place   int
	// called is what the doctor calls it, in the words that fit.
	called string
}

const (
	byCode = iota
	byStartOfCode
	byName
	byStartOfName
	byPartOfName
	byInitials
	byStartOfInitials
	byPartOfInitials
	ways
)

var subcategory = regexp.MustCompile(`^[A-Z][0-9]{2}\.[0-9x]{1,3}(x[0-9]{3})?$`)

// Search finds by code prefix, part of a name, or pinyin initials; every word of the query must fit. Best first, at most n. A code below
// a category is answered as typed, under the category's name.
func (l *List) Search(query string, n int) []domain.FoundDiagnosis {
	words := strings.Fields(strings.ToLower(query))
	if len(words) == 0 || n <= 0 {
		return nil
	}
	if exact := capital(words[0]); len(words) == 1 && subcategory.MatchString(exact) {
		if name := l.Name(exact); name != "" {
			return []domain.FoundDiagnosis{found(exact, name, name)}
		}
	}
	var fitting []match
	for _, e := range l.entries {
		if f, ok := fitAll(e, words); ok {
			fitting = append(fitting, match{e, f})
		}
	}
	slices.SortFunc(fitting, func(a, b match) int {
		return cmp.Or(a.compare(b.fit), a.rank-b.rank, len(a.name())-len(b.name()), cmp.Compare(a.code, b.code))
	})
	out := make([]domain.FoundDiagnosis, 0, min(n, len(fitting)))
	for _, m := range fitting[:min(n, len(fitting))] {
		out = append(out, found(m.code, l.names[m.code], cmp.Or(m.fit.called, m.entry.called)))
	}
	return out
}

func found(code, name, called string) domain.FoundDiagnosis {
	return domain.FoundDiagnosis{Diagnosis: domain.Diagnosis{System: System, Code: code, Display: name}, Called: called}
}

func (e entry) name() string { return e.terms[0].text }

func (f fit) compare(g fit) int {
	switch {
	case f.negated != g.negated && g.negated:
		return -1
	case f.negated != g.negated:
		return 1
	}
	return cmp.Or(f.way-g.way, f.place-g.place)
}

// fitAll adds up how each word fits; all must.
func fitAll(e entry, words []string) (fit, bool) {
	var all fit
	for _, w := range words {
		f := fitWord(e, w)
		if f.way == ways {
			return fit{}, false
		}
		all.way += f.way
		all.place += f.place
		all.called = cmp.Or(all.called, f.called)
		all.negated = all.negated || f.negated
	}
	return all, true
}

// fitWord is the best way in which a word fits the code or one of the terms.
func fitWord(e entry, word string) fit {
	switch code := strings.ToLower(e.code); {
	case code == word:
		return fit{way: byCode}
	case strings.HasPrefix(code, word):
		return fit{way: byStartOfCode}
	}
	best := fit{way: ways}
	for _, t := range e.terms {
		f := fitTerm(t, word)
		f.place, f.called = t.place, t.called
		if f.way < ways && (best.way == ways || f.compare(best) < 0) {
			best = f
		}
	}
	return best
}

func fitTerm(t term, word string) fit {
	letters := strings.IndexFunc(word, func(r rune) bool { return r < 'a' || r > 'z' }) < 0
	switch at := strings.Index(t.text, word); {
	case t.text == word:
		return fit{way: byName}
	case at == 0:
		return fit{way: byStartOfName}
	case at > 0 && !letters:
		return fit{way: byPartOfName, negated: negates(t.text[:at])}
	}
	// One letter would fit nearly everything.
	if len(word) < 2 || !letters {
		return fit{way: ways}
	}
	for at := 0; at+len(word) <= len(t.initials); at++ {
		switch {
		case !spoken(t.initials[at:], word):
		case at > 0:
			return fit{way: byPartOfInitials}
		case len(word) == len(t.initials):
			return fit{way: byInitials}
		default:
			return fit{way: byStartOfInitials}
		}
	}
	return fit{way: ways}
}

// negates tells whether what stands before a word in its clause rules the word out.
func negates(before string) bool {
	clause := before[strings.LastIndexByte(before, ',')+1:]
	return strings.ContainsAny(strings.ReplaceAll(clause, "未特指", ""), "非未不无")
}

func spoken(initials []string, letters string) bool {
	for i := range len(letters) {
		if strings.IndexByte(initials[i], letters[i]) < 0 {
			return false
		}
	}
	return true
}

// initials takes every reading of a character, since which one is meant depends on the word, or only the usual one.
func initials(name string, everyReading bool) []string {
	args := pinyin.NewArgs()
	args.Style, args.Heteronym = pinyin.FirstLetter, everyReading
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
