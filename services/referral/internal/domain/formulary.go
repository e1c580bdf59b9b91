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
	Substitutes     []string
	RestrictedClass string
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
//   - SUBSTITUTE: not the medicine, but another specification, another form or another medicine of its chemical subgroup is there: the
//     patient has something on the day of arrival. Whether it may stand in is the doctor's to say.
//   - ORDERABLE: the medicine is listed, and comes from the central pharmacy.
//   - MISSING: none of these.
func (f Formulary) Check(m Medicine) MedicineCheck {
	out := MedicineCheck{Medicine: m}
	out.Availability = NotKnown
	same, forms := f.named(m.Name)
	elsewhere := where(f.County, func(i FormularyItem) bool { return MedicineStem(i.Name) == MedicineStem(m.Name) })
	class := classOf(slices.Concat(same, forms, elsewhere))
	out.RestrictedClass = restrictedOf(slices.Concat(same, forms, elsewhere))
	if len(f.Items) == 0 {
		return out
	}
	wanted := plain(m.Specification)
	fits := func(i FormularyItem) bool {
		return wanted == "" || i.Specification == "" || plain(i.Specification) == wanted
	}
	if slices.ContainsFunc(same, func(i FormularyItem) bool { return i.InStock && fits(i) }) {
		out.Availability = InStock
		return out
	}
	subgroup := func(i FormularyItem) bool { return class != "" && strings.HasPrefix(i.ATC, class) }
	for _, i := range slices.Concat(same, forms, where(f.Items, subgroup)) {
		name := strings.TrimSpace(i.Name + " " + i.Specification)
		if i.InStock && !slices.Contains(out.Substitutes, name) && len(out.Substitutes) < maxSubstitutes {
			out.Substitutes = append(out.Substitutes, name)
		}
	}
	switch {
	case len(out.Substitutes) > 0:
		out.Availability = HasSubstitute
	case slices.ContainsFunc(same, func(i FormularyItem) bool { return i.Orderable }):
		out.Availability = Orderable
	default:
		out.Availability = MedicineMissed
	}
	return out
}

// named are the items of the list that are the medicine, and those that are other forms of it.
func (f Formulary) named(name string) (same, forms []FormularyItem) {
	key := plain(name)
	stem, form := splitForm(key)
	for _, i := range f.Items {
		switch {
		case plain(i.Name) == key, form == "" && MedicineStem(i.Name) == stem:
			same = append(same, i)
		case MedicineStem(i.Name) == stem:
			forms = append(forms, i)
		}
	}
	return same, forms
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

// MedicineStem is a generic name without its dosage form, in one way of writing: what two lists have in common when they write a medicine
// differently.
func MedicineStem(name string) string {
	stem, _ := splitForm(plain(name))
	return stem
}

// plain is a text as it is compared: half-width, lower case, without blanks, with one sign for times and for micro.
func plain(text string) string {
	const fullWidth, first, last = '！' - '!', '！', '～'
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '\t' || r == '\u00a0' || r == '\u3000':
			return -1
		case r >= first && r <= last:
			r -= fullWidth
		}
		switch r {
		case '×', '✕', '*':
			return 'x'
		case 'µ', 'μ':
			return 'u'
		}
		if r >= 'A' && r <= 'Z' {
			return r - 'A' + 'a'
		}
		return r
	}, text)
}

// dosageForms end the generic names, longer ones before those that they end in.
func dosageForms() []string {
	return []string{
		"肠溶缓释片", "缓释片", "控释片", "肠溶片", "分散片", "咀嚼片", "泡腾片", "薄膜衣片", "口腔崩解片", "口崩片", "舌下片", "含片", "片",
		"肠溶胶囊", "缓释胶囊", "控释胶囊", "软胶囊", "硬胶囊", "胶囊", "肠溶颗粒", "颗粒", "干混悬剂", "混悬液", "口服溶液", "口服液", "合剂", "糖浆",
		"滴丸", "丸", "散", "注射液", "吸入气雾剂", "气雾剂", "吸入粉雾剂", "粉雾剂", "喷雾剂", "滴眼液", "滴耳液", "滴鼻液", "眼膏", "乳膏", "软膏",
		"凝胶", "贴剂", "贴片", "贴膏", "栓",
	}
}

const forInjection = "注射用"

// splitForm parts a name that is plain. What would leave nothing is no form.
func splitForm(key string) (stem, form string) {
	if rest, ok := strings.CutPrefix(key, forInjection); ok && rest != "" {
		return rest, forInjection
	}
	for _, form := range dosageForms() {
		if stem, ok := strings.CutSuffix(key, form); ok && stem != "" {
			return stem, form
		}
	}
	return key, ""
}
