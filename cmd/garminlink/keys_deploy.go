package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/seal"
)

func generateKeyset(ctx context.Context, p process) error {
	wrapping, err := load[Wrapping](p.environ)
	if err != nil {
		return err
	}
	wrapper, err := wrapping.wrapper()
	if err != nil {
		return err
	}
	json, err := seal.Generate()
	if err != nil {
		return err
	}
	return printKeyset(ctx, p.stdout, wrapper, json)
}

// printKeyset prints a keyset as it is to be deployed, and nothing else: it is
// redirected to a file.
func printKeyset(ctx context.Context, w io.Writer, wrapper seal.Wrapper, json []byte) error {
	text, err := wrapper.Wrap(ctx, json)
	if err != nil {
		return adviseOnKeyset(err)
	}
	_, err = fmt.Fprintln(w, text)
	return err
}

func (d *keyDesk) add(ctx context.Context) error {
	json, added, err := seal.AddKey(d.keys.json)
	if err != nil {
		return err
	}
	if err := printKeyset(ctx, d.stdout, d.keys, json); err != nil {
		return err
	}
	fmt.Fprintf(d.stderr, "Key %d is new in this keyset. Back the keyset up, deploy it to every replica, and then run\n"+
		"`garminlink keys promote %[1]d` with it.\n", added)
	return nil
}

func (d *keyDesk) promote(ctx context.Context, key uint32) error {
	err := link.Promote(ctx, d.store, d.keys.ring, key)
	if lacking, ok := errors.AsType[*link.KeyLacking](err); ok {
		return lackingAdvice(lacking)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(d.stdout, "Key %d seals; every replica does so within 15 seconds. What was sealed before stays as it is\n"+
		"until you run `garminlink keys rewrap`.\n", key)
	return err
}

func lackingAdvice(e *link.KeyLacking) error {
	if len(e.Replicas) == 0 {
		return fmt.Errorf("key %d is not among the enabled ones of this keyset: deploy what `garminlink keys add` printed, here too", e.Key)
	}
	return fmt.Errorf("key %d was not promoted, as replicas lack it: %s: deploy a keyset with it to them, and run this again. "+
		"A replica notices a new file within 15 seconds; one that has died is forgotten after 60", e.Key, names(e.Replicas))
}

func names(replicas []link.Replica) string {
	var list []string
	for _, r := range replicas {
		list = append(list, r.String())
	}
	return strings.Join(list, ", ")
}

func (d *keyDesk) retire(ctx context.Context, key uint32) error {
	return d.letGo(ctx, key, "disabled", seal.DisableKey)
}

func (d *keyDesk) delete(ctx context.Context, key uint32) error {
	return d.letGo(ctx, key, "gone", seal.DeleteKey)
}

// letGo prints the keyset in which a key is of no use any more, if it can go.
func (d *keyDesk) letGo(ctx context.Context, key uint32, how string, change func(json []byte, key, primary uint32) ([]byte, error)) error {
	if needed, ok := errors.AsType[*link.KeyNeeded](d.status.Spare(key)); ok {
		return neededAdvice(needed)
	}
	json, err := change(d.keys.json, key, d.status.Sealing)
	if errors.Is(err, seal.ErrKeyMissing) {
		return fmt.Errorf("key %d is not in this keyset: `garminlink keys status` shows those that are", key)
	}
	if err != nil {
		return err
	}
	if err := printKeyset(ctx, d.stdout, d.keys, json); err != nil {
		return err
	}
	fmt.Fprintf(d.stderr, "Key %d is %s in this keyset: deploy it to every replica. Keep a copy of the former\n"+
		"keyset for as long as you keep backups of the database from before the rewrap.\n", key, how)
	return nil
}

func neededAdvice(e *link.KeyNeeded) error {
	var faults []string
	if e.Seals {
		faults = append(faults, "it seals: `garminlink keys promote` another one first")
	}
	if len(e.Uses) > 0 {
		faults = append(faults, "rows need it ("+counts(e.Uses)+"): run `garminlink keys rewrap`")
	}
	if len(e.Sealers) > 0 && !e.Seals {
		faults = append(faults, "replicas still seal with it ("+names(e.Sealers)+"): wait 15 seconds")
	}
	return fmt.Errorf("key %d cannot go yet:\n  %s", e.Key, strings.Join(faults, "\n  "))
}
