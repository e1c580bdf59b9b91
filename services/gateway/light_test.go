package gateway_test

import (
	"compress/gzip"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tongzhen/tongzhen/services/gateway"
	"github.com/tongzhen/tongzhen/services/internal/clock"
)

// accepting is the answer to somebody who reads gzip.
func (b *browser) accepting(path string) *httptest.ResponseRecorder {
	return b.get(path, "Accept-Encoding", "gzip")
}

func TestPagesAndAssetsAreCompressedAndPicturesAreNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	plain := b.get("/referrals").Body.String()
	assets := regexp.MustCompile(`/assets/[a-z.0-9]+`).FindAllString(plain, -1)
	if len(assets) != 7 {
		t.Fatalf("the page names %q", assets)
	}
	for _, path := range append([]string{"/referrals", "/api/v1/openapi.json"}, assets[1:]...) {
		got := b.accepting(path)
		if got.Code != http.StatusOK || got.Header().Get("Content-Encoding") != "gzip" || !strings.Contains(got.Header().Get("Vary"), "Accept-Encoding") {
			t.Errorf("%s: %d %v", path, got.Code, got.Header())
			continue
		}
		reader, err := gzip.NewReader(got.Body)
		check(t, err)
		text, err := io.ReadAll(reader)
		check(t, err)
		if same := b.get(path).Body.String(); string(text) != same {
			t.Errorf("%s says something else to who reads gzip: %d bytes, not %d", path, len(text), len(same))
		}
	}
	if got := b.accepting(attachmentsPage + "/" + attachmentID + "/content"); got.Header().Get("Content-Encoding") != "" {
		t.Errorf("a picture is compressed again: %v", got.Header())
	}
}

// What has the hash of its content in its name never changes, so that a browser asks for it once; a page is asked for each time.
func TestAssetsAreKeptForEverAndPagesAreNot(t *testing.T) {
	t.Parallel()
	b := newWorld(t).browser("township")
	page := b.get("/referrals")
	if got := page.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("the page: %q", got)
	}
	for _, path := range regexp.MustCompile(`/assets/[a-z.0-9]+`).FindAllString(page.Body.String(), -1) {
		if got := b.get(path).Header().Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
			t.Errorf("%s: %q", path, got)
		}
		if got := b.get(strings.Replace(path, ".", ".0", 1)); got.Code != http.StatusNotFound {
			t.Errorf("%s under another hash: %d", path, got.Code)
		}
	}
}

func TestTheStyleGuideIsThereInADemoOnly(t *testing.T) {
	t.Parallel()
	for _, demo := range []bool{true, false} {
		g, err := gateway.New(t.Context(), gateway.Config{Demo: demo}, gateway.Deps{Clock: clock.NewFixed(now), Logger: slog.New(slog.DiscardHandler)})
		check(t, err)
		if slices.Contains(g.Pages(), "GET /style-guide") != demo {
			t.Errorf("demo %v: %q", demo, g.Pages())
		}
	}
}
