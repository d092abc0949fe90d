package web

import (
	"crypto/rand"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/views"
)

// showDoor is the page of an address that a host sent its user to. Programs
// that look through mail see it too, so it changes nothing.
func (s *Server) showDoor(c echo.Context) error {
	session, err := s.doorOf(c)
	if err != nil {
		return err
	}
	bound, err := s.Links.BoundConnect(c.Request().Context(), s.boundBrowser(c))
	if err == nil && bound.ID == session.ID {
		return c.Redirect(http.StatusSeeOther, connectHome)
	}
	return s.render(c, http.StatusOK, s.doorView(c, session))
}

// doorOf reads the connect session of the address. The address is a secret:
// not even our own server is told by a referrer.
func (s *Server) doorOf(c echo.Context) (link.ConnectSession, error) {
	c.Response().Header().Set("Referrer-Policy", "strict-origin")
	session, err := s.Links.OpenConnect(c.Request().Context(), link.Secret(c.Param("address")))
	if errors.Is(err, link.ErrNotFound) {
		err = echo.ErrNotFound
	}
	if err == nil {
		c.Set(localeKey, session.Locale)
		s.mayLeadBack(c, &session)
	}
	return session, err
}

func (s *Server) doorView(c echo.Context, session link.ConnectSession) views.Door {
	v := views.Door{
		Visit: visitView(session), Over: s.overWords(c, &session),
		Address: connectHome + "/" + c.Param("address"), Browser: rand.Text(),
	}
	if session.Over() && !session.BoundAt.IsZero() {
		v.Host = "" // the way back, with state and code, is for the browser that it was bound to
	}
	return v
}

// bind makes the address this browser's, and goes on to one without the secret.
// One that was over before anybody used it leads back.
func (s *Server) bind(c echo.Context) error {
	session, err := s.doorOf(c)
	if err != nil {
		return err
	}
	if session.Over() && session.BoundAt.IsZero() {
		return s.leaveFor(c, session)
	}
	browser, err := s.Links.BindConnect(c.Request().Context(), idOf(c), link.Secret(c.Param("address")),
		entered(c, "browser"), s.boundBrowser(c))
	if err != nil {
		return err
	}
	c.SetCookie(s.connectCookie(browser.Reveal(), connectSeconds))
	return c.Redirect(http.StatusSeeOther, connectHome)
}

func (s *Server) bindAgain(c echo.Context, a answer) (views.View, error) {
	session, err := s.doorOf(c)
	if err != nil {
		return nil, err
	}
	v := s.doorView(c, session)
	v.Problem = s.problem(c, a)
	return v, nil
}
