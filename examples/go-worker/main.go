// Command go-worker syncs all linked users once: it checks a session out, asks
// Garmin, and reports. See docs/use-it.md.
//
// It needs GARMINLINK_URL, and GARMINLINK_TOKEN with the scopes links:read and
// sessions:checkout.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	w := worker{url: strings.TrimRight(os.Getenv("GARMINLINK_URL"), "/"), token: os.Getenv("GARMINLINK_TOKEN"), client: &http.Client{Timeout: 100 * time.Second}}
	users, err := w.linkedUsers(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "go-worker:", err)
		os.Exit(1)
	}
	for _, user := range users {
		found, err := w.sync(ctx, user)
		var p *problem
		switch {
		case errors.As(err, &p) && p.Status == http.StatusConflict:
			// Only the user can mend it: show him p.UserMessage, and a way to reconnect.
			fmt.Println(user, "must act", p.Code, p.Detail)
		case err != nil:
			fmt.Println(user, "not now", err)
		default:
			fmt.Println(user, found)
		}
	}
}

// checkedOut is a session, as the API gives it with the format bearer.
type checkedOut struct {
	Session    string `json:"session"` // the access token: never log it
	Domain     string `json:"domain"`
	Generation int64  `json:"generation"`
}

// outcomes are those that say something of the session: a 404 or a 500 does
// not, and is not reported.
var outcomes = map[int]string{
	http.StatusOK: "ok", http.StatusNoContent: "ok",
	http.StatusUnauthorized: "unauthorized", http.StatusTooManyRequests: "rate_limited",
}

// sync keeps nothing of the session: the next run checks out again.
func (w worker) sync(ctx context.Context, user string) (string, error) {
	var taken checkedOut
	if err := w.ask(ctx, "POST", "/links/"+user+"/checkout", map[string]any{"format": "bearer", "min_ttl": 900}, &taken); err != nil {
		return "", err
	}
	seen := time.Now().UTC()
	status, name, err := fullName(ctx, taken) // your sync goes here
	if err != nil {
		return "", err
	}
	outcome, tells := outcomes[status]
	if !tells {
		return fmt.Sprint("failed HTTP ", status), nil
	}
	report := map[string]any{"generation": taken.Generation, "outcome": outcome, "observed_at": seen}
	return outcome + " " + name, w.ask(ctx, "POST", "/links/"+user+"/report", report, nil)
}

// fullName asks Garmin's API.
func fullName(ctx context.Context, taken checkedOut) (status int, name string, err error) {
	request, err := http.NewRequestWithContext(ctx, "GET", "https://connectapi."+taken.Domain+"/userprofile-service/socialProfile", nil)
	if err != nil {
		return 0, "", err
	}
	request.Header.Set("Authorization", "Bearer "+taken.Session)
	request.Header.Set("User-Agent", "GCM-Android-5.23")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	var profile struct {
		FullName string `json:"fullName"`
	}
	if answer.StatusCode == http.StatusOK {
		err = json.NewDecoder(answer.Body).Decode(&profile)
	}
	return answer.StatusCode, profile.FullName, err
}
