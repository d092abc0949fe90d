package postgres_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

const life = time.Minute

func newInstallation(t *testing.T) (*pgtest.DB, *postgres.Links) {
	t.Helper()
	db := pgtest.New(t)
	links := postgres.NewLinks(db.DB)
	err := links.Install(t.Context(), link.Installation{
		ID: uuid.New(), SealingKey: 1, MACKey: link.Sealed{KeyID: 1, Ciphertext: []byte("mac")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return db, links
}

// Either the promotion sees the replica that lacks the key, or the replica sees
// the promotion, however close they are.
func TestPromoteAndBeatNeverMissEachOther(t *testing.T) {
	t.Parallel()
	db, links := newInstallation(t)
	for round := range 40 {
		key := uint32(round + 2)
		late := link.Replica{ID: uuid.New(), Host: "late", Keys: []uint32{1}, SealingKey: 1}
		beat := make(chan uint32)
		go func() {
			sealing, err := links.Beat(t.Context(), late, life)
			if err != nil {
				t.Error(err)
			}
			beat <- sealing
		}()
		lacking, err := links.Promote(t.Context(), key, life)
		if err != nil {
			t.Fatal(err)
		}
		if sealing := <-beat; (sealing == key) == (len(lacking) > 0) {
			t.Fatalf("round %d: the replica was told %d, the promotion saw %v", round, sealing, lacking)
		}
		if _, err := db.Pool.Exec(t.Context(), "DELETE FROM replicas"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReplicaIsKeptAsItTold(t *testing.T) {
	t.Parallel()
	_, links := newInstallation(t)
	told := link.Replica{ID: uuid.New(), Host: "web-1", Version: "v1", Keys: []uint32{1, 4294967295}, SealingKey: 4294967295}
	for _, keys := range [][]uint32{told.Keys, {}, {7}} {
		told.Keys = keys
		if _, err := links.Beat(t.Context(), told, life); err != nil {
			t.Fatal(err)
		}
		all, err := links.Replicas(t.Context(), life)
		if err != nil || len(all) != 1 {
			t.Fatalf("replicas are %v, %v", all, err)
		}
		got := all[0]
		if !slices.Equal(got.Keys, keys) || got.ID != told.ID || got.Host != told.Host || got.Version != told.Version || got.SealingKey != told.SealingKey {
			t.Errorf("kept is %+v, told was %+v", got, told)
		}
	}
	if err := links.Leave(t.Context(), told.ID); err != nil {
		t.Fatal(err)
	}
	if all, _ := links.Replicas(t.Context(), life); len(all) != 0 {
		t.Errorf("left are %v", all)
	}
}

// Two rewraps at once, or a rewrap and anything else.
func TestResealReplacesOnlyWhatWasRead(t *testing.T) {
	t.Parallel()
	_, links := newInstallation(t)
	read, err := links.Held(t.Context(), link.HeldMACKey, 1, uuid.Nil, 10)
	if err != nil || len(read) != 1 || string(read[0].Ciphertext) != "mac" {
		t.Fatalf("held are %v, %v", read, err)
	}
	for i, want := range []bool{true, false} {
		fresh := link.Sealed{KeyID: 2, Ciphertext: fmt.Appendf(nil, "fresh %d", i)}
		if done, err := links.Reseal(t.Context(), read[0], fresh); err != nil || done != want {
			t.Errorf("Reseal %d = %v, %v", i, done, err)
		}
	}
	i, err := links.Installation(t.Context())
	if err != nil || i.MACKey.KeyID != 2 || string(i.MACKey.Ciphertext) != "fresh 0" {
		t.Errorf("kept is %v, %v", i, err)
	}
}
