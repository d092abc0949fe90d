package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"gorm.io/gorm"
)

// changesChannel is the channel on which changes of links are told, as SQL.
// Channels belong to the whole database, which installations may share; a
// channel's name has room for 63 bytes, and a schema's takes as many.
const (
	changesChannel = "left(current_schema(), 55) || '_changes'"
	eventsChannel  = "left(current_schema(), 55) || '_events'" // see tell
)

// tellChange wakes the open pages of a user once tx is committed.
func tellChange(tx *gorm.DB, user uuid.UUID) error {
	return tx.Exec("SELECT pg_notify("+changesChannel+", ?)", user.String()).Error
}

const (
	// proofTime is how long the database may take to show that a connection
	// is heard, and proofEvery how often it is asked to.
	proofTime  = 2 * time.Second
	proofEvery = time.Minute

	connectTime = 10 * time.Second

	leastRetry = 250 * time.Millisecond
	mostRetry  = time.Minute
)

// errDeaf is what a pooler that lends its connections to one transaction after
// the other makes of LISTEN: nothing fails, and nothing comes.
var errDeaf = errors.New("what is told on a channel does not arrive: LISTEN needs a connection without a pooler in transaction mode")

// Changes hears of changes of links, by one connection for the whole process,
// and wakes who waits for them.
type Changes struct {
	pool *pgxpool.Pool
	log  *slog.Logger
	self uuid.UUID // told on the channel like a user, to see whether it is heard
	live atomic.Bool

	mu      sync.Mutex
	waiting map[uuid.UUID]map[chan struct{}]bool // by user
}

// NewChanges returns Changes that hear nothing before Run. Their connection has
// the pool's settings and is none of its own, which may be few.
func NewChanges(pool *pgxpool.Pool, log *slog.Logger) *Changes {
	return &Changes{pool: pool, log: log, self: uuid.New(), waiting: map[uuid.UUID]map[chan struct{}]bool{}}
}

// Subscribe returns a channel that is signalled after each change of a user's
// link, or of anybody's for the zero user, until ctx ends. Signals that were
// not taken yet are one.
func (c *Changes) Subscribe(ctx context.Context, user uuid.UUID) <-chan struct{} {
	signal := make(chan struct{}, 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting[user] == nil {
		c.waiting[user] = map[chan struct{}]bool{}
	}
	c.waiting[user][signal] = true
	context.AfterFunc(ctx, func() { c.leave(user, signal) })
	return signal
}

func (c *Changes) leave(user uuid.UUID, signal chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiting[user], signal)
	if len(c.waiting[user]) == 0 {
		delete(c.waiting, user)
	}
}

// Live reports whether changes are heard of now.
func (c *Changes) Live() bool { return c.live.Load() }

func (c *Changes) wake(user uuid.UUID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for signal := range c.waiting[user] {
		wakeOne(signal)
	}
	for signal := range c.waiting[uuid.Nil] {
		wakeOne(signal)
	}
}

func (c *Changes) wakeAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, signals := range c.waiting {
		for signal := range signals {
			wakeOne(signal)
		}
	}
}

func wakeOne(signal chan struct{}) {
	select {
	case signal <- struct{}{}:
	default: // woken already
	}
}

// Run hears until ctx ends. A connection that is lost is made anew, and then
// everybody is woken, as something may have been missed.
func (c *Changes) Run(ctx context.Context) {
	wait, told := leastRetry, false
	for {
		heard, err := c.listen(ctx)
		if ctx.Err() != nil {
			return
		}
		if heard {
			wait, told = leastRetry, false
		}
		if !told {
			c.log.WarnContext(ctx, "changes of links are not heard of: open pages ask every half a minute until they are", "error", err)
			told = true
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(rand.N(wait) + wait/2): // replicas come apart from one another
		}
		wait = min(2*wait, mostRetry)
	}
}

// listen hears until its connection fails. heard tells whether it ever did.
func (c *Changes) listen(ctx context.Context) (heard bool, err error) {
	conn, err := c.connect(ctx)
	if err != nil {
		return false, err
	}
	defer closeSoon(conn)
	if err := c.prove(ctx, conn); err != nil {
		return false, err
	}
	c.live.Store(true)
	defer c.live.Store(false)
	c.wakeAll()
	for {
		if _, err := c.hear(ctx, conn, proofEvery, uuid.Nil); err != nil {
			return true, err
		}
		// A host that has gone sends nothing, not even that it has.
		if err := ping(ctx, conn); err != nil {
			return true, err
		}
	}
}

func (c *Changes) connect(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, c.pool.Config().ConnConfig)
	if err != nil {
		return nil, err
	}
	var channel string
	err = conn.QueryRow(ctx, "SELECT "+changesChannel).Scan(&channel)
	if err == nil {
		_, err = conn.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize())
	}
	if err != nil {
		closeSoon(conn)
		return nil, err
	}
	return conn, nil
}

// prove fails if conn does not hear what another connection tells. What itself
// told, it would hear through a pooler, too.
func (c *Changes) prove(ctx context.Context, conn *pgx.Conn) error {
	limited, cancel := context.WithTimeout(ctx, proofTime)
	defer cancel()
	if _, err := c.pool.Exec(limited, "SELECT pg_notify("+changesChannel+", $1)", c.self.String()); err != nil {
		return fmt.Errorf("prove that changes are heard of: %w", err)
	}
	came, err := c.hear(ctx, conn, proofTime, c.self)
	if err == nil && !came {
		return errDeaf
	}
	return err
}

// hear passes on what is told for a time, or until one was told.
func (c *Changes) hear(ctx context.Context, conn *pgx.Conn, d time.Duration, one uuid.UUID) (came bool, err error) {
	limited, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	for {
		told, err := conn.WaitForNotification(limited)
		if err != nil && limited.Err() != nil && !conn.IsClosed() {
			return false, ctx.Err()
		}
		if err != nil {
			return false, err
		}
		user, err := uuid.Parse(told.Payload)
		if err != nil {
			continue // whoever shares the database can tell things
		}
		if user == one {
			return true, nil
		}
		c.wake(user)
	}
}

func ping(ctx context.Context, conn *pgx.Conn) error {
	limited, cancel := context.WithTimeout(ctx, proofTime)
	defer cancel()
	return conn.Ping(limited)
}

// closeSoon takes leave of a database that may not be there any more.
func closeSoon(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx) // nobody needs it
}
