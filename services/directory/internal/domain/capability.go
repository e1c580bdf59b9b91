package domain

import (
	"slices"
	"strings"
)

// CapabilityCodes are what an organisation may be able to do, in the order of the contract.
func CapabilityCodes() []string {
	return []string{
		"REHABILITATION", "DIALYSIS", "WOUND_CARE", "TCM", "LABORATORY", "ECG", "ULTRASOUND", "XRAY", "INFUSION",
		"HOME_VISIT", "PALLIATIVE",
	}
}

// Capability is one thing that an organisation can do.
type Capability struct {
	Code string
	Note string // e.g. on which days
}

// Capabilities are all that one organisation can do. Version 0 is an organisation of which nothing was said yet.
type Capabilities struct {
	county         string
	organizationID string
	list           []Capability // in the order of CapabilityCodes
	version        int32
}

// RestoreCapabilities are those that were kept, in any order.
func RestoreCapabilities(county, organizationID string, list []Capability, version int32) Capabilities {
	return Capabilities{county: county, organizationID: organizationID, list: inOrder(list), version: version}
}

// Replace is what an organisation can do after all of it was said anew, and whether that differs; or Violations.
func (c Capabilities) Replace(list []Capability) (Capabilities, bool, error) {
	var v Violations
	seen := map[string]bool{}
	next := make([]Capability, len(list))
	for i, one := range list {
		one.Code, one.Note = strings.TrimSpace(one.Code), strings.TrimSpace(one.Note)
		switch {
		case !slices.Contains(CapabilityCodes(), one.Code):
			v.add(at("capabilities", i, "code"), ReasonUnknown)
		case seen[one.Code]:
			v.add(at("capabilities", i, "code"), ReasonInvalid)
		}
		seen[one.Code] = true
		v.text(at("capabilities", i, "note"), one.Note, false, 200)
		next[i] = one
	}
	if err := v.err(); err != nil {
		return Capabilities{}, false, err
	}
	next = inOrder(next)
	if c.version > 0 && slices.Equal(next, c.list) {
		return c, false, nil
	}
	c.list = next
	c.version++
	return c, true, nil
}

func inOrder(list []Capability) []Capability {
	return slices.SortedFunc(slices.Values(list), func(a, b Capability) int {
		return slices.Index(CapabilityCodes(), a.Code) - slices.Index(CapabilityCodes(), b.Code)
	})
}

// County of the organisation.
func (c Capabilities) County() string { return c.county }

// OrganizationID is whose they are.
func (c Capabilities) OrganizationID() string { return c.organizationID }

// List is in the order of CapabilityCodes.
func (c Capabilities) List() []Capability { return slices.Clone(c.list) }

// Version grows by one with every change.
func (c Capabilities) Version() int32 { return c.version }
