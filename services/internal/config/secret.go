package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
)

// masked is what every way of printing a Secret shows.
const masked = "***"

// Secret is a text that prints as ***, whatever prints it; Reveal is the only way to it.
type Secret string

// Reveal is the text itself.
func (s Secret) Reveal() string { return string(s) }

// String is ***, also of an empty secret: whether one is set is not told either.
func (s Secret) String() string { return masked }

// Format covers the verbs that would pass by String, such as %d.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, masked) }

// MarshalText is ***; JSON and YAML go through it.
func (s Secret) MarshalText() ([]byte, error) { return []byte(masked), nil }

// MarshalJSON is "***".
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + masked + `"`), nil }

// LogValue is ***.
func (s Secret) LogValue() slog.Value { return slog.StringValue(masked) }

// maxSecret bounds what is read: keys and passwords are small, a wrong path may not be.
const maxSecret = 1 << 20

// ReadSecretFile reads a secret, without the line end that editors leave behind. It refuses what is not a regular
// file, what is empty, and what others than the owner may touch; the owner's group may read, because that is how
// Kubernetes hands a secret to a user who is not root.
func ReadSecretFile(path string) (Secret, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("open secret: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("look at secret: %w", err)
	}
	switch {
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("secret file %s is not a regular file", path)
	case info.Mode().Perm()&0o037 != 0:
		return "", fmt.Errorf("secret file %s has mode %04o: others may touch it; set 0600", path, info.Mode().Perm())
	case info.Size() > maxSecret:
		return "", fmt.Errorf("secret file %s is larger than %d bytes", path, maxSecret)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSecret))
	if err != nil {
		return "", fmt.Errorf("read secret: %w", err)
	}
	s := strings.TrimRight(string(text), "\r\n")
	if s == "" {
		return "", fmt.Errorf("secret file %s is empty", path)
	}
	return Secret(s), nil
}

// CreateSecretFile writes a new file of mode 0600, durably and all or nothing. A file that is there already stays as
// it is and the answer is fs.ErrExist: of two processes that start together one makes the key and both read it.
func CreateSecretFile(path string, content []byte) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("create secret %s: %w", path, fs.ErrExist)
	}
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, ".secret-*") // mode 0600
	if err != nil {
		return fmt.Errorf("create secret: %w", err)
	}
	defer os.Remove(tmp.Name()) //nolint:errcheck // it is the other name of the finished file, or the rest of a failed one
	_, err = tmp.Write(content)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return fmt.Errorf("write secret: %w", err)
	}
	// Link refuses to replace, rename would not.
	if err := os.Link(tmp.Name(), path); err != nil {
		return fmt.Errorf("create secret: %w", err)
	}
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open folder of secret: %w", err)
	}
	defer d.Close()
	return d.Sync()
}
