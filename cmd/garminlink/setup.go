package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/garminlink/garminlink/internal/account"
)

func newSetUpToken(p process) *cobra.Command {
	return &cobra.Command{
		Use:   "setup-token",
		Short: "Make the token with which the first admin is made in a browser, and print it",
		Long: "Make the token with which the first admin is made in a browser, and print it.\n\n" +
			"It works once, for a day, in the place of any that was printed before; it is stored as a hash. " +
			"The token alone goes to standard output.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return makeSetUpToken(cmd.Context(), p) },
	}
}

func makeSetUpToken(ctx context.Context, p process) error {
	return withAccounts(ctx, p, func(accounts *account.Service) error {
		token, err := accounts.NewSetUpToken(ctx)
		if errors.Is(err, account.ErrSetUpDone) {
			return errors.New("the set-up is closed, as there is an admin: `garminlink user create --role admin` makes another")
		}
		if err != nil {
			return err
		}
		fmt.Fprintln(p.stderr, "Paste this on the page /setup within a day. It works once.")
		_, err = fmt.Fprintln(p.stdout, token.Reveal())
		return err
	})
}
