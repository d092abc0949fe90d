package link_test

import (
	"context"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/google/uuid"
	"pgregory.net/rapid"
)

// model is what a careful person would keep on paper about one user's link.
type model struct {
	linked        string // Garmin account of the row, "" without one
	live          bool   // the session is there
	pending       string // Garmin account that waits for a code
	tries         int    // wrong codes for it
	codes         int    // asked for so far
	left          time.Duration
	candidate     string
	candidateLeft time.Duration
	dead          map[string]bool // accounts whose tokens Garmin has revoked since the session was made
	lent          bool            // a worker has what renews the dead session: it may bring another back
}

func (m *model) shown() string {
	switch {
	case m.pending != "":
		return "mfa_pending"
	case m.live:
		return "active"
	case m.linked != "":
		return "reauth_needed"
	default:
		return "not_linked"
	}
}

// arrive is a login that got all the way.
func (m *model) arrive(account string) {
	m.pending, m.tries = "", 0
	if m.linked != "" && m.linked != account {
		m.candidate, m.candidateLeft = account, 10*time.Minute
		m.dead["candidate"] = false
		return
	}
	m.adopt(account)
}

func (m *model) adopt(account string) {
	m.linked, m.live, m.candidate = account, true, ""
	m.dead["link"], m.lent = false, false
}

// expire lets d pass.
func (m *model) expire(d time.Duration) {
	if m.left -= d; m.pending != "" && m.left <= 0 {
		m.pending, m.tries = "", 0
	}
	if m.candidateLeft -= d; m.candidateLeft <= 0 {
		m.candidate = ""
	}
}

func (m *model) unlink() {
	m.linked, m.live, m.pending, m.tries, m.candidate = "", false, "", 0, ""
}

// machine drives the service and the model with the same events.
type machine struct {
	w *world
	m model
}

var names = map[string]string{"plain": "Pia Plain", "mfa": "Max Mail", "sms": "Sam Text"}

var accounts = map[string]bool{"plain": false, "mfa": true, "sms": true} // whether a code is asked

func (x *machine) Login(t *rapid.T) {
	account := rapid.SampledFrom([]string{"plain", "mfa", "sms"}).Draw(t, "account")
	if accounts[account] && x.m.codes == 20 {
		t.Skip("the day's codes are used up")
	}
	x.pass(10 * time.Second) // beyond an echo
	_, err := x.w.links.Start(context.Background(), x.w.act(), credentials(account))
	if err != nil {
		t.Fatalf("Start(%s): %v", account, err)
	}
	if accounts[account] {
		x.m.pending, x.m.tries, x.m.candidate = account, 0, ""
		x.m.left = 10 * time.Minute
		x.m.codes++
	} else {
		x.m.arrive(account)
	}
}

func (x *machine) Handoff(t *rapid.T) {
	account := rapid.SampledFrom([]string{"plain", "mfa", "sms"}).Draw(t, "account")
	if _, err := x.w.redeem(x.w.ticket(account, garmin.RegionGlobal), garmin.RegionGlobal); err != nil {
		t.Fatalf("Redeem(%s): %v", account, err)
	}
	x.m.arrive(account)
}

func (x *machine) Import(t *rapid.T) {
	if _, err := x.w.bring(x.w.dumps(x.w.elsewhere("plain", garmin.RegionGlobal))); err != nil {
		t.Fatalf("Import: %v", err)
	}
	x.m.arrive("plain")
}

func (x *machine) FailedLogin(t *rapid.T) {
	faults := map[string]garmintest.Fault{
		"edge": garmintest.EdgeBlocked, "502": garmintest.ServerError, "reset": garmintest.Reset,
		"cut": garmintest.Truncated, "unknown": garmintest.UnknownType,
	}
	name := rapid.SampledFrom([]string{"edge", "502", "reset", "cut", "unknown"}).Draw(t, "fault")
	x.pass(10 * time.Second)
	x.w.garmin.Fail(garmintest.OpLogin, faults[name], 1)
	if _, err := x.w.links.Start(context.Background(), x.w.act(), credentials("plain")); link.KindOf(err) == "" {
		t.Fatalf("Start with %s: %v", name, err)
	}
}

func (x *machine) RightCode(t *rapid.T) {
	_, err := x.w.links.SubmitCode(context.Background(), x.w.act(), uuid.Nil, garmintest.DemoCode)
	if x.m.pending == "" {
		return // refused, or shows what another tab did: the state is checked below
	}
	if err != nil {
		t.Fatalf("SubmitCode: %v", err)
	}
	x.m.arrive(x.m.pending)
}

func (x *machine) WrongCode(t *rapid.T) {
	_, err := x.w.links.SubmitCode(context.Background(), x.w.act(), uuid.Nil, "000000")
	if x.m.pending == "" {
		return
	}
	x.m.tries++
	want := link.WrongCode
	if x.m.tries == 5 {
		want = link.AttemptsGone
		x.m.pending, x.m.tries = "", 0
	}
	if link.KindOf(err) != want {
		t.Fatalf("SubmitCode: %v, want %s", err, want)
	}
}

func (x *machine) UnjudgedCode(t *rapid.T) {
	if x.m.pending == "" {
		t.Skip("nothing to submit")
	}
	x.w.garmin.Fail(garmintest.OpVerify, garmintest.ServerError, 1)
	_, err := x.w.links.SubmitCode(context.Background(), x.w.act(), uuid.Nil, garmintest.DemoCode)
	if link.KindOf(err) != link.Unavailable {
		t.Fatalf("SubmitCode: %v", err)
	}
}

