package views

import (
	"context"
	"io"
)

// Staff is the page of GET /support/staff, with the form of the POST to it.
type Staff struct {
	Notice  string
	Problem *Problem
	List    []Colleague
	Changes []RoleChange // the latest first

	Email         string // as entered
	Roles         []Choice
	EmailError    string
	RoleError     string
	PasswordError string
}

// Colleague is one of the staff.
type Colleague struct {
	Email string
	Role  string
	You   bool
}

// RoleChange is what became of somebody's role.
type RoleChange struct {
	At       Moment
	Email    string
	From, To string // From is "" for a new user
	By       string // "" if it came from no page
}

func (Staff) Title(ctx context.Context) string { return say(ctx, "Users and roles") }

func (s Staff) Render(ctx context.Context, w io.Writer) error { return staffPage(s).Render(ctx, w) }

func (s Staff) faulty() bool { return s.EmailError != "" || s.RoleError != "" || s.PasswordError != "" }
