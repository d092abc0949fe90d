package views

import (
	"context"
	"io"
)

// Landing is the front page of someone who is signed out.
type Landing struct {
	SignupOpen bool
	Notice     string
}

// SignIn is the form of POST /signin.
type SignIn struct {
	Email         string // as entered
	Next          string // local path to go to afterwards; "" for the default
	SignupOpen    bool
	Notice        string // good or neutral news, such as "You are signed out."
	Problem       *Problem
	EmailError    string
	PasswordError string
}

// SignUp is the form of POST /signup.
type SignUp struct {
	Email         string // as entered
	PasswordRule  string // such as "10 to 128 characters"
	Notice        string
	Problem       *Problem
	EmailError    string
	PasswordError string
}

func (Landing) Title(ctx context.Context) string { return say(ctx, "Link your Garmin account") }
func (SignIn) Title(ctx context.Context) string  { return say(ctx, "Sign in") }
func (SignUp) Title(ctx context.Context) string  { return say(ctx, "Create an account") }

func (l Landing) Render(ctx context.Context, w io.Writer) error { return landing(l).Render(ctx, w) }
func (s SignIn) Render(ctx context.Context, w io.Writer) error  { return signIn(s).Render(ctx, w) }
func (s SignUp) Render(ctx context.Context, w io.Writer) error  { return signUp(s).Render(ctx, w) }
