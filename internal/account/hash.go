package account

import (
	"context"
	"encoding/base64"
	"fmt"
	"runtime/debug"
	"sync/atomic"

	"github.com/alexedwards/argon2id"
	"golang.org/x/sync/semaphore"
)

// Cost is what argon2id spends on one password.
type Cost struct {
	MemoryKiB uint32
	Passes    uint32
}

// RealCost is the one for real passwords: 64 MiB, two passes. Tests may pay
// less.
var RealCost = Cost{MemoryKiB: 64 * 1024, Passes: 2}

// hashesAtOnce bounds the memory that a crowd at the door can take: to 128 MiB
// at the real cost. The next hundred wait; the others are turned away.
const (
	hashesAtOnce = 2
	mostWaiting  = 100
)

const (
	saltLength = 16
	keyLength  = 32
)

// hasher makes and checks argon2id hashes, a few at a time.
type hasher struct {
	params argon2id.Params
	slots  *semaphore.Weighted
	crowd  atomic.Int32 // who has a slot, or waits for one
	nobody string       // a hash that no password has, and that costs as much to check
}

func newHasher(c Cost) *hasher {
	zeros := func(n int) string { return base64.RawStdEncoding.EncodeToString(make([]byte, n)) }
	return &hasher{
		params: argon2id.Params{
			Memory: c.MemoryKiB, Iterations: c.Passes, Parallelism: 1,
			SaltLength: saltLength, KeyLength: keyLength,
		},
		slots:  semaphore.NewWeighted(hashesAtOnce),
		nobody: fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=1$%s$%s", c.MemoryKiB, c.Passes, zeros(saltLength), zeros(keyLength)),
	}
}

// enter waits for a slot. leave gives it back.
func (h *hasher) enter(ctx context.Context) (leave func(), err error) {
	if h.crowd.Add(1) > hashesAtOnce+mostWaiting {
		h.crowd.Add(-1)
		return nil, ErrBusy
	}
	if err := h.slots.Acquire(ctx, 1); err != nil {
		h.crowd.Add(-1)
		return nil, err
	}
	return func() {
		// The blocks of past hashes would stay with the process for minutes,
		// and add up to many times what is in use.
		debug.FreeOSMemory()
		h.slots.Release(1)
		h.crowd.Add(-1)
	}, nil
}

func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	leave, err := h.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	return argon2id.CreateHash(password, &h.params)
}

// check reports whether the password has the hash, and whether the hash was
// made at another cost than today's.
func (h *hasher) check(ctx context.Context, password, hash string) (match, outdated bool, err error) {
	leave, err := h.enter(ctx)
	if err != nil {
		return false, false, err
	}
	defer leave()
	match, params, err := argon2id.CheckHash(password, hash)
	if err != nil {
		return false, false, fmt.Errorf("account: a stored password hash: %w", err)
	}
	return match, *params != h.params, nil
}
