package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/link"
)

// Changes is the feed of changes of links, whichever replica makes them.
type Changes interface {
	// Subscribe returns a channel that is signalled after each change of a
	// user's link, or of anybody's for the zero user, and whenever one may
	// have been missed, until ctx ends. Signals that were not taken yet are
	// one.
	Subscribe(ctx context.Context, user uuid.UUID) <-chan struct{}

	// Live reports whether changes are heard of now.
	Live() bool
}

const (
	maxWait = 55 // seconds; proxies give up after a minute

	// How soon a request that waits looks again: after a change, which seldom
	// comes alone; while changes are heard of; and while they are not.
	lookAfterChange = 50 * time.Millisecond
	lookSeldom      = 15 * time.Second
	lookOften       = time.Second
)

func (a *API) listEvents(c echo.Context, k caller) error {
	q := queryOf(c)
	after := q.event("after")
	types := q.types()
	most := q.number("limit", defaultLimit, 1, maxLimit)
	wait := q.number("wait", 0, 0, maxWait)
	if err := q.rest(); err != nil {
		return err
	}
	look := func(ctx context.Context) ([]link.Happening, error) { return a.Links.Happened(ctx, after, types, most) }
	happened, err := look(c.Request().Context())
	if err == nil && len(happened) == 0 && wait > 0 {
		happened, err = a.wait(c, k, time.Duration(wait)*time.Second, look)
	}
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, pageOf(happened, after))
}

// wait is for one who found nothing. He learns nothing if his token is over by
// the time that there is something.
func (a *API) wait(c echo.Context, k caller, most time.Duration, look func(context.Context) ([]link.Happening, error)) ([]link.Happening, error) {
	leave, err := a.waits.enter(k.Token)
	if err != nil {
		return nil, err
	}
	defer leave()
	ctx := c.Request().Context()
	happened, err := a.await(ctx, most, look)
	if err != nil || len(happened) == 0 {
		return nil, err
	}
	return happened, a.standing(ctx, c)
}

// await looks until there is something, the wait is over, or the server ends.
// In between it holds no connection to the database.
func (a *API) await(ctx context.Context, wait time.Duration, look func(context.Context) ([]link.Happening, error)) ([]link.Happening, error) {
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	defer context.AfterFunc(a.ending, cancel)()
	changed := a.Changes.Subscribe(waiting, uuid.Nil)
	for {
		over := waiting.Err() != nil
		happened, err := look(ctx)
		if ctx.Err() != nil {
			return nil, nil // nobody is left to be told
		}
		if err != nil || len(happened) > 0 || over {
			return happened, err
		}
		a.idle(waiting, changed)
	}
}

// idle returns when it is time to look again.
func (a *API) idle(ctx context.Context, changed <-chan struct{}) {
	again := time.After(lookOften)
	if a.Changes.Live() {
		again = time.After(lookSeldom)
	}
	select {
	case <-changed:
		again = time.After(lookAfterChange)
	case <-again:
		return
	case <-ctx.Done():
		return
	}
	select {
	case <-again:
	case <-ctx.Done():
	}
}

func pageOf(happened []link.Happening, after int64) EventPage {
	page := EventPage{Events: []Event{}}
	for _, h := range happened {
		after = h.ID
		page.Events = append(page.Events, eventOf(h))
	}
	if after > 0 {
		next := strconv.FormatInt(after, 10)
		page.NextAfter = &next
	}
	return page
}

func eventOf(h link.Happening) Event {
	return Event{
		ID: strconv.FormatInt(h.ID, 10), Type: EventType(h.Type), CreatedAt: h.At.UTC(),
		Data: EventData{
			User: h.User, ExternalID: some(h.ExternalID), State: LinkState(h.State),
			Reason: some(Reason(h.Reason)), ReconnectBefore: moment(h.ReconnectBefore),
		},
	}
}

// event returns 0, which no event has, if the parameter is absent.
func (q *query) event(name string) int64 {
	text, ok := q.take(name)
	if !ok {
		return 0
	}
	id, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		q.refuse(name, "must be a next_after")
	}
	return int64(id)
}
