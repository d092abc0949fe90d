// Package worker keeps links alive while nobody looks, and has webhooks told of
// what happens to them: it finds what is due and has it done, by jobs that all
// replicas share. It owns when something is looked for, how many run at a time,
// and the queue (River). It does not own what is due, nor what is then done: see
// internal/link and internal/notify.
//
// Jobs are hints. What is to be done stands in the links and the deliveries
// themselves, and is looked for again every few seconds, so that a job that is
// lost, or a whole queue, costs time and nothing else. For the same reason no
// job is tried twice: a link that could not be checked is due again later.
package worker

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/notify"
)

const (
	// atOnce is how many links one replica checks at a time. They wait for
	// Garmin most of the time.
	atOnce = 10

	// jobTime is longer than all calls to Garmin within one check may take.
	jobTime = 90 * time.Second

	// stopTime is how long jobs may go on when the program ends. A refresh is
	// saved even if its job was cut off: see link.Service.Close.
	stopTime = 15 * time.Second

	// keepTime is for rows of jobs that are done; those that failed stay for a
	// day.
	keepTime     = 15 * time.Minute
	keepFailTime = 24 * time.Hour
)

// Config is what a Worker needs.
type Config struct {
	Pool     *pgxpool.Pool
	Links    *link.Service
	Webhooks *notify.Service
	Mail     *notify.Mail // nil: no mails are sent

	// PerSecond is how many links all replicas together may check in a second,
	// by the budget of calls to Garmin. Must be positive.
	PerSecond int

	// Sample is called by one replica each time that due links are looked for.
	Sample func(ctx context.Context) error

	// Checked is called after each check of a link with what came of it: done,
	// fault (ours), or a kind of link's.
	Checked func(outcome string)

	Log *slog.Logger
}

// Worker finds and does what is due.
type Worker struct {
	Config
	client *river.Client[pgx.Tx]
}

// New returns a Worker that does nothing before Run.
func New(c Config) (*Worker, error) {
	w := &Worker{Config: c}
	client, err := river.NewClient(riverpgxv5.New(c.Pool), w.river())
	if err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	w.client = client
	return w, nil
}

// Run works until ctx ends, and then lets jobs go on for stopTime at most. It
// fails if it cannot begin, or if jobs do not end when they are told to.
func (w *Worker) Run(ctx context.Context) error {
	if ctx.Err() != nil {
		return nil
	}
	if err := w.client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	<-ctx.Done()
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*stopTime)
	defer cancel()
	if err := w.client.Stop(stop); err != nil {
		return fmt.Errorf("worker: jobs did not end in time: %w", err)
	}
	return nil
}

// queues are those that this replica works on.
func (w *Worker) queues() map[string]river.QueueConfig {
	queues := map[string]river.QueueConfig{
		checksQueue:   {MaxWorkers: atOnce},
		webhooksQueue: {MaxWorkers: sendersAtOnce},
		upkeepQueue:   {MaxWorkers: 2},
	}
	if w.Mail != nil {
		queues[mailQueue] = river.QueueConfig{MaxWorkers: mailersAtOnce}
	}
	return queues
}

func (w *Worker) river() *river.Config {
	return &river.Config{
		Workers:      w.workers(),
		PeriodicJobs: periodic(),
		Queues:       w.queues(),
		// A listener would keep one connection of a small pool, and needs
		// more than a pooler between us and the database gives.
		PollOnly:          true,
		FetchPollInterval: time.Second,

		MaxAttempts:     1,
		JobTimeout:      jobTime,
		SoftStopTimeout: stopTime,

		CompletedJobRetentionPeriod: keepTime,
		DiscardedJobRetentionPeriod: keepFailTime,

		// River tells stuck jobs by the clock of one replica, which may be
		// wrong by a day; release does by the database's.
		RescueStuckJobsAfter: 48 * time.Hour,
		Hooks:                []rivertype.Hook{river.HookInsertBeginFunc(byDatabaseClock)},

		// Only the owner of an index may rebuild it, which who serves need not be.
		ReindexerIndexNames: []string{},

		ErrorHandler: faults{w.Log},
		Logger:       slog.New(warnings{w.Log.Handler()}),
	}
}

// byDatabaseClock leaves it to the database when a job that may run at once was
// made. River would have periodic jobs wait for the clock of the replica that
// makes them.
func byDatabaseClock(_ context.Context, job *rivertype.JobInsertParams) error {
	if job.State == rivertype.JobStateAvailable {
		job.ScheduledAt = nil
	}
	return nil
}
