package api

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"

	"github.com/garminlink/garminlink/internal/link"
)

// kinds are all that internal/link has.
func kinds(t *testing.T) (all []link.Kind) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../internal/link/errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		of, isKind := spec.Type.(*ast.Ident)
		literal, isText := spec.Values[0].(*ast.BasicLit)
		if isKind && isText && of.Name == "Kind" {
			text, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, link.Kind(text))
		}
		return true
	})
	return all
}

func TestEveryKindHasItsPlace(t *testing.T) {
	t.Parallel()
	all := kinds(t)
	for _, k := range all {
		_, told := kindCodes[k]
		if foreign := slices.Contains(foreignKinds, k); told == foreign {
			t.Errorf("%s: told to programs %v, foreign to them %v", k, told, foreign)
		}
	}
	if len(all) != len(kindCodes)+len(foreignKinds) {
		t.Errorf("%d kinds, %d of them told and %d foreign", len(all), len(kindCodes), len(foreignKinds))
	}
}

func TestProblemsOfKinds(t *testing.T) {
	t.Parallel()
	a, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range kinds(t) {
		r := a.judge(&link.Error{Kind: k})
		if want, told := kindCodes[k]; told && r.Code != want || !told && r.Code != CodeInternalError {
			t.Errorf("%s is told as %s", k, r.Code)
		}
		if told := r.UserMessage != nil; told != (toldUsers[k] != "") {
			t.Errorf("%s: a message for users is %v", k, told)
		} else if told && len(*r.UserMessage) < 20 {
			t.Errorf("%s: users are told %q", k, *r.UserMessage)
		}
	}
	for _, err := range []error{link.ErrStoreDown, link.ErrUnreadable} {
		if r := a.judge(fmt.Errorf("reading: %w", err)); r.Code != CodeUnavailable {
			t.Errorf("%v is told as %s", err, r.Code)
		}
	}
	if r := a.judge(&link.Error{Kind: link.LifeTooLong, Longest: 90e9}); r.MaxTTL == nil || *r.MaxTTL != 90 {
		t.Errorf("a life too long is told as %+v", r.Problem)
	}
}
