// Package services_test holds the source tree to the architecture: every service has the same rooms, imports point inwards,
// and the house rules that can be read off the code are kept.
package services_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module    = "github.com/tongzhen/tongzhen/services"
	contracts = "github.com/tongzhen/tongzhen/proto"
	maxLines  = 400
)

// withDomain are the services that own data; gateway owns none and is the one exception to the anatomy.
var (
	withDomain = []string{"directory", "notification", "patientrecord", "referral", "scheduling"}
	services   = append(slices.Clone(withDomain), "gateway")
)

// A source is one hand-written Go file.
type source struct {
	path    string // from the module's root, with slashes
	dir     string
	lines   int
	test    bool // by its name
	syntax  *ast.File
	imports []string
}

// helps tells whether the file only serves tests: it is one, or its package is a conformance suite or test help.
func (s source) helps() bool {
	return s.test || strings.HasPrefix(s.path, "e2e/") || strings.HasSuffix(s.dir, "test") || path.Base(s.dir) == "htmlcheck"
}

// line is where a node stands, for messages.
func (s source) line(set *token.FileSet, n ast.Node) string {
	return s.path + ":" + strconv.Itoa(set.Position(n.Pos()).Line)
}

// tree reads every hand-written Go file of the module.
func tree(t *testing.T) (*token.FileSet, []source) {
	t.Helper()
	set := token.NewFileSet()
	var sources []source
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(name) != ".go" {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		syntax, err := parser.ParseFile(set, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		if ast.IsGenerated(syntax) {
			return nil
		}
		s := source{
			path: filepath.ToSlash(name), dir: path.Dir(filepath.ToSlash(name)), syntax: syntax,
			lines: strings.Count(string(text), "\n"), test: strings.HasSuffix(name, "_test.go"),
		}
		for _, spec := range syntax.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			s.imports = append(s.imports, imported)
		}
		sources = append(sources, s)
		return nil
	})
	if err != nil {
		t.Fatalf("read the source tree: %v", err)
	}
	return set, sources
}

// within tells whether p is root or below it.
func within(p, root string) bool { return p == root || strings.HasPrefix(p, root+"/") }

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

func TestEveryServiceHasTheSameRooms(t *testing.T) {
	for _, service := range withDomain {
		t.Run(service, func(t *testing.T) {
			for _, room := range []string{
				"doc.go", "config.go", "service.go",
				"internal/domain", "internal/app/ports.go", "internal/rpc/convert.go", "internal/events",
				"internal/store/migrations/postgres", "internal/store/migrations/sqlite", "internal/store/storetest",
			} {
				if !exists(path.Join(service, room)) {
					t.Errorf("%s/%s is missing", service, room)
				}
			}
		})
	}
	t.Run("gateway", func(t *testing.T) {
		for _, room := range []string{"doc.go", "config.go", "service.go", "pages", "rest", "fhir", "live", "style", "text"} {
			if !exists(path.Join("gateway", room)) {
				t.Errorf("gateway/%s is missing", room)
			}
		}
		for _, room := range []string{"internal/domain", "internal/store"} {
			if exists(path.Join("gateway", room)) {
				t.Errorf("gateway/%s: gateway owns no data", room)
			}
		}
	})
}

func TestTheModuleHoldsNothingButServicesAndWhatTheyStandOn(t *testing.T) {
	known := append([]string{"cmd", "doc", "e2e", "internal"}, services...)
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && !slices.Contains(known, e.Name()) {
			t.Errorf("services/%s is neither a service nor one of cmd, doc, e2e, internal", e.Name())
		}
	}
}

func TestBothEnginesHaveTheSameMigrations(t *testing.T) {
	folders, err := filepath.Glob("*/internal/store/migrations")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		postgres, sqlite := names(t, folder+"/postgres"), names(t, folder+"/sqlite")
		if len(postgres) == 0 || !slices.Equal(postgres, sqlite) {
			t.Errorf("%s: postgres has %v, sqlite has %v", folder, postgres, sqlite)
		}
	}
}

func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Error(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestTheDomainIsPure(t *testing.T) {
	banned := []string{"context", "os", "net", "io/fs", "database/sql", "log", "math/rand", "crypto/rand", "encoding/json"}
	set, sources := tree(t)
	for _, s := range sources {
		service, inside, _ := strings.Cut(s.path, "/")
		if s.test || !slices.Contains(withDomain, service) || !strings.HasPrefix(inside, "internal/domain/") {
			continue
		}
		for _, imported := range s.imports {
			root, _, _ := strings.Cut(imported, "/")
			foreign := strings.Contains(root, ".") && !within(imported, path.Join(module, service, "internal/domain"))
			if foreign || slices.ContainsFunc(banned, func(b string) bool { return within(imported, b) }) {
				t.Errorf("%s imports %s: the domain has only the pure part of the standard library", s.path, imported)
			}
		}
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			if f, ok := n.(*ast.Field); ok && f.Tag != nil {
				t.Errorf("%s: a struct tag; wire formats belong in rpc, events and store", s.line(set, f))
			}
			return true
		})
	}
}

func TestImportsPointInwards(t *testing.T) {
	_, sources := tree(t)
	for _, s := range sources {
		owner, _, _ := strings.Cut(s.path, "/")
		for _, imported := range s.imports {
			for _, service := range services {
				if service == owner || !within(imported, path.Join(module, service)) {
					continue
				}
				switch {
				case slices.Contains(services, owner):
					t.Errorf("%s imports %s: services meet only in the contracts", s.path, imported)
				case owner == "internal":
					t.Errorf("%s imports %s: services/internal knows no service", s.path, imported)
				}
			}
			if owner == "internal" && within(imported, contracts) && !within(imported, contracts+"/gen/go/tongzhen/common/v1") {
				t.Errorf("%s imports %s: services/internal knows only the common contract", s.path, imported)
			}
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	_, sources := tree(t)
	documented := map[string]bool{}
	for _, s := range sources {
		if !s.test {
			documented[s.dir] = documented[s.dir] || strings.TrimSpace(s.syntax.Doc.Text()) != ""
		}
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("services/%s has no package comment", dir)
		}
	}
}

func TestFilesAreShort(t *testing.T) {
	_, sources := tree(t)
	for _, s := range sources {
		if !s.test && s.lines > maxLines {
			t.Errorf("%s has %d lines; %d are allowed", s.path, s.lines, maxLines)
		}
	}
}

func TestProductionCodeHasNoInitNoPanicAndNoClockOfItsOwn(t *testing.T) {
	set, sources := tree(t)
	for _, s := range sources {
		inCmd := strings.HasPrefix(s.path, "cmd/")
		if s.helps() {
			continue
		}
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Recv == nil && n.Name.Name == "init" {
					t.Errorf("%s: init(); construct it where it is needed", s.line(set, n))
				}
			case *ast.CallExpr:
				if f, ok := n.Fun.(*ast.Ident); ok && f.Name == "panic" && !inCmd {
					t.Errorf("%s: panic; answer with an error", s.line(set, n))
				}
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && n.Sel.Name == "Now" && !inCmd && s.dir != "internal/clock" {
					t.Errorf("%s: time.Now; time is given, from internal/clock or Tx.Now", s.line(set, n))
				}
			}
			return true
		})
	}
}
