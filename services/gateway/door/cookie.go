package door

import (
	"net/http"
	"strings"
)

// Keep gives the browser a cookie: for the whole site, read by no script, and sent along by no form of another site. It is kept for so many seconds; 0:
// until the browser ends. Whether it goes by TLS alone is added by Headers, for every cookie. All cookies are made here.
func Keep(w http.ResponseWriter, name, value string, seconds int) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: seconds, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

// Forget takes a cookie back.
func Forget(w http.ResponseWriter, name string) { Keep(w, name, "", -1) }

// tlsWriter marks every cookie of an answer that goes by TLS, so that the browser never sends it without.
type tlsWriter struct {
	http.ResponseWriter
	begun bool
}

// Unwrap is for http.ResponseController.
func (w *tlsWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Flush implements http.Flusher.
func (w *tlsWriter) Flush() {
	w.begin()
	_ = http.NewResponseController(w.ResponseWriter).Flush()
}

// WriteHeader implements http.ResponseWriter.
func (w *tlsWriter) WriteHeader(status int) {
	if status >= http.StatusOK { // before that, another one follows
		w.begin()
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *tlsWriter) Write(b []byte) (int, error) {
	w.begin()
	return w.ResponseWriter.Write(b)
}

func (w *tlsWriter) begin() {
	if w.begun {
		return
	}
	w.begun = true
	cookies := w.Header()["Set-Cookie"]
	for i, c := range cookies {
		if !strings.Contains(c, "; Secure") {
			cookies[i] = c + "; Secure"
		}
	}
}
