package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

// A replica that freezes between its last statement and the commit holds the
// lock that all who write events wait for.
func TestWriterOfEventsThatFallsSilentHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	user := uuid.Must(uuid.NewV7())
	if _, err := db.Pool.Exec(t.Context(), "INSERT INTO users (id, external_id, role) VALUES ($1, 'u', 'user')", user); err != nil {
		t.Fatal(err)
	}
	write := func(tx *gorm.DB) error {
		return postgres.WriteEntries(tx, link.Act{User: user, By: link.ByUser, RequestID: "req"},
			link.Record{Now: time.Now(), Entries: []link.Entry{{Event: link.LoginDone}}})
	}
	frozen := db.Gorm.WithContext(context.Background()).Begin()
	defer frozen.Rollback()
	if err := write(frozen); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := db.Gorm.WithContext(ctx).Transaction(write); err != nil {
		t.Errorf("another could not write: %v", err)
	}
}
