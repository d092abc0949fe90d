package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"
)

// Control tells operators of the jobs of all replicas, and holds them back. It
// works none itself.
type Control struct {
	pool   *pgxpool.Pool
	client *river.Client[pgx.Tx]
}

// NewControl returns the control of the jobs in a database.
func NewControl(pool *pgxpool.Pool) (*Control, error) {
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	return &Control{pool, client}, nil
}

// pauseKey is a row of ours, for ever in the future: River tells rows of queues
// that are old by the clock of one replica, which may be wrong by a day.
const pauseKey = "jobs/paused"

// Pause has all replicas begin no more checks of links, within seconds; those
// under way end. It holds until Resume, even if no replica runs yet. What users
// ask for goes on.
func (c *Control) Pause(ctx context.Context) error {
	return pgx.BeginFunc(ctx, c.pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			INSERT INTO cool_downs (key, until) VALUES ($1, 'infinity')
			ON CONFLICT (key) DO UPDATE SET until = 'infinity'`, pauseKey)
		if err != nil {
			return err
		}
		return hold(ctx, c.client, tx)
	})
}

// hold pauses the queue of checks, in a transaction that keeps the row of the
// pause from Resume. River pauses only what has run before.
func hold(ctx context.Context, client *river.Client[pgx.Tx], tx pgx.Tx) error {
	_, err := client.Driver().UnwrapExecutor(tx).QueueCreateOrSetUpdatedAt(ctx,
		&riverdriver.QueueCreateOrSetUpdatedAtParams{Name: checksQueue, Metadata: []byte("{}")})
	if err != nil {
		return err
	}
	return client.QueuePauseTx(ctx, tx, checksQueue, nil)
}

// Resume ends a pause. It is no error if there is none.
func (c *Control) Resume(ctx context.Context) error {
	if _, err := c.pool.Exec(ctx, "DELETE FROM cool_downs WHERE key = $1", pauseKey); err != nil {
		return err
	}
	err := c.client.QueueResume(ctx, checksQueue, nil)
	if errors.Is(err, rivertype.ErrNotFound) {
		return nil
	}
	return err
}

// PausedAt is since when checks are paused; zero if they are not.
func (c *Control) PausedAt(ctx context.Context) (time.Time, error) {
	queue, err := c.client.QueueGet(ctx, checksQueue)
	switch {
	case errors.Is(err, rivertype.ErrNotFound):
		return time.Time{}, nil
	case err != nil:
		return time.Time{}, err
	case queue.PausedAt == nil:
		return time.Time{}, nil
	}
	return *queue.PausedAt, nil
}

// Count is how many jobs of a kind are in a state. Rows of jobs that are over
// are kept for a while: see keepTime.
type Count struct {
	Kind, State string
	Jobs        int
}

// Counts counts the jobs, by kind and state.
func (c *Control) Counts(ctx context.Context) ([]Count, error) {
	rows, err := c.pool.Query(ctx, "SELECT kind, state::text, count(*) FROM river_job GROUP BY kind, state ORDER BY kind, state")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Count])
}

// Seen is a worker that has taken jobs lately.
type Seen struct {
	Name string // River's, which begins with the name of its machine
	Jobs int
	Ago  time.Duration // since it took the last
	Lead bool          // it is the one that adds periodic jobs
}

// Workers lists those that took jobs within keepTime. As all of them compete
// for some job every few seconds, one that is alive is among them.
func (c *Control) Workers(ctx context.Context) ([]Seen, error) {
	rows, err := c.pool.Query(ctx, `
		SELECT name, count(*), now() - max(attempted_at), name IN (SELECT leader_id FROM river_leader WHERE expires_at > now())
		FROM (SELECT attempted_by[array_upper(attempted_by, 1)] AS name, attempted_at FROM river_job) AS taken
		WHERE attempted_at > now() - make_interval(secs => $1)
		GROUP BY name ORDER BY name`, keepTime.Seconds())
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Seen])
}
