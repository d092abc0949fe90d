package web

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/notify"
	"github.com/garminlink/garminlink/views"
)

// answer is what an error is to a browser.
type answer struct {
	message
	status int
	field  string        // of the form that is at fault; "" for none
	retry  time.Duration // until trying again makes sense; 0: unknown or at once

	kind link.Kind // "" for what is not link's

	// instead is what to do where Garmin's own page can be offered in the
	// place of the password; "" if that would not help.
	instead string
}

// tooMany says that a limit of ours is reached.
type tooMany struct {
	scope string // of the allowance; "" for no form's
	wait  time.Duration
}

func (e *tooMany) Error() string { return "too many requests: wait " + e.wait.String() }

const defaultRetry = time.Minute

type place struct {
	status int
	field  string
}

var linkPlaces = map[link.Kind]place{
	link.InvalidEmail:      {http.StatusUnprocessableEntity, "email"},
	link.InvalidPassword:   {http.StatusUnprocessableEntity, "password"},
	link.InvalidRegion:     {http.StatusUnprocessableEntity, "region"},
	link.InvalidCode:       {http.StatusUnprocessableEntity, "code"},
	link.InvalidNote:       {http.StatusUnprocessableEntity, "note"},
	link.InvalidFormat:     {http.StatusUnprocessableEntity, "format"},
	link.NoRenewalInFormat: {http.StatusUnprocessableEntity, "format"},
	link.WrongCode:         {http.StatusUnprocessableEntity, "code"},

	link.TicketMissing:   {http.StatusUnprocessableEntity, "ticket"},
	link.TicketAmbiguous: {http.StatusUnprocessableEntity, "ticket"},
	link.TicketForeign:   {http.StatusUnprocessableEntity, "ticket"},
	link.TicketRegion:    {http.StatusUnprocessableEntity, "ticket"},
	link.TicketSpent:     {http.StatusUnprocessableEntity, "ticket"},

	link.SessionMissing:  {http.StatusUnprocessableEntity, "session"},
	link.SessionLong:     {http.StatusUnprocessableEntity, "session"},
	link.SessionGarbled:  {http.StatusUnprocessableEntity, "session"},
	link.SessionUnknown:  {http.StatusUnprocessableEntity, "session"},
	link.SessionHalf:     {http.StatusUnprocessableEntity, "session"},
	link.SessionEmpty:    {http.StatusUnprocessableEntity, "session"},
	link.SessionRegion:   {http.StatusUnprocessableEntity, "session"},
	link.SessionOver:     {http.StatusUnprocessableEntity, "session"},
	link.SessionRefused:  {http.StatusUnprocessableEntity, "session"},
	link.SessionStripped: {http.StatusUnprocessableEntity, "session"},

	link.WrongPassword:  {status: http.StatusUnprocessableEntity},
	link.AttemptsGone:   {status: http.StatusUnprocessableEntity},
	link.ChallengeGone:  {status: http.StatusUnprocessableEntity},
	link.AccountLocked:  {status: http.StatusUnprocessableEntity},
	link.ChildAccount:   {status: http.StatusUnprocessableEntity},
	link.NeedsAttention: {status: http.StatusUnprocessableEntity},
	link.Captcha:        {status: http.StatusUnprocessableEntity},
	link.Blocked:        {status: http.StatusUnprocessableEntity},
	link.UnknownAnswer:  {status: http.StatusUnprocessableEntity},
	link.NoResend:       {status: http.StatusUnprocessableEntity},
	link.ReauthNeeded:   {status: http.StatusUnprocessableEntity},
	link.AccountTaken:   {status: http.StatusUnprocessableEntity},

	link.InvalidReturnURL: {http.StatusUnprocessableEntity, "return_url"},
	link.KeyReused:        {status: http.StatusUnprocessableEntity},
	link.CompletionWrong:  {http.StatusUnprocessableEntity, "code"},
	link.ConnectOver:      {status: http.StatusConflict},
	link.ConnectElsewhere: {status: http.StatusConflict},

	link.OtherAccount:      {status: http.StatusConflict},
	link.AlreadyLinked:     {status: http.StatusConflict},
	link.GenerationMoved:   {status: http.StatusConflict},
	link.GenerationUnknown: {status: http.StatusConflict},
	link.LifeTooLong:       {status: http.StatusConflict},

	link.NotLinked:   {status: http.StatusConflict},
	link.NoChallenge: {status: http.StatusConflict},
	link.NoCandidate: {status: http.StatusConflict},
	link.InProgress:  {status: http.StatusConflict},
	link.Superseded:  {status: http.StatusConflict},

	link.RateLimited:     {status: http.StatusTooManyRequests},
	link.TokensLimited:   {status: http.StatusTooManyRequests},
	link.ResendTooSoon:   {status: http.StatusTooManyRequests},
	link.TooManyFailures: {status: http.StatusTooManyRequests},
	link.TooManyAccounts: {status: http.StatusTooManyRequests},

	link.Unavailable:   {status: http.StatusServiceUnavailable},
	link.TokenRefused:  {status: http.StatusServiceUnavailable},
	link.TicketRefused: {status: http.StatusServiceUnavailable},
}

