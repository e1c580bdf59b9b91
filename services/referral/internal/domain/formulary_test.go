package domain_test

import (
	"slices"
	"testing"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// shelf is a township centre's list.
func shelf() domain.Formulary {
	return domain.Formulary{
		Items: []domain.FormularyItem{
			{ID: "1", Name: "苯磺酸氨氯地平片", Specification: "5mg×14片", ATC: "C08CA01", InStock: true},
			{ID: "2", Name: "硝苯地平控释片", Specification: "30mg", ATC: "C08CA05", InStock: true},
			{ID: "3", Name: "阿司匹林肠溶片", Specification: "100mg", ATC: "B01AC06", Orderable: true},
			{ID: "4", Name: "氯吡格雷片", Specification: "75mg", ATC: "B01AC04"},
			{ID: "5", Name: "格列美脲片", Specification: "2mg", ATC: "A10BB12", Orderable: true},
			{ID: "6", Name: "盐酸二甲双胍片", Specification: "0.25g", ATC: "A10BA02", InStock: true},
			{ID: "7", Name: "盐酸二甲双胍片", Specification: "0.5g", ATC: "A10BA02"},
			{ID: "8", Name: "艾司唑仑片", Specification: "1mg", ATC: "N05CD04", RestrictedClass: "PSYCHOTROPIC"},
		},
		County: []domain.FormularyItem{
			{ID: "9", OrganizationID: "hospital", Name: "非洛地平缓释片", ATC: "C08CA02"},
			{ID: "10", OrganizationID: "hospital", Name: "头孢克肟胶囊", ATC: "J01DD08", RestrictedClass: "ANTIMICROBIAL"},
		},
	}
}

func TestTheFirstThatHoldsSaysWhatACentreCanDoAboutAMedicine(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		medicine    domain.Medicine
		want        domain.Availability
		substitutes []string
	}{
		"the medicine is there":                         {domain.Medicine{Name: "苯磺酸氨氯地平片"}, domain.InStock, nil},
		"in the specification that was asked for":       {domain.Medicine{Name: "苯磺酸氨氯地平片", Specification: "5mg*14片"}, domain.InStock, nil},
		"written in full width and with blanks":         {domain.Medicine{Name: " 苯磺酸 氨氯地平片", Specification: "５ＭＧ×１４片"}, domain.InStock, nil},
		"a name without a form stands for every form":   {domain.Medicine{Name: "苯磺酸氨氯地平"}, domain.InStock, nil},
		"another specification is a substitute":         {domain.Medicine{Name: "盐酸二甲双胍片", Specification: "0.5g"}, domain.HasSubstitute, []string{"盐酸二甲双胍片 0.25g"}},
		"another form is a substitute and not the same": {domain.Medicine{Name: "硝苯地平片"}, domain.HasSubstitute, []string{"硝苯地平控释片 30mg", "苯磺酸氨氯地平片 5mg×14片"}},
		"the class of what is not listed is the county's": {
			domain.Medicine{Name: "非洛地平缓释片"}, domain.HasSubstitute, []string{"苯磺酸氨氯地平片 5mg×14片", "硝苯地平控释片 30mg"},
		},
		"listed, not there, orderable":             {domain.Medicine{Name: "格列美脲片"}, domain.Orderable, nil},
		"nothing of its class is there: orderable": {domain.Medicine{Name: "阿司匹林肠溶片"}, domain.Orderable, nil},
		"listed, neither there nor orderable":      {domain.Medicine{Name: "氯吡格雷片"}, domain.MedicineMissed, nil},
		"not listed":                               {domain.Medicine{Name: "利伐沙班片"}, domain.MedicineMissed, nil},
		"a substitute goes before the order":       {domain.Medicine{Name: "盐酸二甲双胍片", Specification: "0.5g"}, domain.HasSubstitute, []string{"盐酸二甲双胍片 0.25g"}},
		"a name that is nothing but a form":        {domain.Medicine{Name: "片"}, domain.MedicineMissed, nil},
	} {
		got := shelf().Check(c.medicine)
		if got.Availability != c.want || !slices.Equal(got.Substitutes, c.substitutes) {
			t.Errorf("%s: %s with %q", name, got.Availability, got.Substitutes)
		}
	}
	if got := (domain.Formulary{County: shelf().County}).Check(domain.Medicine{Name: "头孢克肟胶囊"}); got.Availability != domain.NotKnown || got.RestrictedClass != "ANTIMICROBIAL" {
		t.Errorf("without a list: %s of %q", got.Availability, got.RestrictedClass)
	}
	if got := shelf().Check(domain.Medicine{Name: "艾司唑仑片"}); got.RestrictedClass != "PSYCHOTROPIC" {
		t.Errorf("restricted class %q", got.RestrictedClass)
	}
}

