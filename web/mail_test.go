package web_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/google/uuid"
)

func (s *site) noMail(user uuid.UUID) (no bool) {
	s.t.Helper()
	if err := s.db.Pool.QueryRow(context.Background(), "SELECT no_mail FROM users WHERE id = $1", user).Scan(&no); err != nil {
		s.t.Fatal(err)
	}
	return no
}

func (s *site) userID(email string) (id uuid.UUID) {
	s.t.Helper()
	if err := s.db.Pool.QueryRow(context.Background(), "SELECT id FROM users WHERE email = $1", email).Scan(&id); err != nil {
		s.t.Fatal(err)
	}
	return id
}

func TestAMailsLinkEndsFurtherOnes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	user := s.userID(email)
	b, path := s.browser(), "/mail/"+s.optOuts().Token(user)
	shown := b.get(path).want(http.StatusOK).wantText("No more mails")
	if s.noMail(user) || shown.Header.Get("Referrer-Policy") != "strict-origin" {
		t.Error("looking at the page has ended the mails, or its address is told on")
	}
	for range 2 { // a mail program, and again
		b.post(path, "List-Unsubscribe", "One-Click").want(http.StatusOK).wantText("You get no more mails", "Send me these mails again")
		if !s.noMail(user) {
			t.Error("the mails go on")
		}
	}
	b.post(path, "mails", "on").want(http.StatusOK).wantText("We write to you when")
	if s.noMail(user) {
		t.Error("the mails do not go on")
	}
	b.get("/link").wantRedirect("/signin?next=%2Flink") // it opens nothing else
}

func TestNobodyElseEndsMails(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	user := s.userID(email)
	token := s.optOuts().Token(user)
	other := s.optOuts().Token(uuid.Must(uuid.NewV7()))
	for _, wrong := range []string{"x", token + "A", token[:22] + other[22:], other} {
		s.browser().post("/mail/"+wrong, "List-Unsubscribe", "One-Click").want(http.StatusNotFound)
	}
	b := s.browser()
	b.header.Set("Sec-Fetch-Site", "cross-site")
	b.post("/mail/"+token, "mails", "off").want(http.StatusForbidden)
	if s.noMail(user) {
		t.Error("the mails have ended")
	}
}
