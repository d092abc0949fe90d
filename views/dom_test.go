package views_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/a-h/templ"
	"golang.org/x/net/html"
)

// render draws a component and parses it as a browser would.
func render(t *testing.T, c templ.Component) *html.Node {
	t.Helper()
	var b bytes.Buffer
	if err := c.Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	doc, err := html.Parse(&b)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// A match decides over one element.
type match func(*html.Node) bool

func tag(names ...string) match {
	return func(n *html.Node) bool { return slices.Contains(names, n.Data) }
}

func having(key string) match {
	return func(n *html.Node) bool { _, ok := lookup(n, key); return ok }
}

func with(key, value string) match {
	return func(n *html.Node) bool { v, ok := lookup(n, key); return ok && v == value }
}

func class(name string) match {
	return func(n *html.Node) bool { return slices.Contains(strings.Fields(attr(n, "class")), name) }
}

// all lists the elements under n that satisfy every match, in document order.
func all(n *html.Node, matches ...match) []*html.Node {
	var found []*html.Node
	for d := range n.Descendants() {
		ok := d.Type == html.ElementNode
		for _, m := range matches {
			ok = ok && m(d)
		}
		if ok {
			found = append(found, d)
		}
	}
	return found
}

// one is the single element that satisfies every match.
func one(t *testing.T, n *html.Node, matches ...match) *html.Node {
	t.Helper()
	found := all(n, matches...)
	if len(found) != 1 {
		t.Fatalf("%d elements match, want one, in:\n%s", len(found), source(n))
	}
	return found[0]
}

func lookup(n *html.Node, key string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

func attr(n *html.Node, key string) string {
	v, _ := lookup(n, key)
	return v
}

// text is what n says, with white space as a browser shows it.
func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func source(n *html.Node) string {
	var b bytes.Buffer
	_ = html.Render(&b, n) // a buffer takes every write
	return b.String()
}
