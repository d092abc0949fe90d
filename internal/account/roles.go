package account

import (
	"context"
	"errors"

	"github.com/google/uuid"
)

// Errors of a change of roles.
var (
	ErrOwnRole   = errors.New("account: nobody changes his own role")
	ErrLastAdmin = errors.New("account: somebody must stay an admin")
)

// RoleStore is the part of a Store that knows the staff.
type RoleStore interface {
	// Staff lists those who are more than users: admins first, each by e-mail.
	Staff(ctx context.Context) ([]User, error)

	// SetRole gives a user who signs in here a role, from his next request on.
	// It fails with ErrNotFound, and with ErrLastAdmin where no admin would be
	// left, however many such calls there are at once.
	SetRole(ctx context.Context, email string, r Role) (User, error)
}

// Staff lists those who are more than users.
func (s *Service) Staff(ctx context.Context) ([]User, error) { return s.store.Staff(ctx) }

// SetRole gives another user a role, from his next request on. It fails with
// ErrInvalidEmail, ErrNotFound, ErrOwnRole and ErrLastAdmin.
func (s *Service) SetRole(ctx context.Context, by uuid.UUID, email string, r Role) (User, error) {
	u, err := s.FindByEmail(ctx, email)
	if err != nil {
		return User{}, err
	}
	if u.ID == by {
		return User{}, ErrOwnRole
	}
	return s.store.SetRole(ctx, u.Email, r)
}
