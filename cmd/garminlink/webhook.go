package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/notify"
	"github.com/garminlink/garminlink/internal/postgres"
)

// Webhooks says where messages may be sent.
type Webhooks struct {
	WebhookAllow networks `env:"WEBHOOK_ALLOW"`
}

func newWebhook(p process) *cobra.Command {
	webhook := &cobra.Command{
		Use:   "webhook",
		Short: "Tell other programs, by HTTP, what happens to links",
		Long:  "Tell other programs, by HTTP, what happens to links: see docs/webhooks.md.",
		Args:  cobra.NoArgs,
		RunE:  showHelp,
	}
	webhook.AddCommand(
		newWebhookAdd(p),
		&cobra.Command{
			Use: "list", Short: "Show who is told of what, and how that goes", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error { return atWebhooks(cmd.Context(), p, (*webhookDesk).list) },
		},
		newWebhookLog(p),
		endpointCommand(p, "rotate", "Give an endpoint another secret; for a day the former one signs too", atSealedWebhooks, (*webhookDesk).rotate),
		endpointCommand(p, "test", "Send an endpoint a message of the type test.ping", atSealedWebhooks, (*webhookDesk).test),
		endpointCommand(p, "disable", "Send an endpoint nothing more, until enable", atWebhooks, (*webhookDesk).disable),
		endpointCommand(p, "enable", "Tell an endpoint of what happens from now on, and of what had not reached it before", atWebhooks, (*webhookDesk).enable),
		endpointCommand(p, "remove", "Forget an endpoint and all that it was told", atWebhooks, (*webhookDesk).remove),
		idCommand(p, "resend DELIVERY", "Make one more attempt at once, also of a delivery that was given up",
			"name one delivery by its id: `garminlink webhook log` shows them", atSealedWebhooks, (*webhookDesk).resend),
	)
	return webhook
}

func newWebhookAdd(p process) *cobra.Command {
	var events eventList
	add := &cobra.Command{
		Use:   "add URL",
		Short: "Have an address told of what happens from now on; prints the secret that signs, once",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return atSealedWebhooks(cmd.Context(), p, func(d *webhookDesk, ctx context.Context) error {
				return d.add(ctx, args[0], events.types)
			})
		},
	}
	add.Flags().Var(&events, "events", "the events, with commas between, or all")
	_ = add.MarkFlagRequired("events") // fails for flags that do not exist
	return add
}

// eventList is events as a flag, with commas between or repeated.
type eventList struct {
	names []string
	types []link.EventType // none: all
}

func (l *eventList) Set(text string) (err error) {
	l.names = append(l.names, strings.Split(text, ",")...)
	l.types, err = notify.ParseEvents(l.names)
	return err
}

func (l *eventList) String() string { return strings.Join(l.names, ",") }
func (*eventList) Type() string     { return "events" }

// webhookDesk is what the commands on webhooks have before them.
type webhookDesk struct {
	process
	db      *postgres.DB
	store   *postgres.Webhooks
	service *notify.Service // nil unless the keyset was asked for
}

type (
	webhookWork func(*webhookDesk, context.Context) error
	openWebhook func(ctx context.Context, p process, work webhookWork) error
)

func endpointCommand(p process, name, short string, open openWebhook, run func(*webhookDesk, context.Context, uuid.UUID) error) *cobra.Command {
	return idCommand(p, name+" ENDPOINT", short, "name one endpoint by its id: `garminlink webhook list` shows them", open, run)
}

func idCommand(p process, use, short, advice string, open openWebhook, run func(*webhookDesk, context.Context, uuid.UUID) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || uuid.Validate(args[0]) != nil {
				return errors.New(advice)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			id := uuid.MustParse(args[0])
			err := open(cmd.Context(), p, func(d *webhookDesk, ctx context.Context) error { return run(d, ctx, id) })
			return adviseOnWebhook(err, advice)
		},
	}
}

