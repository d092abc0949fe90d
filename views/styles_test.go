package views_test

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/garminlink/garminlink/static"
	"github.com/garminlink/garminlink/views"
)

var (
	comment  = regexp.MustCompile(`(?s)/\*.*?\*/`)
	selector = regexp.MustCompile(`\.(-?[a-z_][\w-]*)`)
)

// styles are the classes that the styles know of.
func styles(t *testing.T) map[string]bool {
	w := httptest.NewRecorder()
	static.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, static.Path("app.css"), nil))
	css, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	classes := map[string]bool{}
	for _, m := range selector.FindAllSubmatch(comment.ReplaceAll(css, nil), -1) {
		classes[string(m[1])] = true
	}
	return classes
}

// drawnClasses are those of all pages in all states.
func drawnClasses(t *testing.T) map[string]bool {
	classes := map[string]bool{}
	note := func(c views.Chrome, v views.View) {
		for _, n := range all(render(t, views.Whole(c, v)), having("class")) {
			for class := range strings.FieldsSeq(attr(n, "class")) {
				classes[class] = true
			}
		}
	}
	for _, page := range pages {
		note(chrome, page)
	}
	for _, page := range guestPages {
		note(views.Chrome{Base: "/connect"}, page)
	}
	note(views.Chrome{Here: "/support", Role: "admin", Prompt: &views.Prompt{State: views.ReauthNeeded}}, supportPage())
	for _, plain := range []string{views.NotLinked, views.SideYou, views.SideUs, "plain"} { // they look as nothing else does
		delete(classes, plain)
	}
	return classes
}

// What is styled and drawn nowhere is left over; what is drawn and styled
// nowhere is misspelt.
func TestStylesAndPagesHaveTheSameClasses(t *testing.T) {
	t.Parallel()
	styled, drawn := styles(t), drawnClasses(t)
	for _, class := range slices.Sorted(maps.Keys(styled)) {
		if !drawn[class] {
			t.Errorf(".%s is styled, and drawn nowhere", class)
		}
	}
	for _, class := range slices.Sorted(maps.Keys(drawn)) {
		if !styled[class] {
			t.Errorf("class %q is drawn, and styled nowhere", class)
		}
	}
}

func TestStaffSeeWhereTheyAre(t *testing.T) {
	t.Parallel()
	for here, want := range map[string]string{
		"/support":                       "Overview page",
		"/support/links?state=active":    "Links page",
		"/support/users/0195-user":       "Links true",
		"/support/users/0195-user/note":  "Links true",
		"/support/tokens/revoke":         "Service tokens true",
		"/support/links.csv":             "",
		"/link":                          "",
		"/settings?next=/support/tokens": "",
	} {
		doc := render(t, views.Whole(views.Chrome{Here: here, Role: "admin"}, views.Keys{}))
		var marked []string
		for _, n := range all(one(t, doc, tag("nav"), class("staff")), having("aria-current")) {
			marked = append(marked, text(n)+" "+attr(n, "aria-current"))
		}
		if got := strings.Join(marked, ", "); got != want {
			t.Errorf("at %s, marked is %q, want %q", here, got, want)
		}
	}
	if links := all(one(t, render(t, views.Whole(chrome, views.Keys{})), class("staff")), tag("a")); len(links) != 3 {
		t.Errorf("support is led to %d pages", len(links))
	}
}

// On a phone a table is drawn as cards: roles keep it a table, and each cell
// has the name that the head has for it.
func TestCellsAreNamedAsTheirColumns(t *testing.T) {
	t.Parallel()
	for name, page := range pages {
		for _, table := range all(render(t, views.Whole(chrome, page)), tag("table"), with("role", "table")) {
			var heads []string
			for _, h := range all(table, with("role", "columnheader")) {
				heads = append(heads, text(h))
			}
			for _, row := range all(table, tag("tr")) {
				if cells := all(row, tag("td")); len(cells) > 0 && !slices.Equal(labels(cells), heads[1:]) {
					t.Errorf("%s: cells are %q below %q", name, labels(cells), heads)
				}
			}
		}
	}
}

func labels(cells []*html.Node) (all []string) {
	for _, c := range cells {
		all = append(all, attr(c, "data-label"))
	}
	return all
}
