package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/garminlink/garminlink/internal/link"
)

// smtpTime bounds each of the two halves of an attempt: until the server has
// let us in, and until it has taken the mail.
const smtpTime = 8 * time.Second

// Security says when a connection to a mail server is encrypted.
type Security int

const (
	StartTLS    Security = iota // from STARTTLS on, without which nothing is sent
	ImplicitTLS                 // from the beginning
	Plain                       // never: for a server on this very machine
)

// SMTP is the server that takes our mails.
type SMTP struct {
	Host     string
	Port     int
	User     string // "": it asks for none
	Password link.Secret
	Security Security
	Roots    *x509.CertPool // nil: the system's
}

// refusal is what the server said to a mail, once it had let us in.
type refusal struct {
	code    int // SMTP's; 0: it said nothing that could be read
	forGood bool
}

func (r *refusal) Error() string {
	if r.code == 0 {
		return "the connection to the mail server was lost"
	}
	return fmt.Sprintf("the mail server answered %d", r.code)
}

// send fails with a refusal, or with what keeps any mail from being sent. A mail
// that the server has taken is sent, however the connection ends.
func (s SMTP) send(ctx context.Context, m *gomail.Msg) error {
	client, err := gomail.NewClient(s.Host, s.options()...)
	if err != nil {
		return err
	}
	err = client.DialAndSendWithContext(ctx, m)
	if m.IsDelivered() {
		return nil
	}
	if e, ok := errors.AsType[*gomail.SendError](err); ok {
		return refusalOf(e)
	}
	return err
}

func (s SMTP) options() []gomail.Option {
	options := []gomail.Option{
		gomail.WithPort(s.Port), gomail.WithTimeout(smtpTime), gomail.WithoutNoop(),
		gomail.WithTLSConfig(&tls.Config{ServerName: s.Host, RootCAs: s.Roots, MinVersion: tls.VersionTLS12}),
	}
	switch s.Security {
	case ImplicitTLS:
		options = append(options, gomail.WithSSL())
	case Plain:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.User == "" {
		return options
	}
	auth := gomail.SMTPAuthAutoDiscover
	if s.Security == Plain {
		auth = gomail.SMTPAuthPlainNoEnc
	}
	return append(options, gomail.WithSMTPAuth(auth), gomail.WithUsername(s.User), gomail.WithPassword(s.Password.Reveal()))
}

// refusalOf tells what is said to one mail from what is said to all of ours:
// a sender that the server does not take for good is the latter.
func refusalOf(e *gomail.SendError) error {
	code := e.ErrorCode()
	switch {
	case e.Reason == gomail.ErrConnCheck, e.Reason == gomail.ErrSMTPMailFrom && code >= 500:
		return fmt.Errorf("the mail server refuses our sender: %d", code)
	default:
		return &refusal{code: code, forGood: code >= 500}
	}
}
