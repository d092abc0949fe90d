package web

import (
	"github.com/labstack/echo/v4"
)

// toPrograms hands a request on to the API, with the client that it counts
// for. What the API looks for in the answer's headers is there already.
func (s *Server) toPrograms(c echo.Context) error {
	r := c.Request()
	defer func(from string) { r.RemoteAddr = from }(r.RemoteAddr) // who asks about the request later, such as the log
	r.RemoteAddr = byNetwork(c)
	s.API.ServeHTTP(c.Response(), r)
	return nil
}

// The API's own page, and what programs ask for.
const (
	referencePath = "/api"
	programsPath  = "/api/*"
)

// ofAPI reports whether the API answers.
func ofAPI(c echo.Context) bool { return c.Path() == referencePath || c.Path() == programsPath }
