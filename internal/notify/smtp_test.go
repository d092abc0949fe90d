package notify_test

import (
	"crypto/x509"
	"log/slog"
	"strings"
	"testing"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/notify"
)

func TestMailsGoEncrypted(t *testing.T) {
	t.Parallel()
	const password = "box-pass-7"
	strangers := x509.NewCertPool()
	for name, c := range map[string]struct {
		box      *postbox
		security notify.Security
		password string
		roots    *x509.CertPool // nil: the box's own
		sent     bool
	}{
		"STARTTLS":            {&postbox{offersTLS: true, password: password}, notify.StartTLS, password, nil, true},
		"implicit":            {&postbox{implicitTLS: true, password: password}, notify.ImplicitTLS, password, nil, true},
		"no STARTTLS":         {&postbox{password: password}, notify.StartTLS, password, nil, false},
		"untrusted":           {&postbox{offersTLS: true, password: password}, notify.StartTLS, password, strangers, false},
		"untrusted, implicit": {&postbox{implicitTLS: true, password: password}, notify.ImplicitTLS, password, strangers, false},
		"wrong password":      {&postbox{offersTLS: true, password: password}, notify.StartTLS, "guess", nil, false},
		"asks for a password": {&postbox{offersTLS: true, password: password}, notify.StartTLS, "", nil, false},
		"on this machine":     {&postbox{password: password}, notify.Plain, password, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, box := newWorld(t), c.box.start(t)
			server := box.at(c.security)
			if c.roots != nil {
				server.Roots = c.roots
			}
			if c.password != "" {
				server.User, server.Password = "garminlink", link.Secret(c.password)
			}
			var said strings.Builder
			m := w.mailer(server, func(c *notify.MailConfig) { c.Log = slog.New(slog.NewTextHandler(&said, nil)) })
			w.happens(w.newUser(), link.LinkReauthNeeded)
			w.mails(m)
			if sent := len(box.letters()) == 1; sent != c.sent {
				t.Errorf("sent: %v, and the log says\n%s", sent, said.String())
			}
			if (box.secured > 0) != (c.sent && c.security != notify.Plain) {
				t.Errorf("%d mails came encrypted", box.secured)
			}
			if !c.sent {
				w.wantNotices("waiting: not sent: the mail server cannot be used")
			}
			if strings.Contains(said.String(), password) || name == "no STARTTLS" && len(box.tried) > 0 {
				t.Errorf("the password came to light: %s", said.String())
			}
		})
	}
}
