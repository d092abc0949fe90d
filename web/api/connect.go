package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/link"
)

const maxIdempotencyKey = 255

func (a *API) createConnect(c echo.Context, k caller) error {
	key, err := idempotencyKey(c)
	if err != nil {
		return err
	}
	var r ConnectSessionRequest
	if err := read(c, &r); err != nil {
		return err
	}
	ref, err := account.ParseUserRef(r.User)
	if err != nil {
		return err // the body was checked
	}
	wanted := link.NewConnect{
		Purpose: link.Purpose(r.Purpose), ReturnURL: r.ReturnURL, State: r.State,
		Region: string(orZero(r.Region)), Locale: orZero(r.Locale), Token: k.Token, Key: key,
	}
	if wanted.Request, err = json.Marshal(r); err != nil {
		return err
	}
	if err := a.Links.CheckConnect(wanted); err != nil {
		return err // before anybody is made for it
	}
	act := k.act()
	if act.User, err = a.ensure(c, ref, r.Email); err != nil {
		return err
	}
	session, address, err := a.Links.CreateConnect(c.Request().Context(), act, wanted)
	if errors.Is(err, link.ErrNotFound) {
		return refuse(CodeUserNotFound)
	}
	if err != nil {
		return a.withState(c, caller{Grant: account.Grant{User: act.User}}, err)
	}
	told := connectOf(session)
	url := a.BaseURL.JoinPath("connect", address.Reveal()).String()
	told.URL = &url
	return c.JSON(http.StatusCreated, told)
}

// idempotencyKey is "" for a request that has none.
func idempotencyKey(c echo.Context) (string, error) {
	const name = "Idempotency-Key"
	values := c.Request().Header.Values(name)
	switch {
	case len(values) == 0:
		return "", nil
	case len(values) > 1:
		return "", invalid(name, "must be there once")
	case values[0] == "" || len(values[0]) > maxIdempotencyKey || !utf8.ValidString(values[0]):
		return "", invalid(name, "must have 1 to 255 characters")
	}
	return values[0], nil
}

func (a *API) getConnect(c echo.Context, _ caller) error {
	id, err := connectID(c)
	if err != nil {
		return err
	}
	session, err := a.Links.ConnectOf(c.Request().Context(), id)
	return answerConnect(c, session, err)
}

func (a *API) completeConnect(c echo.Context, k caller) error {
	id, err := connectID(c)
	if err != nil {
		return err
	}
	var r CompletionRequest
	if err := read(c, &r); err != nil {
		return err
	}
	session, err := a.Links.Complete(c.Request().Context(), k.act(), id, link.Secret(r.Code))
	if kind := link.KindOf(err); kind == link.AccountTaken {
		taken, action := a.judge(err), actions[kind]
		taken.Action = &action
		return taken
	}
	return answerConnect(c, session, err)
}

func connectID(c echo.Context) (uuid.UUID, error) {
	id, err := uuid.Parse(c.Param("id"))
	if err != nil || id == uuid.Nil {
		return uuid.Nil, invalid("id", "must be the id of a connect session")
	}
	return id, nil
}

func answerConnect(c echo.Context, session link.ConnectSession, err error) error {
	if errors.Is(err, link.ErrNotFound) {
		return refuse(CodeConnectSessionNotFound)
	}
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, connectOf(session))
}

func connectOf(s link.ConnectSession) ConnectSession {
	return ConnectSession{
		ID: s.ID, User: s.User, ExternalID: some(s.ExternalID),
		Purpose: Purpose(s.Purpose), Status: ConnectSessionStatus(s.Status()),
		CreatedAt: s.CreatedAt.UTC(), ExpiresAt: s.ExpiresAt.UTC(),
	}
}
