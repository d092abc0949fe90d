package worker

import (
	"net/http"
	"sync"
	"time"
)

// callLog is a way to Garmin that notes when each host was asked.
type callLog struct {
	next  http.RoundTripper
	mu    sync.Mutex
	calls map[string][]time.Time
}

func (l *callLog) RoundTrip(r *http.Request) (*http.Response, error) {
	l.mu.Lock()
	if l.calls == nil {
		l.calls = map[string][]time.Time{}
	}
	l.calls[r.URL.Hostname()] = append(l.calls[r.URL.Hostname()], time.Now())
	l.mu.Unlock()
	return l.next.RoundTrip(r)
}

func (l *callLog) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.calls)
}

// peak is the most that one host was asked within any span so long.
func (l *callLog) peak(span time.Duration) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	most := 0
	for _, calls := range l.calls {
		first := 0
		for i, at := range calls {
			for at.Sub(calls[first]) > span {
				first++
			}
			most = max(most, i-first+1)
		}
	}
	return most
}
