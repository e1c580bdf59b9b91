package htmlcheck_test

import (
	"strings"
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

const good = `<!doctype html><html lang="en"><head><title>A page</title><script src="/assets/a.js" defer></script></head><body>
<nav aria-label="one"><a href="/x">x</a></nav><nav aria-label="two"><a href="#main">y</a></nav>
<main id="main"><h1>Heading 3.5</h1><form method="post" action="/x"><input type="hidden" name="v">
<label for="a">A</label><input id="a" aria-describedby="e"><p id="e">wrong</p>
<label>B <select><option>1</option></select></label><textarea aria-label="C"></textarea>
<fieldset><legend>L</legend></fieldset><button>Go</button></form><a href="tel:120">120</a><br></main></body></html>`

func TestAGoodPageHasNoProblems(t *testing.T) {
	t.Parallel()
	if found := htmlcheck.Page(good); len(found) > 0 {
		t.Error(found)
	}
}

func TestEveryMistakeIsFound(t *testing.T) {
	t.Parallel()
	for mistake, c := range map[string]struct{ change, to, says string }{
		"no language":            {` lang="en"`, ``, "no language"},
		"no title":               {`A page`, ``, "no title"},
		"two main headings":      {`<br>`, `<h1>2</h1>`, "2 <h1>"},
		"nav without a name":     {` aria-label="two"`, ``, "<nav> has no name"},
		"input without a label":  {`<label for="a">A</label>`, ``, "has no label"},
		"label without an input": {`<label for="a">`, `<label for="b">`, `for names "b"`},
		"an id twice":            {`<p id="e">`, `<p id="a">`, `"a" is there twice`},
		"a broken description":   {`<p id="e">`, `<p>`, `aria-describedby names "e"`},
		"a broken inner link":    {`href="#main"`, `href="#f-x"`, `leads to "#f-x"`},
		"another site":           {`href="/x"`, `href="https://example.org/"`, "leads away"},
		"another host by //":     {`action="/x"`, `action="//example.org"`, "leads away"},
		"inline script":          {`<br>`, `<script>1</script>`, "inline script"},
		"inline style":           {`<br>`, `<p style="color:red">x</p>`, "inline attribute style"},
		"a style element":        {`<br>`, `<style>p{}</style>`, "inline style"},
		"an event handler":       {`<br>`, `<p onclick="x()">x</p>`, "inline attribute onclick"},
		"a form without button":  {`<button>Go</button>`, `<button type="button">Go</button>`, "has no button"},
		"a button without text":  {`<button>Go`, `<button>`, "has no text"},
		"a picture without text": {`<br>`, `<img src="/a.png">`, "no alternative text"},
		"fieldset, no legend":    {`<legend>L</legend>`, ``, "no legend"},
		"an unknown key":         {`Heading 3.5`, `referral.title`, `the key "referral.title"`},
		"a key in an attribute":  {`aria-label="C"`, `aria-label="field.form.treatment"`, `the key`},
		"a placeholder":          {`wrong`, `Please fill in {field}`, `the placeholder "{field}"`},
		"no value":               {`wrong`, `UNSPECIFIED`, "not there"},
		"tags crossed":           {`<legend>L</legend></fieldset>`, `<legend>L</fieldset></legend>`, "does not close"},
		"a tag left open":        {`</main>`, `<b></main>`, "does not close"},
		"a block in a paragraph": {`wrong`, `<ul><li>x</li></ul>`, "<ul> inside <p>"},
	} {
		t.Run(mistake, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(good, c.change) {
				t.Fatalf("%q is not in the page", c.change)
			}
			found := strings.Join(htmlcheck.Page(strings.Replace(good, c.change, c.to, 1)), "\n")
			if !strings.Contains(found, c.says) {
				t.Errorf("found %q, want %q", found, c.says)
			}
		})
	}
}
