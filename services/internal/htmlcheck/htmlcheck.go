// Package htmlcheck finds what is wrong with a page that a person could not use: markup that browsers would repair in
// silence, controls without a name, references into nothing, anything the content security policy would block, links that
// lead away, and texts that were never worded.
//
// It owns the rules; it knows no page. Functions are pure and safe for concurrent use.
package htmlcheck

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// Page checks a whole document; the answer is empty when all is well.
func Page(body string) []string {
	problems := Fragment(body)
	doc, err := parse(body)
	if err != nil {
		return append(problems, err.Error())
	}
	c := collect(doc)
	if attr(c.first("html"), "lang") == "" {
		problems = append(problems, "the document has no language")
	}
	if strings.TrimSpace(text(c.first("title"))) == "" {
		problems = append(problems, "the document has no title")
	}
	for _, tag := range []string{"main", "h1"} {
		if n := len(c.byTag[tag]); n != 1 {
			problems = append(problems, fmt.Sprintf("there are %d <%s>, not one", n, tag))
		}
	}
	if navs := c.byTag["nav"]; len(navs) > 1 {
		for _, n := range navs {
			if attr(n, "aria-label") == "" {
				problems = append(problems, "one of several <nav> has no name")
			}
		}
	}
	return problems
}

// Fragment checks a part of a page. References to ids outside the part count as broken.
func Fragment(body string) []string {
	problems := nesting(body)
	doc, err := parse(body)
	if err != nil {
		return append(problems, err.Error())
	}
	c := collect(doc)
	problems = append(problems, c.problems...)
	for _, n := range c.all {
		problems = append(problems, c.element(n)...)
	}
	return problems
}

// parse reads as a browser without scripts does, so that what stands in <noscript> is checked too.
func parse(body string) (*html.Node, error) {
	return html.ParseWithOptions(strings.NewReader(body), html.ParseOptionEnableScripting(false))
}

type page struct {
	all      []*html.Node
	byTag    map[string][]*html.Node
	byID     map[string]*html.Node
	labelled map[string]bool // ids that a <label for> names
	problems []string
}

func collect(doc *html.Node) *page {
	p := &page{byTag: map[string][]*html.Node{}, byID: map[string]*html.Node{}, labelled: map[string]bool{}}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		p.all = append(p.all, n)
		p.byTag[n.Data] = append(p.byTag[n.Data], n)
		if id := attr(n, "id"); id != "" {
			if p.byID[id] != nil {
				p.problems = append(p.problems, fmt.Sprintf("the id %q is there twice", id))
			}
			p.byID[id] = n
		}
		if n.Data == "label" && attr(n, "for") != "" {
			p.labelled[attr(n, "for")] = true
		}
	}
	return p
}

func (p *page) first(tag string) *html.Node {
	if len(p.byTag[tag]) == 0 {
		return nil
	}
	return p.byTag[tag][0]
}

func (p *page) element(n *html.Node) []string {
	var problems []string
	add := func(format string, args ...any) {
		problems = append(problems, fmt.Sprintf("<%s %s>: ", n.Data, where(n))+fmt.Sprintf(format, args...))
	}
	for _, problem := range p.attributes(n) {
		add("%s", problem)
	}
	switch n.Data {
	case "style":
		add("is inline style")
	case "script":
		if attr(n, "src") == "" || strings.TrimSpace(text(n)) != "" {
			add("is inline script")
		}
	case "input", "select", "textarea":
		if !p.named(n) {
			add("has no label")
		}
	case "button", "a":
		if strings.TrimSpace(text(n)) == "" && attr(n, "aria-label") == "" {
			add("has no text")
		}
	case "img":
		if !has(n, "alt") {
			add("has no alternative text")
		}
	case "fieldset":
		if !slices.ContainsFunc(slices.Collect(n.ChildNodes()), func(c *html.Node) bool { return c.Data == "legend" }) {
			add("has no legend")
		}
	case "form":
		if !hasButton(n) {
			add("has no button")
		}
	}
	if !slices.Contains([]string{"script", "style", "code"}, n.Data) { // code is shown as it is
		for c := range n.ChildNodes() {
			if c.Type == html.TextNode {
				for _, problem := range unworded(c.Data) {
					add("%s", problem)
				}
			}
		}
	}
	return problems
}

