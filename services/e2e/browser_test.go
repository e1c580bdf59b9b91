//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
)

const (
	// waitTime bounds every wait for what a page is to show.
	waitTime = 20 * time.Second
	// workTime bounds what the browser itself has to do: load a page, go through it by the rules, print it. It only decides how late a failure is told.
	workTime = 2 * time.Minute
)

// browser is one Chromium; each person has a context of its own in it, with own cookies and storage.
type browser struct {
	ctx    context.Context
	sys    *harness.System
	sights sights
}

func openBrowser(t *testing.T, s *harness.System, more ...chromedp.ExecAllocatorOption) *browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		harness.Missing(t, "there is no chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("accept-lang", "zh-CN"),
		// A camera that shows a test picture, and a browser that asks nobody whether it may be used.
		chromedp.Flag("use-fake-device-for-media-stream", true), chromedp.Flag("use-fake-ui-for-media-stream", true),
		chromedp.Flag("no-proxy-server", true), chromedp.WindowSize(1366, 900))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), append(options, more...)...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	must(t, chromedp.Do(ctx)) // starts it
	b := &browser{ctx: ctx, sys: s}
	t.Cleanup(func() { b.sights.judge(t) })
	return b
}

// tab is one person's window.
type tab struct {
	*testing.T
	ctx    context.Context
	who    string
	base   string
	sights *sights

	mu       sync.Mutex
	problems []string
}

// open a window for a person and watch its console: an error, a violated content policy or a failed load is a fault, but for
// a page that refuses.
func (b *browser) open(t *testing.T, who string) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	w := &tab{T: t, ctx: ctx, who: who, base: b.sys.URL, sights: &b.sights}
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			refusedPage := m.Source == "network" && strings.Contains(m.Text, "status of 4") && !strings.Contains(m.URL, "/assets/") && !strings.Contains(m.URL, "/events")
			if (m.Type == chromedp.ConsoleError || m.IsException()) && !refusedPage {
				w.mu.Lock()
				w.problems = append(w.problems, m.String()+" at "+m.URL)
				w.mu.Unlock()
			}
		}
	}()
	t.Cleanup(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, p := range w.problems {
			t.Errorf("%s's console: %s", who, p)
		}
	})
	w.view(1366, 900)
	return w
}

func (w *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, workTime)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		w.fail(err)
	}
}

// fail shows where the person was.
func (w *tab) fail(err error) {
	w.Helper()
	place, _ := chromedp.Run(w.ctx, chromedp.Location())
	text, _ := chromedp.Run(w.ctx, chromedp.Evaluate[string]("document.body.innerText"))
	w.shoot("failed-" + w.who)
	w.Fatalf("%s at %s: %v\n%.1500s", w.who, place, err, text)
}

func (w *tab) view(width, height int64) {
	w.Helper()
	w.do(chromedp.EmulateViewport(width, height))
	w.until("the width", fmt.Sprintf("innerWidth === %d", width)) // the page hears of it a moment later
}

func (w *tab) goTo(path string) {
	w.Helper()
	w.do(chromedp.Navigate(w.base + path))
}

// eval answers a JavaScript expression.
func eval[T any](w *tab, expression string) T {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, workTime)
	defer cancel()
	out, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		w.fail(fmt.Errorf("%s: %w", expression, err))
	}
	return out
}

// until waits until an expression is true; pages may come and go meanwhile.
func (w *tab) until(what, expression string) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, waitTime)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		// An error is a page that is just being left.
		if ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+expression+")")); err == nil && ok {
			return
		}
		select {
		case <-ctx.Done():
			w.fail(fmt.Errorf("no %s within %s", what, waitTime))
		case <-tick.C:
		}
	}
}

// press clicks what leads to another page and waits for that.
func (w *tab) press(selector string) {
	w.Helper()
	w.until(selector, fmt.Sprintf("document.readyState === 'complete' && document.querySelector(%q)", selector))
	w.leave(fmt.Sprintf("document.querySelector(%q).click()", selector))
}

