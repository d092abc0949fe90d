package api

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/link"
)

func (a *API) listLinks(c echo.Context, _ caller) error {
	q := queryOf(c)
	wanted := link.Query{
		State: string(q.state()), UpdatedAfter: q.time("updated_after"),
		After: q.place(), Most: q.number("limit", defaultLimit, 1, maxLimit),
	}
	if err := q.rest(); err != nil {
		return err
	}
	most := wanted.Most
	wanted.Most++ // one more tells whether there is another page
	listed, err := a.Links.Links(c.Request().Context(), wanted)
	if err != nil {
		return err
	}
	page := LinkPage{Links: []Link{}}
	if len(listed) > most {
		listed = listed[:most]
		next := cursorOf(listed[most-1].Place())
		page.NextCursor = &next
	}
	for _, l := range listed {
		page.Links = append(page.Links, linkOf(l))
	}
	return c.JSON(http.StatusOK, page)
}

func (a *API) getLink(c echo.Context, k caller) error { return a.answerLink(c, http.StatusOK, k.User) }

func (a *API) deleteLink(c echo.Context, k caller) error {
	if err := a.Links.Unlink(c.Request().Context(), k.act()); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

func (a *API) answerLink(c echo.Context, status int, user uuid.UUID) error {
	l, err := a.linkOf(c.Request().Context(), user)
	if err != nil {
		return err
	}
	if l.Generation != 0 {
		c.Response().Header().Set("ETag", strconv.Quote(strconv.FormatInt(l.Generation, 10)))
	}
	return c.JSON(status, linkOf(l))
}

// linkOf fails with a refusal if the user was removed meanwhile.
func (a *API) linkOf(ctx context.Context, user uuid.UUID) (link.Listed, error) {
	l, err := a.Links.LinkOf(ctx, user)
	if errors.Is(err, link.ErrNotFound) {
		return l, refuse(CodeUserNotFound)
	}
	return l, err
}

func linkOf(l link.Listed) Link {
	told := Link{
		User: l.User, ExternalID: some(l.ExternalID), State: LinkState(l.State.String()), Reason: some(Reason(l.Reason)),
		Generation: some(l.Generation), Region: some(Region(l.Region)), GarminName: some(l.GarminName),
		CreatedAt: moment(l.CreatedAt), Since: moment(l.Since), LastValidated: moment(l.LastValidated),
		RefreshedAt: moment(l.RefreshedAt), ExpiresAt: moment(l.ExpiresAt),
		ReconnectBefore: moment(l.ReconnectBefore), UpdatedAt: moment(l.UpdatedAt),
	}
	if !l.ReportedAt.IsZero() {
		told.LastReport = &LastReport{Outcome: Outcome(l.ReportedOutcome), At: l.ReportedAt.UTC()}
	}
	return told
}

// some is nil for what is not there.
func some[T comparable](v T) *T {
	var none T
	if v == none {
		return nil
	}
	return &v
}

// orZero is what some is the way back from.
func orZero[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// moment is nil for the zero time, and otherwise in UTC.
func moment(t time.Time) *time.Time { return some(t.UTC()) }

// A cursor is a place in the listing: microseconds, which are what PostgreSQL
// keeps, and a user. It is no secret, and not to be understood.
func cursorOf(p link.Place) string {
	raw := binary.BigEndian.AppendUint64(nil, uint64(p.UpdatedAt.UnixMicro()))
	return base64.RawURLEncoding.EncodeToString(append(raw, p.User[:]...))
}

func (q *query) place() link.Place {
	text, ok := q.take("cursor")
	if !ok {
		return link.Place{}
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != 8+len(uuid.UUID{}) {
		q.refuse("cursor", "must be a next_cursor")
		return link.Place{}
	}
	return link.Place{UpdatedAt: time.UnixMicro(int64(binary.BigEndian.Uint64(raw))), User: uuid.UUID(raw[8:])}
}
