package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/seal"
)

// showStatus prints a table of keys and one of replicas.
func (d *keyDesk) showStatus(context.Context) error {
	s, ring := d.status, d.keys.ring
	table := tabwriter.NewWriter(d.stdout, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "KEY\tTHIS KEYSET\tSEALS\tNEEDED BY\tLACKED BY")
	for _, key := range knownKeys(s, ring) {
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\n", key, standing(ring, key), yes(key == s.Sealing),
			dash(counts(s.UsesOf(key))), dash(names(s.Lackers(key))))
	}
	fmt.Fprintln(table)
	fmt.Fprintln(table, "REPLICA\tID\tVERSION\tSEALS WITH\tSEEN")
	for _, r := range s.Replicas {
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\n", r.Host, r.ID, r.Version, r.SealingKey, r.SeenAt.UTC().Format("2006-01-02 15:04:05Z"))
	}
	return table.Flush()
}

// knownKeys are all that somebody has or needs.
func knownKeys(s link.KeyStatus, ring *seal.Keyring) []uint32 {
	known := map[uint32]bool{s.Sealing: true}
	for _, k := range ring.Keys() {
		known[k.ID] = true
	}
	for _, u := range s.Uses {
		known[u.Key] = true
	}
	for _, r := range s.Replicas {
		for _, key := range r.Keys {
			known[key] = true
		}
	}
	return slices.Sorted(maps.Keys(known))
}

func standing(ring *seal.Keyring, key uint32) string {
	switch {
	case ring.Has(key):
		return "enabled"
	case slices.Contains(ring.Keys(), seal.Key{ID: key}):
		return "disabled"
	default:
		return "missing"
	}
}

func counts(uses []link.KeyUse) string {
	var list []string
	for _, u := range uses {
		list = append(list, fmt.Sprintf("%s: %d", u.In, u.Rows))
	}
	return strings.Join(list, ", ")
}

func yes(is bool) string {
	if is {
		return "now"
	}
	return "-"
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
