package account

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Store keeps users, sign-ins and service tokens. Times are the database's.
type Store interface {
	// CreateUser keeps a new user. It fails with ErrEmailTaken.
	CreateUser(ctx context.Context, u User, passwordHash string) error

	// UserByEmail finds a user who signs in here, and the hash of the
	// password. It fails with ErrNotFound.
	UserByEmail(ctx context.Context, email string) (u User, passwordHash string, err error)

	// UserByRef finds the user whom a program names. It fails with
	// ErrNotFound.
	UserByRef(ctx context.Context, ref UserRef) (User, error)

	// ReplaceHash puts one hash of the same password in the place of another.
	// It fails with ErrNotFound if that does not stand there any more.
	ReplaceHash(ctx context.Context, user uuid.UUID, old, hash string) error

	// CreateSignIn keeps a new sign-in that ends after life at the latest,
	// removes what is over of the user's former ones, and keeps in which language
	// he was spoken to. It fails with
	// ErrNotFound if the user's hash is not passwordHash. Whoever ends the
	// user's sign-ins at the same time ends this one, or came before it.
	CreateSignIn(ctx context.Context, id, user uuid.UUID, passwordHash, spoken string, life time.Duration) error

	// Authenticate finds the user of a sign-in that has not ended and was
	// used within idle, in one statement. With touch, the same statement
	// records the use, at most once a minute. It fails with ErrNotFound.
	Authenticate(ctx context.Context, id uuid.UUID, idle time.Duration, touch bool) (User, error)

	// EndSignIn ends a sign-in, if there is one.
	EndSignIn(ctx context.Context, id uuid.UUID) error

	// EnsureExternal keeps a new user of a host application. If there is one
	// with the same ExternalID, it is he who is returned, with the new e-mail
	// unless that is "". Any number of calls at once make one user.
	EnsureExternal(ctx context.Context, u User) (User, error)

	// ExternalUsers finds users of host applications by their ExternalIDs, in
	// one statement. Who does not exist is left out.
	ExternalUsers(ctx context.Context, externalIDs []string) (map[string]uuid.UUID, error)

	// CreateToken keeps a new service token. It fails with ErrTokenExists if
	// there is one with its id, and with ErrTokenExpiry unless it expires in
	// the future.
	CreateToken(ctx context.Context, n NewToken, prefix string, hash []byte) (Token, error)

	// Tokens lists all service tokens, the newest first.
	Tokens(ctx context.Context) ([]Token, error)

	// RevokeToken ends a service token unless it was revoked before. It fails
	// with ErrTokenNotFound.
	RevokeToken(ctx context.Context, id uuid.UUID) error

	// Authorize finds the service token with this hash that has neither
	// expired nor been revoked, and the user whom ref names, in one statement.
	// That also records the use, at most once a minute, and never waits for
	// another that records one. It fails with ErrTokenUnknown, and with
	// ErrNotFound (and the grant) if ref names nobody who exists.
	Authorize(ctx context.Context, hash []byte, ref UserRef) (Grant, error)

	SetUpStore
	RoleStore
	SettingsStore
}
