package criteria

import (
	"errors"
	"io/fs"
)

// Alone is New without the shipped files: quick enough to be fuzzed.
func Alone(fsys fs.FS) (*Book, error) {
	var l loader
	l.read(fsys, 0)
	return l.book(), errors.Join(l.problems...)
}
