package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/views"
)

// showParts shows developers what pages are made of.
func (s *Server) showParts(c echo.Context) error {
	return s.render(c, http.StatusOK, views.Parts{})
}
