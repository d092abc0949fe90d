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
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/limit"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/notify"
	"github.com/garminlink/garminlink/static"
	"github.com/garminlink/garminlink/views"
)

// Config is all that a Server is made of.
type Config struct {
	Links    *link.Service
	Accounts *account.Service
	Limits   limit.Limiter
	API      http.Handler // of programs, at /api; see toPrograms
	Changes  Changes
	Webhooks *notify.Service
	Jobs     Jobs
	OptOuts  notify.OptOuts
	DB       *sql.DB // for the browsers' cookies

	BaseURL        *url.URL // under which browsers know us: scheme and host
	SignupOpen     bool
	SendsMails     bool // to users whose link needs them
	Simulated      bool // every page says that Garmin is simulated, and there is one for developers
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
	texts   map[string]*texts // by language
	signIns *signIns
	garmins map[string]link.SignInPage // by region
	proxy   sync.Once                  // see noticeProxy
	settled atomic.Bool                // see settledIn

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
	s.echo.Use(requestID, s.noticeProxy, s.record, recovered, s.secure, limitBody, sameOrigin, compress)
	return nil
}

// routes is the map of the site.
func (s *Server) routes() {
	e := s.echo
	anyone, user, poller := s.visitor(anyoneMay), s.visitor(usersMay), s.visitor(pollersMay)
	admin, staff := s.visitor(adminsMay), s.visitor(staffMay)

	e.GET("/healthz", healthy)
	e.GET("/readyz", s.ready)
	e.GET(static.Prefix+"*", echo.WrapHandler(static.Handler()))
	e.RouteNotFound(referencePath, s.toPrograms)
	e.RouteNotFound(programsPath, s.toPrograms)

	s.entering(s.visitor(firstMay), anyone)
	e.GET(mailPath, s.showMail)
	e.POST(mailPath, s.form(s.chooseMail, s.mailAgain))

	s.linking(home, linkers{user, user, user, poller})
	e.GET("/link/changes", s.showChanges, poller)
	e.GET("/link/prompt", s.showPrompt, poller)
	e.GET("/link/validate", to(home), user)
	e.POST("/link/validate", s.form(s.validate, s.linkAgain, checksByUser, actsByNetwork), user)
	e.GET("/link/unlink", to(home), user)
	e.POST("/link/unlink", s.form(s.unlink, s.linkAgain, actsByUser, actsByNetwork), user)
	e.GET("/link/import", s.showImport, user)
	e.POST("/link/import", s.form(s.importSession, s.importAgain, actsByUser, actsByNetwork), user)
	e.GET("/link/export", s.showExport, user)
	e.POST("/link/export", s.form(s.exportSession, s.exportAgain, exportsByUser, triesByEmail, actsByNetwork), user)

	e.GET("/history", s.showHistory, user)
	e.GET(settingsPath, s.showSettings, user)
	for path, setting := range map[string]echo.HandlerFunc{
		"/mails":    s.form(s.setMails, s.settingsAgain, actsByUser),
		"/language": s.form(s.setLanguage, s.settingsAgain, actsByUser),
		"/signins":  s.form(s.signOutOthers, s.settingsAgain, actsByUser),
		"/password": s.form(s.changePassword, s.settingsAgain, passwordsByUser, triesByEmail),
	} {
		e.GET(settingsPath+path, to(settingsPath), user)
		e.POST(settingsPath+path, setting, user)
	}

	e.GET("/connect/:address", s.showDoor)
	e.POST("/connect/:address", s.form(s.bind, s.bindAgain, doorsByNetwork))
	s.linking(connectHome, linkers{s.guest, s.guestWhile((*link.ConnectSession).Begins), s.guestWhile(goesOn), s.guest})
	e.GET("/connect/leave", to(connectHome), s.guest)
	e.POST("/connect/leave", s.form(s.leaveConnect, s.linkAgain, actsByUser, actsByNetwork), s.guest)

	s.supporting(staff, s.visitor(staffPolls))
	e.GET(relinkPath, s.showRelink, staff)
	e.POST(relinkPath, s.form(s.askRelink, s.askRelinkAgain, actsByUser), staff)
	s.administering(admin)
	if s.Simulated {
		e.GET(views.PartsPath, s.showParts, anyone)
	}
}

