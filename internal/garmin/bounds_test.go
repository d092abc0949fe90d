package garmin_test

import (
	"context"
	"io"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

// watchedTransport counts the bodies that are open.
type watchedTransport struct {
	next http.RoundTripper
	open int
}

type watchedBody struct {
	io.ReadCloser
	closed func()
}

func (b watchedBody) Close() error {
	b.closed()
	return b.ReadCloser.Close()
}

func (w *watchedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := w.next.RoundTrip(r)
	if err == nil {
		w.open++
		done := false
		resp.Body = watchedBody{resp.Body, func() {
			if !done {
				done = true
				w.open--
			}
		}}
	}
	return resp, err
}

func TestSlowAndEndlessAnswersEnd(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]garmintest.Fault{"endless": garmintest.Endless, "stalled": garmintest.Stalled, "slow": garmintest.Slow} {
		for _, flow := range []garmin.Flow{garmin.IOS, garmin.Widget.WithPause(garmin.Pause{})} {
			t.Run(name+" "+flow.String(), func(t *testing.T) {
				t.Parallel()
				checkEnds(t, fault, flow)
			})
		}
	}
}

func checkEnds(t *testing.T, fault garmintest.Fault, flow garmin.Flow) {
	t.Helper()
	sim, _ := newGarmin(t)
	w := &watchedTransport{next: sim.Transport()}
	c := garmin.New(garmin.Options{Transport: w, Now: sim.Now, Flows: []garmin.Flow{flow}})
	sim.Fail(garmintest.OpLogin, fault, 1)
	c.SetTimeout(2 * time.Second)
	began := time.Now()
	_, _, err := login(t, c, "plain@garmin.example")
	want(t, err, garmin.KindUnavailable, true)
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("it took %v", took)
	}
	if w.open != 0 {
		t.Errorf("%d bodies are open", w.open)
	}
}

func TestEndlessAnswerTakesBoundedMemory(t *testing.T) {
	sim, c := newGarmin(t)
	sim.Fail(garmintest.OpLogin, garmintest.Endless, 0)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const calls = 5
	for range calls {
		_, _, err := login(t, c, "plain@garmin.example")
		want(t, err, garmin.KindUnavailable, true)
	}
	runtime.ReadMemStats(&after)
	if perCall := (after.TotalAlloc - before.TotalAlloc) / calls; perCall > 32<<20 {
		t.Errorf("%d MB for a call", perCall>>20)
	}
}

func TestOddEndsOfTokensDoNoHarm(t *testing.T) {
	t.Parallel()
	for _, exp := range []string{`"soon"`, `-1`, `1e400`, `null`, `true`, `{}`, `99999999999999999999`, `0`, `""`} {
		sim := &garmintest.Server{Expiry: exp}
		t.Cleanup(sim.Close)
		c := newClient(sim)
		s := mustSession(t, c)
		near(t, exp+": access end", s.ExpiresAt(), sim.Now().Add(24*time.Hour))
		fresh, err := c.Refresh(t.Context(), mustParse(t, s.Dumps()))
		if err != nil {
			t.Fatalf("%s: %v", exp, err)
		}
		if _, err := c.Profile(t.Context(), fresh); err != nil {
			t.Errorf("%s: %v", exp, err)
		}
	}
}

func TestTokenThatTheAPIRefusesIsSeen(t *testing.T) {
	t.Parallel()
	sim, c := newGarmin(t)
	sim.Add(garmintest.Account{Email: "refused@garmin.example", Password: garmintest.DemoPassword, Refused: true})
	s, err := c.Exchange(t.Context(), mustTicket(t, c, garmin.RegionGlobal, "refused@garmin.example"))
	if err != nil {
		t.Fatal(err)
	}
	if s, err = c.Refresh(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	_, err = c.Profile(context.Background(), s)
	want(t, err, garmin.KindTokenRejected, false)
}

func TestChallengeOfThePreviousReleaseIsRead(t *testing.T) {
	t.Parallel()
	old := `{"v":1,"flow":"ios","region":"garmin.com","method":"email","sent_to":"mf*****@garmin.example","cookies":[{"name":"SESSION","value":"x","domain":"sso.garmin.com","host_only":true,"path":"/"}]}`
	ch, err := garmin.ParseChallenge([]byte(old))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := ch.Marshal(); err != nil || string(again) != old {
		t.Errorf("the previous release could not read %s (%v)", again, err)
	}
}
