package static

import (
	"io/fs"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Pairs of text and ground with the least contrast that WCAG 2.2 AA asks for:
// 4.5 for text, 3 for the edge of a control.
var contrasts = []struct {
	front, back string
	least       float64
}{
	{"ink", "paper", 4.5}, {"ink", "card", 4.5}, {"ink", "sunken", 4.5},
	{"ink", "bad-tint", 4.5}, {"ink", "warn-tint", 4.5},
	{"muted", "paper", 4.5}, {"muted", "card", 4.5}, {"muted", "sunken", 4.5},
	{"muted", "bad-tint", 4.5}, {"muted", "warn-tint", 4.5},
	{"accent", "paper", 4.5}, {"accent", "card", 4.5}, {"accent", "bad-tint", 4.5},
	{"accent-strong", "sunken", 4.5}, {"on-accent", "accent", 4.5}, {"on-accent", "accent-strong", 4.5},
	{"good", "good-tint", 4.5}, {"wait", "wait-tint", 4.5}, {"warn", "warn-tint", 4.5}, {"bad", "bad-tint", 4.5}, {"bad", "card", 4.5},
	{"edge", "card", 3}, {"edge", "paper", 3},
}

var token = regexp.MustCompile(`--([a-z-]+): light-dark\(#([0-9a-f]{6}), #([0-9a-f]{6})\);`)

func TestColoursContrast(t *testing.T) {
	t.Parallel()
	colours := map[string][2]string{}
	for _, m := range token.FindAllStringSubmatch(string(assets().byName["app.css"].plain), -1) {
		colours[m[1]] = [2]string{m[2], m[3]}
	}
	for _, c := range contrasts {
		for scheme, name := range []string{"light", "dark"} {
			front, back := colours[c.front][scheme], colours[c.back][scheme]
			if front == "" || back == "" {
				t.Fatalf("no such colour: %s or %s", c.front, c.back)
			}
			if got := contrast(t, front, back); got < c.least {
				t.Errorf("%s on %s, %s: %.2f, want %.1f", c.front, c.back, name, got, c.least)
			}
		}
	}
}

// The policy lets a page load nothing from elsewhere.
func TestStylesLoadNothing(t *testing.T) {
	t.Parallel()
	css := string(assets().byName["app.css"].plain)
	if strings.Contains(css, "url(") || strings.Contains(css, "@import") {
		t.Error("app.css refers to other files")
	}
}

// A sheet that is not listed would be served to nobody.
func TestEverySheetIsInTheStyles(t *testing.T) {
	t.Parallel()
	found, err := fs.Glob(files, "css/*")
	slices.Sort(found)
	if listed := slices.Sorted(slices.Values(sheets)); err != nil || !slices.Equal(found, listed) {
		t.Errorf("there are %v, listed are %v: %v", found, listed, err)
	}
}

// contrast is the ratio that WCAG 2.2 defines.
func contrast(t *testing.T, a, b string) float64 {
	x, y := luminance(t, a), luminance(t, b)
	return (math.Max(x, y) + 0.05) / (math.Min(x, y) + 0.05)
}

func luminance(t *testing.T, hex string) float64 {
	weights := []float64{0.2126, 0.7152, 0.0722}
	sum := 0.0
	for i, w := range weights {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			sum += w * c / 12.92
		} else {
			sum += w * math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	return sum
}
