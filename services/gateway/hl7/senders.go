package hl7

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Sender is a system that may send, and how its codes are read.
type Sender struct {
	// Application and Facility are MSH-3 and MSH-4.
	Application string `yaml:"application"`
	Facility    string `yaml:"facility"`
	// Addresses it may send from: addresses or networks.
	Addresses []string `yaml:"addresses"`
	// County and Organization (its code in the directory) to which it belongs; Account is the login of the INTEGRATION account
	// for which it sends; without one that is not disabled nothing is taken.
	County       string `yaml:"county"`
	Organization string `yaml:"organization"`
	Account      string `yaml:"account"`
	// Home makes the organisation the home of patients who have none: a township centre's own system.
	Home bool `yaml:"home"`
	// Charset of messages that name none: "UTF-8" or "GB18030"; empty: whichever they are valid in.
	Charset string `yaml:"charset"`
	// Types that it may send; empty: ADT, ORU, SIU, MDM.
	Types []string `yaml:"types"`
	// Departments are the national codes (医疗机构诊疗科目名录, without dots) of its wards and departments. With any here, a message that names
	// another goes to quarantine.
	Departments map[string]string `yaml:"departments"`
	// Dispositions are 离院方式 (1–5, 9) of its own codes in PV1-36.
	Dispositions map[string]string `yaml:"dispositions"`
	// Observations are the LOINC codes of its own in OBX-3.
	Observations map[string]string `yaml:"observations"`
	// Performers are the organisations (codes in the directory) of its own codes in OBX-15 and OBX-23; its own one's for its departments.
	Performers map[string]string `yaml:"performers"`

	networks []netip.Prefix
}

// Name is how messages of the sender are told from others.
func (s *Sender) Name() string { return s.Application + "|" + s.Facility }

// takes tells whether the sender may send from there.
func (s *Sender) takes(from netip.Addr) bool {
	return slices.ContainsFunc(s.networks, func(p netip.Prefix) bool { return p.Contains(from.Unmap()) })
}

func (s *Sender) allows(kind string) bool {
	if len(s.Types) > 0 {
		return slices.Contains(s.Types, kind)
	}
	return slices.Contains(supported(), kind)
}

func supported() []string { return []string{"ADT", "ORU", "SIU", "MDM"} }

// Senders are all that may send.
type Senders []*Sender

// LoadSenders reads the file of senders; an empty name is no sender. All that is wrong is told at once.
func LoadSenders(file string) (Senders, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read HL7 senders: %w", err)
	}
	senders, err := ReadSenders(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return senders, nil
}

// Lengths that patient-record takes.
const (
	maxName    = 120
	maxAccount = 60
)

var (
	countyPattern     = regexp.MustCompile(`^[0-9]{6}$`)
	departmentPattern = regexp.MustCompile(`^[0-9]{2}(\.?[0-9]{2}){0,2}$`)
)

// ReadSenders reads the YAML text of a file of senders; fields that are not known are refused.
func ReadSenders(text []byte) (Senders, error) {
	var in struct {
		Senders Senders `yaml:"senders"`
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&in); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read HL7 senders: %w", err)
	}
	var problems []error
	for i, s := range in.Senders {
		if s == nil {
			problems = append(problems, fmt.Errorf("senders[%d]: empty", i))
			continue
		}
		if err := s.check(); err != nil {
			problems = append(problems, fmt.Errorf("senders[%d]: %w", i, err))
		}
	}
	if err := errors.Join(append(problems, in.Senders.distinct()...)...); err != nil {
		return nil, err
	}
	return in.Senders, nil
}

// distinct refuses two senders of one name that may send from one address: a message would be either's.
func (s Senders) distinct() (problems []error) {
	for i, a := range s {
		for _, b := range s[:i] {
			if a == nil || b == nil || a.Name() != b.Name() {
				continue
			}
			if slices.ContainsFunc(a.networks, func(p netip.Prefix) bool { return slices.ContainsFunc(b.networks, p.Overlaps) }) {
				problems = append(problems, fmt.Errorf("senders[%d]: %s may send from the same addresses as another sender of that name", i, a.Name()))
			}
		}
	}
	return problems
}

