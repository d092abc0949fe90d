package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
)

func localListener(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestDrainAnswersWhatIsInFlight(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan struct{}), make(chan struct{})
	public := endpoint{listener: localListener(t), handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-release
		_, _ = io.WriteString(w, "done")
	})}
	var draining atomic.Bool
	ready := func(context.Context) error {
		if draining.Load() {
			return errDraining
		}
		return nil
	}
	ops := endpoint{listener: localListener(t), handler: opsHandler(ready, http.NotFoundHandler())}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- lifecycle{endpoints: []endpoint{public, ops}, draining: &draining, log: slog.New(slog.DiscardHandler)}.run(ctx)
	}()

	answered := make(chan string, 1)
	go func() { answered <- get(t, "http://"+public.String()) }()
	<-arrived
	if said := get(t, "http://"+ops.String()+"/readyz"); said != "ok\n" {
		t.Errorf("before the drain /readyz says %q", said)
	}
	stop()
	for !draining.Load() {
		runtime.Gosched()
	}
	if said := get(t, "http://"+ops.String()+"/readyz"); said != errDraining.Error()+"\n" {
		t.Errorf("in the drain /readyz says %q", said)
	}
	select {
	case err := <-ended:
		t.Fatalf("ended with a request in flight: %v", err)
	default:
	}
	close(release)
	if said := <-answered; said != "done" {
		t.Errorf("the request in flight got %q", said)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestFailingEndpointEndsTheOthers(t *testing.T) {
	t.Parallel()
	public := endpoint{listener: localListener(t), handler: http.NotFoundHandler()}
	ops := endpoint{listener: localListener(t), handler: http.NotFoundHandler()}
	ops.listener.Close()
	err := lifecycle{endpoints: []endpoint{public, ops}, draining: new(atomic.Bool), log: slog.New(slog.DiscardHandler)}.run(t.Context())
	if !errors.Is(err, net.ErrClosed) {
		t.Errorf("run gave %v", err)
	}
}

func get(t testing.TB, url string) string {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	return string(text)
}
