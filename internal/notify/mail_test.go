package notify_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/mail"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/notify"
	"github.com/garminlink/garminlink/internal/postgres"
)

// mailer is a replica that sends mails; the configuration may be changed.
func (w *world) mailer(server notify.SMTP, change ...func(*notify.MailConfig)) *notify.Mail {
	w.t.Helper()
	store := postgres.NewLinks(w.db.DB)
	vault, err := link.OpenVault(context.Background(), store, w.keys)
	if err != nil {
		w.t.Fatal(err)
	}
	links := link.New(store, garmin.Options{}, link.DefaultBudget, vault, postgres.NewLimits(w.db.Gorm), slog.New(slog.DiscardHandler))
	w.t.Cleanup(links.Close)
	c := notify.MailConfig{
		Store: postgres.NewMails(w.db.DB), Links: links, Vault: vault, Server: server,
		From:    mail.Address{Name: "Garmin link", Address: "link@sender.example"},
		BaseURL: &url.URL{Scheme: "https", Host: "link.example"}, Attempted: func(string) {}, Log: slog.New(slog.DiscardHandler),
	}
	for _, by := range change {
		by(&c)
	}
	return notify.NewMail(c)
}

// mails does what the jobs do each time.
func (w *world) mails(m *notify.Mail) {
	w.t.Helper()
	if err := errors.Join(m.Spread(context.Background()), m.Send(context.Background())); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) wantNotices(want string) {
	w.t.Helper()
	got := one[string](w, `SELECT coalesce(string_agg(state || coalesce(': ' || error, ''), ', ' ORDER BY event_id), '') FROM mail_notices`)
	if got != want {
		w.t.Errorf("the notices are %q, want %q", got, want)
	}
}

func addressOf(user uuid.UUID) string { return user.String() + "@example.com" }

func TestAMailForEachIncident(t *testing.T) {
	t.Parallel()
	w, box := newWorld(t), new(postbox).start(t)
	m, user := w.mailer(box.at(notify.Plain)), w.newUser()
	w.happens(user, link.LinkActive)
	event := w.happens(user, link.LinkReauthNeeded)
	for range 3 {
		w.mails(m)
	}
	l := box.only()
	if l.to != addressOf(user) || l.Get("From") != `"Garmin link" <link@sender.example>` ||
		l.Get("Subject") != "Your Garmin account needs you to sign in again" || l.Get("Auto-Submitted") != "auto-generated" ||
		l.Get("Message-Id") != fmt.Sprintf("<%d.%s@sender.example>", event, user) {
		t.Errorf("the head is %v", l.Header)
	}
	off := "https://link.example/mail/" + notify.OptOuts{Vault: m.Vault}.Token(user)
	if l.Get("List-Unsubscribe") != "<"+off+">" || l.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" {
		t.Errorf("the way out is %q, %q", l.Get("List-Unsubscribe"), l.Get("List-Unsubscribe-Post"))
	}
	for _, body := range []string{l.text, l.html} {
		for _, part := range []string{"https://link.example/link", off, "link.example", "no longer linked"} {
			if !strings.Contains(body, part) {
				t.Errorf("%q is not in\n%s", part, body)
			}
		}
		if strings.Contains(body, "no value") || strings.Contains(body, "/connect/") {
			t.Errorf("the mail says\n%s", body)
		}
	}
	w.happens(user, link.LinkRepaired)
	w.happens(user, link.LinkReauthNeeded)
	w.mails(m)
	if n := len(box.letters()); n != 2 {
		t.Errorf("%d mails for two incidents", n)
	}
	w.wantNotices("sent, sent")
}

func TestAnEndThatComesIsTold(t *testing.T) {
	t.Parallel()
	w, box := newWorld(t), new(postbox).start(t)
	user := w.newUser()
	ends := time.Date(2031, 5, 7, 8, 9, 0, 0, time.UTC)
	w.exec(`INSERT INTO link_events (user_id, event, from_state, to_state, actor, request_id, type, ends_at)
		VALUES ($1, 'expiring', 'active', 'active', 'system', 'req', 'link.expiring', $2)`, user, ends)
	w.mails(w.mailer(box.at(notify.Plain)))
	l := box.only()
	if !strings.Contains(l.Get("Subject"), "by 7 May") {
		t.Errorf("the subject is %q", l.Get("Subject"))
	}
	for _, body := range []string{l.text, l.html} {
		if !strings.Contains(body, "7 May 2031 at 08:09 UTC") {
			t.Errorf("no end in\n%s", body)
		}
	}
}

