package config_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/tongzhen/tongzhen/services/internal/config"
)

func TestASecretNeverPrints(t *testing.T) {
	t.Parallel()
	const text = "open-sesame"
	s := config.Secret(text)
	holder := struct {
		Password config.Secret
		List     []config.Secret
	}{s, []config.Secret{s}}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T"} {
		fmt.Fprintf(&out, verb+"\n"+verb+"\n", s, holder)
	}
	for _, v := range []any{s, holder} {
		j, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		y, err := yaml.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(j)
		out.Write(y)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "a", s, "b", holder)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "a", s, "b", holder)
	for _, leak := range []string{text, fmt.Sprintf("%x", text), fmt.Sprintf("%X", text)} {
		if strings.Contains(out.String(), leak) {
			t.Errorf("%q is in\n%s", leak, out.String())
		}
	}
	if s.Reveal() != text {
		t.Errorf("Reveal gives %q", s.Reveal())
	}
}

func TestASecretFileMustBelongToItsOwnerAlone(t *testing.T) {
	t.Parallel()
	for mode, good := range map[fs.FileMode]bool{
		0o600: true, 0o400: true, 0o440: true, 0o640: true,
		0o644: false, 0o604: false, 0o660: false, 0o601: false, 0o666: false,
	} {
		path := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(path, []byte("word\r\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		s, err := config.ReadSecretFile(path)
		if good && (err != nil || s.Reveal() != "word") {
			t.Errorf("mode %04o: %q, %v", mode, s.Reveal(), err)
		}
		if !good && err == nil {
			t.Errorf("mode %04o was accepted", mode)
		}
	}
}

func TestASecretFileIsARegularFileWithSomethingInIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	large := filepath.Join(dir, "large")
	if err := os.WriteFile(large, make([]byte, 2<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{empty, large, dir, filepath.Join(dir, "none")} {
		if _, err := config.ReadSecretFile(path); err == nil {
			t.Errorf("%s was accepted", filepath.Base(path))
		}
	}
}

func TestCreatingASecretFileNeverReplacesOne(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	if err := config.CreateSecretFile(path, []byte("first")); err != nil {
		t.Fatal(err)
	}
	if err := config.CreateSecretFile(path, []byte("second")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v, want fs.ErrExist", err)
	}
	s, err := config.ReadSecretFile(path)
	if err != nil || s.Reveal() != "first" {
		t.Errorf("got %q, %v", s.Reveal(), err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	rest, err := os.ReadDir(dir)
	if err != nil || len(rest) != 1 {
		t.Errorf("the folder holds %v, %v", rest, err)
	}
}