func (s *Sender) check() error {
	var problems []error
	for _, f := range [][2]string{{"application", s.Application}, {"organization", s.Organization}, {"account", s.Account}} {
		if f[1] == "" {
			problems = append(problems, errors.New(f[0]+" is missing"))
		}
	}
	if len(s.Name()) > maxName {
		problems = append(problems, fmt.Errorf("application and facility together are longer than %d bytes", maxName))
	}
	if len(s.Account) > maxAccount {
		problems = append(problems, fmt.Errorf("account is longer than %d bytes", maxAccount))
	}
	if !countyPattern.MatchString(s.County) {
		problems = append(problems, errors.New("county is not six digits"))
	}
	if _, known := charsetOf(s.Charset); s.Charset != "" && !known {
		problems = append(problems, errors.New("charset is neither UTF-8 nor GB18030"))
	}
	if len(s.Addresses) == 0 {
		problems = append(problems, errors.New("addresses are missing: say 0.0.0.0/0 if it may be any"))
	}
	for _, a := range s.Addresses {
		if !strings.Contains(a, "/") {
			if one, err := netip.ParseAddr(a); err == nil {
				s.networks = append(s.networks, netip.PrefixFrom(one, one.BitLen()))
				continue
			}
		}
		network, err := netip.ParsePrefix(a)
		if err != nil {
			problems = append(problems, fmt.Errorf("addresses: %q is no address and no network", a))
			continue
		}
		s.networks = append(s.networks, network.Masked())
	}
	for own, national := range s.Departments {
		if !departmentPattern.MatchString(national) {
			problems = append(problems, fmt.Errorf("departments: %q has no national code", own))
		}
	}
	for own, way := range s.Dispositions {
		if !slices.Contains(ways(), way) {
			problems = append(problems, fmt.Errorf("dispositions: %q is not 1–5 or 9", own))
		}
	}
	for _, kind := range s.Types {
		if !slices.Contains(supported(), kind) {
			problems = append(problems, fmt.Errorf("types: %q is not taken", kind))
		}
	}
	return errors.Join(problems...)
}

// ways are the codes of 离院方式 (住院病案首页, RC019).
func ways() []string { return []string{"1", "2", "3", "4", "5", "9"} }

// at tells whether anybody may send from an address.
func (s Senders) at(from netip.Addr) bool {
	return slices.ContainsFunc(s, func(one *Sender) bool { return one.takes(from) })
}

// of is the sender of a message that came from an address; nil if there is none.
func (s Senders) of(m *Message, from netip.Addr) *Sender {
	msh := m.first("MSH")
	for _, one := range s {
		if one.Application == msh.text(3) && one.Facility == msh.text(4) && one.takes(from) {
			return one
		}
	}
	return nil
}

// first is the first sender that may send from an address, if all that may belong to one organisation; else nil. A message whose header cannot
// be read is its: systems behind one interface engine share an address.
func (s Senders) first(from netip.Addr) (found *Sender) {
	for _, one := range s {
		switch {
		case !one.takes(from):
		case found == nil:
			found = one
		case one.County != found.County || one.Organization != found.Organization:
			return nil
		}
	}
	return found
}

// charset is that of the senders at an address, if they agree.
func (s Senders) charset(from netip.Addr) string {
	var names []string
	for _, one := range s {
		if one.takes(from) && !slices.Contains(names, one.Charset) {
			names = append(names, one.Charset)
		}
	}
	if len(names) != 1 {
		return ""
	}
	return names[0]
}

// named is the sender of that name of an organisation, by its code; nil if there is none any more. Codes are the county's, so that two
// counties share none.
func (s Senders) named(organization, name string) *Sender {
	for _, one := range s {
		if one.Organization == organization && one.Name() == name {
			return one
		}
	}
	return nil
}
