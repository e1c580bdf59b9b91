package domain

import (
	"slices"
	"strings"
)

// nameParts is a generic name (通用名) taken apart. What two lists write differently of one substance is its salt and its dosage form: 苯磺酸
// before and 片 after 氨氯地平, 钙 after 阿托伐他汀.
type nameParts struct {
	plain string
	// stem is the name without its dosage form, substance also without its salt.
	stem, form, substance string
}

// salted tells that the name says which salt or ester it is.
func (n nameParts) salted() bool { return n.stem != n.substance }

// mayBe tells that two names of one substance may mean the same medicine: they do not say different forms, nor different salts.
func (n nameParts) mayBe(other nameParts) bool {
	return (n.form == other.form || n.form == "" || other.form == "") && !(n.salted() && other.salted())
}

func medicineName(name string) nameParts {
	out := nameParts{plain: plain(name)}
	out.stem, out.form = splitForm(out.plain)
	out.substance = substance(out.stem)
	return out
}

// Substance is a generic name without its dosage form and its salt, in one way of writing: what two lists have in common when they write a
// medicine differently.
func Substance(name string) string { return medicineName(name).substance }

// salts come before the substance, longer ones before those that they begin with. 硝酸 is none of them: 硝酸甘油 is not 甘油.
func salts() []string {
	return []string{
		"盐酸", "硫酸氢", "硫酸", "氢溴酸", "苯磺酸", "甲苯磺酸", "甲磺酸", "马来酸", "富马酸", "重酒石酸", "酒石酸", "琥珀酸", "枸橼酸", "草酸", "苹果酸", "乳酸", "磷酸",
		"醋酸", "丙酸", "糠酸", "苯甲酸",
	}
}

// saltEnds come after it.
func saltEnds() []string {
	return []string{"二吡呋酯", "叔丁胺", "精氨酸", "二钠", "钠", "钾", "钙", "镁", "酯"}
}

// minerals are given for their own sake: 枸橼酸钾 is not 枸橼酸钠, and 硫酸亚铁 no salt of a medicine named 亚铁.
func minerals() []string {
	return []string{"亚铁", "铁", "钠", "钾", "钙", "镁", "锌", "铝", "铋", "锂", "铵"}
}

// carriers are what minerals are bound to, besides the salts.
func carriers() []string {
	return []string{"碳酸", "碳酸氢", "氯化", "碘化", "溴化", "氟化", "氧化", "葡萄糖酸", "谷氨酸", "门冬氨酸", "硝酸", "磷酸氢", "磷酸二氢"}
}

// shortestSubstance is how many characters are left at least when a salt is taken away.
const shortestSubstance = 2

// substance takes the salt off a stem that is plain.
func substance(stem string) string {
	out := stem
	for _, salt := range salts() {
		if rest, ok := strings.CutPrefix(out, salt); ok {
			if slices.ContainsFunc(minerals(), func(m string) bool { return strings.HasPrefix(strings.TrimLeft(rest, "二氢"), m) }) {
				return stem
			}
			if len([]rune(rest)) >= shortestSubstance {
				out = rest
			}
			break
		}
	}
	for _, end := range saltEnds() {
		rest, ok := strings.CutSuffix(out, end)
		if !ok {
			continue
		}
		carried := slices.ContainsFunc(slices.Concat(salts(), carriers()), func(c string) bool { return strings.HasSuffix(rest, c) })
		if len([]rune(rest)) >= shortestSubstance && !carried {
			out = rest
		}
		break
	}
	return out
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
