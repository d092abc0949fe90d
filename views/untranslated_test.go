package views_test

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/garminlink/garminlink/views"
)

// What is written in Latin letters in Chinese, too: names, and what is typed.
var latin = regexp.MustCompile(`Garmin Connect|garminlink setup-token|python-garminconnect|garminlink|garmin\.(com|cn)|Garmin|garth|` +
	`Webhook|UTC|CSV|ticket=ST-…|ext:|410 Gone|Ctrl|ms\b`)

var english = regexp.MustCompile(`[A-Za-z]{2,}`)

// Every page in every state, in Chinese: what is still written in Latin letters
// is of the page's own data, or a name, or was forgotten.
func TestNoPageHoldsUntranslatedText(t *testing.T) {
	t.Parallel()
	for name, page := range pages {
		if name == "parts" {
			continue // for those who make the pages
		}
		untranslated(t, name, views.Whole(chrome, page), page, chrome)
	}
	c := views.Chrome{Base: "/connect", SignedInID: "0195", Nonce: chrome.Nonce, SimulatedGarmin: true}
	for name, page := range guestPages {
		untranslated(t, "a guest's "+name, views.Whole(c, page), page, c)
	}
	for name, p := range prompts {
		c := chrome
		c.Prompt = &p.Prompt
		untranslated(t, "the prompt "+name, views.Whole(c, pages["history"]), pages["history"], c)
	}
}

func untranslated(t *testing.T, name string, drawn interface {
	Render(context.Context, io.Writer) error
}, data ...any) {
	t.Helper()
	var b bytes.Buffer
	if err := drawn.Render(views.In(t.Context(), "zh-Hans"), &b); err != nil {
		t.Fatal(err)
	}
	doc, err := html.Parse(&b)
	if err != nil {
		t.Fatal(err)
	}
	var known []string
	for _, d := range data {
		for _, text := range stringsIn(reflect.ValueOf(d)) {
			known = append(known, latin.ReplaceAllString(text, ""))
		}
	}
	slices.SortFunc(known, func(a, b string) int { return cmp.Compare(len(b), len(a)) }) // the longest first
	for _, text := range textsIn(doc) {
		left := latin.ReplaceAllString(text, "")
		for _, k := range known {
			left = strings.ReplaceAll(left, k, "")
		}
		if found := english.FindString(left); found != "" {
			t.Errorf("%s: %q in %q", name, found, text)
		}
	}
}

// stringsIn are all texts that a value holds, and their lines.
func stringsIn(v reflect.Value) (found []string) {
	switch v.Kind() {
	case reflect.String:
		for _, line := range strings.Split(v.String(), "\n") {
			if len(line) > 1 {
				found = append(found, line)
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			found = append(found, stringsIn(v.Field(i))...)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			found = append(found, stringsIn(v.Index(i))...)
		}
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return stringsIn(v.Elem())
		}
	}
	return found
}

// What readers or their programs are told by attributes.
var told = []string{"title", "alt", "placeholder", "aria-label", "data-done", "data-busy", "data-title", "aria-description", "aria-roledescription", "summary"}

// textsIn are the texts that are read, or heard, in the page's language.
func textsIn(n *html.Node) (found []string) {
	switch {
	case n.Type == html.TextNode:
		return []string{strings.TrimSpace(n.Data)}
	case n.Type == html.ElementNode && (slices.Contains([]string{"script", "style", "code"}, n.Data) || attr(n, "translate") == "no"):
		return nil
	case n.Type == html.ElementNode && n.Data != "html" && attr(n, "lang") != "":
		return nil
	}
	for _, key := range told {
		if text := attr(n, key); text != "" {
			found = append(found, text)
		}
	}
	for c := range n.ChildNodes() {
		found = append(found, textsIn(c)...)
	}
	return found
}
