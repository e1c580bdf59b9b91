// Package words holds the texts of messages that leave the house, as data: one file a language, and over them the county's own.
//
// A text has places in braces, {number}. What stands in square brackets is left out when a place in it has nothing to show: [，来自{from}]. There are no
// other places than Places: nothing medical and no name of a patient has one.
//
// Invariant: every text of both languages is checked when the book is made; none can be shown with a place unfilled.
package words

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed zh-CN.yaml en.yaml
var shipped embed.FS

// Other is the text of staff whose template has none of its own.
const Other = "OTHER"

// PatientPrefix begins the templates of patients: they never fall back on another.
const PatientPrefix = "PATIENT_"

// Languages there are; the first is the default.
func Languages() []string { return []string{"zh-CN", "en"} }

// Places that a text may have.
func Places() []string {
	return []string{
		"number", "urgency", "from", "organization", "department", "when", "where", "bring", "phone", "step", "ring", "verify", "link", "count", "text",
	}
}

// Errors of Text.
var (
	// ErrNoText says that a patient's template has no text.
	ErrNoText = errors.New("words: no such text")
	// ErrUnfilled says that a place which must be filled is empty.
	ErrUnfilled = errors.New("words: a place is empty")
)

// file is a language's file.
type file struct {
	Again   string            `yaml:"again"`
	Subject string            `yaml:"subject"`
	Link    string            `yaml:"link"`
	Digest  entry             `yaml:"digest"`
	Line    string            `yaml:"digestLine"`
	Urgency map[string]string `yaml:"urgency"`
	Steps   map[string]string `yaml:"steps"`
	Texts   map[string]string `yaml:"texts"`
}

type entry struct {
	Subject string `yaml:"subject"`
	Text    string `yaml:"text"`
}

// Book answers texts. Safe for concurrent use.
type Book struct {
	files map[string]file
	place *regexp.Regexp
	group *regexp.Regexp
}

// New loads the shipped texts, then the county's over them: files of the same names, with whatever differs. The error joins everything wrong.
func New(county fs.FS) (*Book, error) {
	b := &Book{files: map[string]file{}, place: regexp.MustCompile(`\{([^{}]*)\}`), group: regexp.MustCompile(`\[([^\[\]]*)\]`)}
	var problems []error
	for _, language := range Languages() {
		name := language + ".yaml"
		var f file
		text, err := shipped.ReadFile(name)
		if err == nil {
			err = decode(text, &f)
		}
		problems = append(problems, err)
		if county != nil {
			text, err := fs.ReadFile(county, name)
			switch {
			case err == nil:
				if err = decode(text, &f); err != nil {
					err = fmt.Errorf("the county's %s: %w", name, err)
				}
				problems = append(problems, err)
			case !errors.Is(err, fs.ErrNotExist):
				problems = append(problems, err)
			}
		}
		problems = append(problems, b.check(name, f)...)
		b.files[language] = f
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return b, nil
}

// decode lays a file over what is there: a key of a map replaces that key.
func decode(text []byte, f *file) error {
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	return d.Decode(f)
}

// check tells of places that there are not, and brackets that do not close.
func (b *Book) check(name string, f file) (problems []error) {
	all := map[string]string{"again": f.Again, "subject": f.Subject, "link": f.Link, "digest.subject": f.Digest.Subject, "digest.text": f.Digest.Text, "digestLine": f.Line}
	for key, text := range f.Texts {
		all["texts."+key] = text
	}
	for key, text := range all {
		if strings.TrimSpace(text) == "" {
			problems = append(problems, fmt.Errorf("%s: %s is empty", name, key))
		}
		for _, p := range b.place.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(Places(), p[1]) {
				problems = append(problems, fmt.Errorf("%s: %s has the place {%s}; there are %s", name, key, p[1], strings.Join(Places(), ", ")))
			}
		}
		rest := b.group.ReplaceAllString(b.place.ReplaceAllString(text, ""), "")
		if strings.ContainsAny(rest, "{}[]") {
			problems = append(problems, fmt.Errorf("%s: %s has a brace or bracket without its other half", name, key))
		}
	}
	if f.Texts[Other] == "" {
		problems = append(problems, fmt.Errorf("%s: texts.%s is missing", name, Other))
	}
	return problems
}

func (b *Book) file(language string) file {
	if f, ok := b.files[language]; ok {
		return f
	}
	return b.files[Languages()[0]]
}

// Plain is a text with its places unfilled; "" if there is none of its own.
func (b *Book) Plain(language, template string) string { return b.file(language).Texts[template] }

// Templates are those that have a text, sorted.
func (b *Book) Templates() (all []string) {
	for key := range b.file("").Texts {
		all = append(all, key)
	}
	slices.Sort(all)
	return all
}

// Values fill places; urgency and step are codes, put in words here.
type Values map[string]string

// Text fills a text. Again puts the word for a repeat in front.
func (b *Book) Text(language, template string, v Values, again bool) (string, error) {
	f := b.file(language)
	text, ok := f.Texts[template]
	if !ok {
		if strings.HasPrefix(template, PatientPrefix) {
			return "", ErrNoText
		}
		text = f.Texts[Other]
	}
	out, err := b.fill(text, f.worded(v))
	if err != nil {
		return "", err
	}
	if again {
		out = f.Again + out
	}
	return out, nil
}

// Subject of an e-mail about one message.
func (b *Book) Subject(language string, v Values, again bool) (string, error) {
	f := b.file(language)
	out, err := b.fill(f.Subject, f.worded(v))
	if again {
		out = f.Again + out
	}
	return out, err
}

// Link is the line with the link that acknowledges.
func (b *Book) Link(language, link string) (string, error) {
	return b.fill(b.file(language).Link, Values{"link": link})
}

// Digest puts several texts into one.
func (b *Book) Digest(language string, texts []string) (subject, text string, err error) {
	f := b.file(language)
	v := Values{"count": strconv.Itoa(len(texts))}
	if subject, err = b.fill(f.Digest.Subject, v); err != nil {
		return "", "", err
	}
	if text, err = b.fill(f.Digest.Text, v); err != nil {
		return "", "", err
	}
	for i, one := range texts {
		line, err := b.fill(f.Line, Values{"count": strconv.Itoa(i + 1), "text": one})
		if err != nil {
			return "", "", err
		}
		text += "\n" + line
	}
	return subject, text, nil
}

// Worded is v with the codes of urgency and step in words, for a provider that has the text itself.
func (b *Book) Worded(language string, v Values) Values { return b.file(language).worded(v) }

// worded is v with codes in words.
func (f file) worded(v Values) Values {
	out := Values{}
	for place, value := range v {
		switch {
		case place == "urgency" && value != "":
			out[place] = or(f.Urgency[value], f.Urgency["ROUTINE"])
		case place == "step":
			out[place] = f.Steps[value]
		default:
			out[place] = value
		}
	}
	return out
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// fill leaves out what stands in brackets around an empty place, and refuses an empty one elsewhere.
func (b *Book) fill(text string, v Values) (string, error) {
	text = b.group.ReplaceAllStringFunc(text, func(group string) string {
		for _, p := range b.place.FindAllStringSubmatch(group, -1) {
			if v[p[1]] == "" {
				return ""
			}
		}
		return group[1 : len(group)-1]
	})
	var missing bool
	text = b.place.ReplaceAllStringFunc(text, func(place string) string {
		value := v[place[1:len(place)-1]]
		missing = missing || value == ""
		return value
	})
	if missing {
		return "", ErrUnfilled
	}
	return text, nil
}
