package dev_test

import (
	"errors"
	"testing"

	"github.com/garminlink/garminlink/internal/dev"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

func TestASeededDatabaseIsOneThatCouldBe(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	if err := dev.Seed(t.Context(), db.DB, 2000); err != nil {
		t.Fatal(err)
	}
	links := postgres.NewLinks(db.DB)
	if err := links.CountLinks(t.Context()); err != nil {
		t.Fatal(err)
	}
	days, err := links.Daily(t.Context(), 30)
	if err != nil {
		t.Fatal(err)
	}
	today := map[string]int{}
	for _, d := range days[len(days)-6:] {
		today[d.State] += d.Links
	}
	if len(days) != 180 || today["active"]+today["reauth_needed"] != 2000 || today["reauth_needed"] < 20 || today["reauth_needed"] > 120 {
		t.Errorf("%d counts; today there are %v", len(days), today)
	}
	if due, err := links.Due(t.Context(), 1); err != nil || len(due) != 0 {
		t.Errorf("due are %v, %v: no key opens their sessions", due, err)
	}
	found, err := links.Search(t.Context(), link.Find{Text: "ada", Order: link.ByName, Most: 10}, 0)
	if err != nil || len(found.Subjects) != 10 {
		t.Errorf("found are %d, %v", len(found.Subjects), err)
	}
	if err := dev.Seed(t.Context(), db.DB, 10); !errors.Is(err, dev.ErrInUse) {
		t.Errorf("a database in use is filled: %v", err)
	}
}
