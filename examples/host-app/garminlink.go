package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"
)

// garminlink is its API, as far as this application needs it.
type garminlink struct{ url, token string }

// linkStatus is how a link is doing.
type linkStatus struct {
	State           string     `json:"state"` // not_linked, mfa_pending, active or reauth_needed
	GarminName      string     `json:"garmin_name"`
	LastValidated   *time.Time `json:"last_validated"`
	ReconnectBefore *time.Time `json:"reconnect_before"` // an end that only the user can avert; nil: none is near
}

// link tells of a user's link. One whom garminlink has never heard of has none.
func (g garminlink) link(ctx context.Context, user string) (s linkStatus, err error) {
	err = g.ask(ctx, "GET", "/links/"+url.PathEscape(user), nil, &s)
	if p, ok := errors.AsType[*problem](err); ok && p.Code == "user_not_found" {
		return linkStatus{State: "not_linked"}, nil
	}
	return s, err
}

type connectRequest struct {
	User      string `json:"user"`
	ReturnURL string `json:"return_url"`
	State     string `json:"state"`
	Purpose   string `json:"purpose"` // link, or relink: with the same Garmin account as before
}

type connectSession struct {
	ID  string `json:"id"`
	URL string `json:"url"` // good for 30 minutes and one browser
}

func (g garminlink) connect(ctx context.Context, r connectRequest) (c connectSession, err error) {
	err = g.ask(ctx, "POST", "/connect-sessions", r, &c)
	return c, err
}

// complete takes the link that the user came back with: it does not count
// before.
func (g garminlink) complete(ctx context.Context, connect, code string) error {
	return g.ask(ctx, "POST", "/connect-sessions/"+connect+"/complete", map[string]string{"code": code}, nil)
}

// problem is every error of the API (RFC 9457). Its code never changes.
type problem struct {
	Code        string `json:"code"`
	Detail      string `json:"detail"`
	UserMessage string `json:"user_message"` // fit to be shown to the user; "" if there is nothing to tell him
}

func (p *problem) Error() string { return p.Code + ": " + p.Detail }

var client = &http.Client{Timeout: 30 * time.Second}

// ask decodes the answer unless into is nil. It fails with a *problem.
func (g garminlink) ask(ctx context.Context, method, path string, body, into any) error {
	var text bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&text).Encode(body); err != nil {
			return err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, g.url+"/api/v1"+path, &text)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+g.token)
	request.Header.Set("Content-Type", "application/json")
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 400 {
		p := &problem{Code: answer.Status}
		_ = json.NewDecoder(answer.Body).Decode(p) // a proxy's answer may be no problem: the status tells
		return p
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(answer.Body).Decode(into)
}
