package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// requestPatience is the longest that an answer may take: a sign-in at Garmin
// has 60 s, and is saved after that.
const requestPatience = 90 * time.Second

// drainPause is how long load balancers get to see that we are not ready any
// more, before we stop taking requests. The tests of this program shorten it.
var drainPause = 3 * time.Second

// endpoint is an address and what is served there.
type endpoint struct {
	listener net.Listener
	handler  http.Handler
	leave    func() // ends what would last for ever; may be nil
}

func (e endpoint) String() string { return e.listener.Addr().String() }

// lifecycle serves until it is asked to end, and then ends without cutting
// anything off.
type lifecycle struct {
	endpoints []endpoint                    // the one that tells about the drain last
	tasks     []func(context.Context) error // end when their context does
	pause     time.Duration
	draining  *atomic.Bool // set when the end begins
	log       *slog.Logger
}

// run returns when ctx has ended and all requests and tasks have, or when one
// of them fails. It closes the listeners.
func (l lifecycle) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	var servers []*http.Server
	for _, e := range l.endpoints {
		s := newServer(e, l.log)
		servers = append(servers, s)
		group.Go(func() error { return serveOn(s, e.listener) })
	}
	for _, task := range l.tasks {
		group.Go(func() error { return task(ctx) })
	}
	group.Go(func() error {
		<-ctx.Done()
		l.draining.Store(true)
		l.log.Info("draining")
		time.Sleep(l.pause)
		return shutDown(servers)
	})
	return group.Wait()
}

// shutDown ends the servers in order.
func shutDown(servers []*http.Server) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), requestPatience)
	defer cancel()
	for _, s := range servers {
		if late := s.Shutdown(ctx); late != nil {
			err = errors.Join(err, fmt.Errorf("requests did not end in time: %w", late), s.Close())
		}
	}
	return err
}

func serveOn(s *http.Server, l net.Listener) error {
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func newServer(e endpoint, log *slog.Logger) *http.Server {
	s := &http.Server{
		Handler:           e.handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      requestPatience,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug), // clients that hang up, mostly
	}
	if e.leave != nil {
		s.RegisterOnShutdown(e.leave)
	}
	return s
}