func TestEachReasonHasWords(t *testing.T) {
	t.Parallel()
	w, box := newWorld(t), new(postbox).start(t)
	seen := map[string]bool{}
	reasons := []link.Reason{link.GrantRefused, link.TokenRefusal, link.SupportClearance}
	for _, reason := range reasons {
		w.exec(`INSERT INTO link_events (user_id, event, from_state, to_state, actor, request_id, type, reason)
			VALUES ($1, 'rejected', 'active', 'reauth_needed', 'system', 'req', 'link.reauth_needed', $2)`, w.newUser(), reason)
	}
	w.mails(w.mailer(box.at(notify.Plain)))
	for _, l := range box.letters() {
		_, why, _ := strings.Cut(l.text, "no new data come in. ")
		why, _, _ = strings.Cut(why, "\r\n")
		if seen[why] || len(why) < 20 || !strings.Contains(l.html, why) {
			t.Errorf("the reason is %q, in\n%s", why, l.html)
		}
		seen[why] = true
	}
	if len(seen) != len(reasons) {
		t.Errorf("%d reasons have %d texts", len(reasons), len(seen))
	}
}

func TestTwoWorkersSendEachMailOnce(t *testing.T) {
	t.Parallel()
	w, box := newWorld(t), new(postbox).start(t)
	users := map[string]bool{}
	for range 40 {
		user := w.newUser()
		users[addressOf(user)] = true
		w.happens(user, link.LinkReauthNeeded)
	}
	var both sync.WaitGroup
	for range 2 {
		m := w.mailer(box.at(notify.Plain))
		both.Go(func() {
			for range 3 {
				if err := errors.Join(m.Spread(context.Background()), m.Send(context.Background())); err != nil {
					t.Error(err)
				}
			}
		})
	}
	both.Wait()
	for _, l := range box.letters() {
		if !users[l.to] {
			t.Errorf("%s has two mails", l.to)
		}
		delete(users, l.to)
	}
	if len(users) > 0 {
		t.Errorf("%d users have no mail", len(users))
	}
}

func TestGreylistedMailsAreSentLater(t *testing.T) {
	t.Parallel()
	w, box := newWorld(t), new(postbox).start(t)
	box.refusing(func(_ string, attempt int) error {
		if attempt < 3 {
			return &smtp.SMTPError{Code: 451, Message: "greylisted, come back"}
		}
		return nil
	})
	m, user := w.mailer(box.at(notify.Plain)), w.newUser()
	w.happens(user, link.LinkReauthNeeded)
	w.mails(m)
	w.mails(m)
	if n := box.attemptsFor(addressOf(user)); n != 1 {
		t.Errorf("%d attempts at once", n)
	}
	w.wantNotices("waiting: the mail server answered 451")
	for range 2 {
		w.db.Advance(t, time.Minute)
		w.mails(m)
	}
	box.only()
	w.wantNotices("sent")
}

func TestADayOfGreylistingIsEnough(t *testing.T) {
	t.Parallel()
	w, box := newWorld(t), new(postbox).start(t)
	box.refusing(func(string, int) error { return &smtp.SMTPError{Code: 450, Message: "busy"} })
	m, user := w.mailer(box.at(notify.Plain)), w.newUser()
	w.happens(user, link.LinkReauthNeeded)
	for range 14 {
		w.mails(m)
		w.db.Advance(t, 9*time.Hour)
	}
	w.wantNotices("given_up: the mail server answered 450")
	if n := box.attemptsFor(addressOf(user)); n != 11 {
		t.Errorf("%d attempts", n)
	}
}

func TestWhatIsRefusedForGoodIsGivenUp(t *testing.T) {
	t.Parallel()
	w, box := newWorld(t), new(postbox).start(t)
	unknown, known := w.newUser(), w.newUser()
	box.refusing(func(to string, _ int) error {
		if to == addressOf(unknown) {
			return &smtp.SMTPError{Code: 550, Message: "no such user <" + to + ">"}
		}
		return nil
	})
	m := w.mailer(box.at(notify.Plain))
	w.happens(unknown, link.LinkReauthNeeded)
	w.happens(known, link.LinkReauthNeeded)
	for range 3 {
		w.mails(m)
		w.db.Advance(t, 9*time.Hour)
	}
	if l := box.only(); l.to != addressOf(known) || box.attemptsFor(addressOf(unknown)) != 1 {
		t.Errorf("taken for %s, %d attempts for the other", l.to, box.attemptsFor(addressOf(unknown)))
	}
	w.wantNotices("given_up: the mail server answered 550, sent")
}

