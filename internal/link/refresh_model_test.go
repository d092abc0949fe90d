package link_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/google/uuid"
	"pgregory.net/rapid"
)

// The places at which a replica dies, as the failpoints of the crash tests.
const (
	nowhere      = ""
	afterClaim   = "after the claim"
	beforeCommit = "before the commit" // whatever is to be written
	afterCommit  = "after the commit"
)

var errDied = errors.New("the replica died")

// mortal is the real store of a replica that dies within a refresh: from then
// on it does nothing more.
type mortal struct {
	link.Store
	dies          string
	claimed, dead bool
}

func (m *mortal) live(again string) { m.dies, m.claimed, m.dead = again, false, false }

// pass fails if the replica is dead, or dies here.
func (m *mortal) pass(place string) error {
	m.dead = m.dead || m.claimed && m.dies != nowhere && m.dies == place
	if m.dead {
		return errDied
	}
	return nil
}

func (m *mortal) ClaimRefresh(ctx context.Context, user uuid.UUID, seen int64, owner uuid.UUID, lease time.Duration) (link.RefreshClaim, bool, error) {
	c, claimed, err := m.Store.ClaimRefresh(ctx, user, seen, owner, lease)
	m.claimed = claimed
	return c, claimed, errors.Join(err, m.pass(afterClaim))
}

func (m *mortal) Update(ctx context.Context, act link.Act, decide func(*link.Record) error) error {
	if err := m.pass(beforeCommit); err != nil {
		return err
	}
	err := m.Store.Update(ctx, act, decide)
	return errors.Join(err, m.pass(afterCommit))
}

func (m *mortal) Record(ctx context.Context, user uuid.UUID) (link.Record, error) {
	if m.dead {
		return link.Record{}, errDied
	}
	return m.Store.Record(ctx, user)
}

func (m *mortal) Postpone(ctx context.Context, user uuid.UUID, generation int64, wait time.Duration) error {
	if m.dead {
		return errDied
	}
	return m.Store.Postpone(ctx, user, generation, wait)
}

// token is a refresh token as Garmin sees it.
type token struct {
	born, used time.Duration // used is never before it was
	revoked    bool
}

const never = -time.Hour

// paper is what a careful person would write down about one session, and what
// only Garmin knows of its tokens.
type paper struct {
	now, grace       time.Duration
	live             bool
	stored, previous *token
	obtained         time.Duration
	lease            time.Duration // until then
	refused          time.Duration // when Garmin first refused, while that is doubted
	intent           bool
	moves            int // of the generation
}

func (p *paper) hold(t *token) {
	*p = paper{now: p.now, grace: p.grace, moves: p.moves + 1, live: true, stored: t, obtained: p.now, refused: never}
}

func (p *paper) end() {
	*p = paper{now: p.now, grace: p.grace, moves: p.moves, refused: never}
}

func (p *paper) leased() bool { return p.now < p.lease }

// accepts reports whether Garmin takes a token.
func (p *paper) accepts(t *token) bool {
	spent := t.used != never && p.now-t.used >= p.grace
	return !t.revoked && !spent && p.now-t.born < 30*24*time.Hour
}

// question is how a replica is asked, and what happens meanwhile.
type question struct {
	job             bool // Check, with the link due; else Validate
	dies            string
	refresh, verify string // faults of Garmin's, by name
}

// faults that Garmin's token service can have. One takes effect, one refuses
// without reason, and the edge's surely did not reach the service.
var faults = map[string]garmintest.Fault{
	"answer lost": garmintest.AnswerLost, "cut short": garmintest.Truncated,
	"502": garmintest.ServerError, "reset": garmintest.Reset, "edge": garmintest.EdgeBlocked,
	"refusal": garmintest.Respond(400, "application/json", `{"error":"invalid_grant"}`),
}

// renews reports whether the answer needs a refresh.
func (p *paper) renews(q question) bool {
	age := p.now - p.obtained
	return p.live && (age >= 24*time.Hour-time.Minute || q.job && age >= 18*time.Hour)
}

// ask says how a question ends: with a kind of error, errDied, or neither.
func (p *paper) ask(q question) (kind link.Kind, died bool) {
	if p.renews(q) {
		if kind, died = p.refresh(q); kind != "" || died {
			return kind, died
		}
	}
	switch {
	case !p.live:
		return link.ReauthNeeded, false
	case q.verify != "":
		return link.Unavailable, false
	}
	p.previous, p.refused = nil, never
	return "", false
}

