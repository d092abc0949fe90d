package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/account"
)

// Changes is the feed of changes of links, whichever replica makes them.
type Changes interface {
	// Subscribe returns a channel that is signalled after each change of a
	// user's link, and whenever one may have been missed, until ctx ends.
	// Signals that were not taken yet are one.
	Subscribe(ctx context.Context, user uuid.UUID) <-chan struct{}

	// Live reports whether changes are heard of now.
	Live() bool
}

const (
	// streamsPerUser is how many streams one user may have at one replica.
	streamsPerUser = 8

	// writeTime is how long a browser may take to read what it was sent.
	writeTime = 10 * time.Second
)

// beatTime is how long a stream is silent at most, and so how long it outlives
// its sign-in. Proxies close what is silent for a minute; app.js asks by itself
// after half a minute. The tests shorten it.
var beatTime = 20 * time.Second

const eventStream = "text/event-stream"

// What a stream says. It tells nothing of a link but that somebody should look.
const (
	changedEvent = "event: changed\ndata: link\n\n"
	aliveEvent   = "event: alive\ndata: link\n\n"
	quiet        = ":\n\n" // for proxies; a page does not hear it
)

// showChanges tells an open page when to look at the link again. It says so at
// once, too: the link may have changed since the page was made.
func (s *Server) showChanges(c echo.Context) error {
	v, _ := visitorOf(c)
	if anothers(c, c.QueryParam("as")) {
		return c.NoContent(http.StatusConflict)
	}
	leave, err := s.streams.enter(v.ID)
	if err != nil {
		return err
	}
	defer leave()
	ctx, cancel := context.WithCancel(c.Request().Context())
	defer cancel()
	defer context.AfterFunc(s.ending, cancel)()
	changed := s.Changes.Subscribe(ctx, v.ID)
	out := openStream(c)
	defer out.extend() // for the last bytes
	return s.tell(ctx, out, v, changed)
}

// tell says what there is to be heard, until the page has gone or its sign-in
// has ended.
func (s *Server) tell(ctx context.Context, out stream, v visitor, changed <-chan struct{}) error {
	beat := time.NewTicker(beatTime)
	defer beat.Stop()
	for event := changedEvent; ; {
		if out.send(event) != nil {
			return nil // nobody reads it
		}
		select {
		case <-changed:
			event = changedEvent
		case <-beat.C:
			event = aliveEvent
		case <-ctx.Done():
			return nil
		}
		if err := s.standing(ctx, v); err != nil {
			return unlessOver(ctx, err)
		}
		if !s.Changes.Live() {
			event = quiet // so that the page asks by itself
		}
	}
}

// standing fails if a sign-in has ended. It is no use of it.
func (s *Server) standing(ctx context.Context, v visitor) error {
	_, err := s.Accounts.Authenticate(ctx, v.signIn, false)
	return err
}

// unlessOver is nil if a stream has come to its end, and not to a fault.
func unlessOver(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, account.ErrNotFound) {
		return nil
	}
	return err
}

// EndStreams ends the streams of changes: a shutdown of their HTTP server would
// wait for them. Browsers open them again, at another replica.
func (s *Server) EndStreams() { s.endStreams() }

// Streams counts the streams that are open.
func (s *Server) Streams() int { return s.streams.count() }

// stream is an answer that goes on.
type stream struct {
	w       io.Writer
	control *http.ResponseController
}

// openStream begins the answer. Browsers that lose it come back after a while,
// which differs: a replica that ends has many of them.
func openStream(c echo.Context) stream {
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, eventStream)
	h.Set("X-Accel-Buffering", "no")
	out := stream{c.Response(), http.NewResponseController(c.Response())}
	c.Response().WriteHeader(http.StatusOK)
	out.extend()
	fmt.Fprintf(out.w, "retry: %d\n\n", 1000+rand.IntN(2000)) // milliseconds; send finds what fails
	return out
}

func (s stream) send(event string) error {
	s.extend()
	if _, err := io.WriteString(s.w, event); err != nil {
		return err
	}
	return s.control.Flush()
}

// extend moves the end that every answer has.
func (s stream) extend() { _ = s.control.SetWriteDeadline(time.Now().Add(writeTime)) } // send finds what fails

// streams counts those that are open, by user. The zero value has none.
type streams struct {
	mu   sync.Mutex
	open map[uuid.UUID]int
	all  int
}

func (s *streams) enter(user uuid.UUID) (leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[user] >= streamsPerUser {
		return nil, &tooMany{}
	}
	if s.open == nil {
		s.open = map[uuid.UUID]int{}
	}
	s.open[user]++
	s.all++
	return func() { s.leave(user) }, nil
}

func (s *streams) leave(user uuid.UUID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.open[user]--; s.open[user] == 0 {
		delete(s.open, user)
	}
}

func (s *streams) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all
}
