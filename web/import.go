package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/views"
)

func (s *Server) showImport(c echo.Context) error {
	return s.render(c, http.StatusOK, views.Import{FormID: newFormID()})
}

func (s *Server) importSession(c echo.Context) error {
	l, err := s.Links.Import(c.Request().Context(), act(c), link.Import{
		Text: link.Secret(entered(c, "session")), Form: formID(c),
	})
	if err != nil {
		return err
	}
	return s.moved(c, l, brought)
}

func (s *Server) importAgain(c echo.Context, a answer) (views.View, error) {
	v, a := views.Import{FormID: newFormID()}, s.words(c).inWay(link.ByImport, a)
	if a.field == "session" {
		v.SessionError, v.Reference = a.Text, idOf(c)
	} else {
		v.Problem = s.problem(c, a)
	}
	return v, nil
}
