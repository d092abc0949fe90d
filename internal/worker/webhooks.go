package worker

import (
	"context"
	"math/rand/v2"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
)

const (
	// sendersEach is how many jobs of all replicas together send to one
	// endpoint, so that one which is slow takes no more than its share of
	// sendersAtOnce, those of one replica. They wait for others most of the time.
	sendersEach   = 4
	sendersAtOnce = 50
)

// deliver has a name for each of the jobs that send to one endpoint at a time,
// so that there are no more. Which of its deliveries they take turns out as they
// run: of one link never two.
type deliver struct {
	Endpoint uuid.UUID `json:"endpoint"`
	Sender   int       `json:"sender"`
}

type findDeliveries struct{}

func (findDeliveries) Kind() string { return "find_deliveries" }
func (deliver) Kind() string        { return "deliver" }

func (findDeliveries) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: upkeepQueue} }
func (deliver) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: webhooksQueue, UniqueOpts: waitsOnce}
}

// findDeliveries makes deliveries of what has happened, and has those sent that
// are due.
func (w *Worker) findDeliveries(ctx context.Context) error {
	if err := w.Webhooks.Spread(ctx, w.Links); err != nil {
		return err
	}
	due, err := w.Webhooks.Due(ctx, sendersEach)
	if err != nil || len(due) == 0 {
		return err
	}
	var jobs []river.InsertManyParams
	for _, d := range due {
		from := rand.IntN(sendersEach) // a sender whose process died is in the way of none but itself
		for i := range d.Deliveries {
			jobs = append(jobs, river.InsertManyParams{Args: deliver{Endpoint: d.Endpoint, Sender: (from + i) % sendersEach}})
		}
	}
	_, err = w.client.InsertMany(ctx, jobs)
	return err
}
