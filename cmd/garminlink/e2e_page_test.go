package main

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// page is an answer as a browser sees it.
type page struct {
	t      testing.TB
	path   string // that was asked for
	status int
	header http.Header
	source string
	doc    *html.Node
}

func readPage(t testing.TB, response *http.Response) *page {
	t.Helper()
	source, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := html.Parse(strings.NewReader(string(source)))
	if err != nil {
		t.Fatal(err)
	}
	request := response.Request
	return &page{t, request.Method + " " + request.URL.RequestURI(), response.StatusCode, response.Header, string(source), doc}
}

// A match decides over one element.
type match func(*html.Node) bool

func tag(name string) match { return func(n *html.Node) bool { return n.Data == name } }

func with(key, value string) match {
	return func(n *html.Node) bool { v, ok := attribute(n, key); return ok && v == value }
}

func class(name string) match {
	return func(n *html.Node) bool {
		v, _ := attribute(n, "class")
		return slices.Contains(strings.Fields(v), name)
	}
}

func attribute(n *html.Node, key string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

// find lists the elements that satisfy every match, in document order.
func (p *page) find(matches ...match) []*html.Node {
	var found []*html.Node
	for n := range p.doc.Descendants() {
		if n.Type == html.ElementNode && !slices.ContainsFunc(matches, func(m match) bool { return !m(n) }) {
			found = append(found, n)
		}
	}
	return found
}

// saying is the text of the first such element; "" if there is none.
func (p *page) saying(matches ...match) string {
	found := p.find(matches...)
	if len(found) == 0 {
		return ""
	}
	return textOf(found[0])
}

// textOf is what an element says, with white space as a browser shows it.
func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func (p *page) text() string { return textOf(p.doc) }

// value is what a field holds.
func (p *page) value(name string) string {
	p.t.Helper()
	found := p.find(tag("input"), with("name", name))
	if len(found) == 0 {
		p.t.Fatalf("%s has no field %s:\n%s", p.path, name, p.text())
	}
	value, _ := attribute(found[0], "value")
	return value
}

// want checks the status.
func (p *page) want(status int) *page {
	p.t.Helper()
	if p.status != status {
		p.t.Fatalf("%s answers %d, want %d:\n%s", p.path, p.status, status, p.text())
	}
	return p
}

func (p *page) wantRedirect(to string) *page {
	p.t.Helper()
	p.want(http.StatusSeeOther)
	if got := p.header.Get("Location"); got != to {
		p.t.Fatalf("%s leads to %q, want %q", p.path, got, to)
	}
	return p
}

func (p *page) wantHeading(want string) *page {
	p.t.Helper()
	if got := p.saying(tag("h1")); got != want {
		p.t.Errorf("%s has the heading %q, want %q", p.path, got, want)
	}
	return p
}

// wantState reads the badge, whose class is the state.
func (p *page) wantState(want string) *page {
	p.t.Helper()
	if len(p.find(class("badge"), class(want))) == 0 {
		p.t.Errorf("%s shows %q, want the state %s", p.path, p.saying(class("badge")), want)
	}
	return p
}

// wantProblem reads the heading of the problem.
func (p *page) wantProblem(want string) *page {
	p.t.Helper()
	got := p.saying(with("id", "problem-title"))
	if got == "" && len(p.find(class("problem"))) > 0 {
		got = p.saying(tag("h1"))
	}
	if got != want {
		p.t.Errorf("%s tells of %q, want %q:\n%s", p.path, got, want, p.text())
	}
	return p
}

func (p *page) wantNotice(want string) *page {
	p.t.Helper()
	if got := p.saying(class("notice")); got != want {
		p.t.Errorf("%s has the notice %q, want %q", p.path, got, want)
	}
	return p
}

func (p *page) wantText(wants ...string) *page {
	p.t.Helper()
	for _, want := range wants {
		if !strings.Contains(p.text(), want) {
			p.t.Errorf("%s does not say %q:\n%s", p.path, want, p.text())
		}
	}
	return p
}

// wantFact reads the list of what is known about the link.
func (p *page) wantFact(name, want string) *page {
	p.t.Helper()
	for _, n := range p.find(tag("dt")) {
		if textOf(n) == name && strings.HasPrefix(textOf(n.Parent), name+want) {
			return p
		}
	}
	p.t.Errorf("%s does not say %s: %s:\n%s", p.path, name, want, p.text())
	return p
}

// wantFieldError checks that a field is marked, described by its error, and
// focused.
func (p *page) wantFieldError(name, want string) *page {
	p.t.Helper()
	for _, field := range p.find(tag("input"), with("name", name), with("aria-invalid", "true")) {
		_, focused := attribute(field, "autofocus")
		by, _ := attribute(field, "aria-describedby")
		for id := range strings.FieldsSeq(by) {
			if focused && strings.Contains(p.saying(with("id", id)), want) {
				return p
			}
		}
	}
	p.t.Errorf("%s does not say %q at the focused field %s:\n%s", p.path, want, name, p.text())
	return p
}

// wantWait checks that Retry-After and the countdown agree and lie within
// these seconds.
func (p *page) wantWait(least, most int) *page {
	p.t.Helper()
	after, err := strconv.Atoi(p.header.Get("Retry-After"))
	if err != nil || after < least || after > most {
		p.t.Errorf("%s has Retry-After %q, want %d to %d", p.path, p.header.Get("Retry-After"), least, most)
	}
	for _, n := range p.find(with("id", "retry-wait")) {
		if shown, _ := attribute(n, "data-countdown"); shown != strconv.Itoa(after) {
			p.t.Errorf("%s counts down from %s, and Retry-After is %d", p.path, shown, after)
		}
	}
	return p
}
