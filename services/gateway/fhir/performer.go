package fhir

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// organization is what is read of one: it is not kept, but others name it.
type organization struct {
	Identifier []identifier
	Name       string
}

// role is what is read of a PractitionerRole: for whom somebody worked.
type role struct {
	Organization reference `json:"organization,omitzero"`
}

// performers are whom a result names as those who made it.
type performers struct {
	list []reference
	// inside are the organisations that the result contains, by "#id".
	inside map[string]organization
}

func performersOf(list []reference, contained []json.RawMessage) *performers {
	out := &performers{list: list, inside: map[string]organization{}}
	for _, raw := range contained {
		var h head
		if json.Unmarshal(raw, &h) != nil || h.ResourceType != "Organization" {
			continue
		}
		out.inside["#"+h.ID] = organizationOf(raw)
	}
	return out
}

// organizationOf reads an organisation; one of another shape has no name and no identifier.
func organizationOf(raw json.RawMessage) organization {
	var r struct {
		Identifier json.RawMessage `json:"identifier"`
		Name       string          `json:"name"`
	}
	if json.Unmarshal(raw, &r) != nil {
		return organization{}
	}
	return organization{Identifier: identifiersOf(r.Identifier), Name: r.Name}
}

// rememberMaker keeps an entry that a result may name as who made it.
func (p *parser) rememberMaker(resourceType string, names []string, raw json.RawMessage) {
	for _, name := range names {
		switch resourceType {
		case "Organization":
			p.organizations[name] = organizationOf(raw)
		case "PractitionerRole":
			var r role
			if json.Unmarshal(raw, &r) != nil {
				r = role{}
			}
			p.people[name] = r
		case "Practitioner":
			p.people[name] = role{}
		}
	}
}

// perform says of a result who made it: an organisation of the county by its code, another one by its name. A person is one of the sender's,
// unless the role says otherwise; the patient is nobody's organisation. Several are named together.
func (p *parser) perform(c *clinical) {
	if c.performers == nil {
		return
	}
	var ids, words []string
	for _, r := range c.performers.list {
		id, name, said := p.maker(c.performers, r)
		if !said {
			continue
		}
		if ids = append(ids, id); !slices.Contains(words, name) {
			words = append(words, name)
		}
	}
	if len(ids) == 0 {
		return
	}
	id, name := ids[0], ""
	if id == "" || slices.ContainsFunc(ids, func(other string) bool { return other != id }) {
		id, name = "", cut(strings.Join(nonEmpty(words...), "、"))
	}
	if id == p.opt.Organization {
		id = ""
	}
	if o := c.entry.GetObservation(); o != nil {
		o.PerformerId, o.PerformerName = id, name
	}
	if r := c.entry.GetDiagnosticReport(); r != nil {
		r.PerformerId, r.PerformerName = id, name
	}
}

// cut bounds a name to 60 letters.
func cut(s string) string {
	if letters := []rune(s); len(letters) > 60 {
		return string(letters[:60])
	}
	return s
}

// athome stands for a patient, or the family, who measured: nobody's result. No name of theirs is kept here, where it would be shown to whoever
// sees the patient's name masked.
const athome = "患者本人或家属"

// maker is one of those who made a result; said is false for a person of whom no organisation is told.
func (p *parser) maker(of *performers, r reference) (id, name string, said bool) {
	if person, known := lookUp(p.people, r.Reference); known {
		r = person.Organization
		if r.Reference == "" && r.Display == "" && r.Identifier.Value == "" {
			return "", "", false
		}
	}
	kind := r.Type
	if kind == "" {
		kind = typeOf(r.Reference)
	}
	switch kind {
	case "Practitioner", "PractitionerRole", "CareTeam":
		return "", "", false
	case "Patient", "RelatedPerson":
		return "", athome, true
	}
	if _, known := lookUp(p.patients, r.Reference); known {
		return "", athome, true
	}
	there, known := of.inside[r.Reference]
	if !known {
		there, known = lookUp(p.organizations, r.Reference)
	}
	if !known {
		there = organization{Identifier: []identifier{r.Identifier}, Name: r.Display}
		if _, query, ok := strings.Cut(r.Reference, "?identifier="); ok {
			if plain, err := url.QueryUnescape(query); err == nil {
				_, value, _ := strings.Cut(plain, "|")
				there.Identifier = append(there.Identifier, identifier{Value: value})
			}
		}
	}
	name = r.Display
	for _, words := range []string{there.Name, r.Identifier.Value, r.Reference} {
		if name == "" {
			name = words
		}
	}
	for _, one := range there.Identifier {
		if id := p.opt.Organizations[one.Value]; one.Value != "" && id != "" {
			return id, name, true
		}
	}
	return "", name, name != ""
}

// typeOf is the type that a literal reference names; "" for a urn or a fragment.
func typeOf(name string) string {
	if kind, _, conditional := strings.Cut(name, "?"); conditional {
		name = kind + "/"
	}
	name, _, _ = strings.Cut(name, "/_history/")
	parts := strings.Split(name, "/")
	if len(parts) < 2 {
		return ""
	}
	return parts[len(parts)-2]
}
