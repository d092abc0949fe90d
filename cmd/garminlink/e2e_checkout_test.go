package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

// checkOutAt takes a session out at one replica.
func (s *stack) checkOutAt(p *program, token, user, body string) (status int, generation int64) {
	request, err := http.NewRequestWithContext(s.t.Context(), "POST", "http://"+p.addr+"/api/v1/links/"+user+"/checkout", strings.NewReader(body))
	if err != nil {
		s.t.Error(err)
		return 0, 0
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Error(err)
		return 0, 0
	}
	defer answer.Body.Close()
	var taken struct{ Generation int64 }
	if err := json.NewDecoder(answer.Body).Decode(&taken); err != nil {
		s.t.Error(err)
	}
	return answer.StatusCode, taken.Generation
}

func TestTwoHundredCheckOutsAtThreeReplicasAreOneRefresh(t *testing.T) {
	t.Parallel()
	const requests = 200
	s := newStack(t)
	replicas := []*program{s.replica(), s.replica(), s.replica()}
	s.bulk(write(t, map[string]string{"plain.txt": s.dumped("plain")})).want(t, exitOK)
	token := s.token("sessions:checkout")
	for _, body := range []string{`{"format":"garth"}`, `{"format":"bearer","min_ttl":21600}`} {
		s.advance(25 * time.Hour)
		before := s.garmin.Calls(garmintest.OpRefresh)
		release := s.garmin.Hold(garmintest.OpRefresh)
		var all sync.WaitGroup
		var mu sync.Mutex
		statuses, generations := map[int]int{}, map[int64]int{}
		for i := range requests {
			all.Go(func() {
				status, generation := s.checkOutAt(replicas[i%len(replicas)], token, "ext:plain", body)
				mu.Lock()
				defer mu.Unlock()
				statuses[status]++
				generations[generation]++
			})
		}
		s.awaitGarmin(garmintest.OpRefresh, before+1)
		release()
		all.Wait()
		if statuses[http.StatusOK] != requests || len(generations) != 1 {
			t.Errorf("answers are %v, of generations %v", statuses, generations)
		}
		s.wantCalls(garmintest.OpRefresh, before+1)
	}
}
