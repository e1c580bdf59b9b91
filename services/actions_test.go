package services_test

import (
	"go/ast"
	"go/token"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tongzhen/tongzhen/services/gateway/text"
)

// tells are the functions that put their argument into the audit record as its action.
func tells() map[string]bool {
	return map[string]bool{
		"look": true, "audited": true, "seen": true, "ofMessage": true, "audit": true, "organizationChanged": true, "accountChanged": true,
		"entry": true, "candidateEntry": true, "Note": true, "note": true, "SaveRoster": true, "UpdateAccount": true, "SetPassword": true, "SaveMedicine": true, "ReplaceCapabilities": true,
	}
}

// elsewhere are, by file, the actions that are put together where the entry is made: a prefix and the string constants of some types of a folder,
// in lower letters when fold is set.
func elsewhere() map[string]struct {
	prefix string
	in     string
	types  []string
	fold   bool
} {
	type place = struct {
		prefix string
		in     string
		types  []string
		fold   bool
	}
	return map[string]place{
		"scheduling/internal/store/store.go":               {prefix: "hold.", in: "scheduling/internal/domain", types: []string{"Action"}},
		"scheduling/internal/store/allocation_waitlist.go": {prefix: "waitlist.", in: "scheduling/internal/domain", types: []string{"WaitAction"}},
		"referral/internal/store/store.go":                 {prefix: "referral.", in: "referral/internal/domain", types: []string{"Action"}},
		"patientrecord/internal/store/derive.go":           {prefix: "record.", in: "patientrecord/internal/domain", types: []string{"Change"}, fold: true},
	}
}

// isAudit tells of a literal's type whether it is an entry of the audit.
func isAudit(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.SelectorExpr:
		x, ok := e.X.(*ast.Ident)
		return ok && (x.Name == "audit" && e.Sel.Name == "Entry" || x.Name == "app" && e.Sel.Name == "Access")
	case *ast.Ident:
		return e.Name == "Access"
	}
	return false
}

func literal(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(l.Value)
	return s, err == nil
}

// actions finds all actions that the code writes into the audit.
func actions(t *testing.T) map[string]string {
	t.Helper()
	set, sources := tree(t)
	found := map[string]string{}
	add := func(action, where string) { found[action] = where }
	for _, s := range sources {
		service, _, _ := strings.Cut(s.path, "/")
		if s.helps() || !slices.Contains(withDomain, service) && s.dir != "internal/auditrpc" && s.dir != "internal/audit" {
			continue
		}
		prefix := ""
		if service == "referral" {
			prefix = "referral."
		}
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit:
				if !isAudit(n.Type) {
					return true
				}
				for _, e := range n.Elts {
					kv, ok := e.(*ast.KeyValueExpr)
					if key, named := kv.Key.(*ast.Ident); !ok || !named || key.Name != "Action" {
						continue
					}
					if action, ok := literal(kv.Value); ok {
						add(action, s.line(set, n))
					} else if _, sum := kv.Value.(*ast.BinaryExpr); sum {
						if _, known := elsewhere()[s.path]; !known && s.path != "referral/internal/store/candidates.go" {
							t.Errorf("%s: an action is put together here, and this test does not know of what", s.line(set, n))
						}
					}
				}
			case *ast.AssignStmt:
				for i, left := range n.Lhs {
					if x, ok := left.(*ast.SelectorExpr); ok && x.Sel.Name == "Action" && i < len(n.Rhs) {
						if action, ok := literal(n.Rhs[i]); ok {
							add(action, s.line(set, n))
						}
					}
				}
			case *ast.CallExpr:
				name := ""
				switch f := n.Fun.(type) {
				case *ast.Ident:
					name = f.Name
				case *ast.SelectorExpr:
					name = f.Sel.Name
				}
				if !tells()[name] {
					return true
				}
				for _, arg := range n.Args {
					if action, ok := literal(arg); ok && action != "" && (strings.Contains(action, ".") || name == "entry" || strings.HasPrefix(action, "sign_")) {
						add(prefix+action, s.line(set, n))
						break
					}
				}
			case *ast.ValueSpec:
				for i, name := range n.Names {
					if strings.HasPrefix(name.Name, "find") && i < len(n.Values) {
						if action, ok := literal(n.Values[i]); ok && strings.HasPrefix(action, "patient.") {
							add(action, s.line(set, n))
						}
					}
				}
			case *ast.FuncDecl:
				// attachmentAction and its like answer with one of several.
				if strings.HasSuffix(n.Name.Name, "Action") && n.Body != nil {
					ast.Inspect(n.Body, func(b ast.Node) bool {
						if r, ok := b.(*ast.ReturnStmt); ok && len(r.Results) == 1 {
							if action, ok := literal(r.Results[0]); ok && strings.Contains(action, ".") {
								add(action, s.line(set, r))
							}
						}
						return true
					})
				}
			}
			return true
		})
	}
	for file, p := range elsewhere() {
		values := constants(sources, p.in, p.types)
		if len(values) == 0 {
			t.Errorf("%s: no values in %s", file, p.in)
		}
		for _, v := range values {
			if p.fold {
				v = strings.ToLower(v)
			}
			add(p.prefix+v, file)
		}
	}
	// The facts of a patient, by their names.
	for _, v := range constants(sources, "patientrecord/internal/domain", []string{""}) {
		if strings.HasPrefix(v, "patient_") {
			add(strings.Replace(v, "_", ".", 1), "patientrecord/internal/store/derive.go")
		}
	}
	// An import is told as record.write.
	delete(found, "record.imported")
	return found
}

// constants are the string constants of a folder whose type is named so; "" is none.
func constants(sources []source, dir string, types []string) (out []string) {
	for _, s := range sources {
		if s.dir != dir || s.test {
			continue
		}
		for _, d := range s.syntax.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST {
				continue
			}
			for _, spec := range g.Specs {
				v, ok := spec.(*ast.ValueSpec)
				if !ok {
					continue
				}
				name := ""
				if id, ok := v.Type.(*ast.Ident); ok {
					name = id.Name
				}
				for _, value := range v.Values {
					if text, ok := literal(value); ok && slices.Contains(types, name) {
						out = append(out, text)
					}
				}
			}
		}
	}
	return out
}

// Whoever reads the audit reads words, in both languages (a key that one language lacks stops the catalogue), and no word is of an action that
// nothing writes.
func TestEveryActionOfTheAuditHasWords(t *testing.T) {
	t.Parallel()
	catalogue, err := text.New()
	if err != nil {
		t.Fatal(err)
	}
	found := actions(t)
	if len(found) < 90 {
		t.Errorf("only %d actions were found", len(found))
	}
	for _, action := range slices.Sorted(maps.Keys(found)) {
		if !catalogue.Has("audit.action." + action) {
			t.Errorf("%s: the action %s has no words", found[action], action)
		}
	}
	raw, err := os.ReadFile(path.Join("gateway", "text", "zh-CN", "audit.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(raw), "\n") {
		action, _, ok := strings.Cut(strings.TrimPrefix(line, "audit.action."), ":")
		if _, written := found[action]; ok && strings.HasPrefix(line, "audit.action.") && !written {
			t.Errorf("the action %s has words and nothing writes it", action)
		}
	}
}
