package link

import (
	"bytes"
	"context"
	"net/mail"
	"strings"

	"github.com/garminlink/garminlink/internal/garmin"
)

// Start signs in to Garmin with credentials. The link that comes back is
// Active, waits for a code, or has a candidate. The second call of a double
// click asks Garmin nothing: it waits and tells the first one's result.
//
// It fails with any Kind but those of codes; the link is then as it was.
func (s *Service) Start(ctx context.Context, act Act, c Credentials) (Link, error) {
	region, err := c.check()
	if err != nil {
		return Link{}, err
	}
	if err := s.signInCoolingDown(ctx, region, c.Email); err != nil {
		return Link{}, err
	}
	login := Login{ID: newID(), Way: ByPassword, Form: c.Form, Subject: s.vault.emailMAC(c.Email)}
	admit := func(r *Record, recent []Login) error {
		if err := allow(recent, r.Now); err != nil || s.knows(r, login.Subject) {
			return err
		}
		return allowEmail(recent, login.Subject, r.Now)
	}
	return s.attempt(ctx, act, login, admit, func(ctx context.Context, login Login) error {
		return s.signIn(ctx, act, login, region, c)
	})
}

func (c *Credentials) check() (garmin.Region, error) {
	c.Email = strings.TrimSpace(c.Email)
	if a, err := mail.ParseAddress(c.Email); err != nil || a.Address != c.Email || len(c.Email) > 254 {
		return "", fail(InvalidEmail)
	}
	if c.Password == "" || len(c.Password) > 256 {
		return "", fail(InvalidPassword)
	}
	region, err := garmin.ParseRegion(c.Region)
	if err != nil {
		return "", fail(InvalidRegion)
	}
	return region, nil
}

// knows reports whether the e-mail is the one of the user's own link: trying
// that one is never a search for other people's accounts.
func (s *Service) knows(r *Record, mac []byte) bool {
	return r.GarminEmail != "" && bytes.Equal(s.vault.emailMAC(r.GarminEmail), mac)
}

func (s *Service) signIn(ctx context.Context, act Act, login Login, region garmin.Region, c Credentials) error {
	ticket, challenge, err := s.garmin.Login(ctx, region, c.Email, garmin.Secret(c.Password))
	if err != nil {
		return s.abandon(ctx, act, fence{login: login.ID}, s.refused(ctx, region, c.Email, err))
	}
	if challenge != nil {
		return s.ask(ctx, act, login, c.Email, challenge)
	}
	return s.conclude(ctx, act, fence{login: login.ID, event: LoginDone}, ticket, c.Email)
}

// ask keeps the challenge for any replica to finish.
func (s *Service) ask(ctx context.Context, act Act, login Login, email string, challenge *garmin.Challenge) error {
	id := newID()
	sealed, err := s.vault.sealChallenge(act, id, challenge)
	if err != nil {
		return err
	}
	return s.deliver(ctx, act, fence{login: login.ID}, func(r *Record) error {
		r.Login.Outcome = outcomeChallenge
		if r.State == (State{}) {
			r.Region = string(challenge.Region)
			if act.Connect == noID { // whoever was sent here may be somebody else
				r.GarminEmail = email
			}
		}
		if err := r.move(CodeAsked); err != nil {
			return err
		}
		r.Candidate = nil
		r.Challenge = &PendingChallenge{
			ID: id, Sealed: sealed, Region: string(challenge.Region), GarminEmail: email,
			Method: method(challenge.Method), SentTo: challenge.SentTo,
			SentAt: r.Now, ExpiresAt: r.Now.Add(challengeLife), Connect: act.Connect,
		}
		return nil
	})
}

// method translates Garmin's names for the ways of delivery.
func method(garmins string) string {
	switch strings.ToLower(garmins) {
	case "email":
		return MethodEmail
	case "sms", "phone":
		return MethodSMS
	case "totp", "authenticator", "app":
		return MethodApp
	default:
		return MethodUnknown
	}
}
