package account

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/alexedwards/argon2id"
)

var cheap = Cost{MemoryKiB: 64, Passes: 1}

func TestRealCost(t *testing.T) {
	t.Parallel()
	h := newHasher(RealCost)
	hash, err := h.hash(t.Context(), "correct horse battery")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=65536,t=2,p=1$") {
		t.Errorf("the hash is %s", hash)
	}
	match, outdated, err := h.check(t.Context(), "correct horse battery", hash)
	if !match || outdated || err != nil {
		t.Errorf("check = %v, %v, %v", match, outdated, err)
	}
}

// The hash of nobody must be checked with the same work as anyone's: as many
// bytes, passes and lanes.
func TestNobodyCostsAsMuchAsSomebody(t *testing.T) {
	t.Parallel()
	for _, cost := range []Cost{RealCost, cheap} {
		h := newHasher(cost)
		params, _, _, err := argon2id.DecodeHash(h.nobody)
		if err != nil {
			t.Fatal(err)
		}
		if *params != h.params {
			t.Errorf("nobody's parameters are %+v, a user's %+v", *params, h.params)
		}
	}
	if match, _, err := newHasher(cheap).check(t.Context(), "", newHasher(cheap).nobody); match || err != nil {
		t.Errorf("nobody's password is found: %v, %v", match, err)
	}
}

func TestTooLargeACrowdIsTurnedAway(t *testing.T) {
	t.Parallel()
	h := newHasher(cheap)
	h.crowd.Store(hashesAtOnce + mostWaiting)
	if _, err := h.hash(t.Context(), "correct horse battery"); !errors.Is(err, ErrBusy) {
		t.Errorf("hash in a crowd: %v", err)
	}
	h.crowd.Add(-1)
	if _, err := h.hash(t.Context(), "correct horse battery"); err != nil {
		t.Error(err)
	}
	if n := h.crowd.Load(); n != hashesAtOnce+mostWaiting-1 {
		t.Errorf("%d are counted after all have left", n)
	}
}

func TestACrowdWaitsAndMayLeave(t *testing.T) {
	t.Parallel()
	h := newHasher(cheap)
	if !h.slots.TryAcquire(hashesAtOnce) {
		t.Fatal("a new hasher is busy")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.hash(ctx, "correct horse battery"); !errors.Is(err, context.Canceled) {
		t.Errorf("hash of one who left: %v", err)
	}
	if _, _, err := h.check(ctx, "correct horse battery", h.nobody); !errors.Is(err, context.Canceled) {
		t.Errorf("check of one who left: %v", err)
	}
	h.slots.Release(hashesAtOnce)
	if _, err := h.hash(t.Context(), "correct horse battery"); err != nil {
		t.Errorf("after the crowd: %v", err)
	}
}
