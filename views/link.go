package views

import (
	"context"
	"io"
	"net/url"

	"github.com/a-h/templ"
)

// Link is the page of GET /link and of GET /link/mfa, in whatever state the
// link is. A pending challenge comes first, then a candidate.
type Link struct {
	Status    Status
	Notice    string // good or neutral news, such as "Your link was removed."
	Problem   *Problem
	New       bool // it was linked a moment ago
	NotYou    bool // the account was brought along, so ask whether it is the user's
	Form      GarminForm
	Challenge *Challenge // Garmin waits for a code
	Candidate *Candidate // the page waits for a yes or no

	Checked string // what a check that was asked for has found; "" if none was
	Pause   *Pause // Garmin takes no sign-in now

	// HandoffFirst offers Garmin's own page before the form for the password.
	HandoffFirst bool
}

// Pause says that signing in to Garmin has to wait.
type Pause struct {
	Until          Moment
	PasswordsAlone bool // Garmin's own page leads on
}

// Standing is the id of the element that tells how an active link is doing, and
// takes the answer to a check.
const Standing = "standing"

// Stands says that the page has that element.
func (l Link) Stands() bool {
	return l.Status.State == Active && l.Challenge == nil && l.Candidate == nil
}

// GarminForm is the form of POST /link. It never carries the password.
type GarminForm struct {
	ID            string // of this very form: sent twice, it is one sign-in
	Email         string // as entered, or the one of the link
	Region        string // garmin.com, garmin.cn or ""
	Open          bool   // on the page of an active link: show it unfolded
	Focus         bool   // on what is left to type, unless a field has an error
	NoImport      bool   // a session of another program's cannot be brought instead
	EmailError    string
	PasswordError string
	RegionError   string
}

func (f GarminForm) open() bool { return f.Open || f.wrong() }

func (f GarminForm) wrong() bool { return f.faulty() || f.RegionError != "" }

// faulty says that a field which takes the focus has an error.
func (f GarminForm) faulty() bool { return f.EmailError != "" || f.PasswordError != "" }

// focused is the form with the focus, if that is free.
func (f GarminForm) focused(free bool) GarminForm {
	f.Focus = free && !f.faulty()
	return f
}

func (l Link) Title(ctx context.Context) string {
	switch {
	case l.Challenge != nil:
		return say(ctx, "Enter the code from Garmin")
	case l.Candidate != nil:
		return say(ctx, "Use another Garmin account?")
	case l.Status.State == NotLinked:
		return say(ctx, "Link your Garmin account")
	case l.Status.State == ReauthNeeded:
		return say(ctx, "Sign in to Garmin again")
	default:
		return say(ctx, "Your Garmin link")
	}
}

// Steps of linking.
const (
	noStep = iota - 1
	signInStep
	codeStep
	doneStep
)

func (l Link) step() int {
	switch {
	case l.Challenge != nil:
		return codeStep
	case l.Candidate != nil, l.New:
		return doneStep
	case l.Stands():
		return noStep
	default:
		return signInStep
	}
}

func (l Link) Render(ctx context.Context, w io.Writer) error { return linkPage(l).Render(ctx, w) }

// fieldFaulty says that a field has an error and so takes the focus; else a
// problem takes it.
func (l Link) fieldFaulty() bool {
	return l.Challenge != nil && l.Challenge.CodeError != "" || l.Form.faulty()
}

// handoff is the way to Garmin's own page, in the region of the form.
func (f GarminForm) handoff(ctx context.Context) templ.SafeURL {
	path := at(ctx, "/handoff")
	if f.Region != "" {
		path += "?" + url.Values{"region": {f.Region}}.Encode()
	}
	return templ.SafeURL(path)
}
