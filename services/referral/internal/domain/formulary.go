package domain

import (
	"cmp"
	"slices"
	"strings"
)

// FormularyItem is a medicine of an organisation's list, as directory tells it.
type FormularyItem struct {
	County, ID, OrganizationID string
	Version                    int32
	// Name is the generic one (通用名).
	Name, Specification string
	// ATC is a class of any level, or empty.
	ATC                string
	InStock, Orderable bool
	// RestrictedClass is that of a medicine of which there is no long prescription; empty for the rest.
	RestrictedClass string
	Removed         bool
}

// Formulary is what is known when a medicine is looked for.
type Formulary struct {
	// Items is the list of the centre; empty: it is not known.
	Items []FormularyItem
	// County are items of other lists of the county, which tell the class of a medicine that the centre does not list.
	County []FormularyItem
}

// MedicineCheck is what a centre can do about a medicine.
type MedicineCheck struct {
	// Medicine with its availability.
	Medicine
	// Named are the names under which the list has the substance, for a medicine that is UNCONFIRMED.
	Named           []NamedMedicine
	Substitutes     []string
	RestrictedClass string
}

// NamedMedicine is a name of the list, and what the centre can do about the medicine if that is the one that is meant.
type NamedMedicine struct {
	Name         string
	Availability Availability
}

// Lacks is MISSING or ORDERABLE where the centre has today neither the medicine nor what may stand in for it, whatever its list calls it;
// empty otherwise.
func (c MedicineCheck) Lacks() Availability {
	under := []Availability{c.Availability}
	if c.Availability == Unconfirmed {
		under = nil
		for _, n := range c.Named {
			under = append(under, n.Availability)
		}
	}
	switch {
	case slices.ContainsFunc(under, func(a Availability) bool { return a != MedicineMissed && a != Orderable }):
		return ""
	case slices.Contains(under, Orderable):
		return Orderable
	}
	return MedicineMissed
}

const (
	// atcSubgroup is the length of the chemical subgroup, as C08CA: within it one medicine can stand in for another.
	atcSubgroup    = 5
	maxSubstitutes = 5
)

// Check looks a medicine up by its generic name and, where both sides say one, its specification. The first that holds counts:
//
//   - UNKNOWN: the centre has no list.
//   - IN_STOCK: the medicine itself is there. A name without a dosage form stands for every form of it; two forms are never the same
//     (a sustained-release tablet is no tablet).
//   - UNCONFIRMED: the name is not on the list, but its substance is, in the same form, where one of the two names leaves the salt out
//     (氨氯地平片, 苯磺酸氨氯地平片). The dose may be reckoned by the salt, so that they are never taken for equal: a doctor says so.
//   - SUBSTITUTE: not the medicine, but another specification, another form or salt, or another medicine of its chemical subgroup is
//     there: the patient has something on the day of arrival. Whether it may stand in is the doctor's to say.
//   - ORDERABLE: the medicine is listed, and comes from the central pharmacy.
//   - MISSING: none of these.
func (f Formulary) Check(m Medicine) MedicineCheck {
	out := MedicineCheck{Medicine: m}
	out.Availability = NotKnown
	found := f.named(m.Name)
	like := slices.Concat(found.same, found.unsure, found.other, where(f.County, func(i FormularyItem) bool { return Substance(i.Name) == Substance(m.Name) }))
	out.RestrictedClass = restrictedOf(like)
	if len(f.Items) == 0 {
		return out
	}
	wanted := plain(m.Specification)
	fits := func(i FormularyItem) bool {
		return wanted == "" || i.Specification == "" || plain(i.Specification) == wanted
	}
	if slices.ContainsFunc(found.same, func(i FormularyItem) bool { return i.InStock && fits(i) }) {
		out.Availability = InStock
		return out
	}
	if len(found.same) == 0 && len(found.unsure) > 0 {
		out.Availability, out.Named = Unconfirmed, f.each(found.unsure, m)
		return out
	}
	class := classOf(like)
	subgroup := func(i FormularyItem) bool { return class != "" && strings.HasPrefix(i.ATC, class) }
	for _, i := range slices.Concat(found.same, found.other, where(f.Items, subgroup)) {
		name := strings.TrimSpace(i.Name + " " + i.Specification)
		if i.InStock && !slices.Contains(out.Substitutes, name) && len(out.Substitutes) < maxSubstitutes {
			out.Substitutes = append(out.Substitutes, name)
		}
	}
	switch {
	case len(out.Substitutes) > 0:
		out.Availability = HasSubstitute
	case slices.ContainsFunc(found.same, func(i FormularyItem) bool { return i.Orderable }):
		out.Availability = Orderable
	default:
		out.Availability = MedicineMissed
	}
	return out
}

// each is what is to be said of the medicine under each of these names.
func (f Formulary) each(items []FormularyItem, m Medicine) (out []NamedMedicine) {
	for _, i := range items {
		if !slices.ContainsFunc(out, func(n NamedMedicine) bool { return n.Name == i.Name }) {
			m.Name = i.Name // it is on the list
			out = append(out, NamedMedicine{i.Name, f.Check(m).Availability})
		}
	}
	return out
}

// relatives are the items of a list that have to do with a name: those that are the medicine, those that may be and are called
// otherwise, and other forms and salts of its substance.
type relatives struct{ same, unsure, other []FormularyItem }

func (f Formulary) named(name string) (out relatives) {
	asked := medicineName(name)
	for _, i := range f.Items {
		is := medicineName(i.Name)
		switch {
		case is.plain == asked.plain, asked.form == "" && is.stem == asked.stem:
			out.same = append(out.same, i)
		case is.substance != asked.substance:
		case is.stem != asked.stem && is.mayBe(asked):
			out.unsure = append(out.unsure, i)
		default:
			out.other = append(out.other, i)
		}
	}
	return out
}

func where(items []FormularyItem, holds func(FormularyItem) bool) []FormularyItem {
	return slices.DeleteFunc(slices.Clone(items), func(i FormularyItem) bool { return !holds(i) })
}

// antiplatelets (B01AC) are given together after a stent: aspirin does not stand in for ticagrelor.
const antiplatelets = "B01AC"

func classOf(items []FormularyItem) string {
	for _, i := range items {
		switch {
		case strings.HasPrefix(i.ATC, antiplatelets):
			return i.ATC
		case len(i.ATC) >= atcSubgroup:
			return i.ATC[:atcSubgroup]
		}
	}
	return ""
}

func restrictedOf(items []FormularyItem) (class string) {
	for _, i := range items {
		class = cmp.Or(class, i.RestrictedClass)
	}
	return class
}
