//go:build e2e

package e2e_test

import (
	"context"
	_ "embed"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
)

// Limits in bytes as sent: a first visit with everything that it loads, and a page for who has been here before.
const (
	firstVisit = 150_000
	laterVisit = 40_000
)

//go:embed testdata/walk.js
var walkScript string

// axeScript is the pinned axe-core; `make axe` fetches it.
func axeScript(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../scripts/tools/axe/node_modules/axe-core/axe.min.js")
	if err != nil {
		harness.Missing(t, "there is no axe-core (make axe): "+err.Error())
	}
	return string(text)
}

// Every route of the gateway, found by following links, for somebody who may open it. Two browsers share the pages: most of the time of one
// goes by between a key and the picture after it.
func TestEveryPageCanBeUsedByEverybody(t *testing.T) {
	axe := axeScript(t)
	county := openBusyCounty(t)
	found := crawl(t, county.s, readers(), county.starts)
	patterns := slices.Sorted(maps.Keys(found.pages))
	left, seen := make(chan string, len(patterns)), make(chan examined, len(patterns))
	for _, pattern := range patterns {
		left <- pattern
	}
	close(left)
	t.Run("pages", func(t *testing.T) {
		for _, name := range []string{"one browser", "another"} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				b := openBrowser(t, county.s)
				windows := map[string]*tab{}
				for pattern := range left {
					p := found.pages[pattern]
					w, open := windows[p.who]
					if !open {
						w = b.open(t, p.who)
						windows[p.who] = w
						if p.who != "" {
							w.signIn()
						}
					}
					w.goTo(p.path)
					seen <- w.examine(strings.TrimPrefix(pattern, "GET "), axe)
				}
			})
		}
	})
	close(seen)
	table := report{}
	for x := range seen {
		table.row(x)
	}
	slices.Sort(table.lines)
	table.write(t, "pages.txt")
}

// examined is what was found out about one page.
type examined struct {
	page, who string
	stops     int
	// What is wrong with it.
	violations, keyboard, wide, late []string
	// Bytes as sent: of the page alone, and with everything that a first visit loads.
	later, first int
}

// examine holds the page that is open against what every page must be.
func (w *tab) examine(page, axe string) examined {
	w.Helper()
	x := examined{page: page, who: w.who}
	w.load(walkScript)
	w.until("what the page fetches at rest", "walk.rests()")
	weight := eval[[]float64](w, "walk.weight()")
	x.later, x.first = int(weight[0]), int(weight[1])
	x.stops = int(eval[float64](w, "walk.begin()"))
	x.late = eval[[]string](w, "walk.late()")
	x.keyboard = append(w.tabThrough(x.stops), w.skipsTheFrame()...)
	w.load(axe)
	for _, mode := range []string{"light", "dark"} {
		w.scheme(mode)
		for _, width := range []int64{1366, 360} {
			w.view(width, 800)
			for _, v := range w.await(fmt.Sprintf("walk.axe(%t)", mode == "dark")) {
				x.violations = append(x.violations, fmt.Sprintf("%s %d: %s", mode, width, v))
			}
			w.shoot(fmt.Sprintf("page%s-%d-%s", strings.ReplaceAll(page, "/", "_"), width, mode))
		}
	}
	w.scheme("light")
	for _, width := range []int64{360, 1920} {
		for _, class := range []string{"", "large"} {
			w.view(width, 800)
			eval[bool](w, fmt.Sprintf("(document.documentElement.classList.toggle('large', %q !== ''), true)", class))
			if wide := eval[string](w, fmt.Sprintf("walk.wide(%d)", width)); wide != "" {
				x.wide = append(x.wide, fmt.Sprintf("%d %s: %s", width, class, wide))
			}
		}
	}
	w.view(1366, 900)
	x.fail(w)
	return x
}

// accessible is what is wrong with the page as it is, by axe-core.
func (w *tab) accessible() []string {
	w.Helper()
	w.load(walkScript)
	w.load(axeScript(w.T))
	at := eval[float64](w, "scrollY")
	defer eval[bool](w, fmt.Sprintf("(scrollTo(0, %f), true)", at))
	return w.await("walk.axe(false)")
}

// load a script into the page.
func (w *tab) load(script string) {
	w.Helper()
	eval[bool](w, "(() => { "+script+"; return true })()")
}

func (x examined) fail(w *tab) {
	w.Helper()
	for _, list := range [][]string{x.violations, x.keyboard, x.wide, x.late} {
		for _, problem := range list {
			w.Errorf("%s (%s): %s", x.page, x.who, problem)
		}
	}
	if x.later > laterVisit || x.first > firstVisit {
		w.Errorf("%s (%s): %d bytes, %d on the first visit", x.page, x.who, x.later, x.first)
	}
}

// tabThrough presses the Tab key until the page is through.
func (w *tab) tabThrough(stops int) (problems []string) {
	w.Helper()
	for range stops + 5 {
		w.do(chromedp.KeyEvent(kb.Tab))
		switch problem := eval[string](w, "walk.step()"); problem {
		case "":
		case "end":
			for _, missed := range eval[[]string](w, "walk.missed()") {
				problems = append(problems, "the keyboard does not reach "+missed)
			}
			return problems
		default:
			problems = append(problems, problem)
		}
	}
	return append(problems, "the Tab key leads nowhere out")
}

// skipsTheFrame takes the way past the frame, and the next stop is in the page.
func (w *tab) skipsTheFrame() []string {
	w.Helper()
	eval[float64](w, "walk.begin()")
	w.do(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter), chromedp.KeyEvent(kb.Tab))
	if !eval[bool](w, "walk.skipped()") {
		return []string{"the way past the frame does not lead into the page"}
	}
	return nil
}

// await answers what a promise is kept with.
func (w *tab) await(expression string) []string {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, workTime)
	defer cancel()
	out, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		w.fail(fmt.Errorf("%s: %w", expression, err))
	}
	return out
}

// report is a table for people.
type report struct{ lines []string }

func (r *report) row(x examined) {
	r.lines = append(r.lines, fmt.Sprintf("%-48s %-10s %5d %6d %9d %6d %8.1f %8.1f", x.page, x.who, len(x.violations), x.stops, len(x.keyboard), len(x.wide),
		float64(x.later)/1000, float64(x.first)/1000))
}

// write prints it, and keeps it where `make e2e` shows it.
func (r *report) write(t *testing.T, name string) {
	t.Helper()
	text := fmt.Sprintf("%-48s %-10s %5s %6s %9s %6s %8s %8s\n", "page", "seen by", "axe", "stops", "keyboard", "wide", "later KB", "first KB") + strings.Join(r.lines, "\n") + "\n"
	t.Log("\n" + text)
	folder := "../../.cache/e2e"
	must(t, os.MkdirAll(folder, 0o750))
	must(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
}
