package postgres

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	lanes        = 2                     // at most
	late         = 20 * time.Millisecond // for a batch that is under way
	mostTogether = 64                    // in a batch
	laneTime     = 5 * time.Second       // for which a lane is held at most
)

// together asks for one row for each of many at the same time, in one round
// trip and one commit, as PostgreSQL itself does with its log. Nobody waits for
// company: who finds none under way goes at once, alone, and who finds some goes
// with all who wait when they are back. One lane is the fastest, for the fewest
// commits; another opens when those under way are late, so that a connection
// that stalls stops nobody else.
//
// What befalls one harms no other: when a batch fails, each asks for himself.
// Nothing of a batch is told before it is committed, and nothing stays of one
// that failed, unless the connection was lost in the commit: then it may be
// done twice.
type together struct {
	pool *pgxpool.Pool
	late time.Duration

	mu       sync.Mutex
	taken    int       // lanes
	departed time.Time // of the last batch
	waiting  []*asker
}

func newTogether(pool *pgxpool.Pool) together { return together{pool: pool, late: late} }

// asker wants the row of one statement.
type asker struct {
	ctx  context.Context
	sql  string
	args []any
	into []any
	turn chan turn
}

// turn is what those who wait get: what came of it, or all in whose name to ask.
type turn struct {
	err   error
	batch []*asker
}

// errAlone has an asker ask for himself.
var errAlone = errors.New("postgres: a batch failed")

// row reads the one row of a statement. It fails with pgx.ErrNoRows if there is
// none.
func (t *together) row(ctx context.Context, sql string, args []any, into ...any) error {
	a := &asker{ctx: ctx, sql: sql, args: args, into: into, turn: make(chan turn, 1)}
	t.enter(a)
	select {
	case mine := <-a.turn:
		return t.take(a, mine)
	case <-ctx.Done():
		if t.withdraw(a) {
			return ctx.Err()
		}
		return t.take(a, <-a.turn) // too late: it is under way
	}
}

// enter has a wait, if only for himself.
func (t *together) enter(a *asker) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting = append(t.waiting, a)
	if t.taken == 0 || t.taken < lanes && !t.onTime() {
		t.taken++
		t.depart()
	}
}

// onTime tells whether the last batch may yet be awaited by others.
func (t *together) onTime() bool { return time.Since(t.departed) <= t.late }

// leave gives the lane to those who wait, unless another will be back soon.
func (t *together) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.waiting) == 0 || t.taken > 1 && t.onTime() {
		t.taken--
		return
	}
	t.depart()
}

// depart sends those who wait on their way; the first of them leads.
func (t *together) depart() {
	n := min(len(t.waiting), mostTogether)
	batch := t.waiting[:n:n]
	t.waiting = t.waiting[n:]
	t.departed = time.Now()
	batch[0].turn <- turn{batch: batch}
}

func (t *together) withdraw(a *asker) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.Index(t.waiting, a)
	if i >= 0 {
		t.waiting = slices.Delete(t.waiting, i, i+1)
	}
	return i >= 0
}

func (t *together) take(a *asker, mine turn) error {
	if mine.batch != nil {
		mine.err = t.lead(mine.batch)
	}
	if errors.Is(mine.err, errAlone) {
		return t.alone(a)
	}
	return mine.err
}

func (t *together) alone(a *asker) error {
	ctx, cancel := context.WithTimeout(a.ctx, laneTime)
	defer cancel()
	return t.pool.QueryRow(ctx, a.sql, a.args...).Scan(a.into...)
}

// lead asks in the name of all, the first of whom is the caller, and tells the
// others.
func (t *together) lead(all []*asker) error {
	defer t.leave()
	if len(all) == 1 {
		return t.alone(all[0])
	}
	outcomes := slices.Repeat([]error{errAlone}, len(all))
	defer func() {
		for i, a := range all[1:] {
			a.turn <- turn{err: outcomes[i+1]}
		}
	}()
	if told, err := t.ask(all); err == nil {
		outcomes = told
	}
	return outcomes[0]
}

// ask tells of each whether he has got a row. No asker's end is that of others.
func (t *together) ask(all []*asker) ([]error, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(all[0].ctx), laneTime)
	defer cancel()
	var batch pgx.Batch
	for _, a := range all {
		batch.Queue(a.sql, a.args...)
	}
	rows := t.pool.SendBatch(ctx, &batch)
	outcomes := make([]error, len(all))
	for i, a := range all {
		outcomes[i] = rows.QueryRow().Scan(a.into...)
		if outcomes[i] != nil && !errors.Is(outcomes[i], pgx.ErrNoRows) {
			return nil, errors.Join(outcomes[i], rows.Close())
		}
	}
	return outcomes, rows.Close() // it is committed now
}
