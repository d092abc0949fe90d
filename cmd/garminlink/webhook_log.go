package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/notify"
	"github.com/garminlink/garminlink/internal/postgres"
)

// logChoice says which deliveries to show.
type logChoice struct {
	endpoint, user string
	failed         bool
	most           uint
}

func newWebhookLog(p process) *cobra.Command {
	var c logChoice
	log := &cobra.Command{
		Use:   "log",
		Short: "Show what was sent in the last 30 days, with all attempts, the latest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return atWebhooks(cmd.Context(), p, func(d *webhookDesk, ctx context.Context) error { return d.log(ctx, c) })
		},
	}
	log.Flags().StringVar(&c.endpoint, "endpoint", "", "only to this endpoint")
	log.Flags().StringVar(&c.user, "user", "", "only of this user's link: his id here, or ext: and the host application's")
	log.Flags().BoolVar(&c.failed, "failed", false, "only what was given up, or failed and waits for another attempt")
	log.Flags().UintVar(&c.most, "limit", 50, "how many at most")
	return log
}

// query finds out who and what is meant.
func (d *webhookDesk) query(ctx context.Context, c logChoice) (q notify.Query, err error) {
	q = notify.Query{Failed: c.failed, Most: int(min(c.most, 10_000))}
	if c.endpoint != "" {
		if q.Endpoint, err = uuid.Parse(c.endpoint); err != nil {
			return q, fmt.Errorf("--endpoint: %q is not the id of an endpoint", c.endpoint)
		}
	}
	if c.user == "" {
		return q, nil
	}
	ref, err := account.ParseUserRef(c.user)
	if err != nil {
		return q, fmt.Errorf("--user: %w", err)
	}
	if q.User = ref.ID(); q.User != uuid.Nil {
		return q, nil // he may be gone by now
	}
	user, err := account.New(postgres.NewAccounts(d.db), passwordCost).Find(ctx, ref)
	q.User = user.ID
	return q, err
}

func (d *webhookDesk) log(ctx context.Context, c logChoice) error {
	q, err := d.query(ctx, c)
	if err != nil {
		return err
	}
	logged, err := d.store.Log(ctx, q)
	if err != nil {
		return err
	}
	if len(logged) == 0 {
		_, err := fmt.Fprintln(d.stdout, "Nothing.")
		return err
	}
	for _, l := range logged {
		printDelivery(d.stdout, l)
	}
	return nil
}

func printDelivery(w io.Writer, l notify.Logged) {
	about := "test"
	if l.Event != 0 {
		about = fmt.Sprintf("event %d of user %s", l.Event, l.User)
	}
	fmt.Fprintf(w, "%s  %s  %s\n  %s, to endpoint %s\n", clock(l.CreatedAt), l.ID, l.Type, about, l.Endpoint)
	for _, a := range l.Attempts {
		fmt.Fprintf(w, "  %s  %s\n", clock(a.At), told(a))
	}
	switch l.State {
	case notify.Delivered:
		fmt.Fprintln(w, "  delivered")
	case notify.GivenUp:
		fmt.Fprintln(w, "  given up")
	default:
		fmt.Fprintf(w, "  waits, not before %s\n", clock(l.NextAt))
	}
}

// told is what came of an attempt, in words.
func told(a notify.Attempt) string {
	switch {
	case !a.Ended:
		return "under way, or its process has died"
	case a.Error != "":
		return fmt.Sprintf("%s (%s)", a.Error, brief(a.Took))
	default:
		return fmt.Sprintf("answered %d (%s)", a.Status, brief(a.Took))
	}
}

func brief(d time.Duration) string { return d.Round(time.Millisecond).String() }

func (d *webhookDesk) list(ctx context.Context) error {
	endpoints, err := d.store.Endpoints(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(d.stdout, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "ENDPOINT\tURL\tEVENTS\tSTATE\tWAITING\tLAST SUCCESS\tFAILING SINCE")
	for _, e := range endpoints {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n",
			e.ID, e.URL, eventNames(e), standingOf(e), e.Waiting, moment(e.LastSuccess), moment(e.FailingSince))
	}
	return table.Flush()
}

func eventNames(e notify.Endpoint) string {
	if len(e.Events) == 0 {
		return notify.AllEvents
	}
	var names []string
	for _, t := range e.Events {
		names = append(names, string(t))
	}
	return strings.Join(names, ",")
}

func standingOf(e notify.Endpoint) string {
	switch {
	case e.Disabled == notify.ByGone:
		return "disabled, as it answered 410 Gone"
	case e.Disabled == notify.ByOperator:
		return "disabled"
	case !e.PausedUntil.IsZero():
		return "enabled, asks for a pause"
	case !e.FormerUntil.IsZero():
		return "enabled, two secrets"
	default:
		return "enabled"
	}
}

// moment is a time, or a dash where there is none.
func moment(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return clock(at)
}
