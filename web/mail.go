package web

import (
	"errors"
	"net/http"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/notify"
	"github.com/garminlink/garminlink/views"
)

// mailPath is in the mails themselves. Whoever has one may end further ones,
// signed in or not; no more than that.
const mailPath = "/mail/:token"

// showMail changes nothing: programs that look through mail open it.
func (s *Server) showMail(c echo.Context) error {
	if _, err := s.mailUser(c); err != nil {
		return err
	}
	return s.render(c, http.StatusOK, views.Mail{Token: c.Param("token")})
}

// chooseMail is what the button of mail programs asks for, too (RFC 8058): they
// send List-Unsubscribe=One-Click, no cookie, and follow no redirect.
func (s *Server) chooseMail(c echo.Context) error {
	user, err := s.mailUser(c)
	if err != nil {
		return err
	}
	again := entered(c, "mails") == "on"
	err = s.Accounts.SetNoMail(c.Request().Context(), user, !again)
	if errors.Is(err, account.ErrNotFound) {
		return echo.ErrNotFound // his account is gone
	}
	if err != nil {
		return err
	}
	n := mailOff
	if again {
		n = mailOn
	}
	return s.render(c, http.StatusOK, views.Mail{Token: c.Param("token"), Off: !again, Notice: s.words(c).Notices[n]})
}

func (s *Server) mailAgain(c echo.Context, a answer) (views.View, error) {
	return views.Mail{Token: c.Param("token"), Problem: s.problem(c, a)}, nil
}

// mailUser is whose mails they are. The address is good for ever, so not even
// our own server is told by a referrer.
func (s *Server) mailUser(c echo.Context) (uuid.UUID, error) {
	c.Response().Header().Set("Referrer-Policy", "strict-origin")
	user, err := s.OptOuts.User(c.Param("token"))
	if errors.Is(err, notify.ErrNotFound) {
		err = echo.ErrNotFound
	}
	return user, err
}
