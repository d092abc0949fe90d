package pgtest

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/garminlink/garminlink/internal/postgres"
)

// Statements are those that one pool has sent to its database, whose log this
// is.
type Statements struct {
	mu   sync.Mutex
	sent []string
}

// Counted opens a test's database once more, by a pool whose statements are
// collected.
func (db *DB) Counted(t testing.TB) (*DB, *Statements) {
	t.Helper()
	sent := new(Statements)
	counted, err := postgres.Open(t.Context(), db.URL, Schema, slog.New(sent))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := counted.Close(); err != nil {
			t.Error(err)
		}
	})
	return &DB{DB: counted, URL: db.URL}, sent
}

// Take returns the statements since it was called last, each on one line.
func (s *Statements) Take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	sent := s.sent
	s.sent = nil
	return sent
}

// Enabled implements slog.Handler.
func (s *Statements) Enabled(context.Context, slog.Level) bool { return true }

// WithAttrs implements slog.Handler.
func (s *Statements) WithAttrs([]slog.Attr) slog.Handler { return s }

// WithGroup implements slog.Handler.
func (s *Statements) WithGroup(string) slog.Handler { return s }

// Handle implements slog.Handler.
func (s *Statements) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "sql" {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.sent = append(s.sent, strings.Join(strings.Fields(a.Value.String()), " "))
		}
		return true
	})
	return nil
}
