package shell

import (
	"encoding/base64"
	"net/http"
	"strings"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
)

// A form that was kept in the browser is sent by the script with the id of the account that wrote it in keptHeader. The answer carries the header
// too, so that it cannot be taken for one of something on the way (a proxy, the sign-in page of a hotel); instead of a redirect it is 204 with the
// address in thereHeader, and 401 when somebody else or nobody is signed in: the form then waits for its author.
const (
	keptHeader  = "X-Kept"
	thereHeader = "X-There"
	// NumberHeader tells the number of the referral that such a form made.
	NumberHeader = "X-Number"
)

// keptKind names the keys that seal what is kept in browsers.
const keptKind = "kept in a browser"

// keepKeys are the keys (AES-128, base64, the present one first) with which the browser seals what an account types. They follow from the account
// alone, so that a session that ran out finds its drafts again, and only signed-in pages are told them.
func (s *Shell) keepKeys(a *directoryv1.Account) string {
	tokens := s.deps.Ring.Tokens(keptKind, a.GetId())
	out := make([]string, len(tokens))
	for i, token := range tokens {
		out[i] = base64.StdEncoding.EncodeToString(token)
	}
	return strings.Join(out, " ")
}

// kept answers a form that the script sends; every other request is answered as ever.
func kept(w http.ResponseWriter, r *http.Request) (http.ResponseWriter, bool) {
	author := r.Header.Get(keptHeader)
	if author == "" || r.Method != http.MethodPost {
		return w, true
	}
	w.Header().Set(keptHeader, "1")
	if v, ok := door.VisitorFrom(r.Context()); !ok || v.Account.GetId() != author {
		w.WriteHeader(http.StatusUnauthorized)
		return w, false
	}
	return &keptWriter{ResponseWriter: w}, true
}

// keptWriter turns a redirect into an answer that a script can read.
type keptWriter struct{ http.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (w *keptWriter) WriteHeader(status int) {
	if status == http.StatusSeeOther {
		h := w.Header()
		there := h.Get("Location")
		h.Del("Location")
		if strings.HasPrefix(there, "/sign-in") {
			// The session ended while the form was on its way.
			w.ResponseWriter.WriteHeader(http.StatusUnauthorized)
			return
		}
		h.Set(thereHeader, there)
		status = http.StatusNoContent
	}
	w.ResponseWriter.WriteHeader(status)
}
