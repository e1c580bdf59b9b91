package gateway_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"rsc.io/qr"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
)

// seen is a picture of a text's code, or of nothing, as the page posts it.
func seen(t *testing.T, text string) []byte {
	t.Helper()
	picture := image.NewGray(image.Rect(0, 0, 320, 320))
	for i := range picture.Pix {
		picture.Pix[i] = 0xff
	}
	if text != "" {
		code, err := qr.Encode(text, qr.M)
		check(t, err)
		module := 320 / (code.Size + 8)
		for y := range code.Size * module {
			for x := range code.Size * module {
				if code.Black(x/module, y/module) {
					picture.SetGray(x+4*module, y+4*module, color.Gray{})
				}
			}
		}
	}
	var out bytes.Buffer
	check(t, jpeg.Encode(&out, picture, nil))
	return out.Bytes()
}

func (b *browser) show(picture io.Reader, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(b.w.t.Context(), http.MethodPost, "/desk/code", picture)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("X-Fragment", "1")
	return b.do(r, header...)
}

func TestACodeIsReadForABrowserThatCannot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	address := "https://county.example" + verifyPage
	for _, who := range []string{"desk", "township"} {
		if got := w.browser(who).show(bytes.NewReader(seen(t, address))); got.Code != http.StatusOK || got.Body.String() != address || !strings.HasPrefix(got.Header().Get("Content-Type"), "text/plain") {
			t.Errorf("%s: %d %q", who, got.Code, got.Body)
		}
	}
	b := w.browser("desk")
	if got := b.show(bytes.NewReader(seen(t, ""))); got.Code != http.StatusNoContent || got.Body.Len() != 0 {
		t.Errorf("nothing: %d %q", got.Code, got.Body)
	}
	for name, picture := range map[string]io.Reader{"no picture": strings.NewReader(markText), "too large": bytes.NewReader(append(seen(t, address), make([]byte, 96<<10)...))} {
		if got := b.show(picture); got.Code != http.StatusBadRequest || strings.Contains(got.Body.String(), markText) {
			t.Errorf("%s: %d %s", name, got.Code, got.Body)
		}
	}
	if log := w.log.String(); strings.Contains(log, verifyPage) || strings.Contains(log, markText) {
		t.Errorf("it is logged: %s", log)
	}
	shows(t, b.get("/desk/arrivals").Body.String(), `data-scan-read="/desk/code"`, `data-scan-not-allowed-error="The browser was not allowed`)
}

func TestACodeIsReadForWhoReceivesPatientsAndNotEndlessly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sessions["admin"] = &directoryv1.Account{Id: "admin", Name: "x", OrganizationId: hospitalID, Roles: []commonv1.Role_Code{commonv1.Role_COUNTY_ADMIN}}
	picture := seen(t, "450321-26-0000123-4")
	for who, want := range map[string]int{"": http.StatusUnauthorized, "admin": http.StatusForbidden} {
		if got := w.browser(who).show(bytes.NewReader(picture)); got.Code != want {
			t.Errorf("%q: %d", who, got.Code)
		}
	}
	b := w.browser("desk")
	if got := b.show(bytes.NewReader(picture), "Sec-Fetch-Site", "cross-site"); got.Code != http.StatusForbidden {
		t.Errorf("from another site: %d", got.Code)
	}
	got, n := b.show(strings.NewReader("")), 1
	for ; got.Code != http.StatusTooManyRequests && n < 1000; n++ {
		got = b.show(strings.NewReader(""))
	}
	if n < 180 || got.Header().Get("Retry-After") == "" {
		t.Errorf("after %d pictures: %d", n, got.Code)
	}
	if got := w.browser("township").show(bytes.NewReader(picture)); got.Code != http.StatusOK {
		t.Errorf("another account: %d", got.Code)
	}
	w.clk.Advance(time.Minute)
	if got := b.show(bytes.NewReader(picture)); got.Code != http.StatusOK {
		t.Errorf("a minute later: %d", got.Code)
	}
}