var accountPlaces = []struct {
	err  error
	text string
	place
}{
	{account.ErrWrongCredentials, "wrong_credentials", place{status: http.StatusUnprocessableEntity}},
	{account.ErrEmailTaken, "email_taken", place{http.StatusUnprocessableEntity, "email"}},
	{account.ErrInvalidEmail, "invalid_email", place{http.StatusUnprocessableEntity, "email"}},
	{account.ErrPasswordShort, "password_short", place{http.StatusUnprocessableEntity, "password"}},
	{account.ErrPasswordLong, "password_long", place{http.StatusUnprocessableEntity, "password"}},
	{account.ErrPasswordCommon, "password_common", place{http.StatusUnprocessableEntity, "password"}},
	{account.ErrBusy, "busy", place{status: http.StatusServiceUnavailable}},
	{account.ErrSetUpToken, "set_up_token", place{http.StatusUnprocessableEntity, "token"}},
	{account.ErrSetUpDone, "set_up_done", place{status: http.StatusConflict}},
	{account.ErrTokenName, "token_name", place{http.StatusUnprocessableEntity, "name"}},
	{account.ErrTokenScopes, "token_scopes", place{http.StatusUnprocessableEntity, "scope"}},
	{account.ErrUnknownScope, "unknown_scope", place{http.StatusUnprocessableEntity, "scope"}},
	{account.ErrTokenExpiry, "token_expiry", place{http.StatusUnprocessableEntity, "expires"}},
	{account.ErrTokenExists, "token_exists", place{status: http.StatusConflict}},
	{account.ErrTokenNotFound, "token_not_found", place{status: http.StatusConflict}},
	{account.ErrOwnRole, "own_role", place{http.StatusUnprocessableEntity, "email"}},
	{account.ErrLastAdmin, "last_admin", place{http.StatusUnprocessableEntity, "email"}},
	{errNoSuchColleague, "no_such_colleague", place{http.StatusUnprocessableEntity, "email"}},
	{errNoSuchRole, "no_such_role", place{http.StatusUnprocessableEntity, "role"}},
	{notify.ErrNotFound, "no_delivery", place{status: http.StatusConflict}},
	{notify.ErrDisabled, "endpoint_disabled", place{status: http.StatusConflict}},
	{notify.ErrBusy, "delivery_busy", place{status: http.StatusConflict}},
	{errNotTaken, "not_taken", place{status: http.StatusUnprocessableEntity}},
	{errCrowded, "crowded", place{status: http.StatusUnprocessableEntity}},
	{errAdminsOnly, "admins_only", place{status: http.StatusForbidden}},
	{errNoVisit, "no_visit", place{status: http.StatusForbidden}},
	{errNoSuchUser, "no_such_user", place{http.StatusUnprocessableEntity, "user"}},
	{errNothingToRelink, "nothing_to_relink", place{http.StatusUnprocessableEntity, "user"}},
	{errOldPassword, "old_password", place{http.StatusUnprocessableEntity, "old"}},
	{errUnknownLanguage, "unknown_language", place{http.StatusUnprocessableEntity, "language"}},
	{errNotYourPassword, "not_your_password", place{http.StatusUnprocessableEntity, "password"}},
}

