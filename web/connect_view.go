package web

import (
	"cmp"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/views"
)

// pageOf is the page of a link, for the one who sees it.
func (s *Server) pageOf(c echo.Context, v views.Link) views.View {
	who, _ := visitorOf(c)
	if who.connect == nil {
		return v
	}
	visit := visitView(*who.connect)
	v.Status = briefly(v.Status, v.Candidate != nil)
	if v.Candidate != nil {
		v.Candidate.Host = visit.Application
	}
	page := views.Connect{Link: v, Visit: visit, Over: s.overWords(c, who.connect)}
	if who.connect.Purpose == link.ToRelink && who.connect.Status() == link.ConnectLinked {
		page.Linked = who.connect.Account
	}
	return page
}

// statusOf is the status part for the one who sees it.
func (s *Server) statusOf(c echo.Context, l link.Link) (views.Status, error) {
	if v, _ := visitorOf(c); v.connect != nil {
		return briefly(s.statusView(c, l, hurdles{}), l.Candidate != nil), nil
	}
	held, err := s.Links.HeldBackFor(c.Request().Context(), l)
	return s.statusView(c, l, hurdlesOf(held, l.AsOf)), err
}

// briefly leaves out whose link it is: an address that was sent may have been
// sent on.
func briefly(v views.Status, arrived bool) views.Status {
	v.Brief = true
	if arrived {
		v.State = views.Arrived
	}
	return v
}

func visitView(session link.ConnectSession) views.Visit {
	v := views.Visit{
		Whom:        cmp.Or(session.Email, session.ExternalID),
		Application: session.Application,
		Account:     session.Account,
	}
	if u, err := url.Parse(session.ReturnOrigin()); err == nil {
		v.Host = u.Host
	}
	return v
}

// overWords says why a connect session leads no further; "" if it does.
func (s *Server) overWords(c echo.Context, session *link.ConnectSession) string {
	if !session.Over() {
		return ""
	}
	return s.words(c).Connect[session.Status()]
}
