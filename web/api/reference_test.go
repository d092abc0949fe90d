package api

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"html"
	"html/template"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

var update = flag.Bool("update", false, "write reference.html anew")

// TestTheReferenceIsCurrent makes the page from the contract, so that neither
// has to be read by the program.
func TestTheReferenceIsCurrent(t *testing.T) {
	t.Parallel()
	k := contractOf(t)
	page, err := template.New("reference.tmpl").Funcs(template.FuncMap{
		"prose": prose, "lines": func(s string) []string { return strings.Split(s, "\n") }, "codes": k.codes,
		"style":      func() template.HTMLAttr { return `href="{{.Style}}"` }, // for readReference
		"schema":     func(name string) *openapi3.Schema { return k.Components.Schemas[name].Value },
		"operations": k.operations, "fields": fields, "example": exampleOf, "limits": limits,
	}).ParseFiles("reference.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	var made bytes.Buffer
	if err := page.Execute(&made, k.T); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("reference.html", made.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if made.String() != reference {
		t.Error("reference.html is not current: make generate")
	}
}

// operation is one as the page shows it.
type operation struct {
	*openapi3.Operation
	Method, Path string
	Parameters   []*openapi3.Parameter
	Body, Answer *openapi3.Schema
	Statuses     []string
}

// operations are those of a tag, in the order of paths.
func (k contract) operations(tag string) (all []operation) {
	for _, path := range k.Paths.InMatchingOrder() {
		for method, o := range k.Paths.Find(path).Operations() {
			if o.Tags[0] != tag {
				continue
			}
			made := operation{Operation: o, Method: method, Path: path, Statuses: slices.Sorted(keys(o.Responses.Map()))}
			for _, p := range slices.Concat(k.Paths.Find(path).Parameters, o.Parameters) {
				made.Parameters = append(made.Parameters, p.Value)
			}
			if o.RequestBody != nil {
				made.Body = o.RequestBody.Value.Content["application/json"].Schema.Value
			}
			for _, status := range []string{"200", "201"} {
				if r := o.Responses.Value(status); r != nil {
					made.Answer = r.Value.Content["application/json"].Schema.Value
				}
			}
			all = append(all, made)
		}
	}
	slices.SortFunc(all, func(a, b operation) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(b.Method, a.Method)) // what reads first
	})
	return all
}

func keys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

type field struct{ Name, Limits, Description string }

// fields are those of an object, the required ones first.
func fields(s *openapi3.Schema) (all []field) {
	names := slices.Sorted(keys(s.Properties))
	slices.SortStableFunc(names, func(a, b string) int {
		return strings.Compare(fmt.Sprint(!slices.Contains(s.Required, a)), fmt.Sprint(!slices.Contains(s.Required, b)))
	})
	for _, name := range names {
		p := s.Properties[name].Value
		said := limits(p)
		if !slices.Contains(s.Required, name) {
			said += ", optional"
		}
		all = append(all, field{name, said, p.Description})
	}
	return all
}

// limits says in a few words what a value may be.
func limits(s *openapi3.Schema) string {
	if len(s.AnyOf) > 0 {
		return limits(s.AnyOf[0].Value) + " or null"
	}
	said := strings.Join(s.Type.Slice(), " or ")
	if s.Format != "" {
		said += " (" + s.Format + ")"
	}
	if s.Items != nil {
		said += " of " + limits(s.Items.Value)
	}
	if len(s.Enum) > 0 {
		said = strings.Trim(strings.ReplaceAll(fmt.Sprint(s.Enum), " ", ", "), "[]")
	}
	if s.Min != nil && s.Max != nil {
		said += fmt.Sprintf(", %g to %g", *s.Min, *s.Max)
	}
	if s.Default != nil {
		said += fmt.Sprintf(", %v if absent", s.Default)
	}
	return said
}

func exampleOf(s *openapi3.Schema) (string, error) {
	if s.Example == nil {
		return "", nil
	}
	text, err := json.MarshalIndent(s.Example, "", "  ")
	return string(text), err
}

type explained struct{ Code, Status, Meaning string }

func (k contract) codes() (all []explained) {
	for _, line := range codeLine.FindAllStringSubmatch(k.Components.Schemas["Code"].Value.Description, -1) {
		all = append(all, explained{line[1], line[2], line[3]})
	}
	return all
}

var inCode = regexp.MustCompile("`([^`]+)`")

// prose writes the little Markdown that the contract has: paragraphs and code.
func prose(text string) template.HTML {
	var out strings.Builder
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		if paragraph != "" {
			out.WriteString("<p>" + inCode.ReplaceAllString(html.EscapeString(paragraph), "<code>$1</code>") + "</p>\n")
		}
	}
	return template.HTML(out.String())
}
