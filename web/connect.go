package web

import (
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/link"
)

// connectHome is what home is to those whom a host application has sent.
const connectHome = "/connect"

// errNoVisit says that the browser is bound to no connect session.
var errNoVisit = errors.New("web: no connect session is bound to this browser")

// guest lets in the browser that a connect session is bound to. It looks at no
// sign-in: whoever is signed in here too is somebody else to these pages.
func (s *Server) guest(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		session, err := s.Links.BoundConnect(c.Request().Context(), s.boundBrowser(c))
		if errors.Is(err, link.ErrNotFound) {
			return errNoVisit
		}
		if err != nil {
			return err
		}
		c.Set(localeKey, session.Locale)
		c.Set(visitorKey, visitor{User: account.User{ID: session.User}, connect: &session})
		s.mayLeadBack(c, &session)
		return next(c)
	}
}

// guestWhile lets a guest ask Garmin something while his connect session is as
// it has to be.
func (s *Server) guestWhile(is func(*link.ConnectSession) bool) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return s.guest(func(c echo.Context) error {
			if v, _ := visitorOf(c); !is(v.connect) {
				return leave(c, http.StatusConflict, connectHome)
			}
			return next(c)
		})
	}
}

func goesOn(c *link.ConnectSession) bool { return !c.Over() }

// mayLeadBack lets the forms of a page end at the host: browsers hold what a
// form leads to against the policy, redirects included.
func (s *Server) mayLeadBack(c echo.Context, session *link.ConnectSession) {
	const own = "form-action 'self'"
	if origin := session.ReturnOrigin(); origin != "" {
		h := c.Response().Header()
		h.Set(policyHeader, strings.Replace(h.Get(policyHeader), own, own+" "+origin, 1))
	}
}

// leaveConnect gives up, or goes back once there is nothing left to do.
func (s *Server) leaveConnect(c echo.Context) error {
	v, _ := visitorOf(c)
	return s.leaveFor(c, *v.connect)
}

func (s *Server) leaveFor(c echo.Context, session link.ConnectSession) error {
	address, err := s.Links.Leave(c.Request().Context(), actUnder(c, session))
	if err != nil {
		return err
	}
	return s.sendBack(c, address, noNotice)
}

// arrived goes back at once, unless the page has to ask: of what was brought
// along, whose it is, and whether it may take another account's place.
func (s *Server) arrived(c echo.Context, l link.Link, n notice) error {
	if l.Candidate != nil && (n == brought || l.Candidate.Replaces) {
		return s.show(c, l, noNotice)
	}
	return s.goBack(c, 0)
}

func (s *Server) goBack(c echo.Context, candidate int64) error {
	address, err := s.Links.Return(c.Request().Context(), act(c), candidate)
	if err != nil {
		return err
	}
	return s.sendBack(c, address, linkedAgain)
}

func (s *Server) sendBack(c echo.Context, address link.Secret, n notice) error {
	if address == "" {
		s.leaveNotice(c, n)
		return leave(c, http.StatusOK, "/")
	}
	return leave(c, http.StatusOK, address.Reveal())
}

// connectSeconds outlives every connect session, so that a browser which comes
// late is told so.
const connectSeconds = 4 * 24 * 60 * 60

func (s *Server) connectCookie(value string, maxAge int) *http.Cookie {
	name, secure := cookieName(s.BaseURL, "garminlink-connect")
	return &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: maxAge,
		Secure: secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// boundBrowser is the secret of this browser; "" for none.
func (s *Server) boundBrowser(c echo.Context) link.Secret {
	cookie, err := c.Cookie(s.connectCookie("", 0).Name)
	if err != nil {
		return ""
	}
	return link.Secret(cookie.Value)
}
