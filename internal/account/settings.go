package account

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
)

// SettingsStore is the part of a Store that keeps what users decide on for
// themselves.
type SettingsStore interface {
	// SetNoMail keeps whether a user wants no notices by e-mail. It fails with
	// ErrNotFound.
	SetNoMail(ctx context.Context, user uuid.UUID, no bool) error

	// SetLanguage keeps the language that a user reads. It fails with
	// ErrNotFound.
	SetLanguage(ctx context.Context, user uuid.UUID, tag string) error

	// SignIns lists a user's sign-ins that have neither ended nor been unused
	// for idle, the last used first.
	SignIns(ctx context.Context, user uuid.UUID, idle time.Duration) ([]SignIn, error)

	// EndOtherSignIns ends all of a user's sign-ins but one, and tells how many
	// those were.
	EndOtherSignIns(ctx context.Context, user, but uuid.UUID) (ended int, err error)

	// ChangeHash puts the hash of another password in the place of old and ends
	// all of the user's sign-ins but one, or neither: it fails with ErrNotFound
	// if his hash is not old.
	ChangeHash(ctx context.Context, user uuid.UUID, old, hash string, but uuid.UUID) error
}

// SignIn is one browser in which a user is signed in. Times are the database's.
type SignIn struct {
	ID        uuid.UUID
	CreatedAt time.Time
	SeenAt    time.Time // exact to a minute
}

// SetNoMail keeps whether a user wants no notices by e-mail. It fails with
// ErrNotFound.
func (s *Service) SetNoMail(ctx context.Context, user uuid.UUID, no bool) error {
	return s.store.SetNoMail(ctx, user, no)
}

// SetLanguage keeps the language that a user reads, as a BCP 47 tag; "" for the
// browser's. It fails with ErrNotFound.
func (s *Service) SetLanguage(ctx context.Context, user uuid.UUID, tag string) error {
	return s.store.SetLanguage(ctx, user, tag)
}

// SignIns lists where a user is signed in, the last used first.
func (s *Service) SignIns(ctx context.Context, user uuid.UUID) ([]SignIn, error) {
	return s.store.SignIns(ctx, user, IdleLimit)
}

// SignOutOthers ends all of a user's sign-ins but one, for their very next
// request.
func (s *Service) SignOutOthers(ctx context.Context, user, but uuid.UUID) (ended int, err error) {
	return s.store.EndOtherSignIns(ctx, user, but)
}

// ChangePassword gives a user who proves that he knows the old one another
// password, and ends all of his sign-ins but one. It fails with
// ErrWrongCredentials, ErrPasswordShort, ErrPasswordLong and ErrPasswordCommon.
func (s *Service) ChangePassword(ctx context.Context, email, old, password string, but uuid.UUID) error {
	u, oldHash, err := s.find(ctx, email)
	if err != nil {
		return err
	}
	match, _, err := s.hasher.check(ctx, normalPassword(old), oldHash)
	if err != nil {
		return err
	}
	if !match {
		return ErrWrongCredentials
	}
	hash, err := s.newHash(ctx, password, u.Email)
	if err != nil {
		return err
	}
	err = s.store.ChangeHash(ctx, u.ID, oldHash, hash, but)
	if errors.Is(err, ErrNotFound) {
		return ErrWrongCredentials // it was changed meanwhile
	}
	return err
}
