package fhir

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
)

// converter turns one resource into an entry, whose identity the parser gives, and tells whom it is about.
type converter func(path string, raw json.RawMessage) (*clinical, error)

func (p *parser) converter(resourceType string) (converter, bool) {
	switch resourceType {
	case "Condition":
		return convert(conditionEntry), true
	case "Observation":
		return convert(observationEntry), true
	case "MedicationRequest":
		return convert(medicationEntry), true
	case "AllergyIntolerance":
		return convert(allergyEntry), true
	case "Procedure":
		return convert(procedureEntry), true
	case "Immunization":
		return convert(immunizationEntry), true
	case "Encounter":
		return convert(encounterEntry), true
	case "DiagnosticReport":
		return convert(reportEntry), true
	}
	return nil, false
}

// convert decodes the thin struct for a function that reads it.
func convert[R any](read func(R, *dates) *clinical) converter {
	return func(path string, raw json.RawMessage) (*clinical, error) {
		var r R
		if err := json.Unmarshal(raw, &r); err != nil {
			return nil, malformed(path, err, nil)
		}
		d := &dates{path: path}
		c := read(r, d)
		return c, d.err
	}
}

func (p *parser) resource(i int, path, fullURL string, raw json.RawMessage) error {
	path += ".resource"
	var h struct {
		head
		Identifier json.RawMessage `json:"identifier"`
	}
	if err := json.Unmarshal(raw, &h); err != nil {
		return malformed(path, err, nil)
	}
	if h.ResourceType == "" {
		return wrong(path+".resourceType", "missing")
	}
	if h.ResourceType == "Patient" {
		p.kept[h.ResourceType]++
		return p.patient(i, path, named{fullURL, h.head}, raw)
	}
	switch h.ResourceType {
	case "Medication":
		remember(p.medicines, namesOf(fullURL, h.head), raw)
	case "Condition":
		remember(p.conditions, namesOf(fullURL, h.head), raw)
	case "Organization", "Practitioner", "PractitionerRole":
		p.rememberMaker(h.ResourceType, namesOf(fullURL, h.head), raw)
	}
	read, ok := p.converter(h.ResourceType)
	if !ok {
		p.other[h.ResourceType]++
		return nil
	}
	c, err := read(path, raw)
	if err != nil {
		return err
	}
	c.index, c.path = i, path
	c.entry.SourceIdentity = p.identity(fullURL, identifiersOf(h.Identifier), h.head)
	switch {
	case c.entry.GetSourceIdentity() == "":
		return wrong(path, "no fullUrl, identifier or id")
	case p.seen[c.entry.GetSourceIdentity()]:
		return wrong(path, "the same identity twice")
	}
	p.seen[c.entry.GetSourceIdentity()] = true
	for _, name := range namesOf(fullURL, h.head) {
		p.identities[name] = c.entry.GetSourceIdentity()
	}
	p.clinical = append(p.clinical, c)
	p.kept[h.ResourceType]++
	return nil
}

// remember keeps the code of a resource that others refer to.
func remember(in map[string]codeableConcept, names []string, raw json.RawMessage) {
	var r coded
	if json.Unmarshal(raw, &r) == nil {
		for _, name := range names {
			in[name] = r.Code
		}
	}
}

// identifiersOf reads a list of identifiers; a resource whose identifier is of another shape has none.
func identifiersOf(raw json.RawMessage) []identifier {
	var list []identifier
	if len(raw) == 0 || json.Unmarshal(raw, &list) != nil {
		return nil
	}
	return list
}

// identityOf is what tells an entry from others of its source: fullUrl, else the first identifier, else type and id.
func identityOf(fullURL string, identifiers []identifier, h head) string {
	if fullURL != "" {
		return fullURL
	}
	for _, i := range identifiers {
		if i.Value != "" {
			return i.System + "|" + i.Value
		}
	}
	if h.ID != "" {
		return h.ResourceType + "/" + h.ID
	}
	return ""
}

// identity is identityOf, but of a message a full URL that was made for the occasion goes behind an identifier.
func (p *parser) identity(fullURL string, identifiers []identifier, h head) string {
	if p.opt.Message && strings.HasPrefix(fullURL, "urn:uuid:") {
		if own := identityOf("", identifiers, head{}); own != "" {
			return own
		}
	}
	return identityOf(fullURL, identifiers, h)
}

// named is how others may name an entry.
type named struct {
	fullURL string
	head
}

// namesOf are the texts by which a reference may name the entry.
func namesOf(fullURL string, h head) []string {
	names := nonEmpty(fullURL)
	if h.ID != "" {
		if relative := h.ResourceType + "/" + h.ID; relative != fullURL {
			names = append(names, relative)
		}
	}
	return names
}

