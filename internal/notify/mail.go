package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"net/url"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/garminlink/garminlink/internal/link"
)

const (
	// mailLease is longer than an attempt to send a mail takes, and its record.
	mailLease = time.Minute

	// mailPause is until the mail server is asked again that cannot be reached,
	// or takes nothing from us.
	mailPause = time.Minute

	// freshTime is for how long an event is news: what happened while nobody
	// sent mails is not told weeks later.
	freshTime = 48 * time.Hour
)

// mailed are the events of which users are told.
var mailed = []link.EventType{link.LinkReauthNeeded, link.LinkExpiring}

// MailConfig is what a Mail needs.
type MailConfig struct {
	Store MailStore
	Links *link.Service
	Vault *link.Vault

	Server SMTP
	From   mail.Address

	// BaseURL is where our pages are.
	BaseURL *url.URL

	// External has mails sent to the users of host applications, too. Without,
	// those tell their users themselves.
	External bool

	// Attempted is called after each attempt with what came of it.
	Attempted func(outcome string)

	Log *slog.Logger
}

// Mail tells users, once for each incident, that their link needs them.
type Mail struct{ MailConfig }

// NewMail returns a Mail.
func NewMail(c MailConfig) *Mail { return &Mail{c} }

// Spread makes notices of what has happened since it was called last. It may be
// called by several at once.
func (m *Mail) Spread(ctx context.Context) error {
	return follow(ctx, m.Links, m.Store.MailCursor, mailed, func(from int64, happened []link.Happening) error {
		return m.Store.QueueMails(ctx, from, happened, m.External, freshTime)
	})
}

// Due tells how many notices can be sent now, counted up to most.
func (m *Mail) Due(ctx context.Context, most int) (int, error) { return m.Store.DueMails(ctx, most) }

// Send sends what is due, one after the other, until nothing is or its turn is
// over. That a mail is not taken is no error.
func (m *Mail) Send(ctx context.Context) error {
	for end := time.Now().Add(turnTime); time.Now().Before(end) && ctx.Err() == nil; {
		n, err := m.Store.ClaimMail(ctx, mailLease, m.External)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := m.attempt(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// attempt sends what was claimed if it still is to be told, and records what
// came of it even if ctx has ended meanwhile.
func (m *Mail) attempt(ctx context.Context, n ClaimedMail) error {
	v := MailVerdict{State: MailDropped}
	if n.Wanted {
		message, err := m.compose(ctx, n)
		if err != nil && link.KindOf(err) != link.NotLinked {
			return err // the lease runs out, and it is due again
		}
		if err == nil {
			v = m.send(ctx, n, message)
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTime)
	defer cancel()
	return m.Store.SettleMail(ctx, n, v)
}

func (m *Mail) send(ctx context.Context, n ClaimedMail, message *gomail.Msg) MailVerdict {
	v, fault := m.judge(n, m.Server.send(ctx, message))
	m.Attempted(v.outcome())
	about := []any{"user", n.User, "event", n.Event}
	switch {
	case fault != nil && ctx.Err() == nil:
		m.Log.ErrorContext(ctx, "mails are not sent for now", append(about, "error", fault)...)
	case v.State == MailGivenUp:
		m.Log.WarnContext(ctx, "a mail is given up", append(about, "attempts", n.Number, "error", v.Error)...)
	}
	return v
}

// judge says what an answer means. What is wrong with the server, or with what
// it knows of us, is held against no mail: it goes back as the fault.
func (*Mail) judge(n ClaimedMail, err error) (v MailVerdict, fault error) {
	r, answered := errors.AsType[*refusal](err)
	switch {
	case err == nil:
		return MailVerdict{State: MailSent}, nil
	case !answered:
		return MailVerdict{State: MailWaiting, Pause: mailPause, Error: "not sent: the mail server cannot be used"}, err
	case r.forGood:
		return MailVerdict{State: MailGivenUp, Failed: true, Error: r.Error()}, nil
	}
	wait, again := waitAfter(n.Failures + 1)
	if !again {
		return MailVerdict{State: MailGivenUp, Failed: true, Error: r.Error()}, nil
	}
	return MailVerdict{State: MailWaiting, Failed: true, Wait: wait, Error: r.Error()}, nil
}

func (v MailVerdict) outcome() string {
	switch {
	case v.State == MailSent:
		return "sent"
	case v.Failed:
		return "refused"
	default:
		return "fault"
	}
}

// Clean forgets what is kept for a time only.
func (m *Mail) Clean(ctx context.Context) error { return m.Store.CleanMails(ctx, keepTime) }

// addressFor is where a user ends what the mail tells of: one of ours on his
// own page, behind the sign-in; one of a host application, who has none, at an
// address that was made for him just now, of which nothing that opens it is
// kept.
func (m *Mail) addressFor(ctx context.Context, n ClaimedMail) (string, error) {
	if !n.OfHost {
		return m.BaseURL.JoinPath("link").String(), nil
	}
	act := link.Act{User: n.User, By: link.BySystem, RequestID: fmt.Sprintf("mail-%d", n.Event)}
	_, address, err := m.Links.CreateConnect(ctx, act, link.NewConnect{Purpose: link.ToRelink, Mailed: true, Locale: n.Language})
	if err != nil {
		return "", err
	}
	return m.BaseURL.JoinPath("connect", address.Reveal()).String(), nil
}
