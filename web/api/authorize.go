package api

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/limit"
	"github.com/garminlink/garminlink/internal/link"
)

// failuresByNetwork is how often a network may show tokens that are none. Who
// has a valid one is not held up by it.
var failuresByNetwork = limit.Rate{Burst: 30, Per: 5 * time.Minute}

// caller is a program whose token has the scope of the route, and the user whom
// the path names.
type caller struct {
	account.Grant
	ref account.UserRef
	id  string // of the request
}

func (k caller) act() link.Act {
	return link.Act{User: k.User, By: link.ByWorker, Token: k.Token, RequestID: k.id}
}

// tokenKey is where a request carries the id of its token along.
const tokenKey = "token"

type handler func(echo.Context, caller) error

// granted lets programs in that have a scope. It costs one statement.
func (a *API) granted(scope account.Scope, h handler) echo.HandlerFunc {
	return func(c echo.Context) error {
		ref, faulty := refOf(c)
		k, err := a.authorize(c, ref)
		if err != nil {
			return err
		}
		if err := k.needs(scope); err != nil {
			return err
		}
		if faulty != nil {
			return faulty
		}
		return h(c, k)
	}
}

// known is for routes that need a user who exists.
func known(h handler) handler {
	return func(c echo.Context, k caller) error {
		if k.User == uuid.Nil {
			return refuse(CodeUserNotFound)
		}
		return h(c, k)
	}
}

func (a *API) authorize(c echo.Context, ref account.UserRef) (caller, error) {
	ctx := c.Request().Context()
	grant, err := a.Accounts.Authorize(ctx, bearer(c.Request()), ref)
	if errors.Is(err, account.ErrTokenUnknown) {
		return caller{}, a.unauthenticated(c)
	}
	if err != nil && !errors.Is(err, account.ErrNotFound) {
		return caller{}, err
	}
	c.Set(tokenKey, grant.Token)
	wait, err := a.Rates.Take(ctx, "token/"+grant.Token.String(), a.Rate)
	if err != nil {
		return caller{}, err
	}
	if wait > 0 {
		return caller{}, refuse(CodeTooManyRequests).after(wait)
	}
	return caller{Grant: grant, ref: ref, id: requestID(c)}, nil
}

func (a *API) unauthenticated(c echo.Context) error {
	wait, err := a.Rates.Take(c.Request().Context(), limit.Key("token/failed", c.Request().RemoteAddr), failuresByNetwork)
	if err != nil {
		return err
	}
	if wait > 0 {
		return refuse(CodeTooManyRequests).because("Too many tokens that are none came from this network.").after(wait)
	}
	return notAuthenticated(c.Request())
}

func notAuthenticated(r *http.Request) *refusal {
	if bearer(r) == "" {
		return refuse(CodeUnauthenticated)
	}
	return refuse(CodeUnauthenticated).because("The token is unknown, has expired or was revoked.")
}

// needs fails if the token lacks a scope.
func (k caller) needs(s account.Scope) error {
	if k.Allows(s) {
		return nil
	}
	scope := Scope(s)
	r := refuse(CodeInsufficientScope).because("This needs the scope " + string(s) + ".")
	r.Scope = &scope
	return r
}

// bearer is the secret that a request shows; "" for none.
func bearer(r *http.Request) account.Secret {
	scheme, secret, _ := strings.Cut(r.Header.Get(echo.HeaderAuthorization), " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return account.Secret(strings.TrimSpace(secret))
}
