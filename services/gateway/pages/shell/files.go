package shell

import (
	"errors"
	"io/fs"
)

// Over are the files of a page and those that pages share: a file of the page is opened first.
func Over(own, shared fs.FS) fs.FS { return over{own, shared} }

type over struct{ own, shared fs.FS }

// Open implements [fs.FS].
func (o over) Open(name string) (fs.File, error) {
	f, err := o.own.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return o.shared.Open(name)
	}
	return f, err
}
