package placefile_test

import (
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/tongzhen/tongzhen/services/directory/internal/placefile"
)

func TestATableIsReadInBothEncodingsAndLanguages(t *testing.T) {
	t.Parallel()
	const text = "机构编码,药名,规格,库存,可调配,说明栏\r\n 450321101 ,替格瑞洛片,90mg,有货,是,不认识的栏\r\n\r\n,,,,,\r\n"
	old, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"UTF-8": []byte(text), "with a mark": []byte("\ufeff" + text), "GB18030": old} {
		got := placefile.Read(placefile.Formulary, content)
		if len(got.Problems) != 0 || len(got.Rows) != 1 {
			t.Fatalf("%s: %+v", name, got)
		}
		r := got.Rows[0]
		if r.Line != 2 || r.Cell("organization_code") != "450321101" || r.Cell("stock") != "IN_STOCK" || !r.Yes("orderable") || r.Has("atc") {
			t.Errorf("%s: %+v", name, r)
		}
		kept := "C08"
		if r.Set("atc", &kept); kept != "C08" {
			t.Error("a column that is not there says something")
		}
	}
}

func TestWhatIsNoTableIsSaidOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		content string
		want    placefile.Problem
	}{
		"nothing":     {"", placefile.Problem{Line: 1, Reason: placefile.NotText}},
		"a picture":   {"\xff\xd8\xff\xe0\x00\x10JFIF", placefile.Problem{Line: 1, Reason: placefile.NotText}},
		"no header":   {"450321101,TCM,\n", placefile.Problem{Line: 1, Field: "organization_code", Reason: placefile.ColumnMissing}},
		"open quotes": {"organization_code,capability\nH01,\"TCM\n", placefile.Problem{Line: 2, Reason: placefile.Invalid}},
	} {
		got := placefile.Read(placefile.Capabilities, []byte(c.content))
		if len(got.Problems) == 0 || got.Problems[0] != c.want || len(got.Rows) != 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func FuzzATableIsReadWithoutAPanic(f *testing.F) {
	f.Add("organization_code,capability\nH01,TCM\n")
	f.Add("机构编码,能做的项目\n\"H01\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, k := range []placefile.Kind{placefile.Organizations, placefile.Departments, placefile.Capabilities, placefile.Formulary} {
			for _, p := range placefile.Read(k, []byte(text)).Problems {
				if p.Line < 1 || p.Reason == "" {
					t.Fatalf("%+v", p)
				}
			}
		}
	})
}
