package link_test

import (
	"context"
	"errors"
	"time"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/google/uuid"
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
