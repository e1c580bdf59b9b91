// Package rekeytest holds a service's list of sealed columns against its code. It is for tests.
package rekeytest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/rekey"
)

// sealing is a call that seals a value for a column: seal("table", "column", …).
var sealing = regexp.MustCompile(`\b[sS]eal\("([a-z_]+)", "([a-z_]+)"`)

// Declared fails for every column that the code below root seals values for and that is not in the list, and the reverse.
func Declared(t *testing.T, root string, columns []rekey.Column) {
	t.Helper()
	var sealed, declared []string
	err := filepath.WalkDir(root, func(name string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := os.ReadFile(name)
		for _, m := range sealing.FindAllStringSubmatch(string(text), -1) {
			sealed = append(sealed, m[1]+"."+m[2])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range columns {
		declared = append(declared, c.Table+"."+c.Name)
	}
	for _, c := range sealed {
		if !slices.Contains(declared, c) {
			t.Errorf("%s is sealed and not among the columns that come under a new key", c)
		}
	}
	for _, c := range declared {
		if !slices.Contains(sealed, c) {
			t.Errorf("%s should come under a new key and is never sealed", c)
		}
	}
	slices.Sort(declared)
	if len(slices.Compact(declared)) != len(columns) {
		t.Error("a column is there twice")
	}
}
