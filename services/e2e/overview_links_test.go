//go:build e2e

package e2e_test

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
)

// reader reads pages as a person without a script.
type reader struct {
	*testing.T
	base   string
	client *http.Client
	// kept are the cases behind a figure by their address: what the page says, and what it lists.
	kept map[string][2]int
}

// reads signs somebody in to read pages in English.
func reads(t *testing.T, base, login string) *reader {
	t.Helper()
	jar, err := cookiejar.New(nil)
	must(t, err)
	r := &reader{T: t, base: base, client: &http.Client{Jar: jar}, kept: map[string][2]int{}}
	r.page("/sign-in")
	form := url.Values{"account": {login}, "password": {harness.Password}, "back": {"/"}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/sign-in", strings.NewReader(form.Encode()))
	must(t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := r.client.Do(request)
	must(t, err)
	must(t, answer.Body.Close())
	return r
}

func (r *reader) page(path string) string {
	r.Helper()
	request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, r.base+path, nil)
	must(r.T, err)
	request.Header.Set("Accept-Language", "en")
	answer, err := r.client.Do(request)
	must(r.T, err)
	body, err := io.ReadAll(answer.Body)
	must(r.T, err)
	must(r.T, answer.Body.Close())
	if answer.StatusCode != http.StatusOK {
		r.Errorf("%s: %s", path, answer.Status)
	}
	return string(body)
}

var (
	figureLink  = regexp.MustCompile(`<a [^>]*?href="(/statistics/(?:cases|recognition/cases)\?[^"]+)"[^>]*>(-?\d+)</a>`)
	totalShown  = regexp.MustCompile(`<p class="sum">(\d+) case`)
	caseShown   = regexp.MustCompile(`(?s)<tbody>(.*?)</tbody>`)
	timesShown  = regexp.MustCompile(`×\s*(\d+)|counts (\d+) times`)
	furtherPage = regexp.MustCompile(`<p class="actions"><a class="button" href="(/statistics/[^"]+)"`)
	optionsOf   = regexp.MustCompile(`<option value="([^"]+)"`)
)

// cases is what the page of a figure's cases says and how many it lists, over all its pages.
func (r *reader) cases(path string) (said, listed int) {
	if kept, ok := r.kept[path]; ok {
		return kept[0], kept[1]
	}
	body := r.page(path)
	said = -1
	if total := totalShown.FindStringSubmatch(body); total != nil {
		said, _ = strconv.Atoi(total[1])
	}
	for {
		if rows := caseShown.FindStringSubmatch(body); rows != nil {
			for _, row := range strings.Split(rows[1], "</tr>") {
				if !strings.Contains(row, "<td") {
					continue
				}
				times := 1
				if many := timesShown.FindStringSubmatch(row); many != nil {
					times, _ = strconv.Atoi(many[1] + many[2])
				}
				listed += times
			}
		}
		further := furtherPage.FindStringSubmatch(body)
		if further == nil {
			break
		}
		body = r.page(html.UnescapeString(further[1]))
	}
	r.kept[path] = [2]int{said, listed}
	return said, listed
}

// opens follows every figure of a page into its cases, which must be as many.
func (r *reader) opens(path string) (figures int) {
	r.Helper()
	for _, found := range figureLink.FindAllStringSubmatch(r.page(path), -1) {
		at := html.UnescapeString(found[1])
		figure, _ := strconv.Atoi(found[2])
		said, listed := r.cases(at)
		if strings.HasPrefix(at, "/statistics/recognition") {
			said = figure // that page tells no total
		}
		if figures++; said != figure || listed != figure {
			r.Errorf("%s: the figure is %d, its page says %d and lists %d: %s", path, figure, said, listed, at)
		}
	}
	return figures
}

// choice are the values that a field of the overview offers.
func (r *reader) choice(field string) (out []string) {
	body := r.page("/overview")
	at := strings.Index(body, `<select name="`+field+`"`)
	if at < 0 {
		return nil
	}
	for _, option := range optionsOf.FindAllStringSubmatch(body[at:at+strings.Index(body[at:], "</select>")], -1) {
		out = append(out, option[1])
	}
	return out
}

// Every figure of the overview and of the monthly report opens into exactly the cases that it counts, for the county, for each organisation, by
// department, urgency, kind and period, as an administrator and as a head see it, in a county that has been lived in.
func TestEveryFigureOfTheOverviewOpensIntoItsCases(t *testing.T) {
	s := harness.Lived(t, binary, 60, 2)
	for login, least := range map[string]int{"admin": 1000, "head": 300} {
		r := reads(t, s.URL, login)
		pages := []string{
			"/overview", "/overview?period=last-month", "/overview?period=quarter", "/overview?period=year", "/overview/report",
			"/overview?period=custom&from=" + day(-40) + "&to=" + day(0), "/overview?period=quarter&urgency=URGENT", "/overview?period=quarter&kind=INPATIENT",
		}
		for _, organization := range r.choice("organization") {
			pages = append(pages, "/overview?period=quarter&organization="+organization, "/overview?period=quarter&urgency=ROUTINE&organization="+organization)
		}
		for _, department := range r.choice("department") {
			pages = append(pages, "/overview?period=quarter&department="+department)
		}
		figures := 0
		for _, page := range pages {
			figures += r.opens(page)
		}
		t.Logf("%s followed %d figures on %d pages into %d lists of cases", login, figures, len(pages), len(r.kept))
		if figures < least {
			t.Errorf("%s found %d figures only", login, figures)
		}
	}
}
