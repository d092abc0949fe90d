package postgres_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/dev"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

// restless changes by what each odd link is sorted, to and fro: on every page
// some jump ahead, and some back.
const restless = `
	UPDATE garmin_authentication_states s
	SET updated_at = app_now() - random() * interval '300 days', garmin_name = md5(random()::text),
		last_validated = date_trunc('day', app_now()) - floor(random() * 40) * interval '1 day'
	FROM users u WHERE u.id = s.user_id AND u.external_id IS NOT NULL`

// What does not change is seen once, whatever others do between two pages.
func TestPagesNeitherSkipNorDoubleWhatStays(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	if err := dev.Seed(t.Context(), db.DB, 600); err != nil {
		t.Fatal(err)
	}
	// Many are validated at the same moment, and some never were.
	exec := func(sql string) {
		t.Helper()
		if _, err := db.Pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	exec("UPDATE garmin_authentication_states SET last_validated = date_trunc('day', last_validated)")
	exec("UPDATE garmin_authentication_states SET last_validated = NULL WHERE reason = 'grant_refused'")
	links := postgres.NewLinks(db.DB)
	for _, order := range link.Orders {
		for _, descending := range []bool{false, true} {
			f := link.Find{Order: order, Descending: descending, Most: 25}
			seen, pages := map[uuid.UUID]int{}, 0
			for ; pages < 200; pages++ {
				found, err := links.Search(t.Context(), f, time.Hour)
				if err != nil {
					t.Fatal(err)
				}
				for _, s := range found.Subjects {
					if s.ExternalID == "" {
						seen[s.User]++
					}
				}
				if len(found.Subjects) < f.Most {
					break
				}
				f.After = found.Subjects[f.Most-1].Spot(order)
				exec(restless)
			}
			if err := eachOnce(seen, 300); err != nil || pages < 10 {
				t.Errorf("by %s, descending %t, %d pages: %v", order, descending, pages, err)
			}
		}
	}
}

func eachOnce(seen map[uuid.UUID]int, all int) error {
	for user, times := range seen {
		if times != 1 {
			return fmt.Errorf("%s was seen %d times", user, times)
		}
	}
	if len(seen) != all {
		return fmt.Errorf("seen were %d of %d", len(seen), all)
	}
	return nil
}
