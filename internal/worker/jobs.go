package worker

import (
	"context"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/garminlink/garminlink/internal/link"
)

// The queues: one for checks of links, which operators may pause, one for what
// is sent to webhooks, one for mails, and one for what finds either and cleans up.
const (
	checksQueue   = "checks"
	webhooksQueue = "webhooks"
	mailQueue     = "mail"
	upkeepQueue   = "upkeep"
)

const (
	findPeriod  = 10 * time.Second
	tellPeriod  = 2 * time.Second
	mailPeriod  = 10 * time.Second
	lapsePeriod = time.Minute
	countPeriod = time.Minute
	sumPeriod   = 5 * time.Minute
	cleanPeriod = time.Hour
)

// Kinds of jobs and their arguments, which stand in the database in plain: ids
// only.
type (
	findDueLinks struct{}
	endLapsed    struct{}
	cleanUp      struct{}
	countLinks   struct{}
	sumActivity  struct{}
	checkLink    struct {
		User uuid.UUID `json:"user"`
	}
)

func (findDueLinks) Kind() string { return "find_due_links" }
func (endLapsed) Kind() string    { return "end_lapsed" }
func (cleanUp) Kind() string      { return "clean_up" }
func (countLinks) Kind() string   { return "count_links" }
func (sumActivity) Kind() string  { return "sum_activity" }
func (checkLink) Kind() string    { return "check_link" }

func (findDueLinks) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: upkeepQueue} }
func (endLapsed) InsertOpts() river.InsertOpts    { return river.InsertOpts{Queue: upkeepQueue} }
func (cleanUp) InsertOpts() river.InsertOpts      { return river.InsertOpts{Queue: upkeepQueue} }
func (countLinks) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: upkeepQueue, UniqueOpts: waitsOnce}
}
func (sumActivity) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: upkeepQueue, UniqueOpts: waitsOnce}
}

// InsertOpts lets a link wait in the queue once. A check that is over does not
// count: it must not stand in the way of the next.
func (checkLink) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: checksQueue, UniqueOpts: waitsOnce}
}

// waitsOnce lets a job be in the queue once.
var waitsOnce = river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
	rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning,
	rivertype.JobStateRetryable, rivertype.JobStateScheduled,
}}

// periodic are the jobs that one replica, which River elects, adds from time to
// time. All come at its start too, as programs may be started anew more often
// than every hour.
func periodic() []*river.PeriodicJob {
	every := func(d time.Duration, args river.JobArgs) *river.PeriodicJob {
		return river.NewPeriodicJob(river.PeriodicInterval(d),
			func() (river.JobArgs, *river.InsertOpts) { return args, nil },
			&river.PeriodicJobOpts{RunOnStart: true})
	}
	return []*river.PeriodicJob{
		every(findPeriod, findDueLinks{}),
		every(tellPeriod, findDeliveries{}),
		every(mailPeriod, findMails{}),
		every(lapsePeriod, endLapsed{}),
		every(cleanPeriod, cleanUp{}),
		every(countPeriod, countLinks{}),
		every(sumPeriod, sumActivity{}),
	}
}

func (w *Worker) workers() *river.Workers {
	workers := river.NewWorkers()
	add(workers, func(ctx context.Context, _ *river.Job[findDueLinks]) error { return w.findDue(ctx) })
	add(workers, func(ctx context.Context, j *river.Job[endLapsed]) error { return w.endLapsed(ctx, actOf(j)) })
	add(workers, func(ctx context.Context, _ *river.Job[cleanUp]) error { return w.clean(ctx) })
	add(workers, func(ctx context.Context, _ *river.Job[countLinks]) error { return w.Links.CountLinks(ctx) })
	add(workers, func(ctx context.Context, _ *river.Job[sumActivity]) error { return w.Links.SumActivity(ctx) })
	add(workers, func(ctx context.Context, _ *river.Job[findDeliveries]) error { return w.findDeliveries(ctx) })
	add(workers, func(ctx context.Context, j *river.Job[deliver]) error {
		return w.Webhooks.Deliver(ctx, j.Args.Endpoint)
	})
	add(workers, func(ctx context.Context, _ *river.Job[findMails]) error { return w.findMails(ctx) })
	add(workers, func(ctx context.Context, _ *river.Job[sendMails]) error { return w.Mail.Send(ctx) })
	add(workers, func(ctx context.Context, j *river.Job[checkLink]) error {
		act := actOf(j)
		act.User = j.Args.User
		return w.check(ctx, act)
	})
	return workers
}

func add[T river.JobArgs](workers *river.Workers, work func(context.Context, *river.Job[T]) error) {
	river.AddWorker(workers, river.WorkFunc(work))
}

// actOf names the job where the history and the log name a request.
func actOf[T river.JobArgs](j *river.Job[T]) link.Act {
	return link.Act{By: link.BySystem, RequestID: "job-" + strconv.FormatInt(j.ID, 10)}
}
