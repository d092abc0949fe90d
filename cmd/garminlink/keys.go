package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres"
)

func newKeys(p process) *cobra.Command {
	keys := &cobra.Command{
		Use:   "keys",
		Short: "Make, rotate and look at the keys that seal what is stored",
		Long: `Make, rotate and look at the keys that seal what is stored.

The keyset lives outside the database: add, retire and delete change nothing,
they print the keyset to deploy. Which of its keys seals stands in the database,
and promote changes that. To rotate: add, deploy, promote, rewrap, retire,
deploy; and in the end delete, deploy. See docs/backup.md.`,
		Args: cobra.NoArgs,
		RunE: showHelp,
	}
	keys.AddCommand(
		keyCommand("generate", "Print a new keyset, for GARMINLINK_KEYSET or a file",
			func(ctx context.Context) error { return generateKeyset(ctx, p) }),
		keyCommand("status", "Show who has which key, and what needs it",
			func(ctx context.Context) error { return atKeys(ctx, p, (*keyDesk).showStatus) }),
		keyCommand("add", "Print the keyset with one more key, to deploy; nothing is sealed with it yet",
			func(ctx context.Context) error { return atVault(ctx, p, (*keyDesk).add) }),
		keyCommand("rewrap", "Re-seal everything under the key that seals, while the program runs; run it again to go on after a stop",
			func(ctx context.Context) error { return atVault(ctx, p, (*keyDesk).rewrap) }),
		oneKeyCommand(p, "promote", "Make a key that every replica has the one that seals", (*keyDesk).promote),
		oneKeyCommand(p, "retire", "Print the keyset with a key disabled, to deploy; it can still be enabled again", (*keyDesk).retire),
		oneKeyCommand(p, "delete", "Print the keyset without a key, to deploy", (*keyDesk).delete),
	)
	return keys
}

func keyCommand(name, short string, run func(context.Context) error) *cobra.Command {
	return &cobra.Command{
		Use: name, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context()) },
	}
}

func oneKeyCommand(p process, name, short string, run func(*keyDesk, context.Context, uint32) error) *cobra.Command {
	return &cobra.Command{
		Use: name + " KEY", Short: short, Args: oneKey,
		RunE: func(cmd *cobra.Command, args []string) error {
			return atVault(cmd.Context(), p, func(d *keyDesk, ctx context.Context) error { return run(d, ctx, keyOf(args)) })
		},
	}
}

func oneKey(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return errors.New("name one key by its id: `garminlink keys status` shows them")
	}
	if _, err := strconv.ParseUint(args[0], 10, 32); err != nil {
		return fmt.Errorf("%q is not the id of a key: `garminlink keys status` shows them", args[0])
	}
	return nil
}

// keyOf is for arguments that oneKey has let pass.
func keyOf(args []string) uint32 {
	id, _ := strconv.ParseUint(args[0], 10, 32)
	return uint32(id)
}

// keyDesk is what the commands on keys have before them.
type keyDesk struct {
	process
	keys   *keysetSource
	store  *postgres.Links
	status link.KeyStatus
	vault  *link.Vault // nil unless the keyset was proved to fit
}

// atKeys lets work look at the keys of a deployment, even if they do not fit.
func atKeys(ctx context.Context, p process, work func(*keyDesk, context.Context) error) error {
	config, err := load[struct {
		Database
		Logging
		Keys
	}](p.environ)
	if err != nil {
		return err
	}
	keys, err := config.Keys.open(ctx)
	if err != nil {
		return err
	}
	db, err := connectCurrent(ctx, config.Database, config.logger(p.stderr))
	if err != nil {
		return err
	}
	defer db.Close()
	d := &keyDesk{process: p, keys: keys, store: postgres.NewLinks(db)}
	d.status, err = link.ReadKeyStatus(ctx, d.store)
	if errors.Is(err, link.ErrNotFound) {
		return refuse("nothing is sealed in this database yet: start `garminlink serve` first")
	}
	if err != nil {
		return err
	}
	return work(d, ctx)
}

// atVault lets work act on the keys of a deployment, if they fit.
func atVault(ctx context.Context, p process, work func(*keyDesk, context.Context) error) error {
	return atKeys(ctx, p, func(d *keyDesk, ctx context.Context) (err error) {
		if d.vault, err = openVault(ctx, d.store, d.keys.ring); err != nil {
			return err
		}
		return work(d, ctx)
	})
}
