package views

import (
	"context"
	"embed"
	"fmt"
	"io"
	"regexp"

	"github.com/a-h/templ"
	"github.com/go-playground/locales"
	"github.com/go-playground/locales/de"
	"github.com/go-playground/locales/en_GB"
	"github.com/go-playground/locales/es"
	"github.com/go-playground/locales/fr"
	"github.com/go-playground/locales/zh_Hans"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"github.com/nicksnyder/go-i18n/v2/i18n/template"
	"golang.org/x/text/language"
)

// The pages are written in English, and what they say in English is the key of
// its translations, one file for each other language.
//
//go:embed words/*.json
var translations embed.FS

// Language is one in which the pages can be read.
type Language struct {
	Tag  string // BCP 47
	Name string // in the language itself

	locale    locales.Translator
	localizer *i18n.Localizer
}

// Languages lists all of them, the one that they are written in first.
var Languages = []*Language{
	{Tag: "en", Name: "English", locale: en_GB.New()},
	{Tag: "de", Name: "Deutsch", locale: de.New()},
	{Tag: "es", Name: "Español", locale: es.New()},
	{Tag: "fr", Name: "Français", locale: fr.New()},
	{Tag: "zh-Hans", Name: "简体中文", locale: zh_Hans.New()},
}

func init() {
	bundle := i18n.NewBundle(language.English)
	for _, l := range Languages[1:] {
		if _, err := bundle.LoadMessageFileFS(translations, "words/"+l.Tag+".json"); err != nil {
			panic(fmt.Sprintf("views/words/%s.json: %v", l.Tag, err))
		}
	}
	for _, l := range Languages {
		l.localizer = i18n.NewLocalizer(bundle, l.Tag)
	}
}

type languageKey struct{}

// In makes whatever is drawn with the context speak the language of a tag in
// Languages; else it speaks English.
func In(ctx context.Context, tag string) context.Context {
	for _, l := range Languages {
		if l.Tag == tag {
			return context.WithValue(ctx, languageKey{}, l)
		}
	}
	return ctx
}

func languageOf(ctx context.Context) *Language {
	if l, ok := ctx.Value(languageKey{}).(*Language); ok {
		return l
	}
	return Languages[0]
}

// say is english in the language of the page. The arguments take the places of
// the {names} in it, in the order in which english has them first; integers
// are written as the language writes them.
//
//	say(ctx, "Signed in as {email}", email)
func say(ctx context.Context, english string, args ...any) string {
	l := languageOf(ctx)
	return l.fill(l.phrase(english, "", nil), values(english, args))
}

// sayN is say for a number of things. Both forms are English; {n} is n, and the
// arguments are for the other names in them.
//
//	sayN(ctx, 3, "{n} attempt left", "{n} attempts left")
func sayN(ctx context.Context, n int, one, many string, args ...any) string {
	l := languageOf(ctx)
	return l.fill(l.phrase(many, one, n), valuesN(n, many, args))
}

// sentence is say with components in some of its places, such as links, bold
// words and times.
//
//	@sentence("Look at {link} first.", link("/history", say(ctx, "the history")))
func sentence(english string, args ...any) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		l := languageOf(ctx)
		return l.draw(ctx, w, l.phrase(english, "", nil), values(english, args))
	})
}

// sentenceN is to sentence what sayN is to say.
func sentenceN(n int, one, many string, args ...any) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		l := languageOf(ctx)
		return l.draw(ctx, w, l.phrase(many, one, n), valuesN(n, many, args))
	})
}

// phrase is a text with its places still open. A count makes it the plural
// form that the language has for so many; without a translation it is English,
// which the tests do not let happen.
func (l *Language) phrase(english, one string, count any) string {
	text, err := l.localizer.Localize(&i18n.LocalizeConfig{
		DefaultMessage: &i18n.Message{ID: english, One: one, Other: english},
		PluralCount:    count, TemplateParser: template.IdentityParser{},
	})
	if text == "" {
		panic(fmt.Sprintf("views: no words for %q: %v", english, err))
	}
	return text
}

var places = regexp.MustCompile(`\{[a-z]+\}`)

// values are the arguments by the places that they take.
func values(english string, args []any) map[string]any {
	in := make(map[string]any, len(args))
	return assign(in, english, args)
}

func valuesN(n int, english string, args []any) map[string]any {
	return assign(map[string]any{"{n}": n}, english, args)
}

func assign(in map[string]any, english string, args []any) map[string]any {
	for _, place := range places.FindAllString(english, -1) {
		if _, taken := in[place]; taken {
			continue
		}
		if len(args) == 0 {
			panic(fmt.Sprintf("views: nothing for %s in %q", place, english))
		}
		in[place], args = args[0], args[1:]
	}
	return in
}

func (l *Language) fill(text string, in map[string]any) string {
	return places.ReplaceAllStringFunc(text, func(place string) string { return l.print(in[place]) })
}

func (l *Language) draw(ctx context.Context, w io.Writer, text string, in map[string]any) error {
	for text != "" {
		at := places.FindStringIndex(text)
		if at == nil {
			at = []int{len(text), len(text)}
		}
		if _, err := io.WriteString(w, templ.EscapeString(text[:at[0]])); err != nil {
			return err
		}
		if err := l.drawOne(ctx, w, in[text[at[0]:at[1]]]); err != nil {
			return err
		}
		text = text[at[1]:]
	}
	return nil
}

func (l *Language) drawOne(ctx context.Context, w io.Writer, value any) error {
	if component, ok := value.(templ.Component); ok {
		return component.Render(ctx, w)
	}
	_, err := io.WriteString(w, templ.EscapeString(l.print(value)))
	return err
}

func (l *Language) print(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case int:
		return l.locale.FmtNumber(float64(v), 0)
	default:
		return fmt.Sprint(v)
	}
}

// Say is say, for the words that web's own code makes.
func Say(ctx context.Context, english string, args ...any) string { return say(ctx, english, args...) }

// SayN is sayN, likewise.
func SayN(ctx context.Context, n int, one, many string, args ...any) string {
	return sayN(ctx, n, one, many, args...)
}
