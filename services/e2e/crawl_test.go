//go:build e2e

package e2e_test

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
	"github.com/tongzhen/tongzhen/services/gateway"
	"github.com/tongzhen/tongzhen/services/internal/clock"
)

// sight is one page as one person sees it.
type sight struct {
	who  string // login, "" for nobody
	path string
}

// site is what the routes of the gateway lead to.
type site struct {
	// pages by the route that serves them, "GET /patients/{id}".
	pages map[string]sight
	// parts are routes that answer with something else than a whole page: fragments and files.
	parts map[string]sight
}

// routes are all that the gateway has for reading, from its own table.
func routes(t *testing.T) []string {
	t.Helper()
	g, err := gateway.New(t.Context(), gateway.Config{Demo: true}, gateway.Deps{Clock: clock.System(), Logger: slog.New(slog.DiscardHandler)})
	must(t, err)
	list := slices.DeleteFunc(g.Pages(), func(pattern string) bool { return !strings.HasPrefix(pattern, "GET ") })
	if len(list) < 90 {
		t.Fatalf("only %d routes", len(list))
	}
	return list
}

// start is where a person begins: a page, or a form that is sent and leads to one.
type start struct {
	who, path string
	form      url.Values // nil: a page is opened
}

// crawler follows links over HTTP.
type crawler struct {
	*testing.T
	base  string
	table *http.ServeMux
	found site
	sizes map[string]int // of the pages found, by route
}

// most links of one route that are tried for one person: the first may lead to what that person may not open.
const most = 3

// crawl finds a page for every route, the fullest that somebody sees: each person starts at home, and where else is said, and follows the links.
// A route that nobody comes to fails the test.
func crawl(t *testing.T, s *harness.System, people []string, starts []start) site {
	t.Helper()
	c := &crawler{T: t, base: s.URL, table: http.NewServeMux(), found: site{map[string]sight{}, map[string]sight{}}, sizes: map[string]int{}}
	all := routes(t)
	for _, pattern := range all {
		c.table.Handle(pattern, http.NotFoundHandler())
	}
	for _, who := range people {
		starts = append(starts, start{who: who, path: "/"})
	}
	for _, who := range people {
		c.walk(who, slices.DeleteFunc(slices.Clone(starts), func(s start) bool { return s.who != who }))
	}
	for _, pattern := range all {
		_, page := c.found.pages[pattern]
		_, part := c.found.parts[pattern]
		if !page && !part && pattern != "GET /{$}" { // which only leads on
			t.Errorf("no person comes to a page of %s: say in county_test.go where one is", pattern)
		}
	}
	return c.found
}

func (c *crawler) walk(who string, queue []start) {
	c.Helper()
	jar, err := cookiejar.New(nil)
	must(c.T, err)
	client := &http.Client{Jar: jar}
	if who != "" {
		c.fetch(client, start{who, "/sign-in", url.Values{"account": {who}, "password": {harness.Password}, "back": {"/"}}})
	}
	named := len(queue)
	tried, seen := map[string]int{}, map[string]bool{}
	for i := 0; i < len(queue); i++ {
		next := queue[i]
		pattern := c.route(next.path)
		if next.form == nil && (pattern == "" || seen[next.path] || (i >= named && tried[pattern] >= most)) {
			continue
		}
		seen[next.path] = true
		tried[pattern]++
		status, final, body := c.fetch(client, next)
		pattern = c.route(final)
		if (status != http.StatusOK && i >= named) || (strings.HasPrefix(final, "/sign-in") && next.path != final) {
			continue
		}
		for _, path := range c.keep(sight{who, final}, pattern, body) {
			queue = append(queue, start{who: who, path: path})
		}
	}
}

// keep notes what was found, and answers where it leads.
func (c *crawler) keep(p sight, pattern, body string) []string {
	if !strings.HasPrefix(body, "<!doctype html>") {
		c.found.parts[pattern] = p
		return nil
	}
	if len(body) > c.sizes[pattern] {
		c.found.pages[pattern], c.sizes[pattern] = p, len(body)
	}
	return links(body)
}

// route is the pattern that serves a path, "" if none does.
func (c *crawler) route(path string) string {
	request, err := http.NewRequestWithContext(c.Context(), http.MethodGet, path, nil)
	if err != nil {
		return ""
	}
	_, pattern := c.table.Handler(request)
	return pattern
}

// fetch answers the status, the path that the answer came from, and the answer.
func (c *crawler) fetch(client *http.Client, s start) (status int, final, body string) {
	c.Helper()
	ctx, cancel := context.WithTimeout(c.Context(), workTime)
	defer cancel()
	method := http.MethodGet
	if s.form != nil {
		method = http.MethodPost
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+s.path, strings.NewReader(s.form.Encode()))
	must(c.T, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept-Language", "zh-CN")
	answer, err := client.Do(request)
	must(c.T, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	must(c.T, err)
	return answer.StatusCode, answer.Request.URL.RequestURI(), string(text)
}

// links are where a page leads by links, by forms that are read, and by the parts that its script fetches.
func links(body string) []string {
	doc, err := html.Parse(strings.NewReader(body))
	if err != nil {
		return nil
	}
	out := map[string]bool{}
	for n := range doc.Descendants() {
		attributes := map[string]string{}
		for _, a := range n.Attr {
			attributes[a.Key] = a.Val
		}
		for _, name := range []string{"href", "data-load", "data-picker", "data-picker-all", "data-fragment"} {
			if path, _, _ := strings.Cut(attributes[name], "#"); strings.HasPrefix(path, "/") {
				out[path] = true
			}
		}
		if n.Data == "form" && attributes["method"] == "get" {
			out[attributes["action"]] = true
		}
	}
	return slices.Sorted(maps.Keys(out))
}
