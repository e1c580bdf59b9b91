package text_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/tongzhen/tongzhen/services/gateway/style"
)

// strings in templates, and what puts a key together there.
var (
	quoted   = regexp.MustCompile(`"([^"]*)"`)
	template = regexp.MustCompile(`(?s)\{\{.*?\}\}`)
	worded   = regexp.MustCompile(`(?:\blabel|\bdirected|"Kind") "([^"]+)"`)
	comment  = regexp.MustCompile(`(?s)\{\{/\*.*?\*/\}\}`)
)

// mentioned are all strings of the gateway's code and templates: whole keys, and the beginnings of those that are put together.
func mentioned(t *testing.T) (whole map[string]bool, beginnings []string) {
	t.Helper()
	whole = map[string]bool{}
	add := func(s string) {
		whole[s] = true
		if strings.HasSuffix(s, ".") {
			beginnings = append(beginnings, s)
		}
	}
	walk(t, "..", func(path, body string) {
		switch filepath.Ext(path) {
		case ".go":
			for _, s := range literals(t, path, body) {
				add(s)
			}
		case ".html":
			for _, action := range template.FindAllString(body, -1) {
				for _, m := range quoted.FindAllStringSubmatch(action, -1) {
					add(m[1])
				}
				for _, m := range worded.FindAllStringSubmatch(action, -1) {
					beginnings = append(beginnings, m[1]+".")
				}
			}
		}
	})
	return whole, beginnings
}

// walk reads the hand-written files below a folder that are no tests.
func walk(t *testing.T, root string, look func(path, body string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") {
			return err
		}
		body, err := os.ReadFile(path)
		if err == nil {
			look(filepath.ToSlash(path), string(body))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// literals are the strings of a Go file.
func literals(t *testing.T, path, body string) (out []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, body, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s, err := strconv.Unquote(lit.Value); err == nil {
				out = append(out, s)
			}
		}
		return true
	})
	return out
}

// guideCodes are the parts of the style guide, and the colours and sizes of the style sheet.
func guideCodes() map[string][]string {
	tokens, err := style.Tokens()
	if err != nil {
		panic(err)
	}
	codes := map[string][]string{
		"guide":      strings.Fields("colours type buttons forms lists badges clocks timeline banners empty charts print"),
		"guide.size": strings.Fields("title heading body list small tiny"),
	}
	for _, token := range tokens {
		codes["guide.token"] = append(codes["guide.token"], token.Name)
	}
	return codes
}

// codeWords are all words of the services' code and data and of the contracts: what a key is put together from comes from there.
func codeWords(t *testing.T) map[string]bool {
	t.Helper()
	words := map[string]bool{}
	one := regexp.MustCompile(`[A-Za-z0-9][A-Za-z0-9_-]*`)
	for _, root := range []string{"../..", "../../../proto/tongzhen"} {
		walk(t, root, func(path, body string) {
			if !slices.Contains([]string{".go", ".proto", ".yaml"}, filepath.Ext(path)) || strings.Contains(path, "/gateway/text/") {
				return
			}
			for _, w := range one.FindAllString(body, -1) {
				words[w] = true
			}
		})
	}
	return words
}

func TestEveryTextIsUsed(t *testing.T) {
	t.Parallel()
	whole, beginnings := mentioned(t)
	codes, words := codes(), codeWords(t)
	for key := range entries(t, "zh-CN") {
		if whole[key] {
			continue
		}
		used := slices.ContainsFunc(beginnings, func(b string) bool {
			rest, ok := strings.CutPrefix(key, b)
			if !ok {
				return false
			}
			return slices.Contains(codes[strings.TrimSuffix(b, ".")], rest) ||
				!slices.ContainsFunc(strings.Split(rest, "."), func(part string) bool { return !words[part] })
		})
		if !used {
			t.Errorf("nothing shows %q", key)
		}
	}
}

// Words stand in the catalogue, not in pages. Two pages are documents whose wording is prescribed, and what is written into a record is in the
// language of the record.
func TestNoPageHasWordsOfItsOwn(t *testing.T) {
	t.Parallel()
	prescribed := []string{"../pages/slips/", "../pages/exports/print.", "../pages/clinical/content.go"}
	walk(t, "../pages", func(path, body string) {
		if slices.ContainsFunc(prescribed, func(p string) bool { return strings.HasPrefix(path, p) }) {
			return
		}
		var words []string
		switch filepath.Ext(path) {
		case ".html":
			words = strings.Split(comment.ReplaceAllString(body, ""), "\n")
		case ".go":
			words = literals(t, path, body)
		}
		for _, w := range words {
			if strings.ContainsFunc(w, func(c rune) bool { return unicode.Is(unicode.Han, c) }) {
				t.Errorf("%s has words that no other language has: %s", path, w)
			}
		}
	})
}