// refresh is one claim.
func (p *paper) refresh(q question) (kind link.Kind, died bool) {
	unfinished := p.intent
	p.intent, p.lease = true, p.now+65*time.Second
	if q.dies == afterClaim {
		return "", true
	}
	believes := !unfinished || p.refused != never && p.now-p.refused >= 2*time.Minute
	sent, answer := p.stored, p.send(p.stored, q.refresh)
	if answer == "refusal" && believes && p.previous != nil {
		sent, answer = p.previous, p.send(p.previous, "")
	}
	if q.dies == beforeCommit {
		return "", true
	}
	switch {
	case answer == "":
		p.hold(&token{born: p.now, used: never})
		p.previous = sent
	case answer == "refusal" && believes:
		p.end()
		kind = link.ReauthNeeded
	default:
		kind = p.unsure(answer, unfinished)
	}
	return kind, q.dies == afterCommit
}

// unsure notes an answer that decides nothing.
func (p *paper) unsure(answer string, unfinished bool) link.Kind {
	p.lease = 0
	switch answer {
	case "edge":
		p.intent = unfinished
		return link.Blocked
	case "refusal":
		if p.refused == never {
			p.refused = p.now
		}
	}
	return link.Unavailable
}

// send is one call: it ends with a fault, a refusal, or "", a new token.
func (p *paper) send(t *token, fault string) string {
	acts := fault == "" || fault == "answer lost" || fault == "cut short"
	switch {
	case acts && !p.accepts(t):
		if fault == "" {
			return "refusal"
		}
	case acts && t.used == never:
		t.used = p.now
	}
	return fault
}

// protocol drives replicas and the paper with the same events.
type protocol struct {
	w        *world
	grace    time.Duration
	p        *paper
	stores   []*mortal
	replicas []*link.Service
	moved    int64 // the last generation
	moves    int   // that of the paper
}

// String implements fmt.Stringer, for the story of a failure.
func (x *protocol) String() string { return fmt.Sprintf("a Garmin with %s of grace", x.grace) }

func (x *protocol) Relink(*rapid.T) {
	x.w.start("plain")
	x.p.hold(&token{born: x.p.now, used: never})
}

func (x *protocol) Wait(t *rapid.T) {
	waits := []time.Duration{70 * time.Second, 130 * time.Second, 16 * time.Minute, 19 * time.Hour, 25 * time.Hour, 31 * 24 * time.Hour}
	weights := []int{0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 4, 4, 4, 4, 5}
	x.wait(waits[rapid.SampledFrom(weights).Draw(t, "wait")])
}

func (x *protocol) wait(d time.Duration) {
	x.w.advance(d)
	x.p.now += d
}

func (x *protocol) Revoke(t *rapid.T) {
	if rapid.IntRange(0, 3).Draw(t, "really") > 0 {
		t.Skip("most accounts are not revoked")
	}
	x.w.garmin.KillGrants("plain@garmin.example")
	for _, held := range []*token{x.p.stored, x.p.previous} {
		if held != nil {
			held.revoked = true
		}
	}
}

func (x *protocol) Ask(t *rapid.T) {
	some := func(what string, usual int, others ...string) string {
		return rapid.SampledFrom(append(make([]string, usual), others...)).Draw(t, what)
	}
	q := question{
		job:     rapid.Bool().Draw(t, "job"),
		dies:    some("dies", 4, afterClaim, beforeCommit, afterCommit),
		refresh: some("refresh", 6, "answer lost", "cut short", "502", "reset", "edge", "refusal"),
		verify:  some("verify", 3, "502"),
	}
	if x.p.renews(q) && x.p.leased() {
		t.Skip("a loser waits for the winner, who is dead")
	}
	x.ask(t, rapid.IntRange(0, 2).Draw(t, "replica"), q)
}

func (x *protocol) ask(t *rapid.T, i int, q question) {
	x.stores[i].live(q.dies)
	x.w.garmin.Clear()
	if q.refresh != "" {
		x.w.garmin.Fail(garmintest.OpRefresh, faults[q.refresh], 1)
	}
	if q.verify != "" {
		x.w.garmin.Fail(garmintest.OpProfile, faults[q.verify], 1)
	}
	kind, died := x.p.ask(q)
	err := x.put(x.replicas[i], q.job)
	switch {
	case died && !errors.Is(err, errDied),
		!died && q.job && kind == link.ReauthNeeded && err != nil,
		!died && !(q.job && kind == link.ReauthNeeded) && (link.KindOf(err) != kind || kind == "" && err != nil):
		t.Fatalf("%+v: %v, want %q, died %t", q, err, kind, died)
	}
	x.w.garmin.Clear()
}

// put asks a replica. A job finds the link due, and no breaker open.
func (x *protocol) put(s *link.Service, job bool) error {
	if !job {
		_, err := s.Validate(context.Background(), x.w.act())
		return err
	}
	x.w.exec("UPDATE garmin_authentication_states SET next_check_at = app_now() WHERE session_data IS NOT NULL AND user_id = $1", x.w.user)
	x.w.exec("DELETE FROM cool_downs")
	return s.Check(context.Background(), x.w.job(x.w.user))
}

