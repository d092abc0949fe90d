package api

import (
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/link"
)

func (a *API) checkOut(c echo.Context, k caller) error {
	var r CheckOutRequest
	if err := read(c, &r); err != nil {
		return err
	}
	wanted := link.CheckOut{Format: link.Format(r.Format), MinLife: defaultMinTTL * time.Second}
	if r.MinTTL != nil {
		wanted.MinLife = time.Duration(*r.MinTTL) * time.Second
	}
	if r.RefreshToken != nil && *r.RefreshToken {
		if err := k.needs(account.SessionsExport); err != nil {
			return err
		}
		wanted.Renewal = true
	}
	out, err := a.Links.CheckOut(c.Request().Context(), k.act(), wanted)
	if err != nil {
		return a.withState(c, k, err)
	}
	return c.JSON(http.StatusOK, CheckedOut{
		Format: r.Format, Session: out.Session.Reveal(), Domain: Region(out.Domain), Generation: out.Generation,
		ExpiresAt: out.ExpiresAt.UTC(), LastValidated: moment(out.LastValidated),
	})
}

// actions are what helps where the user must act.
var actions = map[link.Kind]Action{
	link.NotLinked: ActionLink, link.ReauthNeeded: ActionRelink, link.OtherAccount: ActionLink, link.AccountTaken: ActionLink,
}

// withState tells, with an error that sends the user to act, how his link is.
// While that works all the same, he has nothing to do.
func (a *API) withState(c echo.Context, k caller, err error) error {
	action, mustAct := actions[link.KindOf(err)]
	if !mustAct {
		return err
	}
	l, failed := a.linkOf(c.Request().Context(), k.User)
	if failed != nil {
		return errors.Join(failed, err)
	}
	r := a.judge(err)
	state := LinkState(l.State.String())
	r.State, r.Reason = &state, some(Reason(l.Reason))
	if l.State.Session != link.Live {
		r.Action = &action
	}
	return r
}

func (a *API) putSession(c echo.Context, k caller) error {
	generation, err := presumed(c)
	if err != nil {
		return err
	}
	var r SessionRequest
	if err := read(c, &r); err != nil {
		return err
	}
	if generation == 0 {
		return a.importSession(c, k, r)
	}
	if k.User == uuid.Nil {
		return refuse(CodeUserNotFound)
	}
	back := link.WriteBack{Text: link.Secret(r.Session), Generation: generation}
	if _, err := a.Links.WriteBack(c.Request().Context(), k.act(), back); err != nil {
		return a.withState(c, k, err)
	}
	return a.answerLink(c, http.StatusOK, k.User)
}

// importSession makes a link, and its user if he is a host application's.
func (a *API) importSession(c echo.Context, k caller, r SessionRequest) error {
	if k.User == uuid.Nil && k.ref.ExternalID() == "" {
		return refuse(CodeUserNotFound)
	}
	var err error
	if k.User, err = a.ensure(c, k.ref, r.Email); err != nil {
		return err
	}
	if _, err := a.Links.Import(c.Request().Context(), k.act(), link.Import{Text: link.Secret(r.Session)}); err != nil {
		return a.withState(c, k, err)
	}
	return a.answerLink(c, http.StatusCreated, k.User)
}
