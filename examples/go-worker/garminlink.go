package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// worker speaks to garminlink's API.
type worker struct {
	url, token string
	client     *http.Client // with time for a check-out that waits for a refresh
}

// problem is every error of the API (RFC 9457). Its code never changes.
type problem struct {
	Status      int    `json:"status"`
	Code        string `json:"code"`
	Detail      string `json:"detail"`
	UserMessage string `json:"user_message"` // fit to be shown to the user; "" if there is nothing to tell him

	retryAfter time.Duration
}

func (p *problem) Error() string { return p.Code + ": " + p.Detail }

// longestWait is the most that a Retry-After may ask for: who is told more is
// left for the next run.
const longestWait = time.Minute

// ask sends a request, and once more if it is told to come back soon (429, 503).
func (w worker) ask(ctx context.Context, method, path string, body, into any) error {
	err := w.askOnce(ctx, method, path, body, into)
	p, refused := err.(*problem)
	if !refused || p.retryAfter == 0 || p.retryAfter > longestWait {
		return err
	}
	select {
	case <-time.After(p.retryAfter):
		return w.askOnce(ctx, method, path, body, into)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// askOnce decodes the answer unless into is nil. It fails with a *problem.
func (w worker) askOnce(ctx context.Context, method, path string, body, into any) error {
	var text bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&text).Encode(body); err != nil {
			return err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, w.url+"/api/v1"+path, &text)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+w.token)
	request.Header.Set("Content-Type", "application/json")
	answer, err := w.client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 400 {
		seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After")) // 0 if there is none
		p := &problem{Status: answer.StatusCode, Code: answer.Status, retryAfter: time.Duration(seconds) * time.Second}
		_ = json.NewDecoder(answer.Body).Decode(p) // a proxy's answer may be no problem: the status tells
		return p
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(answer.Body).Decode(into)
}

// linkedUsers lists all before the first is synced: the list is in the order of
// changes, and a report is one.
func (w worker) linkedUsers(ctx context.Context) ([]string, error) {
	var users []string
	for query := "?state=active"; ; {
		var page struct {
			Links []struct {
				User string `json:"user"`
			} `json:"links"`
			NextCursor string `json:"next_cursor"`
		}
		if err := w.ask(ctx, "GET", "/links"+query, nil, &page); err != nil {
			return nil, err
		}
		for _, l := range page.Links {
			users = append(users, l.User)
		}
		if page.NextCursor == "" {
			slices.Sort(users)
			return slices.Compact(users), nil // a link that changed meanwhile comes twice
		}
		query = "?state=active&cursor=" + url.QueryEscape(page.NextCursor)
	}
}
