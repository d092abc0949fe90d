package notify_test

import (
	"mime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/notify"
)

// parts are the ends of the lines of a text: what it says without its start
// and its addresses.
func parts(text string) (all []string) {
	for _, line := range strings.Split(text, "\r\n") {
		if line != "" && !strings.HasPrefix(line, "https://") {
			all = append(all, line)
		}
	}
	return all
}

func TestMailsAreWrittenInTheUsersLanguage(t *testing.T) {
	t.Parallel()
	w, box := newWorld(t), new(postbox).start(t)
	days := map[string]string{"en": "7 May 2031", "de": "7. Mai 2031", "es": "7 de mayo de 2031", "fr": "7 mai 2031", "zh-Hans": "2031年5月7日"}
	m := w.mailer(box.at(notify.Plain))
	byUser := map[string]string{}
	for tag := range days {
		user := w.newUser()
		byUser[addressOf(user)] = tag
		w.exec("UPDATE users SET spoken = 'fr', language = $2 WHERE id = $1", user, tag)
		w.exec(`INSERT INTO link_events (user_id, event, from_state, to_state, actor, request_id, type, ends_at)
			VALUES ($1, 'expiring', 'active', 'active', 'system', 'req', 'link.expiring', $2)`, user, time.Date(2031, 5, 7, 8, 9, 0, 0, time.UTC))
	}
	w.mails(m)
	var said []string
	for _, l := range box.letters() {
		tag := byUser[l.to]
		if l.Get("Content-Language") != tag || !strings.Contains(l.html, `<html lang="`+tag+`">`) {
			t.Errorf("%s: the mail says that it is in %q", tag, l.Get("Content-Language"))
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(l.Get("Subject"))
		if err != nil {
			t.Fatal(err)
		}
		for _, where := range []string{subject, l.text, l.html} {
			if !strings.Contains(where, days[tag]) {
				t.Errorf("%s: no end in %s", tag, where)
			}
		}
		for _, part := range parts(l.text) {
			if slices.Contains(said, part) || strings.Contains(part, "{{") || strings.Contains(part, "%!") {
				t.Errorf("%s: %q is said in another language, too", tag, part)
			}
			said = append(said, part)
		}
	}
	if len(said) != 5*len(days) {
		t.Errorf("%d parts in %d languages", len(said), len(days))
	}
}

func TestReasonsAreToldInEveryLanguage(t *testing.T) {
	t.Parallel()
	w, box := newWorld(t), new(postbox).start(t)
	reasons := []link.Reason{link.GrantRefused, link.TokenRefusal, link.SupportClearance}
	for _, tag := range []string{"en", "de", "es", "fr", "zh-Hans"} {
		for _, reason := range reasons {
			user := w.newUser()
			w.exec("UPDATE users SET language = $2 WHERE id = $1", user, tag)
			w.exec(`INSERT INTO link_events (user_id, event, from_state, to_state, actor, request_id, type, reason)
				VALUES ($1, 'rejected', 'active', 'reauth_needed', 'system', 'req', 'link.reauth_needed', $2)`, user, reason)
		}
	}
	w.mails(w.mailer(box.at(notify.Plain)))
	seen := map[string]bool{}
	for _, l := range box.letters() {
		seen[parts(l.text)[1]] = true
	}
	if len(seen) != 5*len(reasons) {
		t.Errorf("%d texts for %d reasons in 5 languages", len(seen), len(reasons))
	}
}

// A user who has set nothing reads what the pages last spoke; one of a host's
// reads what the host said last.
func TestMailsFollowThePagesAndTheHost(t *testing.T) {
	t.Parallel()
	w, box := newWorld(t), new(postbox).start(t)
	ours, hosts := w.newUser(), w.guest("told@host.example")
	w.exec("UPDATE users SET spoken = 'zh-Hans' WHERE id = $1", ours)
	m := w.mailer(box.at(notify.Plain), external)
	for _, locale := range []string{"fr", "de-AT", ""} {
		_, _, err := m.Links.CreateConnect(t.Context(), link.Act{User: hosts, By: link.BySystem},
			link.NewConnect{Purpose: link.ToRelink, Locale: locale, Mailed: true})
		if err != nil {
			t.Fatal(err)
		}
		w.db.Advance(t, time.Minute)
	}
	w.happens(ours, link.LinkReauthNeeded)
	w.happens(hosts, link.LinkReauthNeeded)
	w.mails(m)
	for _, l := range box.letters() {
		want := "zh-Hans"
		if l.to == "told@host.example" {
			want = "de"
		}
		if got := l.Get("Content-Language"); got != want {
			t.Errorf("the mail to %s is in %q, want %q", l.to, got, want)
		}
	}
	if n := len(box.letters()); n != 2 {
		t.Errorf("%d mails", n)
	}
}
