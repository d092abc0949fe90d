package notify

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"io"
	"strings"
	"text/template"

	gomail "github.com/wneessen/go-mail"

	"github.com/garminlink/garminlink/internal/link"
)

//go:embed mails
var mailFiles embed.FS

var (
	textMails = template.Must(template.ParseFS(mailFiles, "mails/en.txt"))
	htmlMails = htmltemplate.Must(htmltemplate.ParseFS(mailFiles, "mails/en.html"))
)

// words are what a mail is written with, ready to print.
type words struct {
	Type         link.EventType
	Reason       link.Reason
	Site         string // our host, as people know it
	At           string
	EndsOn       string // a day
	EndsAt       string
	Address, Off string // where to sign in again, and where to end further mails
	OfHost       bool

	Subject, Why string // as the text has them
}

const (
	dayForm    = "2 January"
	momentForm = "2 January 2006, 15:04 UTC"
)

// compose writes the mail. All attempts to send it have one id, by which mail
// programs know it again.
func (m *Mail) compose(ctx context.Context, n ClaimedMail) (*gomail.Msg, error) {
	address, err := m.addressFor(ctx, n)
	if err != nil {
		return nil, err
	}
	off := m.BaseURL.JoinPath("mail", OptOuts{m.Vault}.Token(n.User)).String()
	w := words{
		Type: n.Type, Reason: n.Reason, Site: m.BaseURL.Host, Address: address, Off: off, OfHost: n.OfHost,
		At: n.At.UTC().Format(momentForm), EndsOn: n.EndsAt.UTC().Format(dayForm), EndsAt: n.EndsAt.UTC().Format(momentForm),
	}
	text, html, err := w.write()
	if err != nil {
		return nil, err
	}
	message := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	message.FromMailAddress(&m.From)
	if err := message.To(n.Address); err != nil {
		return nil, err
	}
	message.Subject(w.Subject)
	message.SetDateWithValue(n.Now.UTC())
	message.SetMessageIDWithValue(m.idOf(n))
	message.SetGenHeader("Auto-Submitted", "auto-generated")
	if message.SetListUnsubscribeOneClick(off) != nil {
		message.SetListUnsubscribe(off) // on loopback, without TLS: no other program may be asked
	}
	message.SetBodyString(gomail.TypeTextPlain, text)
	message.AddAlternativeString(gomail.TypeTextHTML, html)
	return message, nil
}

func (m *Mail) idOf(n ClaimedMail) string {
	_, domain, _ := strings.Cut(m.From.Address, "@")
	return fmt.Sprintf("%d.%s@%s", n.Event, n.User, domain)
}

// write also fills in what the page has of the text.
func (w *words) write() (text, html string, err error) {
	if w.Subject, err = printed(textMails, "subject", w); err != nil {
		return "", "", err
	}
	if w.Why, err = printed(textMails, "reason", w); err != nil {
		return "", "", err
	}
	if text, err = printed(textMails, "text", w); err != nil {
		return "", "", err
	}
	html, err = printed(htmlMails, "html", w)
	return text, html, err
}

// templates are those of a text or of a page.
type templates interface {
	ExecuteTemplate(to io.Writer, name string, data any) error
}

func printed(t templates, name string, w *words) (string, error) {
	var out bytes.Buffer
	err := t.ExecuteTemplate(&out, name, w)
	return out.String(), err
}
