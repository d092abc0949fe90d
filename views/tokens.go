package views

import (
	"context"
	"io"
)

// Tokens is the page of GET /support/tokens, with the form of the POST to it.
type Tokens struct {
	Notice  string
	Problem *Problem
	Form    TokenForm
	List    []Token
}

// TokenForm makes a token. It never carries the password.
type TokenForm struct {
	ID            string // of this very form: sent twice, it makes one token
	Name          string
	Scopes        []Choice
	Expires       string // such as 2027-01-31; "" for never
	NameError     string
	ScopesError   string
	ExpiresError  string
	PasswordError string
}

// Choice is a box to tick.
type Choice struct {
	Value  string
	Text   string
	Chosen bool
}

// How a token came to its end.
const (
	TokenRevoked = "revoked"
	TokenExpired = "expired"
)

// Token is one of the list.
type Token struct {
	ID        string
	Name      string
	Prefix    string
	Over      string // TokenRevoked or TokenExpired; "" while it works
	Scopes    []string
	CreatedBy string // an e-mail; "" for the command line
	Created   Moment
	Expires   Moment
	LastUsed  Moment
	Revoked   Moment
}

// TokenMade shows a token's secret, the only time.
type TokenMade struct {
	Token
	Secret string
}

func (Tokens) Title(ctx context.Context) string    { return say(ctx, "Service tokens") }
func (TokenMade) Title(ctx context.Context) string { return say(ctx, "Your new token") }

func (t Tokens) Render(ctx context.Context, w io.Writer) error    { return tokens(t).Render(ctx, w) }
func (t TokenMade) Render(ctx context.Context, w io.Writer) error { return tokenMade(t).Render(ctx, w) }

func (f TokenForm) faulty() bool {
	return f.NameError != "" || f.ExpiresError != "" || f.PasswordError != ""
}

func (t Token) maker(ctx context.Context) string {
	if t.CreatedBy == "" {
		return say(ctx, "The command line")
	}
	return t.CreatedBy
}
