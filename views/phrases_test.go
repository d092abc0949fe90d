package views

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// phrase is what a page says in English, in the source.
type phrase struct{ one, many string } // one is "" if nothing is counted

// phrases are all that is said, by their keys.
func phrases(t *testing.T) map[string]phrase {
	t.Helper()
	said := map[string]phrase{}
	var files []string
	for _, pattern := range []string{"*.go", "../web/*.go"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	set := token.NewFileSet()
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || name == "words.go" {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				collect(t, set, call, said)
			}
			return true
		})
	}
	if len(said) < 100 {
		t.Fatalf("only %d phrases are found", len(said))
	}
	return said
}

// collect adds what a call says. The arguments that are English must be
// literals, or their translations cannot be looked after.
func collect(t *testing.T, set *token.FileSet, call *ast.CallExpr, said map[string]phrase) {
	t.Helper()
	name := ""
	switch f := call.Fun.(type) {
	case *ast.Ident:
		name = f.Name
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok && x.Name == "views" {
			name = f.Sel.Name
		}
	}
	at, counts := map[string]int{"say": 1, "Say": 1, "sentence": 0, "sayN": 2, "SayN": 2, "sentenceN": 1}[name], strings.HasSuffix(name, "N")
	if at == 0 && name != "sentence" {
		return
	}
	p := phrase{many: literal(call.Args[at])}
	if counts {
		p = phrase{one: p.many, many: literal(call.Args[at+1])}
		at++
	}
	if p.many == "" || counts && p.one == "" {
		t.Errorf("%s: what is said is no literal", set.Position(call.Pos()))
	}
	open := slices.DeleteFunc(placesOf(p.many), func(place string) bool { return counts && place == "{n}" })
	if len(open) != len(call.Args)-at-1 {
		t.Errorf("%s: %d arguments for %v", set.Position(call.Pos()), len(call.Args)-at-1, open)
	}
	if former, known := said[p.many]; known && former != p {
		t.Errorf("%s: %q is counted here and not there, or otherwise", set.Position(call.Pos()), p.many)
	}
	said[p.many] = p
}

func literal(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, _ := strconv.Unquote(e.Value)
		return text
	case *ast.BinaryExpr:
		return literal(e.X) + literal(e.Y)
	default:
		return ""
	}
}

// placesOf lists the {names} in a text, each once.
func placesOf(text string) []string {
	found := places.FindAllString(text, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

// says reports that a text has words of its own.
func says(text string) bool {
	return strings.ContainsAny(places.ReplaceAllString(text, ""), "abcdefghijklmnopqrstuvwxyz")
}

// translationsOf are the forms of each phrase that a file has.
func translationsOf(t *testing.T, tag string) map[string]map[string]string {
	t.Helper()
	file, err := translations.ReadFile("words/" + tag + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var entries map[string]any
	if err := json.Unmarshal(file, &entries); err != nil {
		t.Fatal(err)
	}
	all := map[string]map[string]string{}
	for key, entry := range entries {
		switch entry := entry.(type) {
		case string:
			all[key] = map[string]string{"": entry}
		case map[string]any:
			all[key] = map[string]string{}
			for form, text := range entry {
				all[key][form], _ = text.(string)
			}
		}
	}
	return all
}

// same are phrases that a language writes as English does.
var same = map[string][]string{
	"de": {"Code", "Name", "Region", "Version", "Webhooks", "Worker"},
	"es": {"Error:", "No", "Roles", "Webhooks", "Worker", "Workers"},
	"fr": {"Active", "Code", "Note", "Pages", "Session", "Version", "Webhooks", "Worker", "Workers", "{n} minutes"},
}

func TestEveryPhraseIsTranslated(t *testing.T) {
	t.Parallel()
	said := phrases(t)
	forms := map[string][]string{"de": {"one", "other"}, "es": {"many", "one", "other"}, "fr": {"many", "one", "other"}, "zh-Hans": {"other"}}
	for _, l := range Languages[1:] {
		entries := translationsOf(t, l.Tag)
		for key, p := range said {
			want := []string{""}
			if p.one != "" {
				want = forms[l.Tag]
			}
			if got := slices.Sorted(maps.Keys(entries[key])); !slices.Equal(got, want) {
				t.Errorf("%s: %q has the forms %q, want %q", l.Tag, key, got, want)
			}
			for form, text := range entries[key] {
				checkTranslation(t, l.Tag, p, form, text)
			}
		}
		for key := range entries {
			if _, used := said[key]; !used {
				t.Errorf("%s: nobody says %q", l.Tag, key)
			}
		}
	}
}

func checkTranslation(t *testing.T, tag string, p phrase, form, text string) {
	t.Helper()
	got, want := placesOf(text), placesOf(p.many)
	if form == "one" {
		got = slices.DeleteFunc(got, func(place string) bool { return place == "{n}" }) // it may be a word
		want = slices.DeleteFunc(want, func(place string) bool { return place == "{n}" })
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: %q has the places %v", tag, text, got)
	}
	if text == "" || text == p.many && says(text) && !slices.Contains(same[tag], text) {
		t.Errorf("%s: %q is not translated", tag, p.many)
	}
}
