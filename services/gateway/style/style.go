// Package style serves the one style sheet, the scripts and the icons, each under a name that carries its content's
// hash, so that a browser keeps it for ever and never shows an old one. Safe for concurrent use.
package style

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
	"strings"
)

//go:embed app.css app.js write.js desk.js keep.js live.js icon.svg
var files embed.FS

// Prefix is the path below which assets are served.
const Prefix = "/assets/"

type asset struct {
	body        []byte
	contentType string
}

// Assets knows the hashed names.
type Assets struct {
	names map[string]string // app.css → /assets/app.1a2b3c4d.css
	files map[string]asset
}

// New hashes the embedded files.
func New() (*Assets, error) {
	types := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
	a := &Assets{names: map[string]string{}, files: map[string]asset{}}
	entries, err := files.ReadDir(".")
	if err != nil {
		return nil, fmt.Errorf("list assets: %w", err)
	}
	for _, e := range entries {
		body, err := files.ReadFile(e.Name())
		if err != nil {
			return nil, fmt.Errorf("read asset %s: %w", e.Name(), err)
		}
		sum := sha256.Sum256(body)
		ext := path.Ext(e.Name())
		hashed := Prefix + strings.TrimSuffix(e.Name(), ext) + "." + hex.EncodeToString(sum[:4]) + ext
		a.names[e.Name()] = hashed
		a.files[hashed] = asset{body: body, contentType: types[ext]}
	}
	return a, nil
}

// URL is where an asset is served.
func (a *Assets) URL(name string) string { return a.names[name] }

// ServeHTTP serves the assets.
func (a *Assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, ok := a.files[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", f.contentType)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(f.body)
}
