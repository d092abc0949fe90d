package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/account"
)

// naming is what the names in a folder are.
type naming string

const (
	byExternalID naming = "ext"
	byID         naming = "id"
	byEmail      naming = "email"
)

func (n *naming) Set(text string) error {
	switch as := naming(text); as {
	case byExternalID, byID, byEmail:
		*n = as
		return nil
	default:
		return fmt.Errorf("%q is neither %s, %s nor %s", text, byExternalID, byID, byEmail)
	}
}

func (n *naming) String() string { return string(*n) }
func (*naming) Type() string     { return "naming" }

// who names a user: as programs do, or by the e-mail address that he signs in
// with here.
type who struct {
	ref   account.UserRef
	email string
}

func (w who) String() string {
	if w.email != "" {
		return w.email
	}
	return w.ref.String()
}

// read makes a user of a name in a folder.
func (n naming) read(name string) (who, error) {
	switch n {
	case byEmail:
		return who{email: strings.ToLower(name)}, nil
	case byExternalID:
		name = "ext:" + name
	}
	ref, err := account.ParseUserRef(name)
	if err == nil && n == byID && ref.ID() == uuid.Nil {
		err = account.ErrInvalidRef
	}
	if err != nil {
		return who{}, mishap{invalidUser, err.Error()}
	}
	return who{ref: ref}, nil
}

// userOf finds the user of a newcomer; one of a host application's is made if
// need be, unless this is a rehearsal: then he has the zero id.
func (im *importer) userOf(ctx context.Context, n newcomer) (uuid.UUID, error) {
	var (
		u   account.User
		err error
	)
	external := n.who.ref.ExternalID() != ""
	switch {
	case n.who.email != "":
		u, err = im.accounts.FindByEmail(ctx, n.who.email)
	case external && !im.rehearsal:
		u, err = im.accounts.EnsureExternal(ctx, n.who.ref.ExternalID(), n.contact)
	default:
		u, err = im.accounts.Find(ctx, n.who.ref)
	}
	switch {
	case external && errors.Is(err, account.ErrNotFound):
		return uuid.Nil, nil
	case errors.Is(err, account.ErrNotFound):
		return uuid.Nil, mishap{unknownUser, "there is no such user here"}
	case errors.Is(err, account.ErrInvalidEmail):
		return uuid.Nil, mishap{invalidUser, "the e-mail address is none"}
	default:
		return u.ID, err
	}
}
