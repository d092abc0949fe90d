package account

import (
	"context"
	"errors"
	"time"

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
	SetRole(ctx context.Context, c RoleChange) (User, error)

	// RoleRecords lists changes of roles, the latest first.
	RoleRecords(ctx context.Context, most int) ([]RoleRecord, error)
}

// RoleChange is asked for by an admin.
type RoleChange struct {
	By        uuid.UUID
	RequestID string
	Email     string
	Role      Role
}

// RoleRecord is a change of a role, however it came about.
type RoleRecord struct {
	At        time.Time
	Email     string
	From, To  Role   // From is "" for a new user
	By        string // an admin's e-mail address; "" if it came from no page, or of one who has gone
	RequestID string
}

// Staff lists those who are more than users.
func (s *Service) Staff(ctx context.Context) ([]User, error) { return s.store.Staff(ctx) }

// SetRole gives another user a role, from his next request on. It fails with
// ErrInvalidEmail, ErrNotFound, ErrOwnRole and ErrLastAdmin.
func (s *Service) SetRole(ctx context.Context, c RoleChange) (User, error) {
	u, err := s.FindByEmail(ctx, c.Email)
	if err != nil {
		return User{}, err
	}
	if u.ID == c.By {
		return User{}, ErrOwnRole
	}
	c.Email = u.Email
	return s.store.SetRole(ctx, c)
}

// RoleRecords lists who was given which role, the latest first.
func (s *Service) RoleRecords(ctx context.Context, most int) ([]RoleRecord, error) {
	return s.store.RoleRecords(ctx, most)
}
