package refer

import (
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/parts"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

//go:embed templates.yaml
var templateFile embed.FS

// blank stands in a template for what only the doctor knows, choice for one of several things: typing replaces both, and nothing is sent while one
// is left.
const blank = "____"

var choiceForm = regexp.MustCompile(`【[^】]*】`)

// textTemplate is a text that a doctor starts from.
type textTemplate struct {
	Code string `yaml:"code"`
	// ICD are the categories at whose diagnosis it is offered, Department the national code that is proposed with it.
	ICD        []string      `yaml:"icd"`
	Department string        `yaml:"department"`
	Chinese    templateWords `yaml:"zh"`
	English    templateWords `yaml:"en"`
}

type templateWords struct {
	Name       string `yaml:"name"`
	Impression string `yaml:"impression"`
	Illness    string `yaml:"illness"`
	Treatment  string `yaml:"treatment"`
}

func loadTemplates() ([]textTemplate, error) {
	raw, err := templateFile.ReadFile("templates.yaml")
	if err != nil {
		return nil, fmt.Errorf("read templates: %w", err)
	}
	var list []textTemplate
	if err := yaml.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("parse templates: %w", err)
	}
	return list, nil
}

// choicesOf are the choices that stand in templates.
func choicesOf(list []textTemplate) map[string]bool {
	out := map[string]bool{}
	for _, t := range list {
		for _, words := range []templateWords{t.Chinese, t.English} {
			for _, one := range choiceForm.FindAllString(words.Impression+words.Illness+words.Treatment, -1) {
				out[one] = true
			}
		}
	}
	return out
}

// in are its words in a language.
func (t textTemplate) in(language string) templateWords {
	if language == "en" {
		return t.English
	}
	return t.Chinese
}

// fields are what it proposes, by the name of the form's field.
func (t textTemplate) fields(language string) map[string]string {
	words := t.in(language)
	return map[string]string{
		"form.initialImpression": words.Impression, "form.presentIllness": words.Illness, "form.treatment": words.Treatment, "department": t.Department,
	}
}

// suits tells that a diagnosis is of one of its categories.
func (t textTemplate) suits(form url.Values) bool {
	return slices.ContainsFunc(parts.Diagnoses(form), func(d *commonv1.Coding) bool {
		return slices.ContainsFunc(t.ICD, func(category string) bool { return strings.HasPrefix(strings.ToUpper(d.GetCode()), category) })
	})
}

// templatesData is what templates.html sees.
type templatesData struct{ Suited, Others []shell.Named }

func (p *Pages) offered(r *http.Request, form url.Values) templatesData {
	var out templatesData
	for _, t := range p.templates {
		one := shell.Named{ID: t.Code, Name: t.in(p.Shell.Language(r)).Name}
		if t.suits(form) {
			out.Suited = append(out.Suited, one)
		} else {
			out.Others = append(out.Others, one)
		}
	}
	return out
}

// suitable answers the part of the form that offers templates, while diagnoses are chosen.
func (p *Pages) suitable(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	return p.Shell.Fragment(w, r, p.formSet, "templates", p.offered(r, r.PostForm))
}

// allTemplates answers the texts of all by their code, which the form's script keeps for when the line is gone. The address names the language, so that a
// browser does not keep one for the other.
func (p *Pages) allTemplates(w http.ResponseWriter, r *http.Request) error {
	texts := map[string]map[string]string{}
	for _, t := range p.templates {
		texts[t.Code] = t.fields(p.Shell.Language(r))
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", listKept())
	return json.NewEncoder(w).Encode(texts)
}

func (p *Pages) templateOf(code string) (textTemplate, bool) {
	i := slices.IndexFunc(p.templates, func(t textTemplate) bool { return t.Code == code })
	if i < 0 {
		return textTemplate{}, false
	}
	return p.templates[i], true
}

// applyTemplate fills what is empty, for browsers without scripts; what was typed stays.
func (p *Pages) applyTemplate(r *http.Request) {
	t, ok := p.templateOf(r.PostFormValue("template"))
	if r.PostFormValue("do") != "template" || !ok {
		return
	}
	for name, text := range t.fields(p.Shell.Language(r)) {
		if strings.TrimSpace(r.PostForm.Get(name)) == "" {
			r.PostForm.Set(name, text)
		}
	}
}

// left tells that a blank or a choice of a template still stands in a text. What a doctor put into such brackets is no choice of a template.
func (p *Pages) left(text string) bool {
	return strings.Contains(text, blank) || slices.ContainsFunc(choiceForm.FindAllString(text, -1), func(one string) bool { return p.blanks[one] })
}

// unfinished are the texts in which something of a template is left to complete.
func (p *Pages) unfinished(form url.Values) (left []errs.Field) {
	for _, name := range fields() {
		if p.left(form.Get(name)) {
			left = append(left, errs.Bad(name, errs.ReasonFieldInvalid))
		}
	}
	return left
}
