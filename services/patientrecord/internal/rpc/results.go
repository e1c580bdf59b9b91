package rpc

import (
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// Contents implements app.Contents by the messages of the contract.
type Contents struct{}

var _ app.Contents = Contents{}

// Finding implements app.Contents. The time is that of the content: an entry without one is stored under the time at which it came, which
// would make an old result young. A report's conclusion is left out: it is never recognised.
func (Contents) Finding(e domain.Entry) (domain.Finding, error) {
	out := domain.Finding{EntryID: e.ID, Version: e.Version, Status: e.Status}
	var err error
	switch e.Kind {
	case domain.KindObservation:
		var m patientrecordv1.Observation
		err = proto.Unmarshal(e.Content, &m)
		out.Codes, out.Name, out.Value = resultCodes(m.GetCodes()), named(m.GetText(), m.GetCodes()), value(&m)
		out.Normal, out.Sign, out.Unit, out.Time = m.GetReferenceRange(), m.GetInterpretation(), m.GetQuantity().GetUnit(), timeOf(m.GetEffectiveTime())
		out.Method, out.Organization, out.Elsewhere = m.GetMethod(), plain(m.GetPerformerId()), m.GetPerformerName()
	case domain.KindReport:
		var m patientrecordv1.DiagnosticReport
		err = proto.Unmarshal(e.Content, &m)
		out.Codes, out.Name = resultCodes(m.GetCodes()), named(m.GetText(), m.GetCodes())
		out.Value, out.Time = seen(&m), timeOf(m.GetEffectiveTime())
		out.Organization, out.Elsewhere = plain(m.GetPerformerId()), m.GetPerformerName()
	default:
		return out, fmt.Errorf("entry %s is no result", e.ID)
	}
	if err != nil {
		return out, fmt.Errorf("read content of entry %s: %w", e.ID, err)
	}
	return out, nil
}

// Names of LOINC as a system; everything that is neither it nor SNOMED is a local code too.
const (
	loincURL   = "http://loinc.org"
	loincOID   = "urn:oid:2.16.840.1.113883.6.1"
	snomedURL  = "http://snomed.info/sct"
	loincName  = "loinc"
	localName  = "local"
	codeJoiner = "|"
)

func resultCodes(codes []*commonv1.Coding) []string {
	var out []string
	for _, c := range codes {
		switch {
		case c.GetCode() == "":
		case c.GetSystem() == loincURL || c.GetSystem() == loincOID:
			out = append(out, loincName+codeJoiner+c.GetCode())
		case c.GetSystem() == snomedURL:
			out = append(out, snomedURL+codeJoiner+c.GetCode())
		default:
			out = append(out, localName+codeJoiner+c.GetCode(), c.GetSystem()+codeJoiner+c.GetCode())
		}
	}
	return out
}

func named(text string, codes []*commonv1.Coding) string {
	if text != "" || len(codes) == 0 {
		return text
	}
	return codes[0].GetDisplay()
}

// seen is what a report tells besides its conclusion: what was seen, or else what it consists of.
func seen(m *patientrecordv1.DiagnosticReport) string {
	const most = 300 // letters: the whole text stands in the record
	if words := []rune(strings.TrimSpace(m.GetFindings())); len(words) > most {
		return string(words[:most]) + "…"
	} else if len(words) > 0 {
		return string(words)
	}
	return strings.Join(m.GetResultNames(), "、")
}

// value is what was measured or found, in words.
func value(m *patientrecordv1.Observation) string {
	parts := []string{}
	add := func(name string, q *patientrecordv1.Quantity, text string) {
		switch {
		case q != nil:
			text = strings.TrimSpace(strconv.FormatFloat(q.GetValue(), 'g', 6, 64) + " " + q.GetUnit())
		case text == "":
			return
		}
		parts = append(parts, strings.TrimSpace(name+" "+text))
	}
	add("", m.GetQuantity(), m.GetValueText())
	for _, c := range m.GetComponents() {
		add(c.GetCode().GetDisplay(), c.GetQuantity(), c.GetValueText())
	}
	return strings.Join(parts, "；")
}
