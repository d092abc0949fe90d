package web

import "github.com/labstack/echo/v4"

// Routes lists what there is, so that tests miss none.
func (s *Server) Routes() []*echo.Route { return s.echo.Routes() }
