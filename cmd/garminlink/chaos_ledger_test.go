//go:build chaos

package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"time"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

// leaseTime is how long the claim of a process that was killed stands, and a
// little more: the test knows it on its own.
const leaseTime = 66 * time.Second

// refresh is one call by which a refresh token was sent to Garmin.
type refresh struct {
	token string
	at    time.Time // when it came, by Garmin's clock
	taken bool      // Garmin handed out a new token
	alone bool      // no other call with the same token was under way
}

// ledger is Garmin's own account of all refreshes, by the GUID of the Garmin
// account.
type ledger struct {
	garmin *garmintest.Server
	mu     sync.Mutex
	calls  map[string][]refresh
	open   map[string]int // calls under way, by token
}

func newLedger(s *garmintest.Server) *ledger {
	l := &ledger{garmin: s, calls: map[string][]refresh{}, open: map[string]int{}}
	s.Fail(garmintest.OpRefresh, l.answer, 0)
	return l
}

// slowest is how long a call may take on its way there and on its way back.
const slowest = 15 * time.Millisecond

// answer is a Fault that lets Garmin answer, after the delays of a real
// network, and writes down what came of it.
func (l *ledger) answer(w http.ResponseWriter, r *http.Request, garmin http.Handler) {
	token := r.PostFormValue("refresh_token")
	at := l.enter(token)
	delay()
	reply := httptest.NewRecorder()
	garmin.ServeHTTP(reply, r)
	l.leave(token, at, reply.Code == http.StatusOK)
	delay()
	for key, values := range reply.Header() {
		w.Header()[key] = values
	}
	w.WriteHeader(reply.Code)
	_, _ = w.Write(reply.Body.Bytes()) // whoever asked may be dead
}

func delay() { time.Sleep(rand.N(slowest)) }

func (l *ledger) enter(token string) (at time.Time) {
	at = l.garmin.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open[token]++
	return at
}

func (l *ledger) leave(token string, at time.Time, taken bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	guid := guidOf(token)
	l.calls[guid] = append(l.calls[guid], refresh{token, at, taken, l.open[token] == 1})
	if l.open[token]--; l.open[token] == 0 {
		delete(l.open, token)
	}
}

// idle reports that no call is under way.
func (l *ledger) idle() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.open) == 0
}

// guidOf reads whose refresh token it is; "" if it is none of Garmin's.
func guidOf(token string) string {
	var in struct{ GarminGUID string }
	b, err := base64.StdEncoding.DecodeString(token)
	if err != nil || json.Unmarshal(b, &in) != nil {
		return ""
	}
	return in.GarminGUID
}

// of is all that was asked for one Garmin account.
func (l *ledger) of(guid string) []refresh {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.calls[guid])
}

func taken(calls []refresh) (n int) {
	for _, c := range calls {
		if c.taken {
			n++
		}
	}
	return n
}

// doubles finds refreshes of one token that one claim cannot have made: two at
// once, or one more before the lease of the first, whose process was killed,
// has run out.
func doubles(calls []refresh) (found []string) {
	last := map[string]refresh{} // that Garmin took, by token
	for _, c := range calls {
		if !c.alone {
			found = append(found, "two refreshes of one generation were under way at once")
		}
		if before, again := last[c.token]; again && c.at.Sub(before.at) < leaseTime {
			found = append(found, fmt.Sprintf("a token that Garmin had taken was sent again %s later", c.at.Sub(before.at)))
		}
		if c.taken {
			last[c.token] = c
		}
	}
	return found
}

// refusedTwice reports that Garmin refused the account's token at two moments
// so far apart that no other refresh can be the reason.
func refusedTwice(calls []refresh, apart time.Duration) bool {
	var first time.Time
	for _, c := range calls {
		switch {
		case c.taken:
			first = time.Time{}
		case first.IsZero():
			first = c.at
		case c.at.Sub(first) >= apart:
			return true
		}
	}
	return false
}
