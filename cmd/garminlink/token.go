package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/garminlink/garminlink/internal/account"
)

func newToken(p process) *cobra.Command {
	token := &cobra.Command{
		Use:   "token",
		Short: "Manage the service tokens with which programs use the API",
		Args:  cobra.NoArgs,
		RunE:  showHelp,
	}
	token.AddCommand(newTokenCreate(p), &cobra.Command{
		Use: "list", Short: "Show all tokens, the newest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return listTokens(cmd.Context(), p) },
	}, &cobra.Command{
		Use: "revoke TOKEN", Short: "End a token, named by its prefix or its id", Args: oneToken,
		RunE: func(cmd *cobra.Command, args []string) error { return revokeToken(cmd.Context(), p, args[0]) },
	})
	return token
}

func newTokenCreate(p process) *cobra.Command {
	var (
		name    string
		scopes  scopeList
		expires expiry
	)
	create := &cobra.Command{
		Use:   "create",
		Short: "Make a token and print it, the only time",
		Long: "Make a token and print it, the only time: it is stored as a hash.\n\n" +
			"The token alone goes to standard output. Its scopes are for the links of all users: " + scopeNames(account.Scopes()) + ".",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return createToken(cmd.Context(), p, account.NewToken{Name: name, Scopes: scopes, ExpiresAt: time.Time(expires)})
		},
	}
	create.Flags().StringVar(&name, "name", "", "the program that will have it; users read it when they are sent to link")
	create.Flags().Var(&scopes, "scope", "what it may do; may be repeated, or have commas between")
	create.Flags().Var(&expires, "expires", "when it ends: in days, as 90d, or when a day begins (UTC), as 2027-01-01; without, when it is revoked")
	for _, name := range []string{"name", "scope"} {
		_ = create.MarkFlagRequired(name) // fails for flags that do not exist
	}
	return create
}

func createToken(ctx context.Context, p process, n account.NewToken) error {
	return withAccounts(ctx, p, func(accounts *account.Service) error {
		made, secret, err := accounts.CreateToken(ctx, n)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.stderr, "Made the token %s (%s…) for %s; expires: %s. It is shown only now.\n",
			made.Name, made.Prefix, scopeNames(made.Scopes), day(made.ExpiresAt, "never"))
		_, err = fmt.Fprintln(p.stdout, secret.Reveal())
		return err
	})
}

func listTokens(ctx context.Context, p process) error {
	return withAccounts(ctx, p, func(accounts *account.Service) error {
		all, err := accounts.Tokens(ctx)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(p.stdout, 0, 0, 3, ' ', 0)
		fmt.Fprintln(table, "TOKEN\tNAME\tSTATE\tSCOPES\tMADE\tBY\tEXPIRES\tLAST USED\tID")
		for _, t := range all {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", t.Prefix, t.Name, tokenState(t, time.Now()),
				scopeNames(t.Scopes), day(t.CreatedAt, ""), dash(t.CreatedBy), day(t.ExpiresAt, "never"), minute(t.LastUsedAt), t.ID)
		}
		return table.Flush()
	})
}

func revokeToken(ctx context.Context, p process, name string) error {
	return withAccounts(ctx, p, func(accounts *account.Service) error {
		t, err := accounts.FindToken(ctx, name)
		if err != nil {
			return fmt.Errorf("%w: `garminlink token list` shows them", err)
		}
		if err := accounts.RevokeToken(ctx, t.ID); err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "The token %s (%s…) is revoked: whoever shows it is refused from now on.\n", t.Name, t.Prefix)
		return err
	})
}

// oneToken does not repeat what it refuses, which may be a secret.
func oneToken(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return errors.New("name one token by its prefix or its id: `garminlink token list` shows them")
	}
	return nil
}

func tokenState(t account.Token, now time.Time) string {
	switch {
	case !t.RevokedAt.IsZero():
		return "revoked"
	case !t.Live(now):
		return "expired"
	default:
		return "works"
	}
}

func scopeNames(scopes []account.Scope) string {
	var names []string
	for _, s := range scopes {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ")
}

func day(at time.Time, never string) string {
	if at.IsZero() {
		return never
	}
	return at.UTC().Format(time.DateOnly)
}

func minute(at time.Time) string {
	if at.IsZero() {
		return "never"
	}
	return at.UTC().Format("2006-01-02 15:04Z")
}
