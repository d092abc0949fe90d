package web

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/garminlink/garminlink/views"
	"github.com/garminlink/garminlink/web/messages"
)

// flat are the texts of a language by their path in the file.
func flat(t *testing.T, tag string) map[string]string {
	t.Helper()
	file, err := messages.In(tag)
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := json.Unmarshal(file, &tree); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	flatten(all, "", tree)
	return all
}

func flatten(to map[string]string, path string, node any) {
	switch node := node.(type) {
	case string:
		to[path] = node
	case map[string]any:
		for key, below := range node {
			flatten(to, path+"/"+key, below)
		}
	}
}

var braced = regexp.MustCompile(`\{\w*\}`)

// Sides are no words, and the names of webhooks' events are the same anywhere.
func asInEnglish(path string) bool {
	return strings.HasSuffix(path, "/side") || strings.HasPrefix(path, "/timeline/webhook/")
}

func TestEveryLanguageSaysTheSame(t *testing.T) {
	t.Parallel()
	english := flat(t, "en")
	for _, l := range views.Languages[1:] {
		words := flat(t, l.Tag)
		if got, want := slices.Sorted(maps.Keys(words)), slices.Sorted(maps.Keys(english)); !slices.Equal(got, want) {
			t.Errorf("%s has other texts than English: %d, not %d", l.Tag, len(got), len(want))
		}
		for path, text := range words {
			if text == english[path] && !asInEnglish(path) {
				t.Errorf("%s: %s is as in English: %q", l.Tag, path, text)
			}
			if strings.HasSuffix(path, "/side") && text != english[path] {
				t.Errorf("%s: %s is %q", l.Tag, path, text)
			}
			got, want := braced.FindAllString(text, -1), braced.FindAllString(english[path], -1)
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("%s: %s has the places %v, want %v", l.Tag, path, got, want)
			}
		}
	}
}
