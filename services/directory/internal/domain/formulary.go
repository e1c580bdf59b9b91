package domain

import (
	"slices"
	"strings"
)

// Stock tells whether a medicine of the list is there; the words are those of the contract.
type Stock string

// The states of stock.
const (
	InStock    Stock = "IN_STOCK"
	OutOfStock Stock = "OUT_OF_STOCK" // listed, but none at the moment
)

// Stocks lists every state.
func Stocks() []Stock { return []Stock{InStock, OutOfStock} }

// RestrictedClasses are the classes of which there is no long prescription (长期处方管理规范(试行), 2021).
func RestrictedClasses() []string {
	return []string{"ANTIMICROBIAL", "NARCOTIC", "PSYCHOTROPIC", "TOXIC", "RADIOACTIVE", "PRECURSOR", "SPECIAL_STORAGE"}
}

// FormularyData is what an organisation's list says of one medicine.
type FormularyData struct {
	ID              string // UUID text
	County          string
	OrganizationID  string
	Name            string // generic name (通用名)
	Specification   string
	ATC             string // a class of any level, e.g. C, C09, C09C, C09CA, C09CA01; "" where none is known
	Stock           Stock
	Orderable       bool // from the central pharmacy (中心药房)
	RestrictedClass string
	Removed         bool // no longer on the list
}

// FormularyItem is a medicine of an organisation's list. It is known by organisation, name and specification, and
// keeps them and its id for ever.
type FormularyItem struct {
	data    FormularyData
	version int32
}

// NewFormularyItem is an item of version 1, or Violations.
func NewFormularyItem(d FormularyData) (FormularyItem, error) {
	d = d.Normal()
	var v Violations
	if d.ID == "" {
		v.add("id", ReasonRequired)
	}
	if d.OrganizationID == "" {
		v.add("organizationId", ReasonRequired)
	}
	v.text("name", d.Name, true, 200)
	v.text("specification", d.Specification, false, 100)
	if d.ATC != "" && !validATC(d.ATC) {
		v.add("atc", ReasonInvalid)
	}
	if !slices.Contains(Stocks(), d.Stock) {
		v.add("stock", ReasonRequired)
	}
	if d.RestrictedClass != "" && !slices.Contains(RestrictedClasses(), d.RestrictedClass) {
		v.add("restrictedClass", ReasonUnknown)
	}
	if err := v.err(); err != nil {
		return FormularyItem{}, err
	}
	return FormularyItem{data: d, version: 1}, nil
}

// RestoreFormularyItem is an item as it was kept.
func RestoreFormularyItem(d FormularyData, version int32) FormularyItem {
	return FormularyItem{data: d, version: version}
}

// Update is the item after what is said of it, and whether that differs.
func (f FormularyItem) Update(d FormularyData) (FormularyItem, bool, error) {
	d.ID, d.County, d.OrganizationID = f.data.ID, f.data.County, f.data.OrganizationID
	d.Name, d.Specification = f.data.Name, f.data.Specification
	next, err := NewFormularyItem(d)
	if err != nil {
		return FormularyItem{}, false, err
	}
	if next.data == f.data {
		return f, false, nil
	}
	next.version = f.version + 1
	return next, true, nil
}

// Data is what the list says of the medicine.
func (f FormularyItem) Data() FormularyData { return f.data }

// Version grows by one with every change, from 1.
func (f FormularyItem) Version() int32 { return f.version }

// String is the id.
func (f FormularyItem) String() string { return f.data.ID }

// Normal is the form in which medicines are compared: no blanks around, the class in capitals.
func (d FormularyData) Normal() FormularyData {
	for _, s := range []*string{&d.ID, &d.OrganizationID, &d.Name, &d.Specification, &d.ATC, &d.RestrictedClass} {
		*s = strings.TrimSpace(*s)
	}
	d.ATC = strings.ToUpper(d.ATC)
	return d
}

// validATC tells whether s is a class of one of the five levels: A, A10, A10B, A10BA, A10BA02.
func validATC(s string) bool {
	const shape = "A00AA00"
	if !slices.Contains([]int{1, 3, 4, 5, 7}, len(s)) {
		return false
	}
	for i := range len(s) {
		low, high := byte('A'), byte('Z')
		if shape[i] == '0' {
			low, high = '0', '9'
		}
		if s[i] < low || s[i] > high {
			return false
		}
	}
	return true
}
