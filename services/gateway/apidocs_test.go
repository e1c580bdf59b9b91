package gateway_test

import (
	"encoding/json"
	"html"
	"regexp"
	"strings"
	"testing"

	contracts "github.com/tongzhen/tongzhen/proto"
)

func TestEveryOperationCanBeReadAndTried(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.browser("").get("/api/docs")
	body := got.Body.String()
	if got.Code != 200 || !strings.Contains(body, `href="/api/v1/openapi.json"`) {
		t.Fatal(got.Code)
	}
	var doc struct{ Paths map[string]map[string]any }
	if err := json.Unmarshal(contracts.OpenAPI, &doc); err != nil {
		t.Fatal(err)
	}
	operations := 0
	for path, methods := range doc.Paths {
		for method := range methods {
			operations++
			if !strings.Contains(body, `data-api="`+path+`" data-method="`+strings.ToUpper(method)+`"`) {
				t.Errorf("%s %s is missing", method, path)
			}
		}
	}
	if n := strings.Count(body, "data-api="); n != operations {
		t.Errorf("%d forms for %d operations", n, operations)
	}
	examples := regexp.MustCompile(`(?s)<textarea[^>]*>(.*?)</textarea>`).FindAllStringSubmatch(body, -1)
	for _, e := range examples {
		if !json.Valid([]byte(html.UnescapeString(e[1]))) {
			t.Errorf("an example is no JSON: %s", e[1])
		}
	}
	// The example of sign-in is a request that works as soon as it is filled in.
	for _, field := range []string{"account", "password", "otp"} {
		if !strings.Contains(examplesText(examples), `"`+field+`": ""`) {
			t.Errorf("no example names %s", field)
		}
	}
}

func examplesText(found [][]string) string {
	var b strings.Builder
	for _, f := range found {
		b.WriteString(html.UnescapeString(f[1]))
	}
	return b.String()
}
