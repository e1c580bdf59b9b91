package desk

import (
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

const (
	// maxPicture bounds what a page sends of its camera: a grey square of 640 pixels is 20 to 60 KB.
	maxPicture = 96 << 10
	// pictures is how many an account may send in a minute: a page sends at most 150.
	pictures = 360
	// readers is how many pictures are read at a time. Who comes later waits; a page sends its next picture when this one is answered.
	readers = 2
)

// code reads the QR code in a picture of the camera for browsers that cannot: its text, or 204 when there is none. The picture is kept as long as it is
// read, and goes nowhere.
func (p *Pages) code(w http.ResponseWriter, r *http.Request) error {
	visitor, _ := door.VisitorFrom(r.Context())
	if !shell.IsCounty(visitor.Account) && !shell.IsTownship(visitor.Account) {
		return errs.Denied(errs.ReasonRole)
	}
	// While the cache is away nothing is counted: two at a time is bound enough.
	if ok, after, err := p.Limiter.Allow(r.Context(), "code:"+visitor.Account.GetId(), pictures, time.Minute); err == nil && !ok {
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(after.Seconds())))))
		return errs.New(errs.KindLimited, errs.ReasonRateLimited, "too many pictures", nil)
	}
	picture, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPicture))
	if large := new(http.MaxBytesError); errors.As(err, &large) {
		return errs.Invalid(errs.Bad("picture", errs.ReasonFieldTooLong))
	}
	if err != nil {
		return errs.Invalid(errs.Bad("picture", errs.ReasonFieldInvalid))
	}
	select {
	case p.reading <- struct{}{}:
		defer func() { <-p.reading }()
	case <-r.Context().Done():
		return r.Context().Err()
	}
	text, err := readCode(picture)
	if err != nil {
		return err
	}
	if text == "" {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err = io.WriteString(w, text)
	return err
}
