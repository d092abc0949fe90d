package account

import (
	"context"
	"errors"

	"github.com/google/uuid"
)

// Service creates users and signs them in and out, and lets programs in.
type Service struct {
	store  Store
	hasher *hasher
}

// New returns a Service whose passwords cost c.
func New(store Store, c Cost) *Service {
	return &Service{store: store, hasher: newHasher(c)}
}

// Proof is that a user knows his password. It is worth nothing once that was
// changed.
type Proof struct {
	User
	hash Secret // to be printed no more than the password
}

// Create adds a user. It fails with ErrInvalidEmail, ErrPasswordShort,
// ErrPasswordLong, ErrPasswordCommon and ErrEmailTaken.
func (s *Service) Create(ctx context.Context, email, password string, role Role) (Proof, error) {
	u, hash, err := s.newUser(ctx, email, password, role)
	if err != nil {
		return Proof{}, err
	}
	if err := s.store.CreateUser(ctx, u, hash); err != nil {
		return Proof{}, err
	}
	return Proof{u, Secret(hash)}, nil
}

// newUser is one who is not kept yet.
func (s *Service) newUser(ctx context.Context, email, password string, role Role) (u User, hash string, err error) {
	if email, err = NormalEmail(email); err != nil {
		return User{}, "", err
	}
	if hash, err = s.newHash(ctx, password, email); err != nil {
		return User{}, "", err
	}
	id, err := uuid.NewV7()
	return User{ID: id, Email: email, Role: role}, hash, err
}

// newHash is that of a password which a user has chosen. It fails with
// ErrPasswordShort, ErrPasswordLong and ErrPasswordCommon.
func (s *Service) newHash(ctx context.Context, password, email string) (string, error) {
	password = normalPassword(password)
	if err := checkPassword(password, email); err != nil {
		return "", err
	}
	return s.hasher.hash(ctx, password)
}

// CheckPassword returns the user who has this e-mail and password. It fails
// with ErrWrongCredentials after the same work for an unknown e-mail as for a
// wrong password, so that neither answer nor time tells who has an account.
func (s *Service) CheckPassword(ctx context.Context, email, password string) (Proof, error) {
	u, hash, err := s.find(ctx, email)
	if err != nil {
		return Proof{}, err
	}
	match, outdated, err := s.hasher.check(ctx, normalPassword(password), hash)
	if err != nil {
		return Proof{}, err
	}
	if !match {
		return Proof{}, ErrWrongCredentials
	}
	if !outdated {
		return Proof{u, Secret(hash)}, nil
	}
	fresh, err := s.rehash(ctx, u, hash, normalPassword(password))
	if errors.Is(err, ErrNotFound) {
		return s.CheckPassword(ctx, email, password) // another hash stands there by now
	}
	return Proof{u, Secret(fresh)}, err
}

// find returns nobody's hash for an e-mail that nobody has.
func (s *Service) find(ctx context.Context, email string) (User, string, error) {
	email, err := NormalEmail(email)
	if err != nil {
		return User{}, s.hasher.nobody, nil
	}
	u, hash, err := s.store.UserByEmail(ctx, email)
	if errors.Is(err, ErrNotFound) {
		return User{}, s.hasher.nobody, nil
	}
	return u, hash, err
}

// rehash uses the one moment at which the password is known.
func (s *Service) rehash(ctx context.Context, u User, old, password string) (hash string, err error) {
	if hash, err = s.hasher.hash(ctx, password); err != nil {
		return "", err
	}
	return hash, s.store.ReplaceHash(ctx, u.ID, old, hash)
}

// SignIn begins a sign-in of a user and returns its id. It fails with
// ErrWrongCredentials if he has changed his password since he proved to know it:
// that has ended his sign-ins, and this would be one that it has not seen. What
// the pages speak to him, as a BCP 47 tag, is kept for what he is told otherwise.
func (s *Service) SignIn(ctx context.Context, p Proof, spoken string) (uuid.UUID, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.Nil, err
	}
	err = s.store.CreateSignIn(ctx, id, p.ID, p.hash.Reveal(), spoken, AbsoluteLimit)
	if errors.Is(err, ErrNotFound) {
		return uuid.Nil, ErrWrongCredentials
	}
	return id, err
}

// Authenticate returns the user of a sign-in. touch records that it is in use;
// a page that polls leaves it out, or nobody would ever be idle. It fails with
// ErrNotFound if the sign-in has ended.
func (s *Service) Authenticate(ctx context.Context, signIn uuid.UUID, touch bool) (User, error) {
	return s.store.Authenticate(ctx, signIn, IdleLimit, touch)
}

// SignOut ends a sign-in. From then on nobody can authenticate with it, not
// even a request that is under way.
func (s *Service) SignOut(ctx context.Context, signIn uuid.UUID) error {
	return s.store.EndSignIn(ctx, signIn)
}
