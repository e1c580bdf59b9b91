package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
)

// badFormulary has a good row and one of every kind of mistake; line 6 breaks two rules.
const badFormulary = "\ufeff" + `organization_code,name,specification,atc,stock,orderable,restricted_class
450321101,复方测试片,1mg,C08CA01,IN_STOCK,,
450321101,,1mg,C08CA01,IN_STOCK,false,
none,复方测试片,1mg,C08CA01,IN_STOCK,true,
450321101,复方测试片,2mg,C08CA01,PLENTY,true,
450321101,复方测试片,3mg,C8,,true,
450321101,复方测试片,4mg,C08CA01,IN_STOCK,perhaps,
450321101,复方测试片,5mg
450321101,复方测试片,1mg,,OUT_OF_STOCK,true,
`

const formularyErrors = `line,field,reason
3,name,FIELD_REQUIRED
4,organization_code,FIELD_UNKNOWN
5,stock,FIELD_UNKNOWN
6,atc,FIELD_INVALID
6,stock,FIELD_REQUIRED
7,orderable,FIELD_INVALID
8,,CUT_OFF
9,name,DUPLICATE of line 2
`

func TestBadRowsOfAFormularyAreNamedWhileTheOthersGoIn(t *testing.T) {
	t.Parallel()
	s := harness.Together(t, binary, false)
	s.Seed(t)
	s.Stop(t) // what follows starts the services for itself
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	bad := write("bad.csv", badFormulary)
	out, err := s.Command(t.Context(), "import", "formulary", bad)
	if err == nil || !strings.Contains(out, "1 new, 0 changed, 0 as before") || !strings.Contains(out, "7 lines were refused") {
		t.Errorf("got %v:\n%s", err, out)
	}
	if strings.Contains(out, "复方测试片") {
		t.Error("the output quotes the file")
	}
	text, err := os.ReadFile(bad + ".errors.csv")
	if err != nil || string(text) != formularyErrors {
		t.Errorf("the error file says %v:\n%s", err, text)
	}
	header, rows, _ := strings.Cut(badFormulary, "\n")
	first, _, _ := strings.Cut(rows, "\n")
	good := write("good.csv", strings.TrimPrefix(header, "\ufeff")+"\n"+first+"\n")
	out, err = s.Command(t.Context(), "import", "formulary", good)
	if err != nil || !strings.Contains(out, "0 new, 0 changed, 1 as before") {
		t.Errorf("the same row again, without the mark: %v\n%s", err, out)
	}
	out, err = s.Command(t.Context(), "import", "formulary", write("bare.csv", first+"\n"))
	reasons, _ := os.ReadFile(filepath.Join(dir, "bare.csv.errors.csv"))
	if err == nil || !strings.Contains(string(reasons), "1,organization_code,COLUMN_MISSING") {
		t.Errorf("without a header: %v\n%s%s", err, out, reasons)
	}
}

// A file larger than one call goes in whole, through the system that runs.
func TestALongFormularyGoesInByBatches(t *testing.T) {
	t.Parallel()
	s := harness.Together(t, binary, false)
	s.Seed(t)
	var b strings.Builder
	b.WriteString("organization_code,name,specification,atc,stock,orderable,restricted_class\n")
	for range 40 {
		b.WriteString("450321101,,1mg,,IN_STOCK,false,\n")
	}
	for i := range 1200 {
		b.WriteString("450321101,复方测试片," + strings.Repeat("1", 1+i%30) + strings.Repeat("2", i/30) + "mg,,IN_STOCK,false,\n")
	}
	file := filepath.Join(t.TempDir(), "long.csv")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := s.Command(t.Context(), "import", "formulary", file)
	if err == nil || !strings.Contains(out, "1200 new") || !strings.Contains(out, "40 lines were refused") {
		t.Errorf("got %v:\n%s", err, out)
	}
	text, err := os.ReadFile(file + ".errors.csv")
	if err != nil || strings.Count(string(text), "FIELD_REQUIRED") != 40 {
		t.Errorf("the error file says %v:\n%s", err, text)
	}
}
