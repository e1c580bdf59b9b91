package criteria

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// The shapes of the files. A row carries where it stands, so that whatever is wrong with it can be found.

type ruleFile struct {
	Condition  string
	Name       string
	NameEn     string `yaml:"name_en"`
	Always     bool
	ICD        []string
	Suspected  []string
	Acute      []string
	Department string
	Version    string
	Effective  string
	Approver   string
	Sources    map[string]sourceRow
	Handover   []handoverRow
	Rules      []ruleRow
}

type sourceRow struct {
	Document, URL string
}

type handoverRow struct {
	Code      string
	Text      string
	TextEn    string `yaml:"text_en"`
	Certainty string
}

type ruleRow struct {
	Code      string
	Disabled  bool
	Direction string
	Urgency   string
	When      string
	Text      string
	TextEn    string `yaml:"text_en"`
	Source    string
	Certainty string
	Note      string
	Examples  []exampleRow
}

// exampleRow is a patient and what the rule must say of them. Values are numbers and booleans.
type exampleRow struct {
	Values  map[string]any
	Result  string
	Missing []string
}

type valueFile struct{ Values []valueRow }

type valueRow struct {
	Name       string
	Disabled   bool
	Label      string
	LabelEn    string `yaml:"label_en"`
	Type       string
	Unit       string
	Display    string
	MaxAgeDays int `yaml:"max_age_days"`
	Min, Max   float64
	LOINC      []string
	Local      []string
	Units      map[string]conversion
}

// conversion turns a number of another unit into the value's own: number × factor + offset. A factor of 0 is 1.
type conversion struct{ Factor, Offset float64 }

type stayFile struct{ Stays []stayRow }

// stayRow bounds the length of a stay. Ages are inclusive full years; nil: no limit.
type stayRow struct {
	Code      string
	Disabled  bool
	ICD       []string
	MinAge    *int `yaml:"min_age"`
	MaxAge    *int `yaml:"max_age"`
	Days      int
	Text      string
	TextEn    string `yaml:"text_en"`
	Source    string
	URL       string
	Certainty string
	Note      string
}

type snomedFile struct{ Conditions []snomedRow }

type snomedRow struct {
	Code      string
	Disabled  bool
	Display   string
	ICD       string
	Certainty string
}

// place is where a row stands.
type place struct {
	file string
	line int
}

func (p place) errorf(format string, args ...any) error {
	return fmt.Errorf("%s:%d: "+format, append([]any{p.file, p.line}, args...)...)
}

var (
	atLine     = regexp.MustCompile(`^(?:yaml: )?(?:unmarshal errors:\s*)?line (\d+): (.*)$`)
	unknownKey = regexp.MustCompile(`^field (\S+) not found in type .*$`)
)

// decode reads the one document of a file into a shape of this package, strictly, and answers with the lines at which the rows of a list
// start.
func decode(name string, content []byte, into any, list string) ([]int, error) {
	d := yaml.NewDecoder(bytes.NewReader(content))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		return nil, located(name, err)
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s:1: the file holds more than one document", name)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(content, &document); err != nil {
		return nil, located(name, err)
	}
	return linesOf(&document, list), nil
}

// located says of what the decoder found where it stands.
func located(name string, err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%s:1: the file is empty", name)
	}
	texts := []string{err.Error()}
	var several *yaml.TypeError
	if errors.As(err, &several) {
		texts = several.Errors
	}
	var all []error
	for _, text := range texts {
		line := 1
		if m := atLine.FindStringSubmatch(text); m != nil {
			// The expression lets only digits through.
			line, _ = strconv.Atoi(m[1])
			text = unknownKey.ReplaceAllString(m[2], "unknown key $1")
		}
		all = append(all, place{name, line}.errorf("%s", text))
	}
	return errors.Join(all...)
}

func linesOf(document *yaml.Node, list string) []int {
	if len(document.Content) == 0 || document.Content[0].Kind != yaml.MappingNode {
		return nil
	}
	var lines []int
	for i := 0; i+1 < len(document.Content[0].Content); i += 2 {
		key, value := document.Content[0].Content[i], document.Content[0].Content[i+1]
		if key.Value != list {
			continue
		}
		if value.Alias != nil {
			value = value.Alias
		}
		for _, row := range value.Content {
			lines = append(lines, row.Line)
		}
	}
	return lines
}