// Storm asks all replicas at once. One refreshes, and all have what it got.
func (x *protocol) Storm(t *rapid.T) {
	q := question{}
	if !x.p.renews(q) || x.p.leased() {
		t.Skip("nothing to fight for")
	}
	before := x.w.garmin.Calls(garmintest.OpRefresh)
	kind, _ := x.p.ask(q)
	errs := make([]error, len(x.replicas))
	var all sync.WaitGroup
	for i, s := range x.replicas {
		x.stores[i].live(nowhere)
		all.Go(func() { errs[i] = x.put(s, false) })
	}
	all.Wait()
	n := x.w.garmin.Calls(garmintest.OpRefresh) - before
	if kind == "" && (n != 1 && x.p.moves == x.moves+1 || slices.ContainsFunc(errs, func(err error) bool { return err != nil })) {
		t.Fatalf("%d refreshes, %v", n, errs)
	}
	for _, err := range errs {
		if got := link.KindOf(err); got != kind && got != link.Unavailable {
			t.Fatalf("one got %v, want %q", err, kind)
		}
	}
}

// Check compares the row with the paper.
func (x *protocol) Check(t *rapid.T) {
	r, err := postgres.NewLinks(x.w.db.Gorm).Record(context.Background(), x.w.user)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("live %t, leased %t, intent %t, previous %t, refused %t", r.State.Session == link.Live,
		r.Now.Before(r.LeaseUntil), r.Intent != 0, !r.Previous.IsZero(), !r.GrantRefusedAt.IsZero())
	want := fmt.Sprintf("live %t, leased %t, intent %t, previous %t, refused %t", x.p.live,
		x.p.leased(), x.p.intent, x.p.previous != nil, x.p.refused != never)
	if got != want {
		t.Fatalf("the row: %s\nthe paper: %s", got, want)
	}
	switch generation := r.Session.Generation; {
	case !x.p.live:
		return
	case generation < x.moved || (generation > x.moved) != (x.p.moves > x.moves):
		t.Fatalf("generation %d after %d; %d moves after %d", generation, x.moved, x.p.moves, x.moves)
	default:
		x.moved, x.moves = generation, x.p.moves
	}
}

// rest lets the link come to rest once nothing fails any more: it lives if
// Garmin takes any token that it holds, and nothing is left unfinished.
func (x *protocol) rest(t *rapid.T) {
	x.wait(70 * time.Second)
	hope := x.p.live && (!x.p.renews(question{}) || x.p.accepts(x.p.stored) || x.p.previous != nil && x.p.accepts(x.p.previous))
	x.settle(t)
	if x.p.live != hope {
		t.Fatalf("the link lives: %t, want %t", x.p.live, hope)
	}
	x.wait(25 * time.Hour)
	x.settle(t)
	if x.p.live && (x.p.intent || x.p.leased() || x.p.previous != nil) {
		t.Fatalf("the refresh left something behind: %+v", x.p)
	}
}

// settle asks as often as the longest doubt takes.
func (x *protocol) settle(t *rapid.T) {
	for i := range 2 {
		x.ask(t, i, question{})
		x.Check(t)
		x.wait(130 * time.Second)
	}
}

func newProtocol(t *testing.T, grace time.Duration) *protocol {
	x := &protocol{w: newWorld(t), grace: grace}
	x.w.garmin.RefreshGrace = grace
	for range 3 {
		m := &mortal{Store: postgres.NewLinks(x.w.db.Gorm)}
		x.stores = append(x.stores, m)
		x.replicas = append(x.replicas, x.w.serviceOn(x.w.db.DB, m, slog.New(slog.DiscardHandler)))
	}
	return x
}

func TestRefreshFollowsTheModel(t *testing.T) {
	t.Parallel()
	worlds := []*protocol{newProtocol(t, 0), newProtocol(t, 48*time.Hour)}
	rapid.Check(t, func(t *rapid.T) {
		rapid.SampledFrom(worlds).Draw(t, "world").history(t)
	})
}

// history is one user's, from the first login on.
func (x *protocol) history(t *rapid.T) {
	x.w.user = x.w.newUser(uuid.NewString() + "@example.com")
	defer x.w.exec("DELETE FROM users WHERE id = $1", x.w.user) // frees the Garmin account
	x.w.exec("DELETE FROM link_verdicts")                       // others' deaths are no sign that Garmin is broken
	x.p = &paper{grace: x.grace}
	x.moves, x.moved = 0, 0
	x.Relink(t)
	t.Repeat(rapid.StateMachineActions(x))
	x.rest(t)
}
