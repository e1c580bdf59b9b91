package domain

import (
	"strings"
	"unicode/utf8"
)

// Clinic is a village clinic by its name in the directory.
type Clinic struct{ ID, Name string }

// ClinicOf is the one clinic among those of a centre that has the name of the village as people write it: "竹桥村", "白沙镇竹桥村委会古板屯" are
// both of 白沙镇竹桥村卫生室. Empty when none has it, or more than one: a wrong clinic would be shown somebody else's patient.
func ClinicOf(village string, clinics []Clinic) string {
	wanted, found := villageName(village), ""
	if wanted == "" {
		return ""
	}
	for _, c := range clinics {
		switch {
		case villageName(c.Name) != wanted:
		case found != "":
			return ""
		default:
			found = c.ID
		}
	}
	return found
}

// InVillage tells that a village as people write it is the one of a clinic.
func InVillage(village string, of Clinic) bool { return ClinicOf(village, []Clinic{of}) != "" }

// Word is the name of the clinic's village, by which its residents are found; empty for no clinic.
func (c Clinic) Word() string { return villageName(c.Name) }

// villageName is the name that is left without the township before it and without what a village or clinic is called.
func villageName(s string) string {
	s = strings.Join(strings.Fields(s), "")
	for _, kind := range []string{"卫生室", "卫生所", "卫生站", "医务室", "诊所"} {
		s = strings.TrimSuffix(s, kind)
	}
	for _, township := range []string{"街道", "镇", "乡"} {
		// 镇南村 is a village: something must stand before the word, and a name behind it.
		if before, rest, ok := strings.Cut(s, township); ok && before != "" && utf8.RuneCountInString(rest) > 1 {
			s = rest
			break
		}
	}
	for _, kind := range []string{"村民委员会", "居民委员会", "村委会", "居委会", "村委", "社区", "村"} {
		if before, _, ok := strings.Cut(s, kind); ok && utf8.RuneCountInString(before) > 1 {
			if name := strings.TrimSuffix(before, "村"); utf8.RuneCountInString(name) > 1 {
				return name // 竹桥村村民委员会
			}
			return before
		}
	}
	return s
}
