package link_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres"
)

func (w *world) checkOut(c link.CheckOut) (link.CheckedOut, error) {
	return w.links.CheckOut(context.Background(), w.program(), c)
}

// garth is a check-out as most workers do it.
var garth = link.CheckOut{Format: link.Garth, MinLife: 15 * time.Minute}

func (w *world) mustCheckOut(c link.CheckOut) link.CheckedOut {
	w.t.Helper()
	out, err := w.checkOut(c)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func (w *world) refreshed() int { return w.garmin.Calls(garmintest.OpRefresh) }

func TestFreshSessionIsGivenOutWithoutAskingGarmin(t *testing.T) {
	t.Parallel()
	for _, c := range []link.CheckOut{
		{Format: link.Garth}, {Format: link.Garminconnect}, {Format: link.Bearer},
		{Format: link.Garth, Renewal: true}, {Format: link.Garminconnect, Renewal: true},
	} {
		t.Run(string(c.Format), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			linked := w.start("plain")
			before := w.garmin.Calls(garmintest.OpProfile)
			out := w.mustCheckOut(c)
			session := readCopy(t, c.Format, out.Session)
			if (session.Renewal() != garmin.RenewNone) != c.Renewal {
				t.Errorf("it is renewed by %s", session.Renewal())
			}
			if out.Domain != "garmin.com" || out.Generation == 0 || !out.ExpiresAt.Equal(linked.ExpiresAt) || !out.LastValidated.Equal(linked.LastValidated) {
				t.Errorf("got %+v of %+v", out, linked)
			}
			if w.refreshed() != 0 || w.garmin.Calls(garmintest.OpProfile) != before {
				t.Error("Garmin was asked")
			}
			if _, err := w.client().Profile(t.Context(), session); err != nil {
				t.Errorf("Garmin does not take it: %v", err)
			}
		})
	}
}

// lender is a store that can do nothing but lend: all else of it is nil.
type lender struct {
	link.Store
	from  link.Store
	asked int
}

func (l *lender) CheckOut(ctx context.Context, act link.Act, c link.CheckOut) (link.Lent, error) {
	l.asked++
	return l.from.CheckOut(ctx, act, c)
}

func TestFreshSessionIsOneStatement(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	store := postgres.NewLinks(w.db.DB)
	vault, err := link.OpenVault(t.Context(), store, w.keys)
	if err != nil {
		t.Fatal(err)
	}
	l := &lender{from: store}
	s := link.New(l, w.options(), link.DefaultBudget, vault, nil, slog.New(slog.DiscardHandler))
	defer s.Close()
	if _, err := s.CheckOut(t.Context(), w.program(), garth); err != nil || l.asked != 1 {
		t.Errorf("%d statements, %v", l.asked, err)
	}
}

// readCopy reads what a program was given; of a bearer token, as far as it is
// a session.
func readCopy(t *testing.T, f link.Format, text link.Secret) *garmin.Session {
	t.Helper()
	whole := text.Reveal()
	if f == link.Bearer {
		whole = `{"di_token":"` + whole + `"}`
	}
	session, _, err := garmin.ParseAny(whole)
	if err != nil {
		t.Fatal(err)
	}
	return session
}

func (w *world) client() *garmin.Client { return garmin.New(w.options()) }

func TestCheckOutIsOnRecordAndHoldsNoSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.mustCheckOut(link.CheckOut{Format: link.Garminconnect, Renewal: true})
	w.wantLines([]string{"checkout garminconnect with_renewal req-w " + w.token.String() + " garmin.com"}, `
		SELECT concat_ws(' ', what, flow, op, request_id, token_id, region) FROM link_activity
		WHERE user_id = $1 AND what = 'checkout' AND generation = (SELECT generation FROM garmin_authentication_states)`)
	w.wantNoSecrets()
}

// wantNoSecrets looks for all that Garmin has handed out in all records.
func (w *world) wantNoSecrets() {
	w.t.Helper()
	text := one[string](w, `SELECT concat(
		(SELECT string_agg(e::text, ' ') FROM link_events e), (SELECT string_agg(a::text, ' ') FROM link_activity a))`)
	for _, secret := range w.garmin.Secrets() {
		if strings.Contains(text, secret) {
			w.t.Errorf("a record holds %.10s...", secret)
		}
	}
}

