package dev

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

// userPassword opens every demo user.
const userPassword = "garminlink-demo"

var users = []struct {
	email string
	role  account.Role
}{
	{"runner@example.com", account.RoleUser},
	{"support@example.com", account.RoleSupport},
	{"admin@example.com", account.RoleAdmin},
}

// welcome prints where to go and what to type.
func welcome(out io.Writer, base string) {
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintf(w, "\ngarminlink is at %s (Ctrl-C stops it).\n\n", base)
	fmt.Fprintf(w, "Sign in with the password %s as\n", userPassword)
	for _, u := range users {
		fmt.Fprintf(w, "  %s\t%s\n", u.email, u.role)
	}
	fmt.Fprintf(w, "\nGarmin is simulated, its sign-in page included: no real account is ever asked for.\n")
	fmt.Fprintf(w, "Link with the password %s, and the code %s where one is asked for:\n", garmintest.DemoPassword, garmintest.DemoCode)
	for _, a := range garmintest.DemoAccounts() {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", a.Email, a.Region, a.Describe())
	}
	fmt.Fprintln(w)
	_ = w.Flush() // to a terminal; nobody waits for it
}
