package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// Headers by which a test tells the door what a balancer would decide, and
// where a visitor comes from. They go no further.
const (
	replicaHeader = "Test-Replica"
	addressHeader = "Test-Address"
)

// ourCookie is the one that signs a browser in.
const ourCookie = "__Host-garminlink"

// door is the proxy that a deployment has before its replicas: it speaks TLS
// and balances. It keeps what came out of it, for the leak test.
type door struct {
	*httptest.Server
	mu       sync.Mutex
	replicas []string       // addresses; new requests go to the last
	asked    map[string]int // by method and path
	arrival  chan struct{}  // closed and replaced at each request
	out      bytes.Buffer   // URLs, headers and pages
	cookies  map[string]bool
}

func newDoor(t testing.TB) *door {
	d := &door{asked: map[string]int{}, arrival: make(chan struct{}), cookies: map[string]bool{}}
	d.Server = httptest.NewUnstartedServer(&httputil.ReverseProxy{
		Rewrite:        d.pass,
		ModifyResponse: d.keep,
		ErrorLog:       log.New(io.Discard, "", 0),
	})
	d.Config.ErrorLog = log.New(io.Discard, "", 0) // browsers hang up
	d.StartTLS()
	t.Cleanup(d.Close)
	return d
}

// lead sends visitors to one more replica.
func (d *door) lead(addr string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.replicas = append(d.replicas, addr)
}

func (d *door) pass(r *httputil.ProxyRequest) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked[r.In.Method+" "+r.In.URL.Path]++
	close(d.arrival)
	d.arrival = make(chan struct{})
	target := &url.URL{Scheme: "http", Host: d.choose(r.In.Header.Get(replicaHeader))}
	r.SetURL(target)
	r.Out.Host = r.In.Host
	r.SetXForwarded()
	if from := r.In.Header.Get(addressHeader); from != "" {
		r.Out.Header.Set("X-Forwarded-For", from)
	}
	r.Out.Header.Del(replicaHeader)
	r.Out.Header.Del(addressHeader)
}

func (d *door) choose(wanted string) string {
	for _, addr := range d.replicas {
		if addr == wanted {
			return addr
		}
	}
	if len(d.replicas) == 0 {
		return "127.0.0.1:1" // nobody is home
	}
	return d.replicas[len(d.replicas)-1]
}

// keep notes an answer. Cookies are where they belong in Set-Cookie, and
// nowhere else.
func (d *door) keep(r *http.Response) error {
	if strings.HasPrefix(r.Request.URL.Path, "/static/") {
		return nil
	}
	body, err := plainBodyOf(r)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range r.Cookies() {
		if c.Name == ourCookie && c.Value != "" {
			d.cookies[c.Value] = true
		}
	}
	header := r.Header.Clone()
	header.Del("Set-Cookie")
	d.out.WriteString(r.Request.Method + " " + r.Request.URL.String() + "\n")
	_ = header.Write(&d.out) // a buffer takes every write
	if !isCopy(r) {
		d.out.Write(body)
	}
	return nil
}

// bodyOf reads an answer, unless it goes on.
func bodyOf(r *http.Response) ([]byte, error) {
	if r.Header.Get("Content-Type") == "text/event-stream" {
		return nil, nil
	}
	body, err := io.ReadAll(r.Body)
	_ = r.Body.Close()
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body, err
}

// plainBodyOf reads an answer as it was before it was compressed.
func plainBodyOf(r *http.Response) ([]byte, error) {
	body, err := bodyOf(r)
	if err != nil || r.Header.Get("Content-Encoding") != "gzip" {
		return body, err
	}
	plain, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(plain)
}

// isCopy reports that an answer is one of the two places where a session may
// stand: the file that its owner asked for, and a check-out.
func isCopy(r *http.Response) bool {
	if strings.HasPrefix(r.Request.URL.Path, "/api/v1/links/") && strings.HasSuffix(r.Request.URL.Path, "/checkout") {
		return r.StatusCode == http.StatusOK
	}
	return r.Request.Method == http.MethodPost && r.Request.URL.Path == "/link/export" &&
		strings.HasPrefix(r.Header.Get("Content-Disposition"), "attachment")
}

// count is how often a route was asked for, such as "POST /link". next is
// closed when anything is asked for again.
func (d *door) count(route string) (n int, next <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.asked[route], d.arrival
}

// await waits until a route was asked for n times.
func (d *door) await(t testing.TB, route string, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		got, next := d.count(route)
		if got >= n {
			return
		}
		select {
		case <-next:
		case <-ctx.Done():
			t.Fatalf("%s was asked for %d times, not %d", route, got, n)
		}
	}
}
