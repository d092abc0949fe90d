package account

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Errors of service tokens.
var (
	ErrTokenUnknown  = errors.New("account: no such service token, or it has expired or was revoked")
	ErrTokenGarbled  = fmt.Errorf("%w: it is mistyped or cut off", ErrTokenUnknown)
	ErrTokenName     = fmt.Errorf("account: the name of a token has 1 to %d printable characters", maxTokenName)
	ErrTokenScopes   = errors.New("account: a token needs a scope")
	ErrTokenExists   = errors.New("account: this token was made before")
	ErrTokenExpiry   = errors.New("account: a token must expire in the future")
	ErrUnknownScope  = errors.New("account: no such scope")
	ErrTokenNotFound = errors.New("account: no token has this id or prefix")
)

const maxTokenName = 100

// Scope is what a token lets a program do, with the links of all users.
type Scope string

const (
	LinksRead        Scope = "links:read"        // see links and events
	LinksWrite       Scope = "links:write"       // delete, write back, import
	SessionsCheckout Scope = "sessions:checkout" // check sessions out, and report on them
	SessionsExport   Scope = "sessions:export"   // check out with what renews a session
	ConnectCreate    Scope = "connect:create"    // send users to link
)

// Scopes lists all of them, the least first.
func Scopes() []Scope {
	return []Scope{LinksRead, SessionsCheckout, ConnectCreate, LinksWrite, SessionsExport}
}

// ParseScope fails with ErrUnknownScope, and names those that there are.
func ParseScope(text string) (Scope, error) {
	if s := Scope(text); slices.Contains(Scopes(), s) {
		return s, nil
	}
	var known []string
	for _, s := range Scopes() {
		known = append(known, string(s))
	}
	return "", fmt.Errorf("%w: %q; there are %s", ErrUnknownScope, text, strings.Join(known, ", "))
}

// Token is a service token, without its secret. Times are UTC instants of the
// database's clock; a zero one says that it is not so, or not yet.
type Token struct {
	ID         uuid.UUID
	Name       string
	Prefix     string // of the secret; no other token has it
	Scopes     []Scope
	CreatedBy  string // the e-mail of an admin; "" for the command line
	CreatedAt  time.Time
	ExpiresAt  time.Time
	RevokedAt  time.Time
	LastUsedAt time.Time // exact to a minute
}

// Grant is what a token lets its bearer do.
type Grant struct {
	Token  uuid.UUID
	Scopes []Scope
	User   uuid.UUID // whom the bearer names; zero: nobody, or nobody who exists
}

// Allows reports whether the token has the scope.
func (g Grant) Allows(s Scope) bool { return slices.Contains(g.Scopes, s) }

// Live reports, for display, whether the token works at now.
func (t Token) Live(now time.Time) bool {
	return t.RevokedAt.IsZero() && (t.ExpiresAt.IsZero() || t.ExpiresAt.After(now))
}

// NewToken is what a token is made of.
type NewToken struct {
	ID        uuid.UUID // of a form that may be sent twice; zero: a new one
	Name      string
	Scopes    []Scope
	ExpiresAt time.Time // zero: never
	By        uuid.UUID // the admin who makes it; zero: the command line
}

// checked is n in its normal form, with an id.
func (n NewToken) checked() (NewToken, error) {
	n.Name = strings.TrimSpace(n.Name)
	if !printable(n.Name, maxTokenName) {
		return n, ErrTokenName
	}
	for _, s := range n.Scopes {
		if _, err := ParseScope(string(s)); err != nil {
			return n, err
		}
	}
	if len(n.Scopes) == 0 {
		return n, ErrTokenScopes
	}
	wanted := n.Scopes
	n.Scopes = slices.DeleteFunc(Scopes(), func(s Scope) bool { return !slices.Contains(wanted, s) })
	if n.ID != uuid.Nil {
		return n, nil
	}
	var err error
	n.ID, err = uuid.NewV7()
	return n, err
}

// CreateToken makes a service token. Its secret is known to the caller alone,
// and only now: a hash of it is stored. It fails with ErrTokenName,
// ErrTokenScopes, ErrUnknownScope, ErrTokenExpiry and ErrTokenExists.
func (s *Service) CreateToken(ctx context.Context, n NewToken) (Token, Secret, error) {
	n, err := n.checked()
	if err != nil {
		return Token{}, "", err
	}
	secret := newSecret(tokenMark)
	hash, err := secret.hash(tokenMark)
	if err != nil {
		return Token{}, "", err
	}
	t, err := s.store.CreateToken(ctx, n, secret.prefix(), hash)
	if err != nil {
		return Token{}, "", err
	}
	return t, secret, nil
}

// Tokens lists all tokens, those that are over too, the newest first.
func (s *Service) Tokens(ctx context.Context) ([]Token, error) { return s.store.Tokens(ctx) }

// FindToken returns the token with this id or prefix. It fails with
// ErrTokenNotFound.
func (s *Service) FindToken(ctx context.Context, idOrPrefix string) (Token, error) {
	all, err := s.store.Tokens(ctx)
	if err != nil {
		return Token{}, err
	}
	for _, t := range all {
		if t.Prefix == idOrPrefix || t.ID.String() == strings.ToLower(idOrPrefix) {
			return t, nil
		}
	}
	return Token{}, ErrTokenNotFound
}

// RevokeToken ends a token, for the very next request that shows it. Revoking
// it again changes nothing. It fails with ErrTokenNotFound.
func (s *Service) RevokeToken(ctx context.Context, id uuid.UUID) error {
	return s.store.RevokeToken(ctx, id)
}

// Authorize finds, in one statement, the token of a secret and the user whom
// ref names; with the zero UserRef, none. It notes the use, at most once a
// minute. Nothing is remembered between two calls, so that a token is over as
// soon as it is revoked.
//
// It fails with ErrTokenUnknown, and with ErrNotFound for a user who does not
// exist: then the grant is returned all the same, so that whoever lacks a scope
// can be told so, and not who exists.
func (s *Service) Authorize(ctx context.Context, secret Secret, ref UserRef) (Grant, error) {
	hash, err := secret.hash(tokenMark)
	if err != nil {
		return Grant{}, err
	}
	return s.store.Authorize(ctx, hash, ref)
}
