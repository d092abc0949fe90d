// Package account owns the users of the application, their roles, passwords
// and sign-ins, and the service tokens by which programs get in.
//
// A sign-in is a row that all replicas share, and that alone decides whether it
// is over; how a browser proves that one is its own is web's business. The package
// knows no HTTP and no Garmin, and not how rows are stored (see Store).
package account

import (
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Errors of this package that a user may meet.
var (
	ErrNotFound         = errors.New("account: not found")
	ErrEmailTaken       = errors.New("account: another user has this e-mail address")
	ErrWrongCredentials = errors.New("account: unknown e-mail address or wrong password")
	ErrInvalidEmail     = errors.New("account: not an e-mail address")
	ErrPasswordShort    = errors.New("account: the password is too short")
	ErrPasswordLong     = errors.New("account: the password is too long")
	ErrPasswordCommon   = errors.New("account: the password is too easy to guess")
	ErrBusy             = errors.New("account: too many passwords are being checked")
	ErrSetUpToken       = errors.New("account: not the newest token of the set-up, or older than a day")
	ErrSetUpDone        = errors.New("account: the set-up is closed: there is an admin")
)

// How long a sign-in lasts: without being used, and at most.
const (
	IdleLimit     = 14 * 24 * time.Hour
	AbsoluteLimit = 30 * 24 * time.Hour
)

// Role says what a user may do.
type Role string

const (
	RoleUser    Role = "user"
	RoleSupport Role = "support"
	RoleAdmin   Role = "admin"
)

// ParseRole fails for anything but the name of a role.
func ParseRole(s string) (Role, error) {
	switch r := Role(s); r {
	case RoleUser, RoleSupport, RoleAdmin:
		return r, nil
	default:
		return "", fmt.Errorf("account: %q is not a role: user, support or admin", s)
	}
}

// User is a person who may sign in, or whom a host application has sent.
type User struct {
	ID         uuid.UUID
	ExternalID string // the host application's; "" for one who signs in here
	Email      string // in lower case; with an ExternalID contact data only, and may be ""
	Role       Role
	Language   string // BCP 47; "" for the browser's
	Spoken     string // the language of the pages at his last sign-in; "" if there was none
	NoMail     bool   // he wants no notices by e-mail
}
