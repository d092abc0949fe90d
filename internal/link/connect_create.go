package link

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/garmin"
)

// NewConnect is what a connect session is made of: by a host, or by one of the
// staff, who may ask for a relink alone.
type NewConnect struct {
	Purpose   Purpose
	ReturnURL string // within ReturnURLs; empty, to our own first page, for staff alone
	State     string // up to 512 characters
	Region    string // "" or a region
	Locale    string // "" or BCP 47: what the user reads

	Token, Staff uuid.UUID // one of the two, unless it is Mailed

	// Mailed is for a mail of ours to a user: it lasts for three days, as mail
	// may lie, and leads to our own first page.
	Mailed bool

	// Key makes the request idempotent for a day, unless it is empty: who sends
	// it again with the same Request gets the same connect session.
	Key     string
	Request []byte
}

// CreateConnect makes a connect session for the user of act, and the secret of
// the address to which he is to be sent, good for half an hour and one browser
// (see NewConnect.Mailed).
// Of staff the history has it.
//
// It fails with InvalidReturnURL, InvalidRegion, KeyReused, and NotLinked where
// there is nothing to relink.
func (s *Service) CreateConnect(ctx context.Context, act Act, n NewConnect) (ConnectSession, Secret, error) {
	if err := s.CheckConnect(n); err != nil {
		return ConnectSession{}, "", err
	}
	c, err := s.repeated(ctx, act, n)
	if errors.Is(err, ErrNotFound) {
		c, err = s.newConnect(ctx, act, n)
	}
	if errors.Is(err, ErrKeyTaken) { // by the same request, a moment ago
		c, err = s.repeated(ctx, act, n)
	}
	if err != nil {
		return ConnectSession{}, "", err
	}
	return c, s.vault.addressOf(c.ID), nil
}

// repeated finds what the same request has made. It fails with ErrNotFound.
func (s *Service) repeated(ctx context.Context, act Act, n NewConnect) (ConnectSession, error) {
	if n.Key == "" {
		return ConnectSession{}, ErrNotFound
	}
	c, err := s.store.ConnectByKey(ctx, cmp.Or(n.Token, n.Staff), n.Key, repeatTime)
	if err == nil && (c.User != act.User || !bytes.Equal(c.Request, n.digest())) {
		err = fail(KeyReused)
	}
	return c, err
}

func (n NewConnect) digest() []byte {
	sum := sha256.Sum256(n.Request)
	return sum[:]
}

func (n NewConnect) life() time.Duration {
	if n.Mailed {
		return mailedLife
	}
	return connectLife
}

func (s *Service) newConnect(ctx context.Context, act Act, n NewConnect) (ConnectSession, error) {
	c := &ConnectSession{
		ID: newID(), User: act.User, Token: n.Token, Staff: n.Staff, Purpose: n.Purpose,
		ReturnURL: n.ReturnURL, State: n.State, Region: n.Region, Locale: n.Locale,
	}
	if n.Key != "" {
		c.Key, c.Request = n.Key, n.digest()
	}
	err := s.update(ctx, act, func(r *Record) error {
		if n.Purpose == ToRelink && r.State.Session == None {
			return fail(NotLinked)
		}
		c.CreatedAt, c.ExpiresAt = r.Now, r.Now.Add(n.life())
		r.Connect = c
		if n.Staff == noID {
			return nil
		}
		return r.move(RelinkAsked)
	})
	if err != nil {
		return ConnectSession{}, err
	}
	return s.store.Connect(ctx, c.ID)
}

// CheckConnect fails as CreateConnect does with what n itself is at fault for.
func (s *Service) CheckConnect(n NewConnect) error {
	if n.Staff != noID && n.Purpose != ToRelink {
		return errors.New("link: staff may ask for a relink alone")
	}
	if n.Staff == noID && !n.Mailed || n.ReturnURL != "" {
		if err := s.ReturnURLs.check(n.ReturnURL); err != nil {
			return &Error{Kind: InvalidReturnURL, Err: err}
		}
	}
	if n.Region != "" {
		if _, err := garmin.ParseRegion(n.Region); err != nil {
			return fail(InvalidRegion)
		}
	}
	return nil
}
