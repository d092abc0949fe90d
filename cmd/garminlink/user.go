package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/postgres"
)

// passwordCost is a variable for the tests of this program alone: no
// deployment can make passwords cheaper.
var passwordCost = account.RealCost

// longestInput bounds what is read as a password, in bytes.
const longestInput = 4096

func newUser(p process) *cobra.Command {
	user := &cobra.Command{Use: "user", Short: "Manage users", Args: cobra.NoArgs, RunE: showHelp}
	var (
		email     string
		role      userRole
		fromStdin bool
	)
	create := &cobra.Command{
		Use:   "create",
		Short: "Create a user who signs in with e-mail and password",
		Long:  "Create a user who signs in with e-mail and password.\n\nWithout --password-stdin a random password is made and printed.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return createUser(cmd, p, email, account.Role(role), fromStdin)
		},
	}
	create.Flags().StringVar(&email, "email", "", "the address to sign in with")
	create.Flags().Var(&role, "role", "user, support or admin")
	create.Flags().BoolVar(&fromStdin, "password-stdin", false, "read the password from standard input")
	for _, name := range []string{"email", "role"} {
		_ = create.MarkFlagRequired(name) // fails for flags that do not exist
	}
	user.AddCommand(create)
	return user
}

func createUser(cmd *cobra.Command, p process, email string, role account.Role, fromStdin bool) error {
	return withAccounts(cmd.Context(), p, func(accounts *account.Service) (err error) {
		password := rand.Text()
		if fromStdin {
			if password, err = readLine(p.stdin); err != nil {
				return err
			}
		}
		created, err := accounts.Create(cmd.Context(), email, password, role)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.stdout, "Created %s (%s).\n", created.Email, created.Role)
		if !fromStdin {
			fmt.Fprintf(p.stdout, "Password: %s\n", password)
		}
		return nil
	})
}

// withAccounts opens the accounts in the database.
func withAccounts(ctx context.Context, p process, do func(*account.Service) error) error {
	return withDatabase(ctx, p, func(db *postgres.DB) error {
		return do(account.New(postgres.NewAccounts(db), passwordCost))
	})
}

// readLine reads the first line, which may lack its end.
func readLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, longestInput)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", errors.New("no password on standard input")
	}
	return line, nil
}

// userRole is a role as a flag.
type userRole account.Role

func (r *userRole) Set(text string) error {
	parsed, err := account.ParseRole(text)
	*r = userRole(parsed)
	return err
}

func (r *userRole) String() string { return string(*r) }
func (*userRole) Type() string     { return "role" }

func showHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }
