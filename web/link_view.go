package web

import (
	"cmp"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/views"
)

// linkPage is the page of a link as it stands, for the one who sees it.
func (s *Server) linkPage(c echo.Context, l link.Link, n notice) (views.View, error) {
	v, err := s.linkView(c, l, n)
	return s.pageOf(c, v), err
}

// linkView puts a link into print. Times count from the reading's own clock.
func (s *Server) linkView(c echo.Context, l link.Link, n notice) (views.Link, error) {
	held, err := s.Links.HeldBackFor(c.Request().Context(), l)
	if err != nil {
		return views.Link{}, err
	}
	h := hurdlesOf(held, l.AsOf)
	v := views.Link{
		Status: s.statusView(c, l, h), Form: prefilled(c, l),
		New: n == linked || n == brought, NotYou: n == brought,
		Pause: h.pause(l), HandoffFirst: l.HandoffFirst || h.passwordsAlone(),
	}
	if n == checked {
		v.Checked = s.words(c).Notices[n]
	} else {
		v.Notice = s.words(c).Notices[n]
	}
	ask(&v, l)
	return v, nil
}

// ask puts what the page has to ask into print.
func ask(v *views.Link, l link.Link) {
	if ch := l.Challenge; ch != nil {
		v.Challenge = &views.Challenge{
			ID: ch.ID.String(), Method: ch.Method, SentTo: ch.SentTo, AttemptsLeft: ch.AttemptsLeft,
			SecondsLeft:   secondsLeft(l, ch.ExpiresAt),
			ResendSeconds: secondsLeft(l, ch.ResendAt),
			Relink:        l.State.Session == link.Live,
		}
	}
	if ca := l.Candidate; ca != nil {
		v.Candidate = &views.Candidate{
			ID: strconv.FormatInt(ca.Generation, 10), Name: ca.GarminName, Email: ca.GarminEmail,
			SecondsLeft: secondsLeft(l, ca.ExpiresAt),
		}
		if ca.Replaces {
			v.Candidate.FormerName = l.GarminName
		}
	}
}

// prefilled is the form as it comes. Whoever was sent here is not told the
// e-mail of the link: an address that was sent may have been sent on.
func prefilled(c echo.Context, l link.Link) views.GarminForm {
	if v, _ := visitorOf(c); v.connect != nil {
		return views.GarminForm{ID: newFormID(), Region: cmp.Or(v.connect.Region, l.Region), NoImport: true}
	}
	return views.GarminForm{ID: newFormID(), Email: l.GarminEmail, Region: l.Region}
}

func (s *Server) statusView(c echo.Context, l link.Link, h hurdles) views.Status {
	v := views.Status{
		State:      l.State.String(),
		GarminName: l.GarminName, GarminEmail: l.GarminEmail, Region: l.Region,
		Reason:        s.words(c).Reasons[l.Reason],
		Since:         views.At(l.Since, l.AsOf),
		LinkedSince:   views.At(l.CreatedAt, l.AsOf),
		LastValidated: views.At(l.LastValidated, l.AsOf),
		Reconnect:     views.By(l.ReconnectBefore, l.AsOf),
		Renewed:       views.At(l.RefreshedAt, l.AsOf),
		NextCheck:     views.At(l.NextCheck, l.AsOf),
		Ends:          views.At(l.EndsAt, l.AsOf),
		Side:          sideOf(l.Reason),
		Trouble:       h.trouble(l),
		Asking:        askingView(l),
	}
	if l.ReportedOutcome != "" {
		v.Report = &views.Report{Outcome: string(l.ReportedOutcome), At: views.At(l.ReportedAt, l.AsOf)}
	}
	return v
}

func askingView(l link.Link) *views.Asking {
	a := l.Asking
	if a == nil {
		return nil
	}
	return &views.Asking{Seconds: int(l.AsOf.Sub(a.Since).Seconds()), PauseSeconds: secondsLeft(l, a.PausedUntil)}
}

// sideOf is whose doing it is that a link's session is dead.
func sideOf(r link.Reason) string {
	if r == link.SupportClearance {
		return views.SideUs
	}
	return views.SideGarmin
}

func secondsLeft(l link.Link, until time.Time) int { return wholeSeconds(until.Sub(l.AsOf)) }

// linkAgain is the page of the link after a form on it failed: as the link
// stands now, with what was entered but for password and code.
func (s *Server) linkAgain(c echo.Context, a answer) (views.View, error) {
	l, err := s.linkOf(c)
	if err != nil {
		return nil, err
	}
	v, err := s.linkView(c, l, noNotice)
	if err != nil {
		return nil, err
	}
	if c.Path() == baseOf(c) {
		v.Form.Email, v.Form.Region, v.Form.Open = entered(c, "email"), entered(c, "region"), true
		if a.instead != "" {
			a.Action, v.HandoffFirst = a.instead, true
		}
	}
	if a.retry > 0 {
		v.Pause = nil // the answer tells of it
	}
	if !enter(&v, a, idOf(c)) {
		v.Problem = s.problem(c, a)
	}
	return s.pageOf(c, v), nil
}

// enter puts the answer at the field that it is about, if the page has it.
func enter(v *views.Link, a answer, reference string) bool {
	garminForm := v.Challenge == nil && v.Candidate == nil
	switch {
	case garminForm && a.field == "email":
		v.Form.EmailError = a.Text
	case garminForm && a.field == "password":
		v.Form.PasswordError = a.Text
	case garminForm && a.field == "region":
		v.Form.RegionError = a.Text
	case v.Challenge != nil && a.field == "code":
		v.Challenge.CodeError, v.Challenge.Reference = a.Text, reference
	default:
		return false
	}
	return true
}