// leave runs a script that leads to another page and waits for that.
func (w *tab) leave(script string) {
	w.Helper()
	eval[bool](w, "window.leaving = true")
	eval[bool](w, "(() => { "+script+"; return true })()")
	w.until("page after "+script, "!window.leaving && document.readyState === 'complete'")
}

// fill writes into a field as typing does.
func (w *tab) fill(selector, value string) {
	w.Helper()
	w.until("field "+selector, fmt.Sprintf("document.querySelector(%q)", selector))
	eval[bool](w, fmt.Sprintf(`(() => { const f = document.querySelector(%q); f.focus(); f.value = %q;
		f.dispatchEvent(new Event("input", {bubbles: true})); f.dispatchEvent(new Event("change", {bubbles: true})); return true })()`, selector, value))
}

// choose clicks a radio button, a checkbox or an option's label.
func (w *tab) choose(selector string) {
	w.Helper()
	w.until("choice "+selector, fmt.Sprintf("document.querySelector(%q)", selector))
	eval[bool](w, fmt.Sprintf("(() => { document.querySelector(%q).click(); return true })()", selector))
}

func (w *tab) value(selector string) string {
	w.Helper()
	return eval[string](w, fmt.Sprintf("document.querySelector(%q)?.value ?? ''", selector))
}

func (w *tab) text(selector string) string {
	w.Helper()
	return eval[string](w, fmt.Sprintf("document.querySelector(%q)?.innerText ?? ''", selector))
}

func (w *tab) has(selector string) bool {
	w.Helper()
	return eval[bool](w, fmt.Sprintf("!!document.querySelector(%q)", selector))
}

// signIn as one of the demo accounts.
func (w *tab) signIn() {
	w.Helper()
	w.goTo("/sign-in")
	w.fill("#f-account", w.who)
	w.fill("#f-password", harness.Password)
	w.press("main form button.primary")
	if !w.has("nav.rail") {
		w.fail(fmt.Errorf("not signed in"))
	}
}

// inEnglish changes the language of the pages.
func (w *tab) inEnglish() {
	w.Helper()
	w.press(`[name="language"]`)
	if lang := eval[string](w, "document.documentElement.lang"); lang != "en" {
		w.fail(fmt.Errorf("the language is %q", lang))
	}
}

// look holds the page against what every page must be, narrow and wide, and takes its pictures when a folder is named. Here stand the states that no
// link leads to: forms that were refused, lists that are empty.
func (w *tab) look(name string, modes ...string) {
	w.Helper()
	for _, problem := range w.accessible() {
		w.Errorf("%s: %s", name, problem)
	}
	for _, mode := range append([]string{"light"}, modes...) {
		w.scheme(mode)
		w.view(360, 740)
		if width := eval[float64](w, "document.documentElement.scrollWidth"); width > 360 {
			widest := eval[string](w, `[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > 361 && !e.closest(".scroll")).map(e => e.tagName + "." + e.className).slice(0, 5).join(" ")`)
			w.Errorf("%s is %.0f px wide on a screen of 360 px: %s", name, width, widest)
		}
		w.shoot(name + "-360-" + mode)
		w.view(1366, 900)
		w.shoot(name + "-1366-" + mode)
	}
	w.scheme("light")
}

func (w *tab) scheme(mode string) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, workTime)
	defer cancel()
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: mode}},
	})
	must(w.T, err)
}

// shoot writes a picture of the whole page into the folder that TONGZHEN_SCREENSHOTS names.
func (w *tab) shoot(name string) {
	w.Helper()
	folder := os.Getenv("TONGZHEN_SCREENSHOTS")
	if folder == "" {
		return
	}
	ctx, cancel := context.WithTimeout(w.ctx, workTime)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		w.Logf("no picture of %s: %v", name, err)
		return
	}
	must(w.T, os.MkdirAll(folder, 0o750))
	must(w.T, os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o600))
}
