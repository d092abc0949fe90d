package link_test

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/seal"
	"github.com/google/uuid"
)

// member is a replica that tells of itself, and whose keyset a test replaces.
type member struct {
	*link.Service
	vault    *link.Vault
	heart    *link.Heartbeat
	deployed atomic.Pointer[seal.Keyring]
}

// member starts a replica with the world's keyset, and lets it beat once.
func (w *world) member(host string) *member {
	w.t.Helper()
	m, store := new(member), postgres.NewLinks(w.db.DB)
	var err error
	if m.vault, err = link.OpenVault(context.Background(), store, w.keys); err != nil {
		w.t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	m.Service = link.New(store, w.options(), link.DefaultBudget, m.vault, postgres.NewLimits(w.db.Gorm), log)
	w.t.Cleanup(m.Close)
	m.heart = link.NewHeartbeat(store, m.vault, host, "v1", func(context.Context) (*seal.Keyring, error) { return m.deployed.Load(), nil }, log)
	w.deploy(w.keys, m)
	return m
}

// deploy gives members another ring and lets each beat.
func (w *world) deploy(ring *seal.Keyring, members ...*member) {
	w.t.Helper()
	for _, m := range members {
		m.deployed.Store(ring)
		m.beat(w.t)
	}
}

func (m *member) beat(t testing.TB) {
	t.Helper()
	if err := m.heart.Beat(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// grown is the world's keyset with one key more, and without the former ones.
func (w *world) grown() (both, alone *seal.Keyring, added uint32) {
	w.t.Helper()
	json, added, err := seal.AddKey(w.keyset)
	if err != nil {
		w.t.Fatal(err)
	}
	less, err := seal.DeleteKey(json, w.keys.Primary(), added)
	if err != nil {
		w.t.Fatal(err)
	}
	return ringOf(w.t, json), ringOf(w.t, less), added
}

func ringOf(t testing.TB, json []byte) *seal.Keyring {
	t.Helper()
	ring, err := seal.Parse(json)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func (w *world) status() link.KeyStatus {
	w.t.Helper()
	s, err := link.ReadKeyStatus(context.Background(), postgres.NewLinks(w.db.DB))
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) promote(ring *seal.Keyring, key uint32) error {
	return link.Promote(context.Background(), postgres.NewLinks(w.db.DB), ring, key)
}

// rewrap makes one pass with a ring, as the command does.
func (w *world) rewrap(ring *seal.Keyring) link.Rewrapped {
	w.t.Helper()
	pass, err := w.rewrapUntil(context.Background(), ring, func(link.Rewrapped) {})
	if err != nil {
		w.t.Fatal(err)
	}
	return pass
}

func (w *world) rewrapUntil(ctx context.Context, ring *seal.Keyring, tell func(link.Rewrapped)) (link.Rewrapped, error) {
	w.t.Helper()
	store := postgres.NewLinks(w.db.DB)
	vault, err := link.OpenVault(context.Background(), store, ring)
	if err != nil {
		w.t.Fatal(err)
	}
	return vault.Rewrap(ctx, store, tell)
}

// wantUses compares what is sealed under all keys, in any order.
func (w *world) wantUses(want ...link.KeyUse) {
	w.t.Helper()
	got := w.status().Uses
	for _, uses := range [][]link.KeyUse{got, want} {
		slices.SortFunc(uses, func(a, b link.KeyUse) int { return cmp.Compare(a.In, b.In) })
	}
	if !slices.Equal(got, want) {
		w.t.Errorf("sealed are %v, want %v", got, want)
	}
}

// as makes w act for another user.
func (w *world) as(user uuid.UUID) *world {
	other := *w
	other.user = user
	return &other
}
