package postgres_test

import (
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

func TestBacklogCountsWhatIsDue(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	links := postgres.NewLinks(db.DB)
	if due, overdue, err := links.Backlog(t.Context()); err != nil || due != 0 || overdue != 0 {
		t.Errorf("Backlog() = %d, %s, %v", due, overdue, err)
	}
	insert(t, db, addUser(t, db), liveLink)
	if _, err := db.Pool.Exec(t.Context(), "UPDATE garmin_authentication_states SET next_check_at = app_now()"); err != nil {
		t.Fatal(err)
	}
	db.Advance(t, time.Hour)
	due, overdue, err := links.Backlog(t.Context())
	if err != nil || due != 1 || overdue < time.Hour || overdue > time.Hour+time.Minute {
		t.Errorf("Backlog() = %d, %s, %v", due, overdue, err)
	}
}

func TestVerdictsAreSummedUp(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	links := postgres.NewLinks(db.DB)
	for range 2 {
		if _, _, err := links.CountDead(t.Context(), time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []int{2, 0} {
		if alive, dead, err := links.Verdicts(t.Context(), 10*time.Minute); err != nil || alive != 0 || dead != want {
			t.Errorf("Verdicts() = %d, %d, %v; want %d dead", alive, dead, err, want)
		}
		db.Advance(t, time.Hour)
	}
}

func TestCoolDownsAreListedByPrefix(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	limits := postgres.NewLimits(db.Gorm)
	for key, d := range map[string]time.Duration{"garmin/a": time.Hour, "garmin/b": time.Minute, "garmin_x": time.Hour} {
		if err := limits.Cool(t.Context(), key, d); err != nil {
			t.Fatal(err)
		}
	}
	db.Advance(t, 30*time.Minute)
	got, err := postgres.NewLinks(db.DB).CoolDowns(t.Context(), "garmin/")
	if err != nil || len(got) != 1 || got[0].Key != "garmin/a" || got[0].Left > 30*time.Minute || got[0].Left < 29*time.Minute {
		t.Errorf("CoolDowns() = %v, %v", got, err)
	}
}
