package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/views"
)

const home = "/link" // of those who are signed in

func (s *Server) showLanding(c echo.Context) error {
	if _, known := visitorOf(c); known {
		return c.Redirect(http.StatusSeeOther, home)
	}
	return s.render(c, http.StatusOK, views.Landing{SignupOpen: s.SignupOpen, Notice: s.words(c).Notices[s.takeNotice(c)]})
}

func (s *Server) showSignIn(c echo.Context) error {
	next := localPath(c.QueryParam("next"))
	if _, known := visitorOf(c); known {
		return c.Redirect(http.StatusSeeOther, orHome(next))
	}
	return s.render(c, http.StatusOK, views.SignIn{Next: next, SignupOpen: s.SignupOpen, Notice: s.words(c).Notices[s.takeNotice(c)]})
}

func (s *Server) signIn(c echo.Context) error {
	user, err := s.Accounts.CheckPassword(c.Request().Context(), entered(c, "email"), entered(c, "password"))
	if err != nil {
		return err
	}
	if err := s.signIns.begin(c, user, s.languageOf(c)); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, orHome(localPath(entered(c, "next"))))
}

func (s *Server) signInAgain(c echo.Context, a answer) (views.View, error) {
	v := views.SignIn{Email: entered(c, "email"), Next: localPath(entered(c, "next")), SignupOpen: s.SignupOpen}
	v.Problem = s.problem(c, a)
	return v, nil
}

func (s *Server) showSignUp(c echo.Context) error {
	if _, known := visitorOf(c); known {
		return c.Redirect(http.StatusSeeOther, home)
	}
	return s.render(c, http.StatusOK, views.SignUp{PasswordRule: s.words(c).PasswordRule})
}

func (s *Server) signUp(c echo.Context) error {
	user, err := s.Accounts.Create(c.Request().Context(), entered(c, "email"), entered(c, "password"), account.RoleUser)
	if err != nil {
		return err
	}
	if err := s.signIns.begin(c, user, s.languageOf(c)); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, home)
}

func (s *Server) signUpAgain(c echo.Context, a answer) (views.View, error) {
	v := views.SignUp{Email: entered(c, "email"), PasswordRule: s.words(c).PasswordRule}
	switch a.field {
	case "email":
		v.EmailError = a.Text
	case "password":
		v.PasswordError = a.Text
	default:
		v.Problem = s.problem(c, a)
	}
	return v, nil
}

func (s *Server) signOut(c echo.Context) error {
	if err := s.signIns.end(c); err != nil {
		return err
	}
	s.leaveNotice(c, signedOut)
	return c.Redirect(http.StatusSeeOther, "/")
}

func orHome(path string) string {
	if path == "" {
		return home
	}
	return path
}

// localPath returns s if it surely leads to a page of ours, and "" otherwise:
// a link to our sign-in must not lead on to a copy of it elsewhere. Browsers
// read a backslash as a slash, and two slashes as another host.
func localPath(s string) string {
	u, err := url.Parse(s) // refuses control characters, which browsers skip
	if err != nil || !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") || strings.Contains(s, `\`) ||
		u.Scheme != "" || u.Host != "" {
		return ""
	}
	return u.RequestURI()
}