func adviseOnWebhook(err error, advice string) error {
	switch {
	case errors.Is(err, notify.ErrNotFound):
		return fmt.Errorf("there is none with this id: %s", advice)
	case errors.Is(err, notify.ErrDisabled):
		return errors.New("the endpoint is disabled: `garminlink webhook enable` it first")
	case errors.Is(err, notify.ErrBusy):
		return errors.New("not now: it is being sent by another process, or an earlier delivery of the same link waits and goes first: see `garminlink webhook log --user`")
	}
	return err
}

// atWebhooks opens the database that the webhooks are in.
func atWebhooks(ctx context.Context, p process, work webhookWork) error {
	return withDatabase(ctx, p, func(db *postgres.DB) error {
		return work(&webhookDesk{process: p, db: db, store: postgres.NewWebhooks(db)}, ctx)
	})
}

// atSealedWebhooks opens the keyset, too, that secrets are sealed with.
func atSealedWebhooks(ctx context.Context, p process, work webhookWork) error {
	config, err := load[struct {
		Logging
		Keys
		Webhooks
	}](p.environ)
	if err != nil {
		return err
	}
	keys, err := config.Keys.open(ctx)
	if err != nil {
		return err
	}
	return atWebhooks(ctx, p, func(d *webhookDesk, ctx context.Context) error {
		vault, err := openVault(ctx, postgres.NewLinks(d.db), keys.ring)
		if err != nil {
			return err
		}
		d.service = newNotify(d.store, vault, config.WebhookAllow, func(string) {}, config.logger(p.stderr))
		return work(d, ctx)
	})
}

func (d *webhookDesk) add(ctx context.Context, url string, events []link.EventType) error {
	e, secret, err := d.service.Add(ctx, url, events)
	if errors.Is(err, notify.ErrAddressRefused) {
		return fmt.Errorf("%w: GARMINLINK_WEBHOOK_ALLOW lists addresses that may be called although they are not public", err)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(d.stdout, "Endpoint: %s\n", e.ID)
	d.tell(secret)
	fmt.Fprintf(d.stderr, "It is told of what happens from now on. `garminlink webhook test %s` sends a first message.\n", e.ID)
	return nil
}

// tell shows a secret, this once.
func (d *webhookDesk) tell(secret link.Secret) {
	fmt.Fprintf(d.stdout, "Secret: %s\n", secret.Reveal())
}

func (d *webhookDesk) rotate(ctx context.Context, endpoint uuid.UUID) error {
	secret, err := d.service.Rotate(ctx, endpoint)
	if err != nil {
		return err
	}
	d.tell(secret)
	fmt.Fprintln(d.stderr, "For 24 hours messages are signed with the former secret too: give the receiver this one until then.")
	return nil
}

func (d *webhookDesk) test(ctx context.Context, endpoint uuid.UUID) error {
	return d.sent(d.service.Test(ctx, endpoint))
}

func (d *webhookDesk) resend(ctx context.Context, delivery uuid.UUID) error {
	return d.sent(d.service.Resend(ctx, delivery))
}

// sent tells what came of an attempt. That it was not taken is a failure.
func (d *webhookDesk) sent(a notify.Answer, err error) error {
	if err != nil {
		return err
	}
	if a.Error != "" {
		return fmt.Errorf("not delivered: %s", a.Error)
	}
	_, err = fmt.Fprintf(d.stdout, "Delivered: answered %d after %s.\n", a.Status, brief(a.Took))
	return err
}

func (d *webhookDesk) disable(ctx context.Context, endpoint uuid.UUID) error {
	if err := d.store.Disable(ctx, endpoint, notify.ByOperator); err != nil {
		return err
	}
	_, err := fmt.Fprintln(d.stdout, "Disabled. What happens until `garminlink webhook enable` is not told; the API's feed of events has it.")
	return err
}

func (d *webhookDesk) enable(ctx context.Context, endpoint uuid.UUID) error {
	if err := d.store.Enable(ctx, endpoint); err != nil {
		return err
	}
	_, err := fmt.Fprintln(d.stdout, "Enabled.")
	return err
}

func (d *webhookDesk) remove(ctx context.Context, endpoint uuid.UUID) error {
	if err := d.store.RemoveEndpoint(ctx, endpoint); err != nil {
		return err
	}
	_, err := fmt.Fprintln(d.stdout, "Removed, with its log.")
	return err
}
