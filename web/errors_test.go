package web

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/views"
)

// constants lists the values of all constants of a type in a package of ours.
func constants(t *testing.T, dir, typeName string) (values []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			of, ok := spec.Type.(*ast.Ident)
			literal, isLiteral := spec.Values[0].(*ast.BasicLit)
			if ok && isLiteral && of.Name == typeName {
				value, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				values = append(values, value)
			}
			return true
		})
	}
	if len(values) == 0 {
		t.Fatalf("%s has no constants of type %s", dir, typeName)
	}
	return values
}

func english(t *testing.T) *texts {
	t.Helper()
	all, err := readTexts()
	if err != nil {
		t.Fatal(err)
	}
	return all["en"]
}

func wantWords(t *testing.T, about string, m message) {
	t.Helper()
	sides := []string{views.SideYou, views.SideGarmin, views.SideUs}
	if m.Title == "" || m.Text == "" || !slices.Contains(sides, m.Side) {
		t.Errorf("%s has no full message: %+v", about, m)
	}
}

func TestEveryKindHasAPlaceAndWords(t *testing.T) {
	t.Parallel()
	words := english(t)
	kinds := constants(t, "../internal/link", "Kind")
	for _, k := range kinds {
		a, ofForm := words.judge(&link.Error{Kind: link.Kind(k)})
		wantWords(t, k, a.message)
		if !ofForm || a.status < 400 || http.StatusText(a.status) == "" {
			t.Errorf("%s: status %d, of the form: %v", k, a.status, ofForm)
		}
		if a.field == "" && a.Action == "" && a.retry == 0 && a.status == http.StatusUnprocessableEntity {
			t.Errorf("%s does not say what to do next", k)
		}
	}
	if len(linkPlaces) != len(kinds) || len(words.Link) != len(kinds) {
		t.Errorf("%d kinds, %d places, %d messages", len(kinds), len(linkPlaces), len(words.Link))
	}
}

// Where nobody looked at the password, Garmin's own page is the way.
func TestGarminsOwnPageIsNamedWhereItHelps(t *testing.T) {
	t.Parallel()
	words := english(t)
	for _, k := range []link.Kind{link.Captcha, link.Blocked, link.RateLimited} {
		if a, _ := words.judge(&link.Error{Kind: k}); !strings.Contains(a.instead, "Garmin’s own page") {
			t.Errorf("%s: %q", k, a.instead)
		}
	}
	if a, _ := words.judge(&link.Error{Kind: link.WrongPassword}); a.instead != "" || len(words.Instead) != 3 {
		t.Errorf("it is offered elsewhere, too: %v", words.Instead)
	}
}

func TestEveryReasonAndNoticeHasWords(t *testing.T) {
	t.Parallel()
	words := english(t)
	reasons := constants(t, "../internal/link", "Reason")
	for _, r := range reasons {
		if words.Reasons[link.Reason(r)] == "" {
			t.Errorf("no words for the reason %s", r)
		}
	}
	notices := slices.DeleteFunc(constants(t, ".", "notice"), func(n string) bool { return n == "" })
	for _, n := range notices {
		if words.Notices[notice(n)] == "" {
			t.Errorf("no words for the notice %s", n)
		}
	}
	if len(words.Reasons) != len(reasons) || len(words.Notices) != len(notices) {
		t.Error("there are words that nothing shows")
	}
}

func TestEveryScopeHasWords(t *testing.T) {
	t.Parallel()
	words := english(t)
	for _, scope := range constants(t, "../internal/account", "Scope") {
		if words.Scopes[account.Scope(scope)] == "" {
			t.Errorf("no words for the scope %s", scope)
		}
	}
	if len(words.Scopes) != len(account.Scopes()) {
		t.Error("there are words that nothing shows")
	}
}

func TestEveryAccountErrorHasWords(t *testing.T) {
	t.Parallel()
	words := english(t)
	for _, p := range accountPlaces {
		a, ofForm := words.judge(errors.Join(errors.New("while signing up"), p.err))
		wantWords(t, p.text, a.message)
		if !ofForm || a.status < 400 || http.StatusText(a.status) == "" {
			t.Errorf("%s: status %d, of the form: %v", p.text, a.status, ofForm)
		}
	}
	if len(words.Account) != len(accountPlaces) {
		t.Error("there are words that nothing shows")
	}
}

func TestOtherErrorsAreOurFault(t *testing.T) {
	t.Parallel()
	words := english(t)
	for _, err := range []error{errors.New("anything"), account.ErrNotFound, link.ErrNotFound, &link.Error{Kind: "unheard_of"}} {
		a, ofForm := words.judge(err)
		if ofForm || a.status != http.StatusInternalServerError || a.Side != views.SideUs {
			t.Errorf("%v: %+v, of the form: %v", err, a, ofForm)
		}
	}
	if a, _ := words.judge(errors.Join(link.ErrStoreDown)); a.status != http.StatusServiceUnavailable {
		t.Errorf("a database that is down: %d", a.status)
	}
	for status, m := range words.Pages {
		wantWords(t, strconv.Itoa(status), m)
	}
}

func TestEveryEventHasWords(t *testing.T) {
	t.Parallel()
	h := english(t).History
	actors := append(constants(t, "../internal/link", "Actor"), "any")
	events := constants(t, "../internal/link", "Event")
	for _, e := range events {
		words := h.Events[link.Event(e)]
		if words["any"] == "" {
			t.Errorf("%s has no words", e)
		}
		for actor, text := range words {
			if !slices.Contains(actors, actor) || text == "" || strings.Count(text, "{") != strings.Count(text, "{program}") {
				t.Errorf("%s by %s: %q", e, actor, text)
			}
		}
	}
	if len(h.Events) != len(events) || h.Unknown == "" || h.Program == "" {
		t.Errorf("there are words for %d events of %d", len(h.Events), len(events))
	}
}
