// Package garmin speaks the protocol of Garmin's login and API servers: the ways to sign in with their MFA step, the
// hand-off to Garmin's own page, the exchange of a service ticket for tokens, their refresh, the one API call that
// proves them, and the session strings that other programs write and read.
//
// It owns what goes over the wire, what an answer means, and what may be printed of it. It does not own when to call,
// how often, or what to keep: it has no storage, retries nothing, logs nothing, and waits for nobody but, before a
// password, as long as a person would. It imports nothing of this module, so that another program could lift it out as it is.
package garmin

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"
)

// Region is the part of Garmin's world that holds an account. The two have separate users: an account of one does not
// exist in the other.
type Region string

// The regions that Garmin has.
const (
	RegionGlobal Region = "garmin.com"
	RegionChina  Region = "garmin.cn"
)

// ParseRegion accepts exactly the two domains.
func ParseRegion(s string) (Region, error) {
	switch r := Region(s); r {
	case RegionGlobal, RegionChina:
		return r, nil
	}
	return "", fmt.Errorf("garmin: unknown region %.32q", s)
}

// Options are the parts of a Client that its owner may choose. The zero value is ready for use.
type Options struct {
	// Transport carries the requests; nil means a copy of http.DefaultTransport, which honours the proxy and CA
	// settings of the environment. Whatever it is, only Garmin's own hosts are asked through it, over https.
	Transport http.RoundTripper
	// Now is the clock for the ends of tokens and cookies; nil means time.Now.
	Now func() time.Time
	// Flows are the ways to sign in, in order; nil means DefaultFlows. A later one is tried only when the one before
	// surely did not judge the password.
	Flows []Flow
	// Report is told what each flow of a login answered, before Login goes on; nil means nobody is.
	Report func(context.Context, Attempt)
	// Wait waits for a flow's pause, or until the context ends, and then returns its error; nil means a timer does.
	Wait func(context.Context, time.Duration) error
	// DIClientIDs are tried in order when a ticket is exchanged; nil means the built-in order, newest first.
	DIClientIDs []string
	// Consumer gives the OAuth1 consumer, each time that one is needed; nil means that no ticket is exchanged and no
	// session is renewed by OAuth1. FetchConsumer gets one.
	Consumer func(context.Context) (Consumer, error)
}

// Client talks to Garmin. It keeps no login and no session, so any number of goroutines and users can share one.
type Client struct {
	transport http.RoundTripper
	now       func() time.Time
	flows     []Flow
	clientIDs []string
	report    func(context.Context, Attempt)
	wait      func(context.Context, time.Duration) error
	consumer  func(context.Context) (Consumer, error)
	timeout   time.Duration
	loginTime time.Duration
	lastGood  atomic.Int32 // the index in clientIDs that worked last
}

// New returns a Client.
func New(o Options) *Client {
	c := &Client{
		transport: o.Transport,
		now:       o.Now,
		flows:     o.Flows,
		clientIDs: o.DIClientIDs,
		report:    o.Report,
		wait:      o.Wait,
		consumer:  o.Consumer,
		timeout:   callTimeout,
		loginTime: loginTime,
	}
	if c.transport == nil {
		c.transport = environmentTransport()
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.wait == nil {
		c.wait = sleep
	}
	if len(c.flows) == 0 {
		c.flows = DefaultFlows()
	}
	if len(c.clientIDs) == 0 {
		c.clientIDs = builtInClientIDs
	}
	return c
}