func TestCheckOutTellsWhatTheUserMustDo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.checkOut(garth)
	wantKind(t, err, link.NotLinked)
	w.start("mfa")
	_, err = w.checkOut(garth)
	wantKind(t, err, link.NotLinked)
	if _, err := w.links.Cancel(t.Context(), w.act()); err != nil {
		t.Fatal(err)
	}
	w.start("plain")
	w.garmin.KillGrants("plain@garmin.example")
	w.advance(25 * time.Hour)
	_, err = w.checkOut(garth)
	wantKind(t, err, link.ReauthNeeded)
	w.wantState("reauth_needed")
	_, err = w.checkOut(garth)
	wantKind(t, err, link.ReauthNeeded)
}

func TestRelinkUnderWayLeavesTheSessionUsable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.start("mfa")
	w.wantState("mfa_pending")
	w.mustCheckOut(garth)
}

func TestSessionIsRefreshedOnTheWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain") // its token lives for 24 hours
	w.advance(23 * time.Hour)
	first := w.mustCheckOut(link.CheckOut{Format: link.Garth, MinLife: 50 * time.Minute})
	if w.refreshed() != 0 {
		t.Error("a fresh one was refreshed")
	}
	second := w.mustCheckOut(link.CheckOut{Format: link.Garth, MinLife: 2 * time.Hour})
	if w.refreshed() != 1 || second.Generation <= first.Generation || second.Session == first.Session {
		t.Errorf("%d refreshes, generation %d after %d", w.refreshed(), second.Generation, first.Generation)
	}
	if now := one[time.Time](w, "SELECT app_now()"); second.ExpiresAt.Sub(now) < 2*time.Hour {
		t.Errorf("it lasts for %s", second.ExpiresAt.Sub(now))
	}
}

// Who asks for more than Garmin gives is told what he can have, and uses up no
// refresh by asking again.
func TestLifeThatGarminDoesNotGiveIsRefusedWithoutWaste(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.garmin.AccessLife = time.Hour
	w.start("plain")
	long := link.CheckOut{Format: link.Garth, MinLife: 2 * time.Hour}
	for range 7 {
		_, err := w.checkOut(long)
		e := wantKind(t, err, link.LifeTooLong)
		within(t, "the longest", e.Longest, 45*time.Minute, time.Hour)
		w.mustCheckOut(link.CheckOut{Format: link.Garth, MinLife: e.Longest - time.Second})
		w.advance(2 * time.Minute)
	}
	if w.refreshed() != 1 {
		t.Errorf("%d refreshes", w.refreshed())
	}
	w.advance(20 * time.Minute) // 34 of 60 minutes are over
	_, err := w.checkOut(long)
	e := wantKind(t, err, link.LifeTooLong)
	w.mustCheckOut(link.CheckOut{Format: link.Garth, MinLife: e.Longest - time.Second})
	if w.refreshed() != 2 {
		t.Errorf("%d refreshes", w.refreshed())
	}
	_, err = w.checkOut(link.CheckOut{Format: link.Garth, MinLife: 7 * time.Hour})
	if e := wantKind(t, err, link.LifeTooLong); e.Longest != link.LongestLife {
		t.Errorf("the longest is %s", e.Longest)
	}
}

// What nothing renews is given out until it ends, and not ended by asking for more.
func TestSessionThatCannotBeRenewedLivesOutItsLife(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	copied := w.mustCheckOut(garth)
	other := newWorld(t)
	other.garmin = w.garmin
	other.links = other.replica()
	if _, err := other.links.Import(t.Context(), other.act(), link.Import{Text: copied.Session}); err != nil {
		t.Fatal(err)
	}
	w.garmin.Advance(20 * time.Hour)
	other.db.Advance(t, 20*time.Hour)
	_, err := other.checkOut(link.CheckOut{Format: link.Garth, MinLife: 5 * time.Hour})
	within(t, "the longest", wantKind(t, err, link.LifeTooLong).Longest, 3*time.Hour, 4*time.Hour)
	other.mustCheckOut(garth)
	other.wantState("active")
}

func TestCheckOutWhileGarminIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.start("plain")
	w.advance(25 * time.Hour)
	w.garmin.Fail(garmintest.OpRefresh, garmintest.AddressLimited(2*time.Hour), 1)
	_, err := w.checkOut(garth)
	within(t, "the pause", wantKind(t, err, link.TokensLimited).RetryAfter, time.Hour, 2*time.Hour)
	_, err = w.checkOut(garth)
	wantKind(t, err, link.TokensLimited)
	if w.refreshed() != 1 {
		t.Errorf("%d refreshes, want none within the pause", w.refreshed())
	}
	w.advance(2 * time.Hour)
	w.garmin.Fail(garmintest.OpRefresh, garmintest.ServerError, 1)
	_, err = w.checkOut(garth)
	wantKind(t, err, link.Unavailable)
	if l := w.wantState("active"); !l.LastValidated.Equal(before.LastValidated) {
		t.Error("last_validated moved")
	}
	w.mustCheckOut(garth)
}

func TestBreakerAnswersProgramsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.advance(25 * time.Hour)
	w.exec("INSERT INTO cool_downs (key, until) VALUES ('garmin/breaker/diauth.garmin.com', app_now() + interval '1 minute')")
	_, err := w.checkOut(garth)
	within(t, "the pause", wantKind(t, err, link.Unavailable).RetryAfter, 50*time.Second, time.Minute)
	if w.refreshed() != 0 {
		t.Error("Garmin was asked")
	}
}

// A key that is missing here says nothing of the link.
func TestUnreadableSessionIsAFaultOfOurs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.exec("UPDATE garmin_authentication_states SET session_data = '\\x00'")
	for range 2 {
		_, err := w.checkOut(garth)
		if !errors.Is(err, link.ErrUnreadable) || link.KindOf(err) != "" {
			t.Errorf("error is %v", err)
		}
		w.advance(25 * time.Hour) // now it is to be refreshed
	}
	w.wantState("active")
}

func TestCheckOutMakesRoomOnRecord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.garmin.AccessLife = 100 * 24 * time.Hour
	w.start("plain")
	w.advance(9 * 24 * time.Hour) // no partition is there for that day
	w.mustCheckOut(garth)
	if one[int](w, "SELECT count(*) FROM link_activity WHERE what = 'checkout'") != 1 {
		t.Error("it is not on record")
	}
}

func TestTwoHundredCheckOutsAreOneRefresh(t *testing.T) {
	t.Parallel()
	const requests, replicas = 200, 3
	w := newWorld(t)
	w.start("plain")
	w.advance(25 * time.Hour)
	asked := make(chan struct{}, requests)
	var services [replicas]*link.Service
	for i := range services {
		db := w.connect(w.db.URL)
		services[i] = w.serviceOn(db, claimCounter{postgres.NewLinks(db), asked}, slog.New(slog.DiscardHandler))
	}
	release := w.garmin.Hold(garmintest.OpRefresh)
	var all sync.WaitGroup
	generations := make(chan int64, requests)
	for i := range requests {
		all.Go(func() {
			out, err := services[i%replicas].CheckOut(context.Background(), w.program(), garth)
			if err != nil {
				t.Error(err)
			}
			generations <- out.Generation
		})
	}
	for range replicas {
		<-asked
	}
	w.awaitCalls(garmintest.OpRefresh, 1)
	release()
	all.Wait()
	close(generations)
	current := one[int64](w, "SELECT generation FROM garmin_authentication_states")
	for g := range generations {
		if g != current {
			t.Errorf("generation %d was given out, want %d", g, current)
		}
	}
	if w.refreshed() != 1 || one[int](w, "SELECT count(*) FROM link_activity WHERE what = 'checkout'") != requests {
		t.Errorf("%d refreshes reached Garmin", w.refreshed())
	}
}
