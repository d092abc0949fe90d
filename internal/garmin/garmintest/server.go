// Package garmintest is a simulated Garmin: the sign-in, token and API servers of both regions, as strict about
// cookies, parameters, signatures, tickets and tokens as the real ones are known to be, and with faults to switch on.
//
// It answers real HTTPS on the loopback interface. Tests in the same process reach it through Server.Transport,
// other processes through the proxy of Server.ListenProxy, and browsers, for its sign-in pages, through
// Server.ListenPages. It owns no knowledge of how garminlink asks: what it
// expects and answers is written down here on its own, from recordings and public clients, so that a mistake in one
// of the two shows. Where nothing is known of the real servers the simulation is an assumption, and says so.
package garmintest

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Server is a simulated Garmin. Its zero value is ready for use and knows the DemoAccounts. The exported fields are
// to be set before first use.
type Server struct {
	// Key signs the tokens. A server honours the tokens that an earlier one with the same Key gave to accounts that
	// both know; nil means a random key.
	Key []byte
	// AccessLife and RefreshLife are how long tokens live; 0 means 24 hours, and 30 days less a second.
	AccessLife, RefreshLife time.Duration
	// OmitRefreshLife leaves refresh_token_expires_in out of the replies, as Garmin sometimes does.
	OmitRefreshLife bool
	// RefreshGrace is how long a refresh token still works after it was used; 0 means not at all.
	RefreshGrace time.Duration
	// DIClientIDs are the client ids that the token service accepts; nil means the four that are known.
	DIClientIDs []string
	// SpendRefusedTickets makes an exchange that is refused for its client id use up the ticket.
	SpendRefusedTickets bool
	// WrongCodeOK answers a wrong code with 200 and a type of its own instead of 401.
	WrongCodeOK bool
	// PortalMFA makes the portal ask accounts with MFA for a code; as a rule it refuses them with error 427.
	PortalMFA bool
	// Expiry is written as the exp claim of access tokens, raw JSON; "" means the time at which they end.
	Expiry string
	// ConsumerKey and ConsumerSecret sign OAuth1 requests; "" means a value that the consumer's file tells.
	ConsumerKey, ConsumerSecret string

	initOnce sync.Once
	mu       sync.Mutex
	net      network
	accounts map[string]*account // by region and e-mail
	logins   map[string]*login   // by SESSION cookie
	forms    map[string]*form    // of the widget, by SESSION cookie
	landings map[string]*login   // by the token that leads to the widget's last page
	limits   map[string]int      // how many calls with a client id are refused yet
	nonces   map[string]struct{} // of OAuth1 requests
	tickets  map[string]*ticket
	spent    map[string]time.Time // refresh tokens, when they were used
	secrets  map[string]struct{}
	calls    map[Op]int
	arrived  chan struct{} // closed and replaced at each call
	faults   map[Op][]*plannedFault
	holds    map[Op]chan struct{}
	offset   time.Duration
	epoch    int // of the access tokens
}

// init makes the zero value usable.
func (s *Server) init() {
	s.initOnce.Do(func() {
		if s.Key == nil {
			s.Key = make([]byte, 32)
			_, _ = rand.Read(s.Key)
		}
		s.accounts = map[string]*account{}
		s.logins = map[string]*login{}
		s.forms = map[string]*form{}
		s.landings = map[string]*login{}
		s.limits = map[string]int{}
		s.nonces = map[string]struct{}{}
		s.tickets = map[string]*ticket{}
		s.spent = map[string]time.Time{}
		s.secrets = map[string]struct{}{}
		s.calls = map[Op]int{}
		s.arrived = make(chan struct{})
		s.faults = map[Op][]*plannedFault{}
		s.holds = map[Op]chan struct{}{}
		for _, a := range DemoAccounts() {
			s.add(a)
		}
	})
}

// lock readies the server and locks it.
func (s *Server) lock() {
	s.init()
	s.mu.Lock()
}

// Now is the simulated clock, which Advance moves.
func (s *Server) Now() time.Time {
	s.lock()
	defer s.mu.Unlock()
	return s.now()
}

func (s *Server) now() time.Time { return time.Now().Add(s.offset) }

// Advance moves the simulated clock forward: tickets, logins, codes and tokens grow older at once.
func (s *Server) Advance(d time.Duration) {
	s.lock()
	defer s.mu.Unlock()
	s.offset += d
}

// Calls returns how often op was asked so far, with whatever result.
func (s *Server) Calls(op Op) int {
	s.lock()
	defer s.mu.Unlock()
	return s.calls[op]
}

// AwaitCalls waits until op was asked n times in all, held calls included.
func (s *Server) AwaitCalls(ctx context.Context, op Op, n int) error {
	for {
		s.lock()
		got, arrived := s.calls[op], s.arrived
		s.mu.Unlock()
		if got >= n {
			return nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return fmt.Errorf("%s was asked %d times, not %d: %w", op, got, n, ctx.Err())
		}
	}
}

// Secrets returns every password, code, ticket, token and cookie value that was given out or received so far. None
// of them may stand in a log, on a page, in a URL of ours or in a database dump.
func (s *Server) Secrets() []string {
	s.lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.secrets))
}

func (s *Server) note(secrets ...string) {
	for _, secret := range secrets {
		if secret != "" {
			s.secrets[secret] = struct{}{}
		}
	}
}

// count records a call and wakes those who wait for it.
func (s *Server) count(op Op) {
	s.calls[op]++
	close(s.arrived)
	s.arrived = make(chan struct{})
}

// ServeHTTP answers as the Garmin host that the request names.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.init()
	s.serve(w, ask{Request: r})
}
