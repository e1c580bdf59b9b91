package hl7

import (
	"slices"
	"strings"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
)

// performer is who made a result: an organisation of the county by its id, or somebody else, whom words name. The zero value is the sender.
type performer struct{ id, words string }

// name is that of one who is no organisation of the county.
func (p performer) name() string {
	if p.id != "" {
		return ""
	}
	return p.words
}

// maxPerformer bounds a name, in letters.
const maxPerformer = 60

// performer reads OBX-23 (performing organization: its identifier is the 10th component, the 3rd before HL7 2.7), else OBX-15 (producer's
// ID). A code is one of the sender's settings, of the directory, or the sender's own facility; whoever else is named is not the sender.
func (r *reader) performer(obx segment) performer {
	f, codes, name := obx.one(23), []int{10, 3, 1}, 1
	if f.words() == "" {
		f, codes, name = obx.one(15), []int{1, 2}, 2
	}
	words := shorten(valued(f.at(name), f.at(codes[0]), f.at(codes[1]), f.words()), maxPerformer)
	for _, n := range codes {
		code := f.at(n)
		if known := r.s.Performers[code]; known != "" {
			code = known
		}
		id := r.organizations[code]
		switch {
		case code == "":
		case code == r.s.Organization, code == r.s.Facility, id == r.organization:
			return performer{}
		case id != "":
			return performer{id, words}
		}
	}
	return performer{words: words}
}

// performers are those of a report's lines.
type performers []performer

// add notes who made a line; a remark says it only when it names somebody.
func (p *performers) add(by performer, remark bool) {
	if !remark || by != (performer{}) {
		*p = append(*p, by)
	}
}

// sign says who made a report. One whose lines several made is none of theirs: it is named by the others than the sender.
func (p performers) sign(report *patientrecordv1.DiagnosticReport) {
	if report == nil || len(p) == 0 {
		return
	}
	if !slices.ContainsFunc(p, func(other performer) bool { return other.id != p[0].id || other.name() != p[0].name() }) {
		report.PerformerId, report.PerformerName = p[0].id, p[0].name()
		return
	}
	var names []string
	for _, one := range p {
		if one.words != "" && !slices.Contains(names, one.words) {
			names = append(names, one.words)
		}
	}
	report.PerformerName = shorten(strings.Join(names, "、"), maxPerformer)
}
