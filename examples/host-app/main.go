// Command host-app is an application with users of its own who link their
// Garmin accounts at garminlink and come back. See docs/use-it.md.
//
// It needs GARMINLINK_URL; GARMINLINK_TOKEN with the scopes links:read and
// connect:create; GARMINLINK_WEBHOOK_SECRET, which `garminlink webhook add`
// prints; and BASE_URL, its own address, which garminlink must have among its
// GARMINLINK_RETURN_URLS. It listens on ADDR.
package main

import (
	"cmp"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"html/template"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

func main() {
	secret, err := parseSecret(os.Getenv("GARMINLINK_WEBHOOK_SECRET"))
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", cmp.Or(os.Getenv("ADDR"), "127.0.0.1:8090"))
	if err != nil {
		log.Fatal(err)
	}
	a := &app{
		base:       cmp.Or(os.Getenv("BASE_URL"), "http://"+listener.Addr().String()),
		garminlink: garminlink{url: strings.TrimRight(os.Getenv("GARMINLINK_URL"), "/"), token: os.Getenv("GARMINLINK_TOKEN")},
		webhooks:   webhooks{secret: secret, seen: map[string]bool{}, events: map[string]string{}},
		sessions:   map[string]*session{},
	}
	log.Printf("%s is served at %s", a.base, listener.Addr())
	log.Fatal(http.Serve(listener, a.routes()))
}

// app keeps its users' sessions in memory; yours has a store.
type app struct {
	base       string
	garminlink garminlink
	webhooks   webhooks

	mu       sync.Mutex
	sessions map[string]*session // by cookie
}

// session is one browser that is signed in here.
type session struct {
	user    string // our own id of the user
	state   string // what he must bring back; "" if he is not expected
	connect string // the connect session that he was sent with
	page    string // where he was when he was sent, and comes back to
}

func (a *app) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.home)
	mux.HandleFunc("GET /training", a.training)
	mux.HandleFunc("POST /signin", a.signIn)
	mux.HandleFunc("POST /garmin", a.sendOver)
	mux.HandleFunc("GET /garmin/back", a.takeBack)
	mux.HandleFunc("POST /garmin/events", a.webhooks.receive)
	return mux
}

// signIn stands for your sign-in: whoever comes is believed.
func (a *app) signIn(w http.ResponseWriter, r *http.Request) {
	cookie := rand.Text()
	a.mu.Lock()
	a.sessions[cookie] = &session{user: r.FormValue("user")}
	a.mu.Unlock()
	// Lax, and not Strict: the user comes back by a link on another site.
	http.SetCookie(w, &http.Cookie{
		Name: "host-app", Value: cookie, Path: "/",
		HttpOnly: true, Secure: strings.HasPrefix(a.base, "https:"), SameSite: http.SameSiteLaxMode,
	})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// who returns a copy of the browser's session; ok is false if it has none.
func (a *app) who(r *http.Request) (s session, cookie string, ok bool) {
	c, err := r.Cookie("host-app")
	if err != nil {
		return session{}, "", false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	kept, ok := a.sessions[c.Value]
	if !ok {
		return session{}, "", false
	}
	return *kept, c.Value, true
}

// expect notes what the browser must bring back, and where it goes on then.
func (a *app) expect(cookie, state, connect, page string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.sessions[cookie]
	s.state, s.connect, s.page = state, connect, page
}

// sendOver sends the user to garminlink, with a state that is this browser's
// alone.
func (a *app) sendOver(w http.ResponseWriter, r *http.Request) {
	s, cookie, ok := a.who(r)
	if !ok {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	state := rand.Text()
	c, err := a.garminlink.connect(r.Context(), connectRequest{
		User: "ext:" + s.user, ReturnURL: a.base + "/garmin/back", State: state, Purpose: r.FormValue("purpose"),
	})
	if err != nil {
		a.fail(w, err)
		return
	}
	a.expect(cookie, state, c.ID, ownPage(r.FormValue("page")))
	http.Redirect(w, r, c.URL, http.StatusSeeOther) // never log this address: who has it can use it
}

// takeBack has the user again. The state must be the one of this very browser:
// else somebody has sent this user an address of his own, and would get his
// Garmin data.
func (a *app) takeBack(w http.ResponseWriter, r *http.Request) {
	s, cookie, ok := a.who(r)
	if !ok || s.state == "" || subtle.ConstantTimeCompare([]byte(s.state), []byte(r.FormValue("state"))) != 1 {
		http.Error(w, "You did not start this here. Your Garmin account was not linked.", http.StatusForbidden)
		return
	}
	a.expect(cookie, "", "", "") // good for once
	if code := r.FormValue("code"); code != "" {
		if err := a.garminlink.complete(r.Context(), s.connect, code); err != nil {
			a.fail(w, err)
			return
		}
	}
	http.Redirect(w, r, s.page, http.StatusSeeOther) // and away from an address with a code in it
}

// ownPage is a page of ours. A form could name any address.
func ownPage(page string) string {
	if page == "/training" {
		return page
	}
	return "/"
}

// training is a page that has nothing to do with links, and prompts all the
// same.
func (a *app) training(w http.ResponseWriter, r *http.Request) {
	s, _, ok := a.who(r)
	if !ok {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	_ = pages.ExecuteTemplate(w, "training", a.promptFor(r.Context(), s, "/training")) // the browser may be gone
}

// home shows how the link is doing.
func (a *app) home(w http.ResponseWriter, r *http.Request) {
	s, _, ok := a.who(r)
	view := struct {
		User, Event string
		Link        linkStatus
		Prompt      *prompt
	}{User: s.user, Event: a.webhooks.last(s.user)}
	var err error
	if ok {
		view.Link, err = a.garminlink.link(r.Context(), "ext:"+s.user)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	view.Prompt = promptOf(view.Link, "/")
	w.Header().Set("Cache-Control", "no-store")
	_ = pages.ExecuteTemplate(w, "home", view) // the browser may be gone
}

// fail shows what is fit for the user, and logs the rest.
func (a *app) fail(w http.ResponseWriter, err error) {
	log.Print(err)
	text := "Something went wrong. Try again in a while."
	if p, ok := errors.AsType[*problem](err); ok && p.UserMessage != "" {
		text = p.UserMessage
	}
	http.Error(w, text, http.StatusBadGateway)
}

var pages = template.Must(template.New("").Funcs(template.FuncMap{"ago": func(t time.Time) string {
	return fmt.Sprint(time.Since(t).Round(time.Second), " ago")
}}).Parse(promptPart + `{{define "training"}}<!doctype html><title>Training</title>
{{template "prompt" .}}
<p>Your week.</p>
{{end}}
{{define "home"}}<!doctype html><title>Host application</title>
{{if not .User}}
<form method="post" action="/signin"><input name="user" placeholder="your name"><button>Sign in</button></form>
{{else}}
{{template "prompt" .Prompt}}
<p>Signed in as {{.User}}. <a href="/training">Training</a></p>
<p id="link">Garmin: {{.Link.State}}{{with .Link.GarminName}} ({{.}}){{end}}{{with .Link.LastValidated}}, last validated {{ago .}}{{end}}</p>
{{if or (eq .Link.State "not_linked") (eq .Link.State "mfa_pending")}}<form method="post" action="/garmin"><button name="purpose" value="link">Link your Garmin account</button></form>{{end}}
{{with .Event}}<p id="event">{{.}}</p>{{end}}
{{end}}{{end}}`))
