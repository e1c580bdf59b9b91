// Package fhir reads FHIR R4 JSON into the contracts, writes a record of the contracts as a FHIR document, and keeps no copy of either.
//
// The importer and the endpoint that hospitals' systems send to (package endpoint) read by the same conversion.
//
// It owns the thin structs of the resources that we keep (Patient, Condition, Observation, MedicationRequest, AllergyIntolerance,
// Procedure, Immunization, Encounter, DiagnosticReport) and their conversion. It refuses to validate more than it reads: profiles and
// terminology are the sender's. Other types are counted, not an error.
//
// Invariants:
//  1. A *Error names a place by a FHIRPath-like path and a reason; it never quotes what stands there.
//  2. What is read at once is bounded: MaxSize bytes, maxDepth levels.
//  3. The same bundle gives the same requests.
//  4. What Document writes ParseBundle reads without a refusal, and every reference in it leads to an entry of it.
package fhir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
)

// MaxSize bounds a bundle, in bytes.
const MaxSize = 50 << 20

// maxDepth bounds how deep a resource may nest; real ones stay below ten.
const maxDepth = 40

// Error is what is wrong with a bundle.
type Error struct {
	// Path is e.g. "Bundle.entry[12].resource.effectiveDateTime".
	Path   string
	Reason string
}

// Error is path and reason.
func (e *Error) Error() string { return e.Path + ": " + e.Reason }

func wrong(path, reason string) *Error { return &Error{Path: path, Reason: reason} }

// Options say how to read a bundle. The zero value reads it as it is.
type Options struct {
	// ShiftTo moves all clinical dates by the same time, so that the newest of the bundle becomes this instant. Birth dates stay.
	ShiftTo *time.Time
	// Organization is where an encounter is whose provider has no identifier; Organizations, ids by code, where the others may be.
	Organization  string
	Organizations map[string]string
	// Message reads what a system sends of its own accord, entry by entry: what is wrong with one stands in Problems and ends nothing; an
	// entry whose full URL is a urn:uuid made for the occasion is known by its identifier; and an entry may be of a patient whom the sender
	// named before, by identifier.
	Message bool
}

// Bundle is what was read.
type Bundle struct {
	// Records are one request a patient, in the order of the bundle, entries in theirs. County and home organisation are the caller's to
	// fill.
	Records []*patientrecordv1.ImportRecordRequest
	// Items are the entries that were converted, patients first; with Options.Message.
	Items []Item
	// Problems are those of entries, by their place; with Options.Message.
	Problems map[int]*Error
	// Kept and Other count the resources by type: those converted, and those that we do not keep.
	Kept, Other map[string]int
}

// Item is a converted entry of a bundle.
type Item struct {
	// Index is its place in the bundle.
	Index int
	// Record is that of the patient whom it is about; its Patient is nil when the patient is not of the bundle.
	Record *patientrecordv1.ImportRecordRequest
	// Entry is nil for the patient.
	Entry *patientrecordv1.ClinicalEntry
}

// Keeps tells whether resources of a type are converted.
func Keeps(resourceType string) bool { return slices.Contains(Types(), resourceType) }

// Types are those that are converted.
func Types() []string {
	return []string{
		"Patient", "Encounter", "Condition", "Observation", "DiagnosticReport", "MedicationRequest", "AllergyIntolerance", "Procedure", "Immunization",
	}
}

// ParseBundle reads a transaction, batch, collection or document with one or more patients. The first thing that is wrong ends it with an *Error; a
// fault of r is answered as it is.
func ParseBundle(r io.Reader, opt Options) (*Bundle, error) {
	limited := &bounded{r: r, left: MaxSize}
	p := &parser{
		opt: opt, dec: json.NewDecoder(limited), kept: map[string]int{}, other: map[string]int{},
		patients: map[string]*patient{}, identities: map[string]string{}, seen: map[string]bool{},
		medicines: map[string]codeableConcept{}, conditions: map[string]codeableConcept{},
		organizations: map[string]organization{}, people: map[string]role{}, problems: map[int]*Error{},
	}
	if err := p.bundle(); err != nil {
		return nil, limited.or(err)
	}
	if err := p.attach(); err != nil {
		return nil, err
	}
	if opt.ShiftTo != nil {
		if err := p.shift(*opt.ShiftTo); err != nil {
			return nil, err
		}
	}
	out := &Bundle{Kept: p.kept, Other: p.other, Problems: p.problems}
	for _, one := range p.order {
		out.Records = append(out.Records, one.request)
	}
	if opt.Message {
		out.Items = p.items()
	}
	return out, nil
}

var errTooLarge = errors.New("larger than the limit")

// bounded fails, rather than ends, when more than left bytes come.
type bounded struct {
	r    io.Reader
	left int64
	err  error
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		// One byte more tells a bundle of exactly the limit from a longer one.
		var one [1]byte
		if n, err := io.ReadFull(b.r, one[:]); n == 0 {
			return 0, b.fault(err)
		}
		return 0, b.fault(errTooLarge)
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.r.Read(p)
	b.left -= int64(n)
	return n, b.fault(err)
}

func (b *bounded) fault(err error) error {
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	return err
}

