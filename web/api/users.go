package api

import (
	"errors"
	"net/url"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/account"
)

const notARef = "must be our id of a user, or ext: and 1 to 255 printable characters"

// refOf is whom the path names: the zero UserRef if that is nobody's business.
func refOf(c echo.Context) (account.UserRef, error) {
	text := c.Param("user")
	if text == "" {
		return account.UserRef{}, nil
	}
	if c.Request().URL.RawPath != "" { // then echo matches that one, and leaves it as it is
		unescaped, err := url.PathUnescape(text)
		if err != nil {
			return account.UserRef{}, invalid("user", notARef)
		}
		text = unescaped
	}
	ref, err := account.ParseUserRef(text)
	if err != nil {
		return account.UserRef{}, invalid("user", notARef)
	}
	return ref, nil
}

// ensure returns the id of a user. One of a host application is made if he is
// not known, and may get an e-mail; one of ours may not exist.
func (a *API) ensure(c echo.Context, ref account.UserRef, email *string) (uuid.UUID, error) {
	if ref.ExternalID() == "" {
		if email != nil {
			return uuid.Nil, refuse(CodeInvalidBody).at(FieldError{Field: "email", Detail: "is for ext: users alone"})
		}
		return ref.ID(), nil
	}
	u, err := a.Accounts.EnsureExternal(c.Request().Context(), ref.ExternalID(), orZero(email))
	if errors.Is(err, account.ErrInvalidEmail) {
		return uuid.Nil, refuse(CodeInvalidBody).at(FieldError{Field: "email", Detail: notAnEmail})
	}
	return u.ID, err
}
