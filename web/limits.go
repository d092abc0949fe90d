package web

import (
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/limit"
)

// allowance is how often a form may be sent by, or for, one and the same.
type allowance struct {
	scope string
	rate  limit.Rate
	of    func(echo.Context) string
}

var (
	signInsByNetwork = allowance{"signin/network", limit.Rate{Burst: 30, Per: 5 * time.Minute}, byNetwork}
	signInsByBoth    = allowance{"signin/both", limit.Rate{Burst: 10, Per: 15 * time.Minute}, byNetworkAndEmail}
	signInsByEmail   = allowance{"signin/email", limit.Rate{Burst: 100, Per: time.Hour}, byEmail}
	signUpsByNetwork = allowance{"signup/network", limit.Rate{Burst: 10, Per: time.Hour}, byNetwork}
	setUpsByNetwork  = allowance{"setup/network", limit.Rate{Burst: 10, Per: 5 * time.Minute}, byNetwork}
	exportsByUser    = allowance{"export/user", limit.Rate{Burst: 10, Per: 15 * time.Minute}, byUser}
	passwordsByUser  = allowance{"password/user", limit.Rate{Burst: 10, Per: 15 * time.Minute}, byUser}
	tokensByUser     = allowance{"token/user", limit.Rate{Burst: 10, Per: 15 * time.Minute}, byUser}
	triesByEmail     = allowance{signInsByEmail.scope, signInsByEmail.rate, byOwnEmail} // to try a password is to try it
	doorsByNetwork   = allowance{"connect/network", limit.Rate{Burst: 60, Per: 10 * time.Minute}, byNetwork}
	checksByUser     = allowance{"check/user", limit.Rate{Burst: 6, Per: 3 * time.Minute}, byUser}
	actsByUser       = allowance{"link/user", limit.Rate{Burst: 40, Per: 10 * time.Minute}, byUser}
	actsByNetwork    = allowance{"link/network", limit.Rate{Burst: 120, Per: 10 * time.Minute}, byNetwork}
)

func byNetwork(c echo.Context) string { return networkOf(c.RealIP()) }

// byEmail counts what is typed, whether or not an account has it: a limit must
// not tell who has one.
func byEmail(c echo.Context) string { return strings.ToLower(strings.TrimSpace(entered(c, "email"))) }

// byNetworkAndEmail is stricter than byEmail alone can be: a stranger who tries
// somebody's address must not shut him out.
func byNetworkAndEmail(c echo.Context) string { return byNetwork(c) + " " + byEmail(c) }

func byOwnEmail(c echo.Context) string {
	v, _ := visitorOf(c)
	return v.Email
}

func byUser(c echo.Context) string {
	v, _ := visitorOf(c)
	return v.ID.String()
}

// admit fails with tooMany when an allowance is used up.
func (s *Server) admit(c echo.Context, allowances []allowance) error {
	for _, a := range allowances {
		wait, err := s.Limits.Take(c.Request().Context(), limit.Key(a.scope, a.of(c)), a.rate)
		if err != nil {
			return err
		}
		if wait > 0 {
			return &tooMany{a.scope, wait}
		}
	}
	return nil
}
