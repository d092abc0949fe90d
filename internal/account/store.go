package account

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Store keeps users and sign-ins. Times are the database's.
type Store interface {
	// CreateUser keeps a new user. It fails with ErrEmailTaken.
	CreateUser(ctx context.Context, u User, passwordHash string) error

	// UserByEmail finds a user who signs in here, and the hash of the
	// password. It fails with ErrNotFound.
	UserByEmail(ctx context.Context, email string) (u User, passwordHash string, err error)

	// ReplaceHash puts one hash of the same password in the place of another,
	// unless the password was changed meanwhile.
	ReplaceHash(ctx context.Context, user uuid.UUID, old, hash string) error

	// CreateSignIn keeps a new sign-in that ends after life at the latest,
	// and removes what is over of the user's former ones.
	CreateSignIn(ctx context.Context, id, user uuid.UUID, life time.Duration) error

	// Authenticate finds the user of a sign-in that has not ended and was
	// used within idle, in one statement. With touch, the same statement
	// records the use, at most once a minute. It fails with ErrNotFound.
	Authenticate(ctx context.Context, id uuid.UUID, idle time.Duration, touch bool) (User, error)

	// EndSignIn ends a sign-in, if there is one.
	EndSignIn(ctx context.Context, id uuid.UUID) error
}
