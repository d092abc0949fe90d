package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/views"
)

func (s *Server) showLink(c echo.Context) error {
	l, err := s.linkOf(c)
	if err != nil {
		return err
	}
	return s.renderLink(c, l)
}

func (s *Server) renderLink(c echo.Context, l link.Link) error {
	page, err := s.linkView(c, l, s.takeNotice(c))
	if err != nil {
		return err
	}
	s.takeTyped(c, &page.Form)
	return s.render(c, http.StatusOK, s.pageOf(c, page))
}

// showChallenge is the page that waits for a code. Once none is awaited, it is
// the page of the link.
func (s *Server) showChallenge(c echo.Context) error {
	l, err := s.linkOf(c)
	if err != nil {
		return err
	}
	if l.Challenge == nil {
		return c.Redirect(http.StatusSeeOther, baseOf(c))
	}
	return s.renderLink(c, l)
}

// to leads to where a form stands: without scripts, its address stays in the
// browser after it failed, and may be loaded anew.
func to(path string) echo.HandlerFunc {
	return func(c echo.Context) error { return c.Redirect(http.StatusSeeOther, path) }
}

func (s *Server) showStatus(c echo.Context) error {
	if anothers(c, c.QueryParam("as")) {
		return c.NoContent(http.StatusConflict) // his page says nothing of this visitor's link
	}
	l, err := s.linkOf(c)
	if err != nil {
		return err
	}
	status, err := s.statusOf(c, l)
	if err != nil {
		return err
	}
	switch shown := c.QueryParam("shown"); shown {
	case views.NotLinked, views.Active, views.MFAPending, views.ReauthNeeded:
		status.Shown = shown
	}
	return s.renderStatus(c, status)
}

// linkOf reads the visitor's link, once for a page and its prompt. What changes
// the link comes before.
func (s *Server) linkOf(c echo.Context) (link.Link, error) {
	if l, read := c.Get(linkKey).(link.Link); read {
		return l, nil
	}
	l, err := s.Links.View(c.Request().Context(), act(c))
	if err == nil {
		c.Set(linkKey, l)
	}
	return l, err
}

// act says on whose behalf the form is sent.
func act(c echo.Context) link.Act {
	v, _ := visitorOf(c)
	if v.connect != nil {
		return actUnder(c, *v.connect)
	}
	return link.Act{User: v.ID, By: link.ByUser, RequestID: idOf(c)}
}

func actUnder(c echo.Context, session link.ConnectSession) link.Act {
	return link.Act{User: session.User, By: link.ByUser, RequestID: idOf(c), Connect: session.ID}
}

// baseOf is where the pages of the visitor's link begin.
func baseOf(c echo.Context) string {
	v, _ := visitorOf(c)
	return v.base()
}

func (s *Server) startLink(c echo.Context) error {
	l, err := s.Links.Start(c.Request().Context(), act(c), link.Credentials{
		Email: entered(c, "email"), Password: entered(c, "password"), Region: entered(c, "region"),
		Form: formID(c),
	})
	if err != nil {
		return err
	}
	return s.moved(c, l, linked)
}

func (s *Server) submitCode(c echo.Context) error {
	challenge, err := challengeID(c)
	if err != nil {
		return err
	}
	l, err := s.Links.SubmitCode(c.Request().Context(), act(c), challenge, entered(c, "code"))
	if err != nil {
		return err
	}
	return s.moved(c, l, linked)
}

func (s *Server) resendCode(c echo.Context) error {
	challenge, err := challengeID(c)
	if err != nil {
		return err
	}
	l, err := s.Links.ResendCode(c.Request().Context(), act(c), challenge)
	if err != nil {
		return err
	}
	return s.show(c, l, codeSent)
}

func (s *Server) cancel(c echo.Context) error {
	l, err := s.Links.Cancel(c.Request().Context(), act(c))
	if err != nil {
		return err
	}
	return s.show(c, l, cancelled)
}

func (s *Server) validate(c echo.Context) error {
	l, err := s.Links.Validate(c.Request().Context(), act(c))
	if err != nil {
		return err
	}
	return s.show(c, l, checked)
}

func (s *Server) replace(c echo.Context) error {
	yes, err := confirmed(c, "yes", "no")
	if err != nil {
		return err
	}
	candidate, err := candidateID(c)
	if err != nil {
		return err
	}
	if v, _ := visitorOf(c); yes && v.connect != nil {
		return s.goBack(c, candidate)
	}
	l, err := s.Links.Replace(c.Request().Context(), act(c), candidate, yes)
	if err != nil {
		return err
	}
	if yes {
		return s.show(c, l, linked)
	}
	return s.show(c, l, kept)
}

func (s *Server) unlink(c echo.Context) error {
	if _, err := confirmed(c, "yes"); err != nil {
		return err
	}
	if err := s.Links.Unlink(c.Request().Context(), act(c)); err != nil {
		return err
	}
	l, err := s.linkOf(c)
	if err != nil {
		return err
	}
	return s.show(c, l, unlinked)
}

// moved shows where a sign-in to Garmin has led, and tells n if to a link.
func (s *Server) moved(c echo.Context, l link.Link, n notice) error {
	if v, _ := visitorOf(c); v.connect != nil && l.Challenge == nil {
		return s.arrived(c, l, n)
	}
	if l.Challenge != nil || l.Candidate != nil {
		n = noNotice // the page asks its own question
	}
	return s.show(c, l, n)
}

func (s *Server) show(c echo.Context, l link.Link, n notice) error {
	path := baseOf(c)
	if l.Challenge != nil {
		path += "/mfa"
	}
	page, err := s.linkPage(c, l, n)
	if err != nil {
		return err
	}
	return s.done(c, path, n, func() views.View { return page })
}