// entering are the routes by which one comes in.
func (s *Server) entering(first, anyone echo.MiddlewareFunc) {
	e := s.echo
	e.GET(setUpPath, s.showSetUp, first)
	e.POST(setUpPath, s.form(s.setUp, s.setUpAgain, setUpsByNetwork), first)

	e.GET("/", s.showLanding, anyone)
	e.GET(languagePath, to("/"))
	e.POST(languagePath, s.chooseLanguage)
	e.GET("/signin", s.showSignIn, anyone)
	e.POST("/signin", s.form(s.signIn, s.signInAgain, signInsByNetwork, signInsByBoth, signInsByEmail), anyone)
	e.POST("/signout", s.signOut, anyone)
	if s.SignupOpen {
		e.GET("/signup", s.showSignUp, anyone)
		e.POST("/signup", s.form(s.signUp, s.signUpAgain, signUpsByNetwork), anyone)
	}
}

// linkers says who may see how a link stands, who may begin a sign-in to
// Garmin, who may go on with one, and who may poll.
type linkers struct{ see, begin, goOn, poll echo.MiddlewareFunc }

// linking is the map of what leads to a link, for those who are signed in and
// for those whom a host application has sent.
func (s *Server) linking(base string, who linkers) {
	e := s.echo
	e.GET(base, s.showLink, who.see)
	e.POST(base, s.form(s.startLink, s.linkAgain, actsByUser, actsByNetwork), who.begin)
	e.GET(base+"/mfa", s.showChallenge, who.see)
	e.GET(base+"/status", s.showStatus, who.poll)
	for path, handler := range map[string]echo.HandlerFunc{
		"/mfa":        s.submitCode,
		"/mfa/resend": s.resendCode,
		"/cancel":     s.cancel,
		"/replace":    s.replace,
	} {
		e.POST(base+path, s.form(handler, s.linkAgain, actsByUser, actsByNetwork), who.goOn)
		if path != "/mfa" {
			e.GET(base+path, to(base), who.see)
		}
	}
	e.GET(base+"/handoff", s.showHandoff, who.begin, s.framesGarmin)
	e.GET(base+"/ticket", to(base+"/handoff"), who.begin)
	e.POST(base+"/ticket", s.form(s.redeemTicket, s.handoffAgain, actsByUser, actsByNetwork), who.begin, s.framesGarmin)
}

// supporting is the map of what staff look into, and may do for one user.
func (s *Server) supporting(staff, poll echo.MiddlewareFunc) {
	e := s.echo
	e.GET(supportPath, s.showSupport, staff)
	e.GET(supportPath+"/counters", s.showCounters, poll)
	e.GET(subjectsPath, s.showSubjects, staff)
	e.GET(subjectsPath+".csv", s.downloadSubjects, staff)
	e.GET(subjectPath+":user", s.showSubject, staff)
	for path, act := range map[string]echo.HandlerFunc{
		"/check":  s.checkSubject,
		"/cancel": s.cancelForSubject,
		"/clear":  s.clearSubject,
		"/note":   s.noteSubject,
	} {
		e.GET(subjectPath+":user"+path, s.toSubject, staff)
		e.POST(subjectPath+":user"+path, s.form(act, s.subjectAgain, actsByUser, actsByNetwork), staff)
	}
}

// administering is the map of what admins alone decide on.
func (s *Server) administering(admin echo.MiddlewareFunc) {
	e := s.echo
	e.GET(tokensPath, s.showTokens, admin)
	e.POST(tokensPath, s.form(s.createToken, s.createTokenAgain, tokensByUser, triesByEmail), admin)
	e.GET(tokensPath+"/revoke", to(tokensPath), admin)
	e.POST(tokensPath+"/revoke", s.form(s.revokeToken, s.revokeTokenAgain, actsByUser), admin)

	e.GET(staffPath, s.showStaff, admin)
	e.POST(staffPath, s.form(s.changeRole, s.changeRoleAgain, tokensByUser, triesByEmail), admin)
	e.GET(webhooksPath, s.showWebhooks, admin)
	e.GET(webhooksPath+"/resend", to(webhooksPath), admin)
	e.POST(webhooksPath+"/resend", s.form(s.resendDelivery, s.webhooksAgain, actsByUser), admin)
	e.GET(keysPath, s.showKeys, admin)
	e.GET(jobsPath, s.showJobs, admin)
	for path, act := range map[string]echo.HandlerFunc{"/pause": s.pauseJobs, "/resume": s.resumeJobs} {
		e.GET(jobsPath+path, to(jobsPath), admin)
		e.POST(jobsPath+path, s.form(act, s.jobsAgain, actsByUser), admin)
	}
}
