package web

import (
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/views"
)

const tokensPath = "/support/tokens"

func (s *Server) showTokens(c echo.Context) error {
	v, err := s.tokensView(c, s.takeNotice(c))
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, v)
}

func (s *Server) tokensView(c echo.Context, n notice) (views.Tokens, error) {
	all, err := s.Accounts.Tokens(c.Request().Context())
	if err != nil {
		return views.Tokens{}, err
	}
	v := views.Tokens{Notice: s.words(c).Notices[n], Form: views.TokenForm{ID: newFormID(), Scopes: s.scopeChoices(c, nil)}}
	for _, t := range all {
		v.List = append(v.List, tokenView(t, time.Now()))
	}
	return v, nil
}

func (s *Server) scopeChoices(c echo.Context, chosen []string) (all []views.Choice) {
	for _, scope := range account.Scopes() {
		all = append(all, views.Choice{
			Value: string(scope), Text: s.words(c).Scopes[scope], Chosen: slices.Contains(chosen, string(scope)),
		})
	}
	return all
}

func tokenView(t account.Token, now time.Time) views.Token {
	v := views.Token{
		ID: t.ID.String(), Name: t.Name, Prefix: t.Prefix, CreatedBy: t.CreatedBy,
		Created: views.At(t.CreatedAt, now), Expires: views.At(t.ExpiresAt, now),
		LastUsed: views.At(t.LastUsedAt, now), Revoked: views.At(t.RevokedAt, now),
	}
	for _, scope := range t.Scopes {
		v.Scopes = append(v.Scopes, string(scope))
	}
	switch {
	case !t.RevokedAt.IsZero():
		v.Over = views.TokenRevoked
	case !t.Live(now):
		v.Over = views.TokenExpired
	}
	return v
}

// createToken answers with the secret itself: kept for a page to redirect to,
// it would be stored. The password is typed again: a screen left alone must not
// give everybody's sessions away.
func (s *Server) createToken(c echo.Context) error {
	ctx := c.Request().Context()
	wanted, err := enteredToken(c)
	if err != nil {
		return err
	}
	if err := s.proveAgain(ctx, c); err != nil {
		return err
	}
	t, secret, err := s.Accounts.CreateToken(ctx, wanted)
	if err != nil {
		return err
	}
	s.Log.InfoContext(ctx, "service token made", "request_id", idOf(c), "user", wanted.By, "token", t.ID,
		"name", t.Name, "scopes", t.Scopes, "expires", t.ExpiresAt)
	return s.render(c, http.StatusCreated, views.TokenMade{Token: tokenView(t, time.Now()), Secret: secret.Reveal()})
}

// enteredToken leaves to account what makes a good token.
func enteredToken(c echo.Context) (account.NewToken, error) {
	v, _ := visitorOf(c)
	n := account.NewToken{ID: formID(c), Name: entered(c, "name"), By: v.ID}
	for _, scope := range c.Request().PostForm["scope"] {
		n.Scopes = append(n.Scopes, account.Scope(scope))
	}
	if day := entered(c, "expires"); day != "" {
		var err error
		if n.ExpiresAt, err = time.Parse(time.DateOnly, day); err != nil || n.ExpiresAt.IsZero() { // which would be never
			return n, account.ErrTokenExpiry
		}
	}
	return n, nil
}

func (s *Server) createTokenAgain(c echo.Context, a answer) (views.View, error) {
	v, err := s.tokensView(c, noNotice)
	if err != nil {
		return nil, err
	}
	v.Form.Name, v.Form.Expires = entered(c, "name"), entered(c, "expires")
	v.Form.Scopes = s.scopeChoices(c, c.Request().PostForm["scope"])
	switch a.field {
	case "name":
		v.Form.NameError = a.Text
	case "scope":
		v.Form.ScopesError = a.Text
	case "expires":
		v.Form.ExpiresError = a.Text
	case "password":
		v.Form.PasswordError = a.Text
	default:
		v.Problem = s.problem(c, a)
	}
	return v, nil
}

func (s *Server) revokeToken(c echo.Context) error {
	if _, err := confirmed(c, "yes"); err != nil {
		return err
	}
	id, err := uuid.Parse(entered(c, "token"))
	if err != nil {
		return account.ErrTokenNotFound
	}
	ctx := c.Request().Context()
	if err := s.Accounts.RevokeToken(ctx, id); err != nil {
		return err
	}
	who, _ := visitorOf(c)
	s.Log.InfoContext(ctx, "service token revoked", "request_id", idOf(c), "user", who.ID, "token", id)
	v, err := s.tokensView(c, tokenRevoked)
	if err != nil {
		return err
	}
	return s.done(c, tokensPath, tokenRevoked, func() views.View { return v })
}

func (s *Server) revokeTokenAgain(c echo.Context, a answer) (views.View, error) {
	v, err := s.tokensView(c, noNotice)
	v.Problem = s.problem(c, a)
	return v, err
}
