package garmin

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// A Flow is one way to sign in. Garmin limits each client id on its own, and a ticket is bound to the service URL
// that it was asked for.
type Flow struct {
	name  string
	pause Pause
	steps steps
}

// Pause is how long a person would look at the sign-in page: a random time between the two is waited before the
// password is sent. Garmin's edge takes whoever is faster for a robot [C].
type Pause struct{ Min, Max time.Duration }

func (p Pause) random() time.Duration {
	return p.Min + rand.N(max(p.Max-p.Min, 0)+1)
}

// String is the flow's name: ios, android, widget or portal.
func (f Flow) String() string { return f.name }

// WithPause returns the flow with another pause.
func (f Flow) WithPause(p Pause) Flow {
	f.pause = p
	return f
}

// DefaultFlows are all ways to sign in, in the order that promises most: IOS and Android, which are limited apart from
// one another, then the Widget, then the Portal.
func DefaultFlows() []Flow { return slices.Clone(knownFlows) }

// ParseFlow finds a flow by its name.
func ParseFlow(name string) (Flow, error) {
	i := slices.IndexFunc(knownFlows, func(f Flow) bool { return f.name == name })
	if i < 0 {
		return Flow{}, fmt.Errorf("garmin: unknown flow %.32q", name)
	}
	return knownFlows[i], nil
}

// steps are what a flow asks of Garmin. There are two kinds: JSON calls, and the pages of the widget.
type steps interface {
	// service is what the tickets of the flow are bound to.
	service(Region) string
	// open gets the pages that come before the password, which it does not know yet.
	open(context.Context, *Client, *visit) error
	// password sends e-mail and password, once.
	password(context.Context, *Client, *visit, string, Secret) (*Ticket, *Challenge, error)
	// code sends the answer to a challenge, once.
	code(context.Context, *Client, *Challenge, Secret) (*Ticket, error)
	// resend asks for another code.
	resend(context.Context, *Client, *Challenge) error
}

// visit is one sign-in under way.
type visit struct {
	flow   Flow
	region Region
	jar    *jar
	csrf   string // of the widget's form
}

// Attempt is what one flow answered to one login. It holds no secret.
type Attempt struct {
	Flow   string
	Region Region
	Op     string // the last operation that was asked: page, login or resend
	Kind   Kind   // "" when the flow gave a ticket or a challenge
	Status int    // HTTP status of a refusal, 0 without an answer
	Type   string // Garmin's own word; SUCCESSFUL or MFA_REQUIRED when Kind is empty
	Took   time.Duration
}

// try signs in by one flow, and reports how that went.
func (c *Client) try(ctx context.Context, f Flow, r Region, email string, password Secret) (*Ticket, *Challenge, error) {
	began := time.Now()
	t, ch, err := c.signIn(ctx, f, r, email, password)
	if c.report == nil {
		return t, ch, err
	}
	a := Attempt{Flow: f.name, Region: r, Op: opLogin, Type: typeSuccessful, Took: time.Since(began)}
	if ch != nil {
		a.Type = typeMFARequired
	}
	if e := errorOf(err); e != nil {
		a.Op, a.Kind, a.Status, a.Type = e.Op, e.Kind, e.Status, e.Type
	}
	c.report(ctx, a)
	return t, ch, err
}

func (c *Client) signIn(ctx context.Context, f Flow, r Region, email string, password Secret) (*Ticket, *Challenge, error) {
	v := &visit{flow: f, region: r, jar: &jar{region: r, now: c.now}}
	if err := f.steps.open(ctx, c, v); err != nil {
		return nil, nil, err
	}
	if d := f.pause.random(); d > 0 {
		if err := c.wait(ctx, d); err != nil {
			return nil, nil, unanswered(ctx, opPage, err, false)
		}
	}
	return f.steps.password(ctx, c, v, email, password)
}

// fits reports that a login has time left for this flow: for its pause and a call.
func (f Flow) fits(ctx context.Context) bool {
	end, ok := ctx.Deadline()
	return !ok || time.Until(end) >= cmp.Or(f.pause.Max, f.pause.Min)+callTimeout
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
