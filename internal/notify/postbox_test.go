package notify_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http/httptest"
	"net/mail"
	"slices"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/garminlink/garminlink/internal/notify"
)

// postbox is a mail server on this machine. Its zero value takes everything
// without TLS and without a password.
type postbox struct {
	// Before start.
	offersTLS, implicitTLS bool
	password               string // "": it asks for none

	t     *testing.T
	port  int
	roots *x509.CertPool // that trust it

	mu       sync.Mutex
	refuse   func(to string, attempt int) error // at RCPT
	attempts map[string]int                     // by recipient
	taken    []letter
	secured  int // mails that came encrypted
	tried    []string
}

// letter is a mail that was taken.
type letter struct {
	to, text, html string
	mail.Header
}

func (p *postbox) start(t *testing.T) *postbox {
	t.Helper()
	p.t, p.attempts = t, map[string]int{}
	certificates := httptest.NewTLSServer(nil)
	certificates.Close()
	p.roots = x509.NewCertPool()
	p.roots.AddCert(certificates.Certificate())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.port = listener.Addr().(*net.TCPAddr).Port
	server := smtp.NewServer(p)
	server.Domain, server.AllowInsecureAuth, server.ErrorLog = "postbox.example", true, silent{}
	config := &tls.Config{Certificates: certificates.TLS.Certificates}
	if p.offersTLS {
		server.TLSConfig = config
	}
	if p.implicitTLS {
		listener = tls.NewListener(listener, config)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return p
}

type silent struct{}

func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

// at is the way to the postbox.
func (p *postbox) at(s notify.Security) notify.SMTP {
	return notify.SMTP{Host: "127.0.0.1", Port: p.port, Security: s, Roots: p.roots}
}

func (p *postbox) refusing(refuse func(to string, attempt int) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = refuse
}

func (p *postbox) letters() []letter {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.taken)
}

// only is the one letter that was taken.
func (p *postbox) only() letter {
	p.t.Helper()
	all := p.letters()
	if len(all) != 1 {
		p.t.Fatalf("%d mails were taken, want 1", len(all))
	}
	return all[0]
}

func (p *postbox) attemptsFor(to string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.attempts[to]
}

// NewSession implements smtp.Backend.
func (p *postbox) NewSession(c *smtp.Conn) (smtp.Session, error) {
	s := &posting{box: p, conn: c, in: p.password == ""}
	if p.password == "" {
		return struct{ smtp.Session }{s}, nil // knows no AUTH
	}
	return s, nil
}

// posting is one connection.
type posting struct {
	box  *postbox
	conn *smtp.Conn
	in   bool
	to   string
}

func (s *posting) Reset()        { s.to = "" }
func (s *posting) Logout() error { return nil }

func (s *posting) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *posting) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		s.box.mu.Lock()
		defer s.box.mu.Unlock()
		s.box.tried = append(s.box.tried, password)
		if user != "garminlink" || password != s.box.password {
			return smtp.ErrAuthFailed
		}
		s.in = true
		return nil
	}), nil
}

func (s *posting) Mail(string, *smtp.MailOptions) error {
	if !s.in {
		return smtp.ErrAuthRequired
	}
	return nil
}

func (s *posting) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	s.box.attempts[to]++
	s.to = to
	if s.box.refuse == nil {
		return nil
	}
	return s.box.refuse(to, s.box.attempts[to])
}

func (s *posting) Data(r io.Reader) error {
	source, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	l, err := read(source)
	if err != nil {
		return err
	}
	l.to = s.to
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	if _, secured := s.conn.TLSConnectionState(); secured {
		s.box.secured++
	}
	s.box.taken = append(s.box.taken, l)
	return nil
}

// read takes a mail apart: a text and a page that says the same.
func read(source []byte) (l letter, err error) {
	m, err := mail.ReadMessage(bytes.NewReader(source))
	if err != nil {
		return l, err
	}
	l.Header = m.Header
	_, parameters, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		return l, err
	}
	for parts := multipart.NewReader(m.Body, parameters["boundary"]); ; {
		part, err := parts.NextRawPart()
		if err == io.EOF {
			return l, nil
		}
		if err != nil {
			return l, err
		}
		text, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			return l, err
		}
		if kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type")); kind == "text/html" {
			l.html = string(text)
		} else {
			l.text = string(text)
		}
	}
}
