// Package web answers browsers: it owns the routes, what stands before and
// behind every handler, the forms and the words of errors.
//
// It decides nothing about links or accounts (see internal/link and
// internal/account) and draws nothing itself (see views). Handlers return
// errors; errors.go alone turns them into a status and a page, and render.go
// alone knows whether htmx asked.
package web

import (
	"context"
	"database/sql"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/limit"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/static"
)

// Config is all that a Server is made of.
type Config struct {
	Links    *link.Service
	Accounts *account.Service
	Limits   limit.Limiter
	API      http.Handler // of programs, at /api; see toPrograms
	Changes  Changes
	DB       *sql.DB // for the browsers' cookies

	BaseURL        *url.URL // under which browsers know us: scheme and host
	SignupOpen     bool
	Simulated      bool // every page says that Garmin is simulated
	TrustedProxies []netip.Prefix

	// SignInPage is Garmin's own page of a region, for a page of ours at
	// BaseURL.
	SignInPage func(region string) (link.SignInPage, error)

	Log     *slog.Logger
	Ready   func(context.Context) error // nil while requests should come here
	Observe func(method, route string, status int, took time.Duration)
}

// Server is the whole site.
type Server struct {
	Config
	echo    *echo.Echo
	texts   texts
	signIns *signIns
	garmins map[string]link.SignInPage // by region
	proxy   sync.Once                  // see noticeProxy

	streams    streams
	ending     context.Context // see EndStreams
	endStreams context.CancelFunc
}

// New returns a Server. It runs nothing in the background.
func New(c Config) (*Server, error) {
	texts, err := readTexts()
	if err != nil {
		return nil, err
	}
	pages, err := signInPages(c.SignInPage)
	if err != nil {
		return nil, err
	}
	s := &Server{Config: c, echo: echo.New(), texts: texts, signIns: newSignIns(c), garmins: pages}
	s.ending, s.endStreams = context.WithCancel(context.Background())
	s.echo.HTTPErrorHandler = s.fail
	s.echo.IPExtractor = clientAddress(c.TrustedProxies)
	if err := s.surround(); err != nil {
		return nil, err
	}
	s.routes()
	return s, nil
}

// ServeHTTP implements http.Handler. The routes of GET answer HEAD too: they
// see a copy of the request, while net/http looks at the original's method and
// drops the body.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead {
		r = r.WithContext(r.Context())
		r.Method = http.MethodGet
	}
	s.echo.ServeHTTP(w, r)
}

// surround puts what every request passes around the handlers, the outermost
// first.
func (s *Server) surround() error {
	sameOrigin, err := sameOrigin(s.BaseURL)
	if err != nil {
		return err
	}
	s.echo.Use(requestID, s.noticeProxy, s.record, s.recover, s.secure, limitBody, sameOrigin)
	return nil
}

// routes is the map of the site.
func (s *Server) routes() {
	e := s.echo
	anyone, user, poller := s.visitor(anyoneMay), s.visitor(usersMay), s.visitor(pollersMay)
	admin := s.visitor(adminsMay)

	e.GET("/healthz", healthy)
	e.GET("/readyz", s.ready)
	e.GET(static.Prefix+"*", echo.WrapHandler(static.Handler()))
	e.RouteNotFound("/api", s.toPrograms)
	e.RouteNotFound("/api/*", s.toPrograms)

	e.GET("/", s.showLanding, anyone)
	e.GET("/signin", s.showSignIn, anyone)
	e.POST("/signin", s.form(s.signIn, s.signInAgain, signInsByNetwork, signInsByBoth, signInsByEmail), anyone)
	e.POST("/signout", s.signOut, anyone)
	if s.SignupOpen {
		e.GET("/signup", s.showSignUp, anyone)
		e.POST("/signup", s.form(s.signUp, s.signUpAgain, signUpsByNetwork), anyone)
	}

	e.GET("/link", s.showLink, user)
	e.GET("/link/mfa", s.showChallenge, user)
	e.GET("/link/status", s.showStatus, poller)
	e.GET("/link/changes", s.showChanges, poller)
	for path, act := range map[string]echo.HandlerFunc{
		"/link":            s.startLink,
		"/link/mfa":        s.submitCode,
		"/link/mfa/resend": s.resendCode,
		"/link/cancel":     s.cancel,
		"/link/replace":    s.replace,
		"/link/validate":   s.validate,
		"/link/unlink":     s.unlink,
	} {
		e.POST(path, s.form(act, s.linkAgain, actsByUser, actsByNetwork), user)
		if path != "/link" && path != "/link/mfa" {
			e.GET(path, to(home), user)
		}
	}

	e.GET("/link/handoff", s.showHandoff, user, s.framesGarmin)
	e.GET("/link/ticket", to("/link/handoff"), user)
	e.POST("/link/ticket", s.form(s.redeemTicket, s.handoffAgain, actsByUser, actsByNetwork), user, s.framesGarmin)
	e.GET("/link/import", s.showImport, user)
	e.POST("/link/import", s.form(s.importSession, s.importAgain, actsByUser, actsByNetwork), user)
	e.GET("/link/export", s.showExport, user)
	e.POST("/link/export", s.form(s.exportSession, s.exportAgain, exportsByUser, triesByEmail, actsByNetwork), user)

	e.GET(tokensPath, s.showTokens, admin)
	e.POST(tokensPath, s.form(s.createToken, s.createTokenAgain, tokensByUser, triesByEmail), admin)
	e.GET(tokensPath+"/revoke", to(tokensPath), admin)
	e.POST(tokensPath+"/revoke", s.form(s.revokeToken, s.revokeTokenAgain, actsByUser), admin)
}
