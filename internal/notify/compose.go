package notify

import (
	"context"
	"fmt"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"github.com/garminlink/garminlink/internal/link"
)

// words are what a mail is written with, ready to print. Times are UTC.
type words struct {
	tongue       tongue
	Language     string // BCP 47
	Ends         bool   // the access is about to end; else it has ended
	Reason       link.Reason
	Site         string // our host, as people know it
	Day, Time    string // when it ended
	EndsOn       string // a day
	EndsAt       string // a time
	Address, Off string // where to sign in again, and where to end further mails
	OfHost       bool
}

func (m *Mail) wordsFor(n ClaimedMail, address, off string) words {
	t := tongueOf(n.Language)
	at, ends := n.At.UTC(), n.EndsAt.UTC()
	return words{
		tongue: t, Language: t.tag, Ends: n.Type == link.LinkExpiring, Reason: n.Reason, Site: m.BaseURL.Host,
		Day: t.locale.FmtDateLong(at), Time: at.Format("15:04"), EndsOn: t.locale.FmtDateLong(ends), EndsAt: ends.Format("15:04"),
		Address: address, Off: off, OfHost: n.OfHost,
	}
}

// compose writes the mail. All attempts to send it have one id, by which mail
// programs know it again.
func (m *Mail) compose(ctx context.Context, n ClaimedMail) (*gomail.Msg, error) {
	address, err := m.addressFor(ctx, n)
	if err != nil {
		return nil, err
	}
	off := m.BaseURL.JoinPath("mail", OptOuts{m.Vault}.Token(n.User)).String()
	w := m.wordsFor(n, address, off)
	subject, err := w.Says("subject")
	if err != nil {
		return nil, err
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
	message.Subject(subject)
	message.SetGenHeader("Content-Language", w.Language)
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
