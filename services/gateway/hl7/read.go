package hl7

import (
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
)

// reader turns one message into the contract.
type reader struct {
	m *Message
	s *Sender
	// organization is the id of the sender's organisation.
	organization string
	// organizations are ids of the county by code.
	organizations map[string]string
	zone          *time.Location
	// kind and event are MSH-9: "ADT", "A01".
	kind, event string
	problem     *Error
}

// Reading is how messages of one sender are read.
type Reading struct {
	Sender *Sender
	// OrganizationID of the sender in the directory.
	OrganizationID string
	// Organizations of the county, ids by code: those that may have made a result.
	Organizations map[string]string
	Zone          *time.Location
}

// Read makes the record of a parsed message; an *Error says why it cannot be stored as it is.
func (g Reading) Read(m *Message) (*patientrecordv1.FeedRecord, *Error) {
	r := &reader{m: m, s: g.Sender, organization: g.OrganizationID, organizations: g.Organizations, zone: g.Zone}
	r.kind, r.event = kindOf(m)
	if m.first("MSH").text(10) == "" {
		return nil, wrong(ReasonNoControlID, "MSH-10")
	}
	read := map[string]func(*patientrecordv1.FeedRecord){"ADT": r.adt, "ORU": r.oru, "SIU": r.siu, "MDM": r.mdm}[r.kind]
	if read == nil || !slices.Contains(events(r.kind), r.event) {
		return nil, wrong(ReasonEvent, "MSH-9")
	}
	if len(m.all("MRG")) > 1 {
		return nil, wrong(ReasonMerge, "MRG")
	}
	record := r.person()
	if r.problem == nil {
		read(record)
	}
	if r.problem != nil {
		return nil, r.problem
	}
	return record, nil
}

// kindOf is MSH-9; the event of a message that names none there is EVN-1.
func kindOf(m *Message) (kind, event string) {
	f := m.first("MSH").one(9)
	kind, event = f.at(1), f.at(2)
	if event == "" {
		event = m.first("EVN").text(1)
	}
	if event == "" && kind == "ORU" {
		event = "R01"
	}
	return kind, event
}

func events(kind string) []string {
	switch kind {
	case "ADT":
		return []string{"A01", "A02", "A03", "A04", "A06", "A07", "A08", "A11", "A13", "A40"}
	case "ORU":
		return []string{"R01"}
	case "SIU":
		return []string{"S12", "S13", "S14", "S15"}
	case "MDM":
		return []string{"T02"}
	}
	return nil
}

// fail keeps the first problem.
func (r *reader) fail(reason, position string) {
	if r.problem == nil {
		r.problem = wrong(reason, position)
	}
}

// when reads a time stamp; nil for one that is not valued. Without an offset it is in the county's zone.
func (r *reader) when(s segment, n int) *timestamppb.Timestamp {
	text := s.text(n)
	if text == "" {
		return nil
	}
	t, ok := parseTime(text, r.zone)
	if !ok {
		r.fail(ReasonTime, s.at(n))
		return nil
	}
	return timestamppb.New(t)
}

// parseTime reads YYYY[MM[DD[HH[MM[SS[.S…]]]]]][±ZZZZ].
func parseTime(text string, zone *time.Location) (time.Time, bool) {
	if len(text) > 5 {
		if i := len(text) - 5; text[i] == '+' || text[i] == '-' {
			at, err := time.Parse("-0700", text[i:])
			if err != nil {
				return time.Time{}, false
			}
			_, offset := at.Zone()
			text, zone = text[:i], time.FixedZone("", offset)
		}
	}
	text, _, _ = strings.Cut(text, ".")
	const layout = "20060102150405"
	if len(text) < 4 || len(text) > len(layout) || len(text)%2 != 0 {
		return time.Time{}, false
	}
	t, err := time.ParseInLocation(layout[:len(text)], text, zone)
	return t.UTC().Truncate(time.Microsecond), err == nil && t.Year() >= 1850
}

// sent is when what the message tells happened, as well as it says.
func (r *reader) sent() *timestamppb.Timestamp {
	evn, msh := r.m.first("EVN"), r.m.first("MSH")
	for _, at := range []*timestamppb.Timestamp{r.when(evn, 6), r.when(evn, 2), r.when(msh, 7)} {
		if at != nil {
			return at
		}
	}
	return nil
}

func earliest(times ...*timestamppb.Timestamp) *timestamppb.Timestamp {
	for _, t := range times {
		if t != nil {
			return t
		}
	}
	return nil
}

func valued(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
