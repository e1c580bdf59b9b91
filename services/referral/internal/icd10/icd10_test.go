package icd10_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/icd10"
)

func list(t testing.TB) *icd10.List {
	t.Helper()
	l, err := icd10.New()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestSearchFindsByCodeWordsAndInitialsBestFirst(t *testing.T) {
	t.Parallel()
	l := list(t)
	for _, c := range []struct{ query, code string }{
		{"I63", "I63"},
		{"i63", "I63"},
		{"I63.9", "I63.9"},
		{"i10.X00X002", "I10.x00x002"},
		{"脑梗死", "I63"},
		{"ngs", "I63"},
		{"伤寒", "A01"},
		{"hl", "A00"},
	} {
		found := l.Search(c.query, 20)
		if len(found) == 0 || found[0].Code != c.code {
			t.Errorf("Search(%q) = %v, want %s first", c.query, found, c.code)
		}
	}
}

// What doctors type, and what they mean by it.
func TestWhatIsMeantMostComesFirst(t *testing.T) {
	t.Parallel()
	l := list(t)
	for query, code := range map[string]string{
		"高血压": "I10", "gxy": "I10", "GXY": "I10", "原发性高血压": "I10", "糖尿病": "E11", "tnb": "E11", "2型糖尿病": "E11", "糖尿": "R81", "1型糖尿病": "E10",
		"妊娠期糖尿病": "O24", "脑梗": "I63", "脑梗死": "I63", "脑梗塞": "I63", "中风": "I64", "ngs": "I63", "ng": "I63", "zf": "I64", "脑出血": "I61", "ncx": "I61",
		"心梗": "I21", "急性心肌梗死": "I21", "xjgs": "I21", "xg": "I21", "心绞痛": "I20", "xjt": "I20", "冠心病": "I25", "gxb": "I25", "慢阻肺": "J44",
		"mzf": "J44", "COPD": "J44", "copd": "J44", "肺炎": "J18", "fy": "J18", "慢性肾病": "N18", "慢性肾脏病": "N18", "尿毒症": "N18", "ckd": "N18",
		"心衰": "I50", "xs": "I50", "心力衰竭": "I50", "哮喘": "J45", "xc": "J45", "阑尾炎": "K35", "lwy": "K35", "胆结石": "K80", "djs": "K80",
		"肾结石": "N20", "sjs": "N20", "股骨骨折": "S72", "骨折": "S72", "肺结核": "A15", "fjh": "A15", "肺癌": "C34", "fa": "C34", "精神分裂症": "F20",
		"子痫前期": "O14", "胸痛": "R07", "xt": "R07", "腹痛": "R10", "ft": "R10", "头痛": "R51", "tt": "R51", "头晕": "R42", "ty": "R42", "房颤": "I48",
		"淋巴瘤": "C85", "消化道出血": "K92", "宫外孕": "O00", "腰椎间盘突出": "M51", "白内障": "H25", "癫痫": "G40", "I2 心": "I21", "二尖瓣": "I05",
		"非糖尿病": "E15", "胰岛素依赖型糖尿病": "E10", "I6": "I63", "e1": "E11", "I11": "I11", "未特指的糖尿病": "E14",
	} {
		if found := l.Search(query, 20); len(found) == 0 || found[0].Code != code {
			t.Errorf("Search(%q) = %v, want %s first", query, found[:min(3, len(found))], code)
		}
	}
}

func TestWhatIsRuledOutByTheNameComesAfterWhatIsMeant(t *testing.T) {
	t.Parallel()
	l := list(t)
	for query, codes := range map[string][2]string{
		"糖尿病": {"O24", "E15"}, "脑梗死": {"I63", "I66"}, "淋巴瘤": {"C82", "C83"}, "糖尿": {"E14", "E15"}, "蛋白尿": {"O14", "O13"},
	} {
		found := l.Search(query, 50)
		place := func(code string) int {
			return slices.IndexFunc(found, func(d domain.FoundDiagnosis) bool { return d.Code == code })
		}
		if meant, ruledOut := place(codes[0]), place(codes[1]); meant < 0 || ruledOut < 0 || meant > ruledOut {
			t.Errorf("Search(%q): %s at %d, %s at %d", query, codes[0], meant, codes[1], ruledOut)
		}
	}
}

func TestEveryWordOfTheQueryMustFit(t *testing.T) {
	t.Parallel()
	found := list(t).Search("I 高血压", 20)
	if len(found) == 0 {
		t.Fatal("nothing found")
	}
	for _, d := range found {
		if !strings.HasPrefix(d.Code, "I") || !strings.Contains(d.Display, "高血压") {
			t.Errorf("%v does not fit both words", d)
		}
	}
}

func TestSearchIsBoundedAndTakesAnything(t *testing.T) {
	t.Parallel()
	l := list(t)
	if n := len(l.Search("A", 20)); n != 20 {
		t.Errorf("got %d, want 20", n)
	}
	for _, q := range []string{"", "   ", "没有这种病", "\x00", "é", "ＸＹ", "霍"} {
		if n := len(l.Search(q, 20)); n > 20 {
			t.Errorf("Search(%q) has %d", q, n)
		}
	}
}

func TestNameIsThatOfTheCategory(t *testing.T) {
	t.Parallel()
	l := list(t)
	if got := l.Name("A00.101"); got != "霍乱" {
		t.Errorf("got %q", got)
	}
	if got := l.Name("I"); got != "" {
		t.Errorf("got %q", got)
	}
}

func BenchmarkSearchByInitials(b *testing.B) {
	l := list(b)
	for b.Loop() {
		l.Search("gxy", 20)
	}
}