// A common name is neither missing nor taken for the medicine: whether the name of the list is meant is a doctor's to say.
func TestACommonNameIsHeldAgainstTheSubstancesOfTheList(t *testing.T) {
	t.Parallel()
	list := domain.Formulary{
		Items: append(shelf().Items,
			domain.FormularyItem{ID: "11", Name: "酒石酸美托洛尔片", Specification: "25mg", ATC: "C07AB02", InStock: true},
			domain.FormularyItem{ID: "12", Name: "琥珀酸美托洛尔缓释片", Specification: "47.5mg", ATC: "C07AB02", Orderable: true},
			domain.FormularyItem{ID: "13", Name: "阿托伐他汀钙片", Specification: "20mg", ATC: "C10AA05"},
			domain.FormularyItem{ID: "14", Name: "枸橼酸钾颗粒", InStock: true},
			domain.FormularyItem{ID: "15", Name: "缬沙坦片", InStock: true},
		),
		County: []domain.FormularyItem{{ID: "16", OrganizationID: "hospital", Name: "瑞舒伐他汀钙片", ATC: "C10AA07"}},
	}
	list.Items = append(list.Items, domain.FormularyItem{ID: "17", Name: "辛伐他汀片", Specification: "20mg", ATC: "C10AA01", InStock: true})
	for name, c := range map[string]struct {
		medicine domain.Medicine
		want     domain.Availability
		named    []domain.NamedMedicine
		lacks    domain.Availability
	}{
		"without the salt before it":   {domain.Medicine{Name: "氨氯地平片", Specification: "5mg×14片"}, domain.Unconfirmed, []domain.NamedMedicine{{"苯磺酸氨氯地平片", domain.InStock}}, ""},
		"one name of two strengths":    {domain.Medicine{Name: "二甲双胍片", Specification: "0.5g"}, domain.Unconfirmed, []domain.NamedMedicine{{"盐酸二甲双胍片", domain.HasSubstitute}}, ""},
		"without the salt after it":    {domain.Medicine{Name: "阿托伐他汀"}, domain.Unconfirmed, []domain.NamedMedicine{{"阿托伐他汀钙片", domain.HasSubstitute}}, ""},
		"without a form: any":          {domain.Medicine{Name: "美托洛尔"}, domain.Unconfirmed, []domain.NamedMedicine{{"酒石酸美托洛尔片", domain.InStock}, {"琥珀酸美托洛尔缓释片", domain.HasSubstitute}}, ""},
		"the form that is said":        {domain.Medicine{Name: "美托洛尔缓释片"}, domain.Unconfirmed, []domain.NamedMedicine{{"琥珀酸美托洛尔缓释片", domain.HasSubstitute}}, ""},
		"the list leaves the salt out": {domain.Medicine{Name: "硫酸氢氯吡格雷片"}, domain.Unconfirmed, []domain.NamedMedicine{{"氯吡格雷片", domain.MedicineMissed}}, domain.MedicineMissed},
		"another salt":                 {domain.Medicine{Name: "马来酸氨氯地平片"}, domain.HasSubstitute, nil, ""},
		"another form":                 {domain.Medicine{Name: "二甲双胍缓释片"}, domain.HasSubstitute, nil, ""},
		"half of the molecule":         {domain.Medicine{Name: "左氨氯地平片"}, domain.MedicineMissed, nil, domain.MedicineMissed},
		"the class by a common name":   {domain.Medicine{Name: "瑞舒伐他汀片"}, domain.HasSubstitute, nil, ""},
		"what is given for a mineral":  {domain.Medicine{Name: "枸橼酸钠颗粒"}, domain.MedicineMissed, nil, domain.MedicineMissed},
		"another substance":            {domain.Medicine{Name: "利伐沙班片"}, domain.MedicineMissed, nil, domain.MedicineMissed},
	} {
		got := list.Check(c.medicine)
		if got.Availability != c.want || !slices.Equal(got.Named, c.named) || got.Lacks() != c.lacks {
			t.Errorf("%s: %s, named %v, lacks %q", name, got.Availability, got.Named, got.Lacks())
		}
	}
}

func TestASubstanceIsTheNameWithoutItsFormAndItsSalt(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"硝苯地平控释片": "硝苯地平", "注射用青霉素钠": "青霉素", "阿莫西林胶囊": "阿莫西林", "片": "片", "胰岛素": "胰岛素", "注射用": "注射用", "": "",
		"硫酸氢氯吡格雷片": "氯吡格雷", "培哚普利叔丁胺片": "培哚普利", "富马酸替诺福韦二吡呋酯片": "替诺福韦", "丙戊酸钠片": "丙戊酸", "双氯芬酸钠缓释片": "双氯芬酸", "重酒石酸卡巴拉汀胶囊": "卡巴拉汀",
		"硝酸甘油片": "硝酸甘油", "单硝酸异山梨酯片": "单硝酸异山梨", "硫酸亚铁片": "硫酸亚铁", "枸橼酸铋钾颗粒": "枸橼酸铋钾", "碳酸氢钠片": "碳酸氢钠", "氯化钾缓释片": "氯化钾", "葡萄糖酸钙片": "葡萄糖酸钙",
		"硫酸镁注射液": "硫酸镁", "磷酸氢钙片": "磷酸氢钙", "甘油磷酸钠注射液": "甘油磷酸钠", "沙库巴曲缬沙坦钠片": "沙库巴曲缬沙坦", "左甲状腺素钠片": "左甲状腺素",
	} {
		if got := domain.Substance(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestLongPrescriptionsHaveLimits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		days  int
		class string
		want  []string
	}{
		{28, "", nil},
		{29, "", []string{"OVER_4_WEEKS"}},
		{85, "", []string{"OVER_12_WEEKS"}},
		{7, "ANTIMICROBIAL", nil},
		{30, "NARCOTIC", []string{"OVER_4_WEEKS", "EXCLUDED_CLASS"}},
	} {
		if got := domain.LongPrescription(c.days, c.class); !slices.Equal(got, c.want) {
			t.Errorf("%d days of %q: %q", c.days, c.class, got)
		}
	}
}
