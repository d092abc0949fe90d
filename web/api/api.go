// Package api answers programs: sync workers, and the servers of host
// applications. It owns the contract (openapi.yaml), who may call what, and how
// errors are told to programs.
//
// It decides nothing about links or tokens (see internal/link and
// internal/account), and sees no browser: it looks at no cookie and gives no
// other site's page leave to call (CORS). The site that it is mounted in stands
// before it: see Config.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/limit"
	"github.com/garminlink/garminlink/internal/link"
)

// Config is all that an API is made of.
//
// The site before it has limited the body, set X-Request-Id in the answer, and
// put the client's address into RemoteAddr.
type Config struct {
	Links    *link.Service
	Accounts *account.Service
	Changes  Changes
	Rates    limit.Rates
	Rate     limit.Rate // of one token
	BaseURL  *url.URL   // under which browsers know the site
	Log      *slog.Logger
}

// API is everything below /api.
type API struct {
	Config
	echo      *echo.Echo
	reference []byte
	waits     waits
	ending    context.Context // see EndWaits
	endWaits  context.CancelFunc
}

// New returns an API. It runs nothing in the background.
func New(c Config) (*API, error) {
	reference, err := readReference()
	if err != nil {
		return nil, err
	}
	a := &API{Config: c, echo: echo.New(), reference: reference}
	a.ending, a.endWaits = context.WithCancel(context.Background())
	a.echo.HTTPErrorHandler = a.fail
	a.echo.Use(tellRoute, recovered)
	a.routes()
	return a, nil
}

// ServeHTTP implements http.Handler. It tells the route's pattern in r.Pattern.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.echo.ServeHTTP(w, r) }

// EndWaits ends the requests that wait for events, which a shutdown of their
// HTTP server would wait for.
func (a *API) EndWaits() { a.endWaits() }

// routes is the map of the API.
func (a *API) routes() {
	a.echo.GET("/api", a.showReference)
	a.echo.GET("/api/openapi.yaml", showSpec)

	v1 := a.echo.Group("/api/v1")
	v1.GET("/links", a.granted(account.LinksRead, a.listLinks))
	v1.GET("/links/:user", a.granted(account.LinksRead, known(a.getLink)))
	v1.DELETE("/links/:user", a.granted(account.LinksWrite, known(a.deleteLink)))
	v1.PUT("/links/:user/session", a.granted(account.LinksWrite, a.putSession))
	v1.POST("/links/:user/checkout", a.granted(account.SessionsCheckout, known(a.checkOut)))
	v1.POST("/links/:user/report", a.granted(account.SessionsCheckout, known(a.report)))
	v1.POST("/reports", a.granted(account.SessionsCheckout, a.reportAll))
	v1.POST("/connect-sessions", a.granted(account.ConnectCreate, a.createConnect))
	v1.GET("/connect-sessions/:id", a.granted(account.ConnectCreate, a.getConnect))
	v1.POST("/connect-sessions/:id/complete", a.granted(account.ConnectCreate, a.completeConnect))
	v1.GET("/events", a.granted(account.LinksRead, a.listEvents))
}
