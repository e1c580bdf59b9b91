package app_test

import (
	"slices"
	"testing"

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// finds tells whether every word of the query has a term among those that the patient is indexed by.
func finds(d domain.Details, query string) bool {
	terms := app.Terms(d)
	words := app.ParseQuery(query)
	for _, w := range words {
		if !slices.ContainsFunc(w.Any, func(t app.Term) bool { return slices.Contains(terms, t) }) {
			return false
		}
	}
	return len(words) > 0
}

func TestNamesAreFoundAsPeopleTypeThem(t *testing.T) {
	t.Parallel()
	for name, queries := range map[string]struct{ yes, no []string }{
		"曾小明": {
			yes: []string{"曾", "曾小", "曾小明", "小明", "曾 小明", "曾　小明", "zeng", "zengxiao", "zengxiaoming", "ZengXiaoMing", "zeng xiaoming", "zeng xiao ming",
				"ceng", "cengxiaoming", "zx", "zxm", "ZXM", "cxm", "xiaoming", "ming"},
			no: []string{"明", "小", "曾明", "曾小红", "zengming", "z", "zeng hong", "xm", "zengxiaom"},
		},
		"单雪梅":            {yes: []string{"shan", "shanxuemei", "sxm", "dan", "chan", "单雪梅"}, no: []string{"danmei"}},
		"仇和":             {yes: []string{"qiu", "qiuhe", "qh", "chou"}},
		"解晓东":            {yes: []string{"xie", "xiexiaodong", "xxd", "jie"}},
		"区少":             {yes: []string{"ou", "oushao", "os", "qu"}},
		"欧阳小明":           {yes: []string{"欧阳", "欧", "小明", "ouyang", "ouyangxiaoming", "oyxm", "xiaoming", "阳小"}, no: []string{"阳小明"}},
		"欧阳红":            {yes: []string{"欧阳 红", "欧阳　红", "欧 阳 红"}, no: []string{"欧 红", "红 欧阳"}},
		"尉迟恭":            {yes: []string{"yuchi", "yuchigong", "ycg", "weichi"}},
		"𠮷小明":            {yes: []string{"𠮷", "𠮷小", "𠮷小明", "小明", "xiaoming"}, no: []string{"吉小明"}},
		"吕布":             {yes: []string{"lv", "lvbu", "lubu", "lyubu", "lüb", "lb"}[:4], no: []string{"bulv"}},
		"买买提·艾力":         {yes: []string{"买买提", "买买提艾力", "买买提·艾力", "买买提•艾力", "艾力", "买买提 艾力", "maimaiti", "aili"}},
		"覃桂英":            {yes: []string{"qin", "tan", "qgy"}},
		"Elisha Bradtke": {yes: []string{"elisha", "Brad", "bradtke elisha", "el br"}, no: []string{"adtke", "e", "lisha"}},
		"O'Brien Anne":   {yes: []string{"obrien", "o'brien", "ob"}},
	} {
		d := domain.Details{Name: name}
		for _, q := range queries.yes {
			if !finds(d, q) {
				t.Errorf("%q does not find %s", q, name)
			}
		}
		for _, q := range queries.no {
			if finds(d, q) {
				t.Errorf("%q finds %s", q, name)
			}
		}
	}
}

func TestNumbersAreFoundWholeAndByTheirEnd(t *testing.T) {
	t.Parallel()
	d := domain.Details{
		Name: "曾小明", IdentityNumber: "34052419800101001X", Phone: "138-0013-8000", HealthRecordNumber: "45032110000100001",
	}
	for _, q := range []string{
		"8000", "38000", "13800138000", "+8613800138000", "138-0013-8000", "001X", "001x", "0101001x", "34052419800101001X", "34052419800101001x",
		"45032110000100001", "0001", "曾 0001", "曾 8000", "zxm 001x", "１３８００１３８０００",
	} {
		if !finds(d, q) {
			t.Errorf("%q does not find", q)
		}
	}
	for _, q := range []string{"800", "3800", "1380013", "0000", "曾 0000"} {
		if finds(d, q) {
			t.Errorf("%q finds", q)
		}
	}
}

func TestTheVillageIsFoundByItsNameAndAfterEverythingElse(t *testing.T) {
	t.Parallel()
	d := domain.Details{Name: "曾小明", Village: "石塘 大湾村", InsuranceNumber: "M45032100017777"}
	for _, q := range []string{"石塘", "石塘大", "大湾", "石塘大湾村", "石塘 大湾村", "zxm 大湾", "曾 石塘", "石塘 曾", "曾　石塘", "曾 小明 大湾", "曾小明 石塘 大湾村", "7777", "M45032100017777", "m45032100017777"} {
		if !finds(d, q) {
			t.Errorf("%q does not find", q)
		}
	}
	for _, q := range []string{"莫 石塘", "曾 白沙", "湾", "小湾", "湾村口", "7778"} {
		if finds(d, q) {
			t.Errorf("%q finds", q)
		}
	}
}

func TestIndexOfAnyNameIsBounded(t *testing.T) {
	t.Parallel()
	long := ""
	for range 60 {
		long += "乐"
	}
	if n := len(app.Terms(domain.Details{Name: long})); n > 200 {
		t.Errorf("%d terms", n)
	}
}

func FuzzSearch(f *testing.F) {
	for _, s := range []string{"曾小明", "𠮷", "zeng 8000", "Elisha Bradtke", "·", "\xff", "34052419800101001x", "+86 138"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, name, query string) {
		seen := map[app.Term]bool{}
		for _, term := range app.Terms(domain.Details{Name: name, Phone: query, IdentityNumber: query}) {
			if seen[term] || term.Text == "" || term.Kind.String() == "" {
				t.Fatalf("term of kind %s twice or empty", term.Kind)
			}
			seen[term] = true
		}
		if words := app.ParseQuery(query); len(words) > 6 {
			t.Fatalf("%d words", len(words))
		}
	})
}
