package link_test

import (
	"context"
	"errors"
	"net/url"
	"testing"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/link"
)

const (
	backURL   = "https://app.example.com/garmin/back?tab=2"
	hostState = "9pYc2VtRZ0u4"
	firstForm = "the first browser's own form"
)

// host is an application that sends users over.
type host struct {
	*world
	token uuid.UUID
}

func newHost(t testing.TB) *host {
	t.Helper()
	w := newWorld(t)
	urls, err := link.ParseReturnURLs("https://app.example.com/garmin, http://localhost:8000")
	if err != nil {
		t.Fatal(err)
	}
	w.links.ReturnURLs = urls
	h := &host{world: w, token: uuid.Must(uuid.NewV7())}
	w.exec("INSERT INTO service_tokens (id, name, prefix, hash, scopes) VALUES ($1, 'Pace', 'gl_1', 'x', '{connect:create}')", h.token)
	return h
}

func (h *host) wanted(p link.Purpose) link.NewConnect {
	return link.NewConnect{Purpose: p, ReturnURL: backURL, State: hostState, Token: h.token}
}

func (h *host) hostAct() link.Act {
	return link.Act{User: h.user, By: link.ByWorker, Token: h.token, RequestID: "req-host"}
}

// visit is a connect session and the browser that is bound to it.
type visit struct {
	*host
	id      uuid.UUID
	address link.Secret
	browser link.Secret
	act     link.Act
}

func (h *host) create(p link.Purpose) *visit {
	h.t.Helper()
	c, address, err := h.links.CreateConnect(context.Background(), h.hostAct(), h.wanted(p))
	if err != nil {
		h.t.Fatal(err)
	}
	return &visit{host: h, id: c.ID, address: address, act: link.Act{User: h.user, By: link.ByUser, RequestID: "req-guest", Connect: c.ID}}
}

// bound is a new connect session with a browser.
func (h *host) bound(p link.Purpose) *visit {
	h.t.Helper()
	v := h.create(p)
	var err error
	if v.browser, err = v.bind(firstForm, ""); err != nil {
		h.t.Fatal(err)
	}
	return v
}

func (v *visit) bind(form string, held link.Secret) (link.Secret, error) {
	v.t.Helper()
	return v.links.BindConnect(context.Background(), "req-guest", v.address, form, held)
}

func (v *visit) tryStart(account string) (link.Link, error) {
	v.t.Helper()
	return v.links.Start(context.Background(), v.act, credentials(account))
}

func (v *visit) start(account string) link.Link {
	v.t.Helper()
	l, err := v.tryStart(account)
	if err != nil {
		v.t.Fatalf("Start(%s): %v", account, err)
	}
	return l
}

// back goes back to the host, and returns what it reads from the address.
func (v *visit) back() url.Values {
	v.t.Helper()
	address, err := v.links.Return(context.Background(), v.act, 0)
	if err != nil {
		v.t.Fatal(err)
	}
	return v.read(address)
}

func (v *visit) read(address link.Secret) url.Values {
	v.t.Helper()
	u, err := url.Parse(address.Reveal())
	if err != nil {
		v.t.Fatal(err)
	}
	query := u.Query()
	if u.Path != "/garmin/back" || u.Host != "app.example.com" || query.Get("tab") != "2" || query.Get("state") != hostState {
		v.t.Errorf("the way back leads to %s", u)
	}
	return query
}

func (v *visit) complete(code string) (link.ConnectSession, error) {
	v.t.Helper()
	return v.links.Complete(context.Background(), link.Act{By: link.ByWorker, Token: v.token, RequestID: "req-host"}, v.id, link.Secret(code))
}

func (v *visit) wantStatus(want link.ConnectStatus) {
	v.t.Helper()
	c, err := v.links.ConnectOf(context.Background(), v.id)
	if err != nil || c.Status() != want {
		v.t.Fatalf("the connect session is %s, %v; want %s", c.Status(), err, want)
	}
}

func wantNotFound(t testing.TB, err error) {
	t.Helper()
	if !errors.Is(err, link.ErrNotFound) {
		t.Errorf("error is %v, want ErrNotFound", err)
	}
}
