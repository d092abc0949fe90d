package main

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

// exampleHost is the example of a host application, and a browser of one of its
// users.
type exampleHost struct {
	t      *testing.T
	s      *stack
	base   string
	client *http.Client
}

var servedAt = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

// hostExample starts the example first: its address is one of the replica's
// settings.
func hostExample(t *testing.T) *exampleHost {
	t.Helper()
	s := newStack(t)
	app := exec.Command(build(t, "host-app"))
	app.Env = append(s.exampleEnv(s.token("links:read,connect:create")), "ADDR=127.0.0.1:0",
		"GARMINLINK_WEBHOOK_SECRET=whsec_"+base64.StdEncoding.EncodeToString(make([]byte, 24)))
	log := newTranscript()
	app.Stdout, app.Stderr = log, log
	if err := app.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = app.Process.Kill(); _ = app.Wait(); log.end() })
	base := ""
	for base == "" {
		grown, _ := log.growth()
		if base = servedAt.FindString(log.String()); base != "" {
			break
		}
		select {
		case <-grown:
		case <-time.After(patience):
			t.Fatalf("the example does not start:\n%s", log)
		}
	}
	s.settings = append(s.settings, "RETURN_URLS="+base)
	s.replica()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &exampleHost{t: t, s: s, base: base, client: &http.Client{Jar: jar, Transport: s.door.Client().Transport}}
}

// page is where a request leads in the end, and what stands there.
func (h *exampleHost) page(answer *http.Response, err error) (at, text string) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		h.t.Fatalf("%s: %s, %v\n%s", answer.Request.URL, answer.Status, err, body)
	}
	return answer.Request.URL.String(), string(body)
}

func (h *exampleHost) wantPrompt(page string, want bool) {
	h.t.Helper()
	_, text := h.page(h.client.Get(h.base + page))
	if got := strings.Contains(text, "Sign in to Garmin again"); got != want {
		h.t.Errorf("%s prompts: %t, want %t:\n%s", page, got, want, text)
	}
}

func TestExampleHostPrompts(t *testing.T) {
	t.Parallel()
	h := hostExample(t)
	post := func(address string, fields url.Values) (at, text string) {
		t.Helper()
		return h.page(h.client.PostForm(address, fields))
	}
	h.s.bulk(write(t, map[string]string{"plain.txt": h.s.dumped("plain")})).want(t, exitOK)
	post(h.base+"/signin", url.Values{"user": {"plain"}})
	h.wantPrompt("/training", false)

	h.s.garmin.KillGrants("plain@garmin.example")
	h.s.advance(25 * time.Hour)
	h.s.wantBegin(h.s.worker(nil, build(t, "go-worker"))(), map[string]string{"plain": "must act reauth_needed"})
	h.wantPrompt("/", true)
	h.wantPrompt("/training", true)

	door, _ := post(h.base+"/garmin", url.Values{"purpose": {"relink"}, "page": {"/training"}})
	if !strings.HasPrefix(door, h.s.door.URL+"/connect/") {
		t.Fatalf("the button leads to %s", door)
	}
	at, _ := post(door, nil)
	if at != h.s.door.URL+"/connect" {
		t.Fatalf("the door leads to %s", at)
	}
	back, _ := post(at, url.Values{"email": {"plain@garmin.example"}, "password": {garmintest.DemoPassword}, "region": {"garmin.com"}})
	if back != h.base+"/training" {
		t.Errorf("the user comes back to %s", back)
	}
	h.wantPrompt("/training", false)
	h.s.wantState(h.s.external("plain"), "active")
}
