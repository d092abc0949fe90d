package worker

import (
	"context"

	"github.com/riverqueue/river"
)

// mailersAtOnce is how many jobs of all replicas together send mails, and so
// how many connections the mail server has from us.
const mailersAtOnce = 2

// sendMails has a name for each of the jobs that send at a time, so that there
// are no more.
type sendMails struct {
	Mailer int `json:"mailer"`
}

type findMails struct{}

func (findMails) Kind() string { return "find_mails" }
func (sendMails) Kind() string { return "send_mails" }

func (findMails) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: upkeepQueue} }
func (sendMails) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: mailQueue, UniqueOpts: waitsOnce}
}

// findMails makes notices of what has happened, and has those sent that are due.
// It is left to others where no mail server is known.
func (w *Worker) findMails(ctx context.Context) error {
	if w.Mail == nil {
		return nil
	}
	if err := w.Mail.Spread(ctx); err != nil {
		return err
	}
	due, err := w.Mail.Due(ctx, mailersAtOnce)
	if err != nil || due == 0 {
		return err
	}
	jobs := make([]river.InsertManyParams, due)
	for mailer := range jobs {
		jobs[mailer].Args = sendMails{Mailer: mailer}
	}
	_, err = w.client.InsertMany(ctx, jobs)
	return err
}