// judge is the one place where an error becomes a status and words. ofForm
// says that the words belong on the page of the form that was sent; other
// errors have a page of their own.
func (t *texts) judge(err error) (a answer, ofForm bool) {
	if e, ok := errors.AsType[*link.Error](err); ok {
		if p, known := linkPlaces[e.Kind]; known {
			return answer{
				message: t.Link[e.Kind], status: p.status, field: p.field, retry: e.RetryAfter,
				kind: e.Kind, instead: t.Instead[e.Kind],
			}, true
		}
	}
	for _, p := range accountPlaces {
		if errors.Is(err, p.err) {
			return answer{message: t.Account[p.text], status: p.status, field: p.field}, true
		}
	}
	if e, ok := errors.AsType[*tooMany](err); ok {
		return answer{message: cmp.Or(t.Limits[e.scope], t.Pages[http.StatusTooManyRequests]), status: http.StatusTooManyRequests, retry: e.wait}, true
	}
	status := statusOf(err)
	text, known := t.Pages[status]
	if !known {
		status = http.StatusInternalServerError
		text = t.Pages[status]
	}
	return answer{message: text, status: status}, status == http.StatusUnprocessableEntity
}

// judgeFor has the words of those whom a host application has sent, where they
// differ.
func (s *Server) judgeFor(c echo.Context, err error) (a answer, ofForm bool) {
	t := s.words(c)
	a, ofForm = t.judge(err)
	v, _ := visitorOf(c)
	if m, ok := t.Guests[a.kind]; ok && v.connect != nil {
		a.message = m
	}
	return a, ofForm
}

// inWay has the words of a way on which no password was typed, where they
// differ.
func (t *texts) inWay(w link.Way, a answer) answer {
	if m, ok := t.Ways[w][a.kind]; ok {
		a.message = m
	}
	return a
}

func statusOf(err error) int {
	if e, ok := errors.AsType[*echo.HTTPError](err); ok {
		return e.Code
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return http.StatusRequestEntityTooLarge
	}
	if errors.Is(err, link.ErrStoreDown) {
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// fail answers an error that no form showed.
func (s *Server) fail(err error, c echo.Context) {
	a, _ := s.words(c).judge(err)
	s.note(c, a, err)
	if c.Response().Committed {
		return
	}
	page := views.ProblemPage{Problem: *s.problem(c, a)}
	if err := s.render(c, a.status, page); err != nil {
		s.Log.ErrorContext(c.Request().Context(), "error page", "request_id", idOf(c), "error", err)
		_ = c.String(http.StatusInternalServerError, a.Title+"\n") // nobody is left to be told
	}
}

// problem is the answer as the page shows it, and its Retry-After.
func (s *Server) problem(c echo.Context, a answer) *views.Problem {
	p := &views.Problem{Title: a.Title, Text: a.Text, Action: a.Action, Side: a.Side, RetrySeconds: wholeSeconds(a.retry), Reference: idOf(c)}
	if a.status == http.StatusTooManyRequests || a.status == http.StatusServiceUnavailable {
		wait := cmp.Or(p.RetrySeconds, wholeSeconds(defaultRetry))
		c.Response().Header().Set("Retry-After", strconv.Itoa(wait))
	}
	return p
}

// wholeSeconds rounds up, so that nobody comes early.
func wholeSeconds(d time.Duration) int {
	return max(0, int((d+time.Second-1)/time.Second))
}

// note logs the cause of an answer, once. What is our fault is an error, what
// is Garmin's a warning; that a user mistyped is neither.
func (s *Server) note(c echo.Context, a answer, err error) {
	ctx, level := c.Request().Context(), slog.LevelInfo
	switch {
	case errors.Is(err, context.Canceled) && ctx.Err() != nil: // the browser went away
	case a.Side == views.SideUs:
		level = slog.LevelError
	case a.Side == views.SideGarmin:
		level = slog.LevelWarn
	}
	s.Log.Log(ctx, level, "refused", "request_id", idOf(c), "status", a.status, "error", err)
	if _, known := visitorOf(c); known && a.matters() && !errors.Is(err, link.ErrStoreDown) {
		s.Links.NoteRefusal(ctx, act(c), c.Request().Method+" "+c.Path(), a.kind, a.status) // support finds him by the reference
	}
}

// matters reports that support may be asked about it: what is wrong with a link,
// or with us. Mistyped addresses, of which anybody may have any number, do not.
func (a answer) matters() bool { return a.kind != "" || a.Side != views.SideYou }
