package gateway_test

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// A cookie that is made elsewhere misses what door.Keep gives all of them.
func TestAllCookiesAreMadeAtTheDoor(t *testing.T) {
	t.Parallel()
	made := regexp.MustCompile(`http\.(SetCookie|Cookie\{)|"Set-Cookie"`)
	var where []string
	err := fs.WalkDir(os.DirFS("."), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err == nil && made.Match(text) {
			where = append(where, path)
		}
		return err
	})
	if err != nil || len(where) != 1 || where[0] != "door/cookie.go" {
		t.Errorf("cookies are made in %v, %v", where, err)
	}
}