func (x *machine) Cancel(t *rapid.T) {
	if _, err := x.w.links.Cancel(context.Background(), x.w.act()); err != nil {
		t.Fatal(err)
	}
	x.m.pending, x.m.tries = "", 0
}

func (x *machine) Wait(t *rapid.T) {
	d := time.Duration(rapid.IntRange(1, 11).Draw(t, "minutes")) * time.Minute
	x.pass(d)
}

func (x *machine) pass(d time.Duration) {
	x.w.advance(d)
	x.m.expire(d)
}

func (x *machine) Answer(t *rapid.T) {
	yes := rapid.Bool().Draw(t, "yes")
	_, err := x.w.links.Replace(context.Background(), x.w.act(), 0, yes)
	switch {
	case x.m.candidate == "" && link.KindOf(err) != link.NoCandidate:
		t.Fatalf("Replace without a candidate: %v", err)
	case x.m.candidate == "":
	case err != nil:
		t.Fatalf("Replace: %v", err)
	case yes:
		dead := x.m.dead["candidate"]
		x.m.adopt(x.m.candidate)
		x.m.dead["link"], x.m.pending, x.m.tries = dead, "", 0
	default:
		x.m.candidate = ""
	}
}

func (x *machine) Revoke(t *rapid.T) {
	account := rapid.SampledFrom([]string{"plain", "mfa", "sms"}).Draw(t, "account")
	x.w.garmin.RevokeAccount(account + "@garmin.example")
	x.m.dead["link"] = x.m.dead["link"] || x.m.linked == account
	x.m.dead["candidate"] = x.m.dead["candidate"] || x.m.candidate == account
}

func (x *machine) Validate(t *rapid.T) {
	if x.m.live && x.m.lent {
		if _, err := x.w.links.Validate(context.Background(), x.w.act()); link.KindOf(err) != link.Unavailable {
			t.Fatalf("Validate before a worker has brought back what it took: %v", err)
		}
		x.pass(61 * time.Minute)
	}
	_, err := x.w.links.Validate(context.Background(), x.w.act())
	want := link.Kind("")
	switch {
	case x.m.live && x.m.dead["link"]:
		want, x.m.live = link.ReauthNeeded, false
	case x.m.live:
	case x.m.linked != "":
		want = link.ReauthNeeded
	default:
		want = link.NotLinked
	}
	if got := link.KindOf(err); got != want || want == "" && err != nil {
		t.Fatalf("Validate: %v, want %q", err, want)
	}
}

// Work is a worker that takes a session out, renews it by itself and writes it
// back.
func (x *machine) Work(t *rapid.T) {
	out, err := x.w.checkOut(link.CheckOut{Format: link.Garth, Renewal: true})
	if !x.m.live {
		want := link.NotLinked
		if x.m.linked != "" {
			want = link.ReauthNeeded
		}
		if link.KindOf(err) != want {
			t.Fatalf("CheckOut: %v, want %s", err, want)
		}
		return
	}
	session, parseErr := garmin.ParseSession([]byte(out.Session.Reveal()))
	if err != nil || parseErr != nil {
		t.Fatalf("CheckOut: %v, %v", err, parseErr)
	}
	renewed, err := x.w.client().Refresh(context.Background(), session)
	if (err != nil) != x.m.dead["link"] {
		t.Fatalf("Refresh: %v", err)
	}
	if err != nil {
		x.m.lent = true
		return
	}
	if _, err := x.w.writeBack(renewed, out.Generation); err != nil {
		t.Fatalf("WriteBack: %v", err)
	}
}

func (x *machine) Unlink(t *rapid.T) {
	if err := x.w.links.Unlink(context.Background(), x.w.act()); err != nil {
		t.Fatal(err)
	}
	x.m.unlink()
}

// Check compares what people see, and what must hold of the row whatever was done.
func (x *machine) Check(t *rapid.T) {
	l, err := x.w.replica().View(context.Background(), x.w.act())
	if err != nil {
		t.Fatal(err)
	}
	if l.State.String() != x.m.shown() || (l.State.Session == link.Live) != x.m.live {
		t.Fatalf("shown %s with session %d, the model has %s (%+v)", l.State, l.State.Session, x.m.shown(), x.m)
	}
	if l.Challenge != nil && l.Challenge.AttemptsLeft != 5-x.m.tries {
		t.Fatalf("%d attempts left, the model has %d", l.Challenge.AttemptsLeft, 5-x.m.tries)
	}
	if (l.Candidate != nil) != (x.m.candidate != "") {
		t.Fatalf("candidate %+v, the model has %q", l.Candidate, x.m.candidate)
	}
	if x.m.linked != "" && l.GarminName != names[x.m.linked] {
		t.Fatalf("linked to %s, the model has %s", l.GarminName, x.m.linked)
	}
	x.checkHistory(t)
}

// checkHistory replays the log: each entry starts where the last one ended,
// and the last one ended at what is shown.
func (x *machine) checkHistory(t *rapid.T) {
	broken := one[int](x.w, `
		SELECT count(*) FROM (
			SELECT from_state, lag(to_state, 1, 'not_linked') OVER (ORDER BY id) AS before FROM link_events WHERE user_id = $1
		) e WHERE from_state <> before`, x.w.user)
	if broken != 0 {
		t.Fatalf("the history has %d gaps", broken)
	}
}

func TestServiceFollowsTheModel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		w.user = w.newUser(uuid.NewString() + "@example.com")
		defer w.exec("DELETE FROM users WHERE id = $1", w.user) // frees the Garmin accounts
		w.garmin.Clear()
		x := &machine{w: w, m: model{dead: map[string]bool{}}}
		t.Repeat(rapid.StateMachineActions(x))
	})
	t.Logf("%d histories", n)
}