func (p *page) attributes(n *html.Node) []string {
	var problems []string
	for _, a := range n.Attr {
		switch {
		case a.Key == "style", strings.HasPrefix(a.Key, "on"):
			problems = append(problems, "has the inline attribute "+a.Key)
		case slices.Contains([]string{"href", "src", "action", "formaction"}, a.Key):
			problems = append(problems, p.address(a.Val)...)
		case a.Key == "for", a.Key == "aria-describedby", a.Key == "aria-labelledby", a.Key == "aria-controls":
			for _, id := range strings.Fields(a.Val) {
				if p.byID[id] == nil {
					problems = append(problems, fmt.Sprintf("%s names %q, which is not there", a.Key, id))
				}
			}
		case slices.Contains([]string{"title", "placeholder", "aria-label", "alt"}, a.Key):
			problems = append(problems, unworded(a.Val)...)
		}
	}
	return problems
}

// address admits what stays on this site, parts of this page, and telephones.
func (p *page) address(value string) []string {
	switch {
	case strings.HasPrefix(value, "#"):
		if p.byID[value[1:]] == nil {
			return []string{fmt.Sprintf("leads to %q, which is not there", value)}
		}
	case strings.HasPrefix(value, "tel:"), strings.HasPrefix(value, "/") && !strings.HasPrefix(value, "//"):
	default:
		return []string{fmt.Sprintf("leads away, to %q", value)}
	}
	return nil
}

// named tells whether a control has a name that is read out.
func (p *page) named(n *html.Node) bool {
	if n.Data == "input" && slices.Contains([]string{"hidden", "submit", "button", "image"}, attr(n, "type")) {
		return true
	}
	if attr(n, "aria-label") != "" || attr(n, "aria-labelledby") != "" || p.labelled[attr(n, "id")] {
		return true
	}
	for up := n.Parent; up != nil; up = up.Parent {
		if up.Data == "label" {
			return strings.TrimSpace(text(up)) != ""
		}
	}
	return false
}

func hasButton(form *html.Node) bool {
	for n := range form.Descendants() {
		if n.Data == "button" && attr(n, "type") != "button" || n.Data == "input" && attr(n, "type") == "submit" {
			return true
		}
	}
	return false
}

var (
	// key is how entries of the catalogue are called; no sentence looks like that.
	key         = regexp.MustCompile(`(^|\s)[a-z][a-z-]*(\.[A-Za-z0-9_-]+)+(\s|$)`)
	placeholder = regexp.MustCompile(`\{[a-z]+\}`)
)

// unworded finds keys of the catalogue and placeholders that were printed as themselves.
func unworded(s string) []string {
	var problems []string
	if found := key.FindString(s); found != "" {
		problems = append(problems, fmt.Sprintf("shows the key %q", strings.TrimSpace(found)))
	}
	if found := placeholder.FindString(s); found != "" {
		problems = append(problems, fmt.Sprintf("shows the placeholder %q", found))
	}
	if strings.Contains(s, "UNSPECIFIED") || strings.Contains(s, "<no value>") {
		problems = append(problems, "shows a value that is not there")
	}
	return problems
}

var (
	void  = strings.Fields("area base br col embed hr img input link meta source track wbr")
	block = strings.Fields("address article aside blockquote details div dl fieldset figure footer form h1 h2 h3 h4 header hr main nav ol p section table ul")
)

// nesting finds tags that are not closed where they were opened, and blocks inside a paragraph: browsers
// repair both, in their way.
func nesting(body string) []string {
	var problems, open []string
	z := html.NewTokenizer(strings.NewReader(body))
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			if err := z.Err(); !errors.Is(err, io.EOF) {
				problems = append(problems, err.Error())
			}
			break
		}
		t := z.Token()
		switch kind {
		case html.StartTagToken:
			if slices.Contains(block, t.Data) && slices.Contains(open, "p") {
				problems = append(problems, fmt.Sprintf("<%s> inside <p>", t.Data))
			}
			if !slices.Contains(void, t.Data) {
				open = append(open, t.Data)
			}
		case html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != t.Data {
				return append(problems, fmt.Sprintf("</%s> does not close what is open: %s", t.Data, strings.Join(open, " ")))
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		problems = append(problems, "not closed: "+strings.Join(open, " "))
	}
	return problems
}

func attr(n *html.Node, name string) string {
	if n == nil {
		return ""
	}
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

// where tells one element from another in a message.
func where(n *html.Node) string {
	for _, name := range []string{"id", "name", "href", "action", "class"} {
		if v := attr(n, name); v != "" {
			return name + "=" + v
		}
	}
	return ""
}

func text(n *html.Node) string {
	if n == nil {
		return ""
	}
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return b.String()
}
