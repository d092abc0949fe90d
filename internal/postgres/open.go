// Package postgres keeps what others decide: it implements their stores with
// GORM, on one pool. It owns tables and statements, and handles sealed bytes
// only: it has no key, and cannot decrypt.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	gormpostgres "gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// DB is one pool of connections and the views of it that libraries ask for.
// All of them share the pool's limit.
type DB struct {
	Pool *pgxpool.Pool
	SQL  *sql.DB  // for scs and goose
	Gorm *gorm.DB // for the stores
}

// Open connects to the database at url, with schema as the whole search_path
// of every connection, and fails when no connection can be made. Its log gets
// statements without their values.
func Open(ctx context.Context, url, schema string, log *slog.Logger) (*DB, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err // pgx leaves the password out
	}
	params := config.ConnConfig.RuntimeParams
	params["search_path"] = pgx.Identifier{schema}.Sanitize()
	// The stores lock a row and then read: a snapshot older than the lock,
	// which a shared database may have as its default, would defeat that.
	params["default_transaction_isolation"] = "read committed"
	if params["application_name"] == "" {
		params["application_name"] = "garminlink"
	}
	config.ConnConfig.Tracer = statementLog{log}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	db := &DB{Pool: pool, SQL: stdlib.OpenDBFromPool(pool)}
	if err := pool.Ping(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("connect to the database: %w", err), db.Close())
	}
	db.Gorm, err = gorm.Open(gormpostgres.New(gormpostgres.Config{Conn: db.SQL}), &gorm.Config{
		SkipDefaultTransaction: true, // a transaction is opened where one is meant
		TranslateError:         true,
		DisableAutomaticPing:   true,
		QueryFields:            true,           // a prepared SELECT * fails once the next release has added a column
		Logger:                 logger.Discard, // see statementLog
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// Close waits until every connection has been given back and closes it.
func (db *DB) Close() error {
	err := db.SQL.Close()
	db.Pool.Close()
	return err
}
