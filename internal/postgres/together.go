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
	crowd        = 8                     // that need not wait for a batch to come back
	late         = 20 * time.Millisecond // for a batch that is under way
	mostTogether = 64                    // in a batch
	laneTime     = 5 * time.Second       // for which a lane is held at most
)

// together asks for one row for each of many at the same time, in one round
// trip and one commit, as PostgreSQL itself does with its log. Nobody waits for
// company: who finds none under way goes at once, alone, and who finds some goes
// with all who wait when they are back. The fewer the commits the better, so a
// second lane opens for a crowd only, that it works while the first one's commit
// is written, and past a batch that is late: a connection that stalls stops
// nobody else.
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
	done chan error
}

// errAlone has an asker ask for himself.
var errAlone = errors.New("postgres: a batch failed")

// row reads the one row of a statement. It fails with pgx.ErrNoRows if there is
// none.
func (t *together) row(ctx context.Context, sql string, args []any, into ...any) (err error) {
	a := &asker{ctx: ctx, sql: sql, args: args, into: into, done: make(chan error, 1)}
	t.enter(a)
	select {
	case err = <-a.done:
	case <-ctx.Done():
		if t.withdraw(a) {
			return ctx.Err()
		}
		err = <-a.done // too late: it is under way
	}
	if errors.Is(err, errAlone) {
		return t.alone(a)
	}
	return err
}

// enter has a wait, if only for himself.
func (t *together) enter(a *asker) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting = append(t.waiting, a)
	t.open()
}

// open opens a lane for those who wait, if they want one and may have it.
func (t *together) open() {
	if t.taken == 0 && len(t.waiting) > 0 || t.taken < lanes && t.wants() {
		t.taken++
		go t.carry()
	}
}

// pass has those who wait pass a batch that is late.
func (t *together) pass() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open()
}

// wants tells whether those who wait want a lane beside another.
func (t *together) wants() bool {
	return len(t.waiting) >= crowd || len(t.waiting) > 0 && time.Since(t.departed) >= t.late
}

// carry asks for all who wait, batch by batch, as long as there are any.
func (t *together) carry() {
	for batch := t.next(); batch != nil; batch = t.next() {
		for i, err := range t.ask(batch) {
			batch[i].done <- err
		}
	}
}

// next is those who wait, or none if the lane is to be left: nobody waits, or
// another is back for them soon.
func (t *together) next() []*asker {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.waiting) == 0 || t.taken > 1 && !t.wants() {
		t.taken--
		return nil
	}
	n := min(len(t.waiting), mostTogether)
	batch := t.waiting[:n:n]
	t.waiting = t.waiting[n:]
	t.departed = time.Now()
	time.AfterFunc(t.late, t.pass)
	return batch
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

func (t *together) alone(a *asker) error {
	ctx, cancel := context.WithTimeout(a.ctx, laneTime)
	defer cancel()
	return t.pool.QueryRow(ctx, a.sql, a.args...).Scan(a.into...)
}

// ask tells of each what came of it.
func (t *together) ask(all []*asker) []error {
	if len(all) == 1 {
		return []error{t.alone(all[0])}
	}
	outcomes, err := t.send(all)
	if err != nil {
		return slices.Repeat([]error{errAlone}, len(all))
	}
	return outcomes
}

// send asks in the name of all. It fails if any of them has got neither a row
// nor none. No asker's end is that of others.
func (t *together) send(all []*asker) ([]error, error) {
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
