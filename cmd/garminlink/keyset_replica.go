package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/seal"
)

// join makes this process one of the replicas: it opens the vault and tells the
// others of its keys, until leave is called. That must be after everything that
// seals has ended. It refuses a keyset that does not fit the database.
func join(ctx context.Context, db *postgres.DB, keys *keysetSource, log *slog.Logger) (_ *link.Vault, leave func(), err error) {
	store := postgres.NewLinks(db)
	vault, err := openVault(ctx, store, keys.ring)
	if err != nil {
		return nil, nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, nil, err
	}
	heart := link.NewHeartbeat(store, vault, host, version(), keys.load, log)
	if err := heart.Beat(ctx); err != nil {
		return nil, nil, adviseOnVault(err) // another key was promoted just now
	}
	if err := warnOfUnopenable(ctx, store, keys.ring, log); err != nil {
		return nil, nil, err
	}
	beating, end := context.WithCancel(context.WithoutCancel(ctx))
	var beats sync.WaitGroup
	beats.Go(func() { heart.Run(beating) })
	return vault, func() { end(); beats.Wait() }, nil
}

func openVault(ctx context.Context, store link.Store, ring *seal.Keyring) (*link.Vault, error) {
	vault, err := link.OpenVault(ctx, store, ring)
	return vault, adviseOnVault(err)
}

func adviseOnVault(err error) error {
	if errors.Is(err, link.ErrWrongKeyset) {
		return refuse("%w: give the keyset that this database was first started with, or the newest that `garminlink keys` made of it (GARMINLINK_KEYSET), or another database", err)
	}
	return err
}

// warnOfUnopenable tells of values whose key is not there. They wait for it,
// and do no harm to others.
func warnOfUnopenable(ctx context.Context, store link.Store, ring *seal.Keyring, log *slog.Logger) error {
	status, err := link.ReadKeyStatus(ctx, store)
	if err != nil {
		return err
	}
	for _, u := range status.Unopenable(ring) {
		log.WarnContext(ctx, "the keyset lacks a key that is needed: its users cannot be served until it is back",
			"key", u.Key, "rows", u.Rows, "in", string(u.In))
	}
	return nil
}
