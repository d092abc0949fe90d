package limit

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// blocksInBurst is into how many blocks a burst is cut. So a key costs at most
// that many takes within each Per in the long run, however often it is taken
// from, and a replica that holds a block keeps a hundredth of the burst from
// the others.
const blocksInBurst = 100

// Blocks takes from shared rates a block at a time and hands it out one by one,
// so that what a program asks for a thousand times a second is no row that
// everybody waits for. A rate of less than twice blocksInBurst is taken from
// singly, and a block lives for Per: what is not taken until then is lost.
//
// Over all replicas together no more passes in any time than the rate allows in
// it and the block that each replica may have held before; and no more than a
// block for each replica and Per is lost to nobody's use.
type Blocks struct {
	shared Rates
	mu     sync.Mutex
	leases *simplelru.LRU[string, *lease]
}

// NewBlocks returns a replica's share of rates.
func NewBlocks(shared Rates) *Blocks {
	return &Blocks{shared: shared, leases: newLRU[*lease]()}
}

// lease is what this replica holds of one key.
type lease struct {
	turn    chan struct{} // full while somebody takes
	left    int
	until   time.Time // when what is left is lost
	refused time.Time // until when there is no block to be had
}

// Take implements Rates. A refusal is remembered for as long as it said, so
// that those who do not wait cost nothing either. Takers of one key wait for
// the one who gets the next block, and for nobody else.
func (b *Blocks) Take(ctx context.Context, key string, r Rate) (time.Duration, error) {
	l := b.lease(key)
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	defer func() { <-l.turn }()
	now := time.Now()
	if l.left > 0 && now.Before(l.until) {
		l.left--
		return 0, nil
	}
	if wait := l.refused.Sub(now); wait > 0 {
		return wait, nil
	}
	size, blocks := r.inBlocks()
	wait, err := b.shared.Take(ctx, key, blocks)
	if err != nil {
		return 0, err
	}
	if wait > 0 {
		l.refused = time.Now().Add(wait)
		return wait, nil
	}
	l.left, l.until = size-1, now.Add(r.Per)
	return 0, nil
}

func (b *Blocks) lease(key string) *lease {
	b.mu.Lock()
	defer b.mu.Unlock()
	l, ok := b.leases.Get(key)
	if !ok {
		l = &lease{turn: make(chan struct{}, 1)}
		b.leases.Add(key, l)
	}
	return l
}

// inBlocks returns the size of a block, and the rate of blocks: the same in the
// long run, and a burst that is less by what fills no block.
func (r Rate) inBlocks() (size int, blocks Rate) {
	size = max(1, r.Burst/blocksInBurst)
	burst := r.Burst / size
	return size, Rate{Burst: burst, Per: r.Interval() * time.Duration(burst*size)}
}
