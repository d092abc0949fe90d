package web

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/views"
)

const setUpPath = "/setup"

// settledIn reports that there is a user, or that this process has seen one or
// the set-up closed: it asks until that is so. Whoever comes before is led to
// where the first admin is made.
func (s *Server) settledIn(c echo.Context) (bool, error) {
	if _, known := visitorOf(c); known || s.settled.Load() {
		return true, nil
	}
	has, err := s.Accounts.HasUsers(c.Request().Context())
	if has {
		s.settled.Store(true)
	}
	return has, err
}

// showSetUp stays until there is an admin, whoever else has signed up before.
func (s *Server) showSetUp(c echo.Context) error {
	open, err := s.Accounts.SetUpOpen(c.Request().Context())
	if err != nil {
		return err
	}
	if !open {
		s.settled.Store(true) // there was an admin, although there may be no user any more
		return c.Redirect(http.StatusSeeOther, "/")
	}
	return s.render(c, http.StatusOK, views.SetUp{PasswordRule: s.words(c).PasswordRule})
}

func (s *Server) setUp(c echo.Context) error {
	ctx := c.Request().Context()
	token := account.Secret(strings.TrimSpace(entered(c, "token"))) // terminals add to what is copied
	admin, err := s.Accounts.SetUp(ctx, token, entered(c, "email"), entered(c, "password"))
	if err != nil {
		return err
	}
	s.Log.InfoContext(ctx, "the first admin is made, and the set-up closed", "request_id", idOf(c), "user", admin.ID)
	if err := s.signIns.begin(c, admin, s.languageOf(c)); err != nil {
		return err
	}
	s.leaveNotice(c, setUpDone)
	return c.Redirect(http.StatusSeeOther, home)
}

// setUpAgain is the page to sign in once there is an admin.
func (s *Server) setUpAgain(c echo.Context, a answer) (views.View, error) {
	open, err := s.Accounts.SetUpOpen(c.Request().Context())
	if err != nil {
		return nil, err
	}
	if !open {
		return views.SignIn{Email: entered(c, "email"), SignupOpen: s.SignupOpen, Problem: s.problem(c, a)}, nil
	}
	v := views.SetUp{Email: entered(c, "email"), PasswordRule: s.words(c).PasswordRule}
	switch a.field {
	case "token":
		v.TokenError = a.Text
	case "email":
		v.EmailError = a.Text
	case "password":
		v.PasswordError = a.Text
	default:
		v.Problem = s.problem(c, a)
	}
	return v, nil
}
