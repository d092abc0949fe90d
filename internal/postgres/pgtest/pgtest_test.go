package pgtest_test

import (
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

func now(t testing.TB, db *pgtest.DB) (at time.Time) {
	t.Helper()
	if err := db.Pool.QueryRow(t.Context(), "SELECT app_now()").Scan(&at); err != nil {
		t.Fatal(err)
	}
	return at
}

func TestAdvanceAddsUp(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	before := now(t, db)
	db.Advance(t, time.Hour)
	db.Advance(t, 1500*time.Millisecond)
	if moved := now(t, db).Sub(before); moved < time.Hour+1500*time.Millisecond || moved > time.Hour+time.Minute {
		t.Errorf("the clock moved by %v", moved)
	}
}

func TestDatabasesAreApart(t *testing.T) {
	t.Parallel()
	one, other := pgtest.New(t), pgtest.New(t)
	one.Advance(t, time.Hour)
	if ahead := now(t, one).Sub(now(t, other)); ahead < 59*time.Minute {
		t.Errorf("advancing one database moved another: they are %v apart", ahead)
	}
}

func TestGORMSharesThePoolAndTheSchema(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	var path string
	if err := db.Gorm.WithContext(t.Context()).Raw("SHOW search_path").Scan(&path).Error; err != nil {
		t.Fatal(err)
	}
	if path != `"`+pgtest.Schema+`"` {
		t.Errorf("search_path is %s", path)
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		pgtest.New(b)
	}
}
