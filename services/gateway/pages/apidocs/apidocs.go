// Package apidocs holds the page that lists the operations of the REST interface and lets a visitor try each.
//
// The list is made from the published description, so the two cannot differ. The page needs no sign-in and holds no
// data; a call is sent by the visitor's browser with the secret that the visitor pasted, which is kept nowhere.
package apidocs

import (
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/tongzhen/tongzhen/proto"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

//go:embed *.html
var files embed.FS

// Pages serves the page.
type Pages struct {
	shell      *shell.Shell
	set        *shell.Set
	operations []operation
}

// operation is one method of one route.
type operation struct {
	ID, Method, Path, Summary string
	// Example is a body with every field of the request; empty when the operation takes none.
	Example    string
	Parameters []parameter
}

type parameter struct {
	Name, In, Type string
	Required       bool
}

// New reads the description and parses the page.
func New(sh *shell.Shell) (*Pages, error) {
	operations, err := read(proto.OpenAPI)
	if err != nil {
		return nil, err
	}
	set, err := sh.Parse(files, "apidocs.html")
	if err != nil {
		return nil, err
	}
	return &Pages{shell: sh, set: set, operations: operations}, nil
}

// Routes adds the page to a mux.
func (p *Pages) Routes(mux shell.Mux) { mux.Handle("GET /api/docs", p.shell.Open(p.page)) }

func (p *Pages) page(w http.ResponseWriter, r *http.Request) error {
	return p.shell.Render(w, r, p.set, shell.Page{Title: "api.title", Data: p.operations})
}

// schema is the little of Swagger 2.0 that requests use.
type schema struct {
	Ref        string            `json:"$ref"`
	Type       string            `json:"type"`
	Format     string            `json:"format"`
	Enum       []string          `json:"enum"`
	Items      *schema           `json:"items"`
	Properties map[string]schema `json:"properties"`
}

type description struct {
	Paths map[string]map[string]struct {
		OperationID string `json:"operationId"`
		Summary     string `json:"summary"`
		Parameters  []struct {
			Name     string  `json:"name"`
			In       string  `json:"in"`
			Required bool    `json:"required"`
			Type     string  `json:"type"`
			Schema   *schema `json:"schema"`
		} `json:"parameters"`
	} `json:"paths"`
	Definitions map[string]schema `json:"definitions"`
}

func read(raw []byte) ([]operation, error) {
	var d description
	if err := json.Unmarshal(raw, &d); err != nil {
		return nil, fmt.Errorf("read OpenAPI description: %w", err)
	}
	var all []operation
	for path, methods := range d.Paths {
		for method, m := range methods {
			o := operation{ID: m.OperationID, Method: strings.ToUpper(method), Path: path, Summary: m.Summary}
			for _, p := range m.Parameters {
				if p.In != "body" {
					o.Parameters = append(o.Parameters, parameter{Name: p.Name, In: p.In, Type: p.Type, Required: p.Required})
					continue
				}
				example, err := json.MarshalIndent(d.example(*p.Schema, 0), "", "  ")
				if err != nil {
					return nil, fmt.Errorf("make example of %s: %w", o.ID, err)
				}
				o.Example = string(example)
			}
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(a, b operation) int { return strings.Compare(a.Path+" "+a.Method, b.Path+" "+b.Method) })
	return all, nil
}

// deepest is how far an example goes into messages within messages.
const deepest = 4

// example is an empty value of a schema.
func (d description) example(s schema, depth int) any {
	if s.Ref != "" {
		s = d.Definitions[strings.TrimPrefix(s.Ref, "#/definitions/")]
	}
	switch {
	case len(s.Properties) > 0 && depth < deepest:
		fields := map[string]any{}
		for name, field := range s.Properties {
			fields[name] = d.example(field, depth+1)
		}
		return fields
	case s.Type == "object":
		return map[string]any{}
	case s.Type == "array" && s.Items != nil && depth < deepest:
		return []any{d.example(*s.Items, depth+1)}
	case s.Type == "integer", s.Type == "number":
		return 0
	case s.Type == "boolean":
		return false
	case len(s.Enum) > 0:
		return s.Enum[min(1, len(s.Enum)-1)]
	case s.Format == "date-time":
		return nil
	default:
		return ""
	}
}
