package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// inbox is a mail server on this machine that takes everything.
type inbox struct{ mails chan *mail.Message }

func newInbox(t *testing.T) (in *inbox, setting string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	in = &inbox{mails: make(chan *mail.Message, 10)}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return in, nil }))
	server.Domain = "inbox.example"
	ended := make(chan error)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close(); <-ended })
	return in, "SMTP_URL=smtp://" + listener.Addr().String()
}

func (in *inbox) Reset()                               {}
func (in *inbox) Logout() error                        { return nil }
func (in *inbox) Mail(string, *smtp.MailOptions) error { return nil }
func (in *inbox) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (in *inbox) Data(r io.Reader) error {
	m, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(m.Body)
	m.Body = bytes.NewReader(body)
	in.mails <- m
	return err
}

func (in *inbox) next(t *testing.T) *mail.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	select {
	case m := <-in.mails:
		return m
	case <-ctx.Done():
		t.Fatal("no mail has come")
		return nil
	}
}

// From the end of a session to the mail, by whichever replica, and from the mail
// back: once each time, and no more after a click in the mail program.
func TestAMailWhenTheLinkNeedsItsUser(t *testing.T) {
	t.Parallel()
	in, server := newInbox(t)
	s := newStack(t, server, "MAIL_FROM=Garmin link <link@example.org>")
	s.replica()
	for range 2 {
		s.launch([]string{"worker"}).await(t, "keeping links alive")
	}
	v := s.runner("runner")
	lose := func() {
		t.Helper()
		v.follow(v.link("plain").wantRedirect("/link")).wantState("active")
		s.garmin.RevokeAccount("plain@garmin.example")
		s.garmin.ExpireAccessTokens()
		v.post("/link/validate").want(http.StatusUnprocessableEntity).wantState("reauth_needed")
	}
	lose()
	m := in.next(t)
	if to := m.Header.Get("To"); !strings.Contains(to, v.email) || !strings.Contains(m.Header.Get("Subject"), "sign in again") {
		t.Errorf("the mail has the head %v", m.Header)
	}
	off := strings.Trim(m.Header.Get("List-Unsubscribe"), "<>")
	path, ours := strings.CutPrefix(off, s.door.URL)
	if !ours {
		t.Fatalf("the way out is %q", off)
	}

	s.advance(time.Hour)
	lose()
	in.next(t)
	asProgram := s.stranger()
	asProgram.headers.Del("Origin")
	asProgram.headers.Del("Sec-Fetch-Site")
	asProgram.get(path).want(http.StatusOK).wantText("No more mails")
	asProgram.post(path, "List-Unsubscribe", "One-Click").want(http.StatusOK).wantText("You get no more mails")
	asProgram.get("/mail/x").want(http.StatusNotFound)
	if !stored[bool](s, "SELECT no_mail FROM users WHERE id = $1", v.id) {
		t.Error("the user still wants mails")
	}
}
