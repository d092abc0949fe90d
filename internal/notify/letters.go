package notify

import (
	"bytes"
	"embed"
	htmltemplate "html/template"
	"io"
	"text/template"

	"github.com/go-playground/locales"
	"github.com/go-playground/locales/de"
	"github.com/go-playground/locales/en_GB"
	"github.com/go-playground/locales/es"
	"github.com/go-playground/locales/fr"
	"github.com/go-playground/locales/zh_Hans"
	"golang.org/x/text/language"
)

// What mails say is in one file for each language, and what they look like in
// two frames.
//
//go:embed mails
var mailFiles embed.FS

var (
	textFrame = template.Must(template.ParseFS(mailFiles, "mails/frame.txt"))
	htmlFrame = htmltemplate.Must(htmltemplate.ParseFS(mailFiles, "mails/frame.html"))
)

// tongue is a language that mails are written in.
type tongue struct {
	tag    string
	locale locales.Translator
	says   *template.Template
}

var tongues = []tongue{
	newTongue("en", en_GB.New()), newTongue("de", de.New()), newTongue("es", es.New()),
	newTongue("fr", fr.New()), newTongue("zh-Hans", zh_Hans.New()),
}

func newTongue(tag string, l locales.Translator) tongue {
	return tongue{tag: tag, locale: l, says: template.Must(template.ParseFS(mailFiles, "mails/"+tag+".txt"))}
}

var nearest = language.NewMatcher(func() (tags []language.Tag) {
	for _, t := range tongues {
		tags = append(tags, language.MustParse(t.tag))
	}
	return tags
}())

// tongueOf is the nearest to a BCP 47 tag that a user or a host application has
// chosen; English if there is none.
func tongueOf(tag string) tongue {
	_, i := language.MatchStrings(nearest, tag)
	return tongues[i]
}

// Says is a part of what a mail says.
func (w words) Says(part string) (string, error) { return printed(w.tongue.says, part, w) }

// write returns both forms of the mail.
func (w words) write() (text, html string, err error) {
	if text, err = printed(textFrame, "text", w); err != nil {
		return "", "", err
	}
	html, err = printed(htmlFrame, "html", w)
	return text, html, err
}

// templates are those of a text or of a page.
type templates interface {
	ExecuteTemplate(to io.Writer, name string, data any) error
}

func printed(t templates, name string, w words) (string, error) {
	var out bytes.Buffer
	err := t.ExecuteTemplate(&out, name, w)
	return out.String(), err
}
