package main

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// readyPatience is how long the database may take to answer a probe.
const readyPatience = 2 * time.Second

// opsHandler serves operators apart from the public port.
func opsHandler(ready func(context.Context) error, metrics http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, nil) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { answer(w, ready(r.Context())) })
	mux.Handle("GET /metrics", metrics)
	return mux
}

func answer(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(err.Error() + "\n"))
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}

// errDraining is what a server that is about to end answers to probes.
var errDraining = errors.New("draining")

// errBehind is what a server answers to probes that lacks the key which seals
// now: requests should go to those that have it.
var errBehind = errors.New("the keyset lacks the key that seals now: deploy the newest")
