package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/garminlink/garminlink/internal/notify"
)

func TestSMTPURL(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]notify.SMTP{
		"smtp://mail.example.org":                  {Host: "mail.example.org", Port: 587, Security: notify.StartTLS},
		"smtp://mail.example.org:25/":              {Host: "mail.example.org", Port: 25, Security: notify.StartTLS},
		"smtps://me%40here:p%2Fw@mail.example.org": {Host: "mail.example.org", Port: 465, User: "me@here", Password: "p/w", Security: notify.ImplicitTLS},
		"smtps://localhost:2465":                   {Host: "localhost", Port: 2465, Security: notify.ImplicitTLS},
		"smtp://127.0.0.1:25":                      {Host: "127.0.0.1", Port: 25, Security: notify.Plain},
		"smtp://[::1]":                             {Host: "::1", Port: 587, Security: notify.Plain},
		"smtp://10.0.0.1":                          {Host: "10.0.0.1", Port: 587, Security: notify.StartTLS},
	} {
		var got smtpURL
		if err := got.UnmarshalText([]byte(text)); err != nil || got.SMTP != want {
			t.Errorf("%s: %+v, %v", text, got.SMTP, err)
		}
	}
	for _, text := range []string{
		"mail.example.org:25", "http://mail.example.org", "smtp://", "smtp://secret@:25", "smtp://me:secret@h:0", "smtp://me:secret@h:x",
		"smtp://me:secret@h/inbox", "smtp://me:secret@h?tls=no", "smtp://me:secret%@h",
	} {
		var got smtpURL
		err := got.UnmarshalText([]byte(text))
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", text, err)
		}
	}
	c, err := load[Config](append(complete, "GARMINLINK_SMTP_URL=smtp://me:secret@mail.example.org", "GARMINLINK_MAIL_FROM=link@example.org"))
	if said := fmt.Sprintf("%v %+v", c, c); err != nil || strings.Contains(said, "secret") {
		t.Errorf("the configuration prints as %s, %v", said, err)
	}
}

func TestMailNeedsBothOfItsSettings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ setting, says string }{
		{"SMTP_URL=smtp://mail.example.org", "needs GARMINLINK_MAIL_FROM"},
		{"MAIL_FROM=link@example.org", "needs GARMINLINK_SMTP_URL"},
	} {
		s := newStack(t)
		p := s.launch([]string{"serve"}, c.setting)
		if code := p.exit(t); code != exitConfig || !strings.Contains(p.log.String(), c.says) {
			t.Errorf("%s: exit code %d: %s", c.setting, code, p.log.String())
		}
	}
	for setting, says := range map[string]string{
		"GARMINLINK_MAIL_FROM=nobody":    "GARMINLINK_MAIL_FROM: ",
		"GARMINLINK_MAIL_EXTERNAL=maybe": `"maybe" is neither on nor off`,
	} {
		if _, err := load[Config](append(complete[:len(complete):len(complete)], setting)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", setting, err)
		}
	}
}
