package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"net/url"
	"strconv"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/notify"
	"github.com/garminlink/garminlink/internal/postgres"
)

// Mail says through which server users are told by mail that their link needs
// them, and which users.
type Mail struct {
	SMTPURL      smtpURL  `env:"SMTP_URL"` // none: no mails are sent
	MailFrom     mailFrom `env:"MAIL_FROM"`
	MailExternal onOff    `env:"MAIL_EXTERNAL" envDefault:"off"`
}

type onOff string

func (o *onOff) UnmarshalText(text []byte) error { return choose(o, text, "on", "off") }

// smtpURL never prints.
type smtpURL struct{ notify.SMTP }

func (smtpURL) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[redacted]")) }
func (smtpURL) LogValue() slog.Value       { return slog.StringValue("[redacted]") }

// errSMTPURL does not repeat what may hold a password.
var errSMTPURL = errors.New("is not of the form smtp://user:password@host:port or smtps://user:password@host:port")

// UnmarshalText reads the address of a submission server, on the ports that RFC
// 8314 names unless it names another. What goes to another machine is encrypted.
func (s *smtpURL) UnmarshalText(text []byte) error {
	u, err := url.Parse(string(text))
	if err != nil || u.Hostname() == "" || u.Opaque != "" || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/" {
		return errSMTPURL
	}
	s.Host, s.User = u.Hostname(), u.User.Username()
	password, _ := u.User.Password()
	s.Password = link.Secret(password)
	switch {
	case u.Scheme == "smtps":
		s.Port, s.Security = 465, notify.ImplicitTLS
	case u.Scheme == "smtp" && loopback(s.Host):
		s.Port, s.Security = 587, notify.Plain
	case u.Scheme == "smtp":
		s.Port, s.Security = 587, notify.StartTLS
	default:
		return errSMTPURL
	}
	if u.Port() == "" {
		return nil
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil || port == 0 {
		return errSMTPURL
	}
	s.Port = int(port)
	return nil
}

// mailFrom is the sender: an address, or a name with one.
type mailFrom struct{ mail.Address }

func (m *mailFrom) UnmarshalText(text []byte) error {
	a, err := mail.ParseAddress(string(text))
	if err != nil {
		return fmt.Errorf("%q is neither an address nor of the form Name <address>", text)
	}
	m.Address = *a
	return nil
}

// newMail is nil without a mail server. It fails with a refusal if only the half
// of it is set.
func (s *site) newMail(c Config, log *slog.Logger) (*notify.Mail, error) {
	switch server, from := c.SMTPURL.Host != "", c.MailFrom.Address.Address != ""; {
	case !server && !from:
		return nil, nil
	case !server:
		return nil, refuse("%sMAIL_FROM needs %sSMTP_URL: the server that takes mails", prefix, prefix)
	case !from:
		return nil, refuse("%sSMTP_URL needs %sMAIL_FROM: the sender, such as Garmin link <link@example.org>", prefix, prefix)
	}
	return notify.NewMail(notify.MailConfig{
		Store: postgres.NewMails(s.db), Links: s.links, Vault: s.vault,
		Server: c.SMTPURL.SMTP, From: c.MailFrom.Address, BaseURL: c.BaseURL.URL, External: c.MailExternal == "on",
		Attempted: s.metrics.observeMail, Log: log,
	}), nil
}
