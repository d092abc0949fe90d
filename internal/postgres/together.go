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
	lanes        = 2               // of those who ask at once
	mostTogether = 64              // in a batch
	laneTime     = 5 * time.Second // for which a lane is held at most
)

// together asks for one row for each of many at the same time, in one round
// trip and one commit, as PostgreSQL itself does with its log. Nobody waits for
// company: who finds a free lane goes at once, alone, and who finds none goes
// with all who wait when one gets free.
//
// What befalls one harms no other: when a batch fails, each asks for himself.
// Nothing of a batch is told before it is committed, and nothing stays of one
// that failed, unless the connection was lost in the commit: then it may be
// done twice.
type together struct {
	pool *pgxpool.Pool

	mu      sync.Mutex
	taken   int // lanes
	waiting []*asker
}

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
	a := &asker{ctx: ctx, sql: sql, args: args, into: into}
	if t.enter(a) {
		defer t.leave()
		return t.alone(a)
	}
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

// enter takes a free lane for a, or has him wait for his turn.
func (t *together) enter(a *asker) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.taken < lanes {
		t.taken++
		return true
	}
	a.turn = make(chan turn, 1)
	t.waiting = append(t.waiting, a)
	return false
}

// leave gives the lane to those who wait; the first of them leads.
func (t *together) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := min(len(t.waiting), mostTogether)
	if n == 0 {
		t.taken--
		return
	}
	batch := t.waiting[:n:n]
	t.waiting = t.waiting[n:]
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