// lookUp finds what a reference names: as it stands, or an absolute one by its last two parts.
func lookUp[V any](in map[string]V, name string) (v V, ok bool) {
	if v, ok = in[name]; ok || strings.HasPrefix(name, "urn:") {
		return v, ok
	}
	name, _, _ = strings.Cut(name, "/_history/")
	parts := strings.Split(name, "/")
	if len(parts) < 2 {
		return v, false
	}
	v, ok = in[strings.Join(parts[len(parts)-2:], "/")]
	return v, ok
}

// attach gives every entry to its patient, and resolves what it refers to.
func (p *parser) attach() error {
	for _, c := range p.clinical {
		if err := p.passed(c.index, p.attachOne(c)); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) attachOne(c *clinical) error {
	who, ok := lookUp(p.patients, c.subject.Reference)
	if !ok {
		who, ok = p.before(c.subject)
	}
	switch {
	case ok:
	case c.subject.Reference == "" && len(p.order) == 1:
		who = p.order[0]
	case c.subject.Reference == "":
		return wrong(c.path+"."+c.subjectField, "missing, and the bundle has several patients")
	default:
		return wrong(c.path+"."+c.subjectField+".reference", "not a patient of this bundle")
	}
	if m := c.entry.GetMedication(); m != nil && c.medicine != "" {
		if code, known := lookUp(p.medicines, c.medicine); known {
			m.Codes = codings(code)
			m.Text = code.words()
		}
	}
	if c.visit != nil {
		p.attend(c.entry.GetEncounter(), c.visit)
	}
	p.perform(c)
	if r := c.entry.GetDiagnosticReport(); r != nil {
		for i, name := range r.GetResultIdentities() {
			if identity, known := lookUp(p.identities, name); known {
				r.ResultIdentities[i] = identity
			}
		}
	}
	who.request.Entries = append(who.request.Entries, c.entry)
	c.who = who
	return nil
}

// before is the patient whom the sender of a message names by identifier: one of the bundle, or one who was sent before.
func (p *parser) before(r reference) (*patient, bool) {
	if !p.opt.Message {
		return nil, false
	}
	if query, ok := strings.CutPrefix(r.Reference, "Patient?identifier="); ok && r.Identifier.Value == "" {
		if plain, err := url.QueryUnescape(query); err == nil {
			r.Identifier.System, r.Identifier.Value, _ = strings.Cut(plain, "|")
		}
	}
	if r.Identifier.Value == "" {
		return nil, false
	}
	system := systemOf(r.Identifier)
	for _, one := range p.order {
		if one.request.GetSourceSystem() == system && one.request.GetPatientIdentity() == r.Identifier.Value {
			return one, true
		}
	}
	one := &patient{index: -1, request: &patientrecordv1.ImportRecordRequest{SourceSystem: system, PatientIdentity: r.Identifier.Value}}
	p.order = append(p.order, one)
	return one, true
}

func codings(c codeableConcept) []*commonv1.Coding {
	var out []*commonv1.Coding
	for _, one := range c.Coding {
		out = append(out, &commonv1.Coding{System: one.System, Code: one.Code, Display: one.Display})
	}
	return out
}

// status is the clinical status, unless the statement was taken back.
func status(clinicalStatus, verification codeableConcept) string {
	for _, taken := range []string{"refuted", "entered-in-error"} {
		if verification.has(taken) {
			return taken
		}
	}
	return clinicalStatus.code()
}

func (v value) quantity() *patientrecordv1.Quantity {
	switch {
	case v.Quantity != nil && v.Quantity.Value != nil:
		return &patientrecordv1.Quantity{Value: *v.Quantity.Value, Unit: v.Quantity.unit()}
	case v.Integer != nil:
		return &patientrecordv1.Quantity{Value: float64(*v.Integer)}
	}
	return nil
}

func (v value) text() string {
	switch {
	case v.CodeableConcept != nil:
		return v.CodeableConcept.words()
	case v.String != nil:
		return *v.String
	case v.Boolean != nil:
		return strconv.FormatBool(*v.Boolean)
	case v.DataAbsentReason != nil && v.quantity() == nil:
		return v.DataAbsentReason.words()
	}
	return ""
}

func (r referenceRange) words() string {
	number := func(q *quantity) string {
		if q == nil || q.Value == nil {
			return ""
		}
		return strconv.FormatFloat(*q.Value, 'g', -1, 64)
	}
	low, high := number(r.Low), number(r.High)
	switch {
	case r.Text != "":
		return r.Text
	case low != "" && high != "":
		return strings.Join(nonEmpty(low+"–"+high, r.Low.unit()), " ")
	case low != "":
		return strings.Join(nonEmpty("≥ "+low, r.Low.unit()), " ")
	case high != "":
		return strings.Join(nonEmpty("≤ "+high, r.High.unit()), " ")
	}
	return ""
}
