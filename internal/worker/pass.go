package worker

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/garminlink/garminlink/internal/link"
)

// findDue has the links checked that are due the longest: as many as can be
// worked off until it comes again, so that after an outage they come in a
// trickle. Those of them that wait in the queue already do so only once, and
// all others come after them, so that the queue never holds many more.
func (w *Worker) findDue(ctx context.Context) error {
	if err := w.release(ctx); err != nil {
		return err
	}
	if err := w.Sample(ctx); err != nil {
		return err
	}
	if paused, err := w.paused(ctx); err != nil || paused {
		return err
	}
	users, err := w.Links.Due(ctx, w.PerSecond*int(findPeriod.Seconds()))
	if err != nil || len(users) == 0 {
		return err
	}
	jobs := make([]river.InsertManyParams, len(users))
	for i, user := range users {
		jobs[i].Args = checkLink{User: user}
	}
	_, err = w.client.InsertMany(ctx, jobs)
	return err
}

// paused reports that checks are held back, and sees that they are, whatever
// River remembers.
func (w *Worker) paused(ctx context.Context) (paused bool, err error) {
	err = pgx.BeginFunc(ctx, w.Pool, func(tx pgx.Tx) error {
		// Resume waits until the queue is held, and so lets it go again.
		found, err := tx.Exec(ctx, "SELECT FROM cool_downs WHERE key = $1 FOR SHARE", pauseKey)
		paused = found.RowsAffected() > 0
		if err != nil || !paused {
			return err
		}
		return hold(ctx, w.client, tx)
	})
	return paused && err == nil, err
}

// releaseTime is longer than any job that still has a process takes.
const releaseTime = 2 * time.Minute

// release gives up jobs whose process has died: they would stand in the way of
// the next check of their links.
func (w *Worker) release(ctx context.Context) error {
	_, err := w.Pool.Exec(ctx, `
		UPDATE river_job SET state = 'discarded', finalized_at = now()
		WHERE state = 'running' AND attempted_at < now() - make_interval(secs => $1)`, releaseTime.Seconds())
	return err
}

// check looks after one link. That Garmin cannot be asked now is no fault: the
// link is due again later.
func (w *Worker) check(ctx context.Context, act link.Act) error {
	err := w.Links.Check(ctx, act)
	later := link.KindOf(err) != "" && !errors.Is(err, link.ErrStoreDown)
	switch {
	case err == nil:
		w.Checked("done")
		return nil
	case later:
		w.Checked(string(link.KindOf(err)))
		w.Log.DebugContext(ctx, "a link is checked later", "user", act.User, "request_id", act.RequestID, "error", err)
		return nil
	default:
		w.Checked("fault")
		return err
	}
}

// clean removes what is kept for a time only.
func (w *Worker) clean(ctx context.Context) error {
	err := errors.Join(w.Links.Clean(ctx), w.Webhooks.Clean(ctx))
	if w.Mail != nil {
		err = errors.Join(err, w.Mail.Clean(ctx))
	}
	return err
}

// lapseBatch is how many users' challenges and candidates one job ends.
const lapseBatch = 500

func (w *Worker) endLapsed(ctx context.Context, act link.Act) error {
	_, err := w.Links.Lapse(ctx, act, lapseBatch)
	return err
}
