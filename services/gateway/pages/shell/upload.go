package shell

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"

	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// Uploaded is the file of a form, from its field "file" or, where it was looked at before and comes back with the confirmation, from its hidden fields
// "content" (base64) and "name". most is how many bytes a file may have.
func Uploaded(r *http.Request, most int64) (name string, content []byte, err error) {
	if err := r.ParseMultipartForm(2 * most); err != nil && !errors.Is(err, http.ErrNotMultipart) {
		if large := new(http.MaxBytesError); errors.As(err, &large) {
			return "", nil, errs.Invalid(errs.Bad("file", errs.ReasonFieldTooLong))
		}
		return "", nil, errs.Invalid(errs.Bad("file", errs.ReasonFieldInvalid))
	}
	if kept := r.PostFormValue("content"); kept != "" {
		content, err := base64.StdEncoding.DecodeString(kept)
		if err != nil {
			return "", nil, errs.Invalid(errs.Bad("file", errs.ReasonFieldInvalid))
		}
		return r.PostFormValue("name"), content, nil
	}
	file, header, err := r.FormFile("file")
	if err != nil {
		return "", nil, errs.Invalid(errs.Required("file"))
	}
	defer file.Close()
	content, err = io.ReadAll(io.LimitReader(file, most+1))
	switch {
	case err != nil:
		return "", nil, errs.Invalid(errs.Bad("file", errs.ReasonFieldInvalid))
	case int64(len(content)) > most:
		return "", nil, errs.Invalid(errs.Bad("file", errs.ReasonFieldTooLong))
	case len(content) == 0:
		return "", nil, errs.Invalid(errs.Required("file"))
	}
	return header.Filename, content, nil
}
