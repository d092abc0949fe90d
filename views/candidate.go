package views

// Candidate is the form of POST /link/replace: the login led to another
// Garmin account than before.
type Candidate struct {
	ID          string // which candidate is answered; sent back as "candidate"
	Name        string // of the account just signed in to; may be ""
	Email       string // "" if nobody typed one
	FormerName  string // of the account that is linked, or its e-mail
	SecondsLeft int
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
