package api

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/account"
)

// waitsPerToken is how many requests of one token may wait at one replica. One
// that waits looks into the database again and again, and its rate counts it
// once.
const waitsPerToken = 32

// waits counts those that wait, by token. The zero value has none.
type waits struct {
	mu      sync.Mutex
	waiting map[uuid.UUID]int
}

// enter lets one more wait, until leave is called.
func (w *waits) enter(token uuid.UUID) (leave func(), err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiting[token] >= waitsPerToken {
		return nil, refuse(CodeTooManyRequests).because("Too many requests with this token wait already.").after(time.Second)
	}
	if w.waiting == nil {
		w.waiting = map[uuid.UUID]int{}
	}
	w.waiting[token]++
	return func() { w.leave(token) }, nil
}

func (w *waits) leave(token uuid.UUID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiting[token]--; w.waiting[token] == 0 {
		delete(w.waiting, token)
	}
}

// standing fails if the token of a request that has waited is over by now.
func (a *API) standing(ctx context.Context, c echo.Context) error {
	_, err := a.Accounts.Authorize(ctx, bearer(c.Request()), account.UserRef{})
	if errors.Is(err, account.ErrTokenUnknown) {
		return notAuthenticated(c.Request())
	}
	return err
}