// or is what the reader failed with, if it did, else err.
func (b *bounded) or(err error) error {
	switch {
	case errors.Is(b.err, errTooLarge):
		return wrong("Bundle", "larger than "+strconv.Itoa(MaxSize>>20)+" MB")
	case b.err != nil:
		return fmt.Errorf("read bundle: %w", b.err)
	}
	return err
}

// parser reads a bundle entry by entry.
type parser struct {
	opt   Options
	dec   *json.Decoder
	kept  map[string]int
	other map[string]int

	patients map[string]*patient // by every name that a reference may use
	order    []*patient
	clinical []*clinical
	// identities are the identities of entries by every name that a reference may use.
	identities map[string]string
	medicines  map[string]codeableConcept
	conditions map[string]codeableConcept
	// organizations and people are those who may have made a result, by every name.
	organizations map[string]organization
	people        map[string]role
	seen          map[string]bool
	problems      map[int]*Error
}

type patient struct {
	// index is the place in the bundle; -1 for one who is not of it.
	index   int
	request *patientrecordv1.ImportRecordRequest
}

// clinical is a converted entry that waits for its patient, who may come later in the bundle.
type clinical struct {
	index   int
	path    string
	who     *patient // whom it was attached to
	subject reference
	// subjectField is "subject" or "patient".
	subjectField string
	entry        *patientrecordv1.ClinicalEntry
	medicine     string
	visit        *visit      // of an encounter
	performers   *performers // of a result
}

func (p *parser) bundle() error {
	if err := p.delim('{', "Bundle"); err != nil {
		return err
	}
	var kind, resourceType string
	for p.dec.More() {
		key, err := p.dec.Token()
		if err != nil {
			return notJSON(p.dec)
		}
		switch key {
		case "resourceType":
			err = p.value("Bundle.resourceType", &resourceType)
		case "type":
			err = p.value("Bundle.type", &kind)
		case "entry":
			err = p.entries()
		default:
			var skipped json.RawMessage
			err = p.value("Bundle", &skipped)
		}
		if err != nil {
			return err
		}
	}
	if err := p.delim('}', "Bundle"); err != nil {
		return err
	}
	if _, err := p.dec.Token(); !errors.Is(err, io.EOF) {
		return wrong("Bundle", "something follows the bundle")
	}
	switch {
	case resourceType != "Bundle":
		return wrong("Bundle.resourceType", "not a Bundle")
	case !slices.Contains([]string{"transaction", "batch", "collection", documentType}, kind):
		return wrong("Bundle.type", "not transaction, batch, collection or document")
	case len(p.order) == 0 && !p.opt.Message:
		return wrong("Bundle.entry", "no Patient")
	}
	return nil
}

func (p *parser) entries() error {
	if err := p.delim('[', "Bundle.entry"); err != nil {
		return err
	}
	for i := 0; p.dec.More(); i++ {
		path := "Bundle.entry[" + strconv.Itoa(i) + "]"
		var e struct {
			FullURL  string          `json:"fullUrl"`
			Resource json.RawMessage `json:"resource"`
		}
		if err := p.value(path, &e); err != nil {
			return err
		}
		if err := p.passed(i, p.entry(i, path, e.FullURL, e.Resource)); err != nil {
			return err
		}
	}
	return p.delim(']', "Bundle.entry")
}

func (p *parser) entry(i int, path, fullURL string, raw json.RawMessage) error {
	if len(raw) == 0 {
		return wrong(path+".resource", "missing")
	}
	if tooDeep(raw) {
		return wrong(path+".resource", "nested too deep")
	}
	return p.resource(i, path, fullURL, raw)
}

// passed keeps what is wrong with one entry of a message; of another bundle it ends the reading.
func (p *parser) passed(i int, err error) error {
	var problem *Error
	if !p.opt.Message || !errors.As(err, &problem) {
		return err
	}
	p.problems[i] = problem
	return nil
}

func (p *parser) items() (out []Item) {
	for _, one := range p.order {
		if one.index >= 0 {
			out = append(out, Item{Index: one.index, Record: one.request})
		}
	}
	for _, c := range p.clinical {
		if c.who != nil {
			out = append(out, Item{Index: c.index, Record: c.who.request, Entry: c.entry})
		}
	}
	return out
}

func (p *parser) delim(want json.Delim, path string) error {
	token, err := p.dec.Token()
	if err != nil {
		return notJSON(p.dec)
	}
	if token != want {
		return wrong(path, "not of the right JSON type")
	}
	return nil
}

func (p *parser) value(path string, v any) error {
	if err := p.dec.Decode(v); err != nil {
		return malformed(path, err, p.dec)
	}
	return nil
}

// malformed says where, and not what: the decoder's own text quotes values.
func malformed(path string, err error, dec *json.Decoder) error {
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		if kind.Field != "" {
			// The decoder names the embedded struct of value[x], which FHIR does not have.
			path += "." + strings.Replace(kind.Field, "value.value", "value", 1)
		}
		return wrong(path, "not of the right JSON type")
	}
	if dec != nil {
		return notJSON(dec)
	}
	return wrong(path, "not JSON")
}

func notJSON(dec *json.Decoder) error {
	return wrong("Bundle", "not JSON at byte "+strconv.FormatInt(dec.InputOffset(), 10))
}

// tooDeep counts brackets outside strings; raw is JSON already.
func tooDeep(raw []byte) bool {
	depth, inString := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}
