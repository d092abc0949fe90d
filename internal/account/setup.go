package account

import (
	"context"
	"time"
)

// setUpLife is how long a token opens the set-up.
const setUpLife = 24 * time.Hour

// SetUpStore is the part of a Store that knows whether an installation has its
// first admin. Once it has had one, whichever way he came, the set-up is closed
// for ever.
type SetUpStore interface {
	// HasUsers reports that there is a user, of whatever kind.
	HasUsers(ctx context.Context) (bool, error)

	// SetUpOpen reports that there has been no admin.
	SetUpOpen(ctx context.Context) (bool, error)

	// KeepSetUpToken makes a token the one that opens the set-up for so long.
	// It fails with ErrSetUpDone.
	KeepSetUpToken(ctx context.Context, hash []byte, life time.Duration) error

	// CheckSetUpToken fails with ErrSetUpDone and ErrSetUpToken.
	CheckSetUpToken(ctx context.Context, hash []byte) error

	// SetUp keeps the first admin and so closes the set-up. Of any number of
	// calls at once, one does; the others fail as CheckSetUpToken does. It
	// fails with ErrEmailTaken, and the token goes on.
	SetUp(ctx context.Context, token []byte, admin User, passwordHash string) error
}

// HasUsers reports that there is a user, of whatever kind.
func (s *Service) HasUsers(ctx context.Context) (bool, error) { return s.store.HasUsers(ctx) }

// SetUpOpen reports that there has been no admin yet.
func (s *Service) SetUpOpen(ctx context.Context) (bool, error) { return s.store.SetUpOpen(ctx) }

// NewSetUpToken makes the token that opens the set-up for a day, in the place of
// the one before. It is known to the caller alone: a hash of it is stored. It
// fails with ErrSetUpDone.
func (s *Service) NewSetUpToken(ctx context.Context) (Secret, error) {
	secret := newSecret(setUpMark)
	hash, err := secret.hash(setUpMark)
	if err != nil {
		return "", err
	}
	return secret, s.store.KeepSetUpToken(ctx, hash, setUpLife)
}

// SetUp makes the first admin. It fails with ErrSetUpDone and ErrSetUpToken
// before anything else is looked at, and then as Create does.
func (s *Service) SetUp(ctx context.Context, token Secret, email, password string) (Proof, error) {
	tokenHash, err := token.hash(setUpMark)
	if err != nil {
		tokenHash = []byte{} // which no token has
	}
	if err := s.store.CheckSetUpToken(ctx, tokenHash); err != nil {
		return Proof{}, err
	}
	admin, hash, err := s.newUser(ctx, email, password, RoleAdmin)
	if err != nil {
		return Proof{}, err
	}
	if err := s.store.SetUp(ctx, tokenHash, admin, hash); err != nil {
		return Proof{}, err
	}
	return Proof{admin, Secret(hash)}, nil
}
