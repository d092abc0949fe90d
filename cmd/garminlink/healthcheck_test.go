package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHealthcheckAsksWhetherWeAreReady(t *testing.T) {
	t.Parallel()
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			t.Errorf("asked for %s", r.URL)
		}
		w.WriteHeader(status)
	}))
	defer server.Close()
	listens := strings.TrimPrefix(server.URL, "http://")
	if err := checkHealth(t.Context(), listens); err != nil {
		t.Error(err)
	}
	status = http.StatusServiceUnavailable
	if err := checkHealth(t.Context(), listens); err == nil {
		t.Error("a server that is not ready passed")
	}
	server.Close()
	if err := checkHealth(t.Context(), listens); err == nil {
		t.Error("a server that is gone passed")
	}
}

func TestHealthcheckConnectsToWhatListens(t *testing.T) {
	t.Parallel()
	for listens, want := range map[string]string{
		":8080":          "localhost:8080",
		"0.0.0.0:80":     "localhost:80",
		"[::]:80":        "localhost:80",
		"127.0.0.1:80":   "127.0.0.1:80",
		"[fd00::1]:80":   "[fd00::1]:80",
		"links.local:80": "links.local:80",
	} {
		if got := reachable(listens); got != want {
			t.Errorf("reachable(%s) = %s, want %s", listens, got, want)
		}
	}
}
