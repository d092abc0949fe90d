package account

import (
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
)

const (
	externalMark  = "ext:"
	maxExternalID = 255
)

// ErrInvalidRef says that a text names no user, whoever exists.
var ErrInvalidRef = fmt.Errorf("account: a user is named by our id, or as %s and 1 to %d printable characters", externalMark, maxExternalID)

// UserRef names a user: by our id, or by the id that a host application has
// for him. The zero UserRef names nobody.
type UserRef struct {
	id       uuid.UUID
	external string
}

// RefOf names a user by our id.
func RefOf(id uuid.UUID) UserRef { return UserRef{id: id} }

// ParseUserRef reads a UUID in its usual form, or ext: with the id of a host
// application, which is taken as it is: two that differ in any byte are two
// users. It fails with ErrInvalidRef.
func ParseUserRef(text string) (UserRef, error) {
	if external, ok := strings.CutPrefix(text, externalMark); ok {
		if err := checkExternalID(external); err != nil {
			return UserRef{}, err
		}
		return UserRef{external: external}, nil
	}
	id, err := uuid.Parse(text)
	if err != nil || id == uuid.Nil || !strings.EqualFold(id.String(), text) { // other forms parse too
		return UserRef{}, ErrInvalidRef
	}
	return RefOf(id), nil
}

// ID is the zero UUID unless the user is named by our id.
func (r UserRef) ID() uuid.UUID { return r.id }

// ExternalID is "" unless the user is named by a host application's id.
func (r UserRef) ExternalID() string { return r.external }

// String is what ParseUserRef reads, and "" for the zero UserRef.
func (r UserRef) String() string {
	switch {
	case r.external != "":
		return externalMark + r.external
	case r.id != uuid.Nil:
		return r.id.String()
	default:
		return ""
	}
}

func checkExternalID(s string) error {
	if !printable(s, maxExternalID) {
		return ErrInvalidRef
	}
	return nil
}

// printable reports whether s has 1 to most characters, and none that is
// invisible or steers a terminal.
func printable(s string, most int) bool {
	length := utf8.RuneCountInString(s)
	return length > 0 && length <= most && utf8.ValidString(s) &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// EnsureExternal returns the user of a host application, who is made if he is
// not known. The e-mail is contact data: it is matched to nobody and gives no
// sign-in; "" leaves the former one. It fails with ErrInvalidRef and
// ErrInvalidEmail.
func (s *Service) EnsureExternal(ctx context.Context, externalID, email string) (User, error) {
	if err := checkExternalID(externalID); err != nil {
		return User{}, err
	}
	if email != "" {
		var err error
		if email, err = NormalEmail(email); err != nil {
			return User{}, err
		}
	}
	id, err := uuid.NewV7()
	if err != nil {
		return User{}, err
	}
	return s.store.EnsureExternal(ctx, User{ID: id, ExternalID: externalID, Email: email, Role: RoleUser})
}

// Resolve finds the users whom refs name, in their order and one statement at
// most. An id of ours is taken as it is; for a host application's id that
// nobody has, there is the zero UUID.
func (s *Service) Resolve(ctx context.Context, refs []UserRef) ([]uuid.UUID, error) {
	var external []string
	for _, r := range refs {
		if r.external != "" {
			external = append(external, r.external)
		}
	}
	var found map[string]uuid.UUID
	if len(external) > 0 {
		var err error
		if found, err = s.store.ExternalUsers(ctx, external); err != nil {
			return nil, err
		}
	}
	users := make([]uuid.UUID, len(refs))
	for i, r := range refs {
		if users[i] = r.id; r.external != "" {
			users[i] = found[r.external]
		}
	}
	return users, nil
}
