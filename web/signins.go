package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/alexedwards/scs/postgresstore"
	"github.com/alexedwards/scs/v2"
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/link"
)

// signInKey is what scs remembers for a browser: the id of its sign-in, and
// nothing else. The row of the sign-in decides whether it stands, so what scs
// may bring back to life is dead all the same.
const signInKey = "sign_in"

// signIns ties browsers to sign-ins.
type signIns struct {
	cookies  *scs.SessionManager
	accounts *account.Service
}

// newSignIns makes the manager by hand: scs.New starts the sweeper of a store
// in memory that nobody would use, and postgresstore's own sweeper cannot be
// stopped without a race, so internal/postgres removes what is over.
func newSignIns(c Config) *signIns {
	name, secure := cookieName(c.BaseURL, "garminlink")
	return &signIns{accounts: c.Accounts, cookies: &scs.SessionManager{
		Lifetime:         account.AbsoluteLimit,
		Store:            postgresstore.NewWithCleanupInterval(c.DB, 0),
		Codec:            scs.GobCodec{},
		HashTokenInStore: true,
		Cookie: scs.SessionCookie{
			Name: name, Path: "/", Secure: secure, HttpOnly: true,
			SameSite: http.SameSiteLaxMode, Persist: true,
		},
	}}
}

// cookieName adds the prefix by which browsers take a cookie only from this
// very host over https. They refuse it over http, which we serve on loopback.
func cookieName(base *url.URL, name string) (full string, secure bool) {
	if base.Scheme == "https" {
		return "__Host-" + name, true
	}
	return name, false
}

// visitor is whom a request comes from.
type visitor struct {
	account.User
	signIn  uuid.UUID
	connect *link.ConnectSession // under which he is here, instead of a sign-in; nil for none
}

// mark is what his forms send back as "as".
func (v visitor) mark() string {
	if v.connect != nil {
		return v.connect.ID.String()
	}
	return v.ID.String()
}

// base is where the pages of his link begin.
func (v visitor) base() string {
	if v.connect != nil {
		return connectHome
	}
	return home
}

func visitorOf(c echo.Context) (visitor, bool) {
	v, ok := c.Get(visitorKey).(visitor)
	return v, ok
}

// Who may use a route, and whether that counts as use of the sign-in.
type may struct {
	onlyUsers, touch bool
	first            bool         // as long as there are no users, too
	least            account.Role // support: admins may, too
}

var (
	firstMay   = may{touch: true, first: true}
	anyoneMay  = may{touch: true}
	usersMay   = may{onlyUsers: true, touch: true}
	pollersMay = may{onlyUsers: true} // a page left open must not keep a sign-in alive
	staffPolls = may{onlyUsers: true, least: account.RoleSupport}
	staffMay   = may{onlyUsers: true, touch: true, least: account.RoleSupport}
	adminsMay  = may{onlyUsers: true, touch: true, least: account.RoleAdmin}
)

// errAdminsOnly refuses support staff.
var errAdminsOnly = errors.New("web: only admins may do this")

// refuse fails for a user whose role does not do. Users are not told what
// there is for staff.
func (m may) refuse(role account.Role) error {
	switch {
	case m.least == "" || role == account.RoleAdmin || role == m.least:
		return nil
	case role == account.RoleSupport:
		return errAdminsOnly
	default:
		return echo.ErrNotFound
	}
}

// visitor finds out who asks, in two statements; without a cookie, in none.
func (s *Server) visitor(m may) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			known, err := s.signIns.recognise(c, m.touch)
			if err != nil {
				return err
			}
			settled, err := s.settledIn(c)
			if err != nil {
				return err
			}
			if !settled && !m.first {
				return leave(c, http.StatusConflict, setUpPath)
			}
			if m.onlyUsers && !known {
				return s.askToSignIn(c, m)
			}
			v, _ := visitorOf(c)
			if err := m.refuse(v.Role); err != nil {
				return err
			}
			return next(c)
		}
	}
}

// recognise sets the visitor if the request has a sign-in that stands.
func (s *signIns) recognise(c echo.Context, touch bool) (known bool, err error) {
	r := c.Request()
	token := ""
	if cookie, err := r.Cookie(s.cookies.Cookie.Name); err == nil {
		token = cookie.Value
	}
	ctx, err := s.cookies.Load(r.Context(), token)
	if err != nil {
		return false, fmt.Errorf("%w: %w", link.ErrStoreDown, err) // a row read by its key: nothing else can fail
	}
	c.SetRequest(r.WithContext(ctx))
	id, err := uuid.Parse(s.cookies.GetString(ctx, signInKey))
	if err != nil {
		return false, nil // no sign-in is remembered
	}
	user, err := s.accounts.Authenticate(ctx, id, touch)
	if errors.Is(err, account.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	c.Set(visitorKey, visitor{User: user, signIn: id})
	return true, nil
}

// begin signs a user in on this browser, in the place of whoever was. The
// browser gets a new token: one that it was tricked into is worth nothing. The
// pages speak spoken to him.
func (s *signIns) begin(c echo.Context, user account.Proof, spoken string) error {
	ctx := c.Request().Context()
	if err := s.endFormer(ctx, c); err != nil {
		return err
	}
	id, err := s.accounts.SignIn(ctx, user, spoken)
	if err != nil {
		return err
	}
	if err := s.cookies.RenewToken(ctx); err != nil {
		return err
	}
	s.cookies.Put(ctx, signInKey, id.String())
	token, expiry, err := s.cookies.Commit(ctx)
	if err != nil {
		return err
	}
	s.cookies.WriteSessionCookie(ctx, c.Response(), token, expiry)
	return nil
}

// end signs this browser out. The row goes first: it is what counts.
func (s *signIns) end(c echo.Context) error {
	ctx := c.Request().Context()
	if err := s.endFormer(ctx, c); err != nil {
		return err
	}
	if err := s.cookies.Destroy(ctx); err != nil {
		return err
	}
	c.SetCookie(&http.Cookie{
		Name: s.cookies.Cookie.Name, Path: "/", MaxAge: -1,
		Secure: s.cookies.Cookie.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	return nil
}

func (s *signIns) endFormer(ctx context.Context, c echo.Context) error {
	v, ok := visitorOf(c)
	if !ok {
		return nil
	}
	return s.accounts.SignOut(ctx, v.signIn)
}
