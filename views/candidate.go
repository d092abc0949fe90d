package views

import "context"

// Candidate is the form of POST /link/replace: the login led to another
// Garmin account than before, or has to be taken by a host application.
type Candidate struct {
	ID          string // which candidate is answered; sent back as "candidate"
	Name        string // of the account just signed in to; may be ""
	Email       string // "" if nobody typed one
	FormerName  string // of the other account that is linked, or its e-mail; "" if there is none
	Host        string // to which the user goes back with it; "": nowhere
	SecondsLeft int
}

func (c Candidate) yes(ctx context.Context) string {
	switch {
	case c.Host == "":
		return say(ctx, "Use the new account")
	case c.FormerName != "":
		return say(ctx, "Use the new account, and go back to {application}", c.Host)
	default:
		return say(ctx, "Go back to {application}", c.Host)
	}
}

func (c Candidate) no(ctx context.Context) string {
	if c.FormerName != "" {
		return say(ctx, "Keep the former account")
	}
	return say(ctx, "Not me: sign in as another")
}

// name tells two accounts apart that go by the same name, as far as is known.
func (c Candidate) name() string {
	switch {
	case c.Name == "":
		return c.Email
	case c.Email == "":
		return c.Name
	default:
		return c.Name + " (" + c.Email + ")"
	}
}