// A server that is down says nothing of any mail, however long it is.
func TestAServerThatIsDownIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := nobody.Addr().(*net.TCPAddr).Port
	_ = nobody.Close()
	outcomes := map[string]int{}
	m := w.mailer(notify.SMTP{Host: "127.0.0.1", Port: port, Security: notify.Plain},
		func(c *notify.MailConfig) { c.Attempted = func(outcome string) { outcomes[outcome]++ } })
	for range 3 {
		w.happens(w.newUser(), link.LinkReauthNeeded)
	}
	for range 20 {
		w.mails(m)
		w.mails(m)
		w.db.Advance(t, 2*time.Minute)
	}
	if outcomes["fault"] != 20 || len(outcomes) != 1 {
		t.Errorf("attempts: %v", outcomes)
	}
	box := new(postbox).start(t)
	w.mails(w.mailer(box.at(notify.Plain)))
	if n := len(box.letters()); n != 3 {
		t.Errorf("%d mails were sent", n)
	}
	w.wantNotices("sent, sent, sent")
}

func TestAKilledWorkersMailIsSentByAnother(t *testing.T) {
	t.Parallel()
	w, box := newWorld(t), new(postbox).start(t)
	m, user := w.mailer(box.at(notify.Plain)), w.newUser()
	w.happens(user, link.LinkReauthNeeded)
	if err := m.Spread(t.Context()); err != nil {
		t.Fatal(err)
	}
	dead, err := m.Store.ClaimMail(t.Context(), time.Minute, false)
	if err != nil {
		t.Fatal(err)
	}
	w.mails(m)
	if n := len(box.letters()); n != 0 {
		t.Fatalf("%d mails were sent beside the claim", n)
	}
	w.db.Advance(t, 2*time.Minute)
	w.mails(m)
	box.only()
	late := notify.MailVerdict{State: notify.MailWaiting, Failed: true}
	if err := m.Store.SettleMail(t.Context(), dead, late); err != nil {
		t.Fatal(err)
	}
	w.wantNotices("sent")
}

func TestWhatIsNoNewsIsNotTold(t *testing.T) {
	t.Parallel()
	w, box := newWorld(t), new(postbox).start(t)
	m := w.mailer(box.at(notify.Plain))
	// Before it is made a notice.
	w.happens(w.newUser(), link.LinkReauthNeeded)
	w.db.Advance(t, 49*time.Hour)
	quiet := w.newUser()
	w.exec("UPDATE users SET no_mail = true WHERE id = $1", quiet)
	w.happens(quiet, link.LinkReauthNeeded)
	for _, other := range []link.EventType{link.LinkActive, link.LinkRemoved, link.LinkRepaired} {
		w.happens(w.newUser(), other)
	}
	w.mails(m)
	w.wantNotices("")
	// And before that is sent.
	for _, happens := range []func(user uuid.UUID){
		func(user uuid.UUID) { w.happens(user, link.LinkRepaired) },
		func(user uuid.UUID) { w.happens(user, link.LinkRemoved) },
		func(user uuid.UUID) { w.exec("UPDATE users SET no_mail = true WHERE id = $1", user) },
	} {
		user := w.newUser()
		w.happens(user, link.LinkReauthNeeded)
		if err := m.Spread(t.Context()); err != nil {
			t.Fatal(err)
		}
		happens(user)
		w.mails(m)
	}
	w.wantNotices("dropped, dropped, dropped")
	if n := len(box.letters()); n != 0 {
		t.Errorf("%d mails", n)
	}
}

func TestNoticesAreForgotten(t *testing.T) {
	t.Parallel()
	w, box := newWorld(t), new(postbox).start(t)
	m := w.mailer(box.at(notify.Plain))
	w.happens(w.newUser(), link.LinkReauthNeeded)
	w.mails(m)
	w.db.Advance(t, 31*24*time.Hour)
	w.happens(w.newUser(), link.LinkReauthNeeded)
	w.mails(m)
	if err := m.Clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.wantNotices("sent")
}
