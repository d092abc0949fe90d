package web

import (
	"context"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/views"
)

// errNotYourPassword says that the one who is signed in did not prove again
// who he is.
var errNotYourPassword = errors.New("web: not the password of the user who is signed in")

// exportFile is how a browser saves a copy.
type exportFile struct{ name, contentType string }

var exportFiles = map[link.Format]exportFile{
	link.Garth:         {"garth-session.txt", "text/plain; charset=utf-8"},
	link.Garminconnect: {"garmin_tokens.json", "application/json"},
}

func (s *Server) showExport(c echo.Context) error {
	l, err := s.linkOf(c)
	if err != nil {
		return err
	}
	if l.State.Session != link.Live {
		return c.Redirect(http.StatusSeeOther, home)
	}
	return s.render(c, http.StatusOK, views.Export{Format: string(link.Garth)})
}

// exportSession answers with a file, once the password was typed again: a
// screen left alone must not give a session away.
func (s *Server) exportSession(c echo.Context) error {
	ctx, format := c.Request().Context(), link.Format(entered(c, "format"))
	if err := s.proveAgain(ctx, c); err != nil {
		return err
	}
	text, err := s.Links.Export(ctx, act(c), link.Export{Format: format, Renewal: entered(c, "renewal") == "yes"})
	if err != nil {
		return err
	}
	file := exportFiles[format]
	c.Response().Header().Set(echo.HeaderContentDisposition, `attachment; filename="`+file.name+`"`)
	return c.Blob(http.StatusOK, file.contentType, []byte(text.Reveal()))
}

func (s *Server) proveAgain(ctx context.Context, c echo.Context) error {
	v, _ := visitorOf(c)
	_, err := s.Accounts.CheckPassword(ctx, v.Email, entered(c, "password"))
	if errors.Is(err, account.ErrWrongCredentials) {
		return errNotYourPassword
	}
	return err
}

// exportAgain is the page of the link once there is no session to copy.
func (s *Server) exportAgain(c echo.Context, a answer) (views.View, error) {
	l, err := s.linkOf(c)
	if err != nil {
		return nil, err
	}
	if l.State.Session != link.Live {
		return s.linkAgain(c, a)
	}
	v := views.Export{Format: entered(c, "format"), Renewal: entered(c, "renewal") == "yes"}
	switch a.field {
	case "format":
		v.FormatError = a.Text
	case "password":
		v.PasswordError = a.Text
	default:
		v.Problem = s.problem(c, a)
	}
	return v, nil
}
