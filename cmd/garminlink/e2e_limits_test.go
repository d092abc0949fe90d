package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/limit/redistest"
)

// failedSignIns tries passwords at a replica, until it is told to wait or has
// tried so many times, and returns how many were answered.
func failedSignIns(v *visitor, at *program, most int) (answered int) {
	v.t.Helper()
	for range most {
		answer := v.at(at).post("/signin", "email", "runner@example.com", "password", "wrong")
		if answer.status == http.StatusTooManyRequests {
			break
		}
		answer.want(http.StatusUnprocessableEntity)
		answered++
	}
	return answered
}

func wantAnswered(t *testing.T, what string, got, want int) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %d sign-ins were answered, want %d", what, got, want)
	}
}

func metric(t *testing.T, p *program, name string) string {
	t.Helper()
	response, err := http.Get(fmt.Sprintf("http://%v/metrics", p.await(t, "serving operators")["addr"]))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return "missing"
}

const (
	redisGone = "limits hold for each process alone: the counters that all share cannot be reached"
	redisBack = "limits are shared again"
)

// awaitRedis has others sign in, from ever new networks, until Redis counts.
func awaitRedis(s *stack, at *program) {
	s.t.Helper()
	deadline := time.Now().Add(patience)
	for i := 0; at.log.first(redisBack) == nil; i++ {
		if time.Now().After(deadline) {
			s.t.Fatalf("Redis is back, and not used:\n%s", at.log)
		}
		from := fmt.Sprintf("198.51.%d.%d", 100+i/250, i%250)
		s.stranger().with(addressHeader, from).at(at).post("/signin", "email", from+"@example.com", "password", "wrong")
	}
}

// A stranger has ten tries, wherever they end up; when Redis is gone nobody is
// turned away for that.
func TestReplicasCountInRedis(t *testing.T) {
	t.Parallel()
	redis := redistest.New(t)
	s := newStack(t, "REDIS_URL="+redis.URL, "OPS_ADDR=127.0.0.1:0")
	a, b := s.replica(), s.replica()
	v := s.runner("runner")
	thief := s.stranger().with(addressHeader, "192.0.2.1")
	wantAnswered(t, "by one", failedSignIns(thief, a, 6), 6)
	wantAnswered(t, "by the other", failedSignIns(thief, b, 6), 4)
	if n := stored[int](s, "SELECT count(*) FROM rate_limits"); n != 0 {
		t.Errorf("%d limits are counted in the database", n)
	}
	if up := metric(t, a, "garminlink_redis_up"); up != "1" {
		t.Errorf("garminlink_redis_up is %s", up)
	}

	redis.Kill(t)
	v.at(a).signIn()
	v.at(b).signIn()
	wantAnswered(t, "by one, alone", failedSignIns(thief, a, 12), 10)
	wantAnswered(t, "by the other, alone", failedSignIns(thief, b, 12), 10)
	if up := metric(t, a, "garminlink_redis_up"); up != "0" {
		t.Errorf("garminlink_redis_up is %s in an outage", up)
	}

	redis.Start(t)
	awaitRedis(s, a)
	awaitRedis(s, b)
	wantAnswered(t, "by one, with an empty Redis", failedSignIns(thief, a, 6), 6)
	wantAnswered(t, "by the other, with an empty Redis", failedSignIns(thief, b, 6), 4)
	for _, p := range s.programs {
		if gone, back := strings.Count(p.log.String(), redisGone), strings.Count(p.log.String(), redisBack); gone != 1 || back != 1 {
			t.Errorf("the log tells of %d outages and %d ends:\n%s", gone, back, p.log)
		}
	}
}

// What is wrong with Redis shows at the start, and keeps nobody out.
func TestStartWithoutRedis(t *testing.T) {
	t.Parallel()
	redis := redistest.New(t)
	redis.Kill(t)
	s := newStack(t, "REDIS_URL="+strings.Replace(redis.URL, "unix://", "unix://:planted-redis-password@", 1))
	p := s.replica()
	p.await(t, redisGone)
	s.runner("runner")
	if strings.Contains(p.log.String(), "planted-redis-password") {
		t.Errorf("the log shows the password:\n%s", p.log)
	}
}
