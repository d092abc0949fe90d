package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Note implements link.Store.
func (p *Links) Note(ctx context.Context, a link.Activity) error {
	return p.onRecord(ctx, func() error {
		_, err := p.pool.Exec(ctx, `
			INSERT INTO link_activity (user_id, token_id, request_id, what, flow, region, op, outcome, status, type, took)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			a.User, idOf(a.Token), a.RequestID, a.What, a.Flow, a.Region, a.Op, a.Outcome, a.Status, a.Type, a.Took)
		return err
	})
}

// noPartition is what PostgreSQL says to a row that no partition takes, among
// others: check_violation.
const noPartition = "23514"

// onRecord lets write add to link_activity, which is partitioned by day: whoever
// finds no partition for his line makes those of the next days, and drops the
// oldest.
func (p *Links) onRecord(ctx context.Context, write func() error) error {
	err := write()
	if answer, ok := errors.AsType[*pgconn.PgError](err); ok && answer.Code == noPartition {
		if _, err = p.pool.Exec(ctx, "SELECT turn_link_activity()"); err == nil {
			err = write()
		}
	}
	return linkError(ctx, err)
}

type consumerRow struct {
	Singleton   bool `gorm:"primaryKey"`
	ConsumerKey string
	Secret      []byte
	KeyID       int64
	FetchedAt   time.Time `gorm:"default:app_now()"`
	Now         time.Time `gorm:"->"`
}

func (consumerRow) TableName() string { return "oauth1_consumer" }

// Consumer implements link.Store.
func (p *Links) Consumer(ctx context.Context) (link.Consumer, error) {
	var row consumerRow
	err := p.db.WithContext(ctx).Select("consumer_key, secret, key_id, fetched_at, app_now() AS now").Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return link.Consumer{}, link.ErrNotFound
	}
	return link.Consumer{
		Key: row.ConsumerKey, Secret: sealed(row.Secret, row.KeyID), FetchedAt: row.FetchedAt, Now: row.Now,
	}, linkError(ctx, err)
}

// KeepConsumer implements link.Store.
func (p *Links) KeepConsumer(ctx context.Context, c link.Consumer) error {
	row := consumerRow{Singleton: true, ConsumerKey: c.Key, Secret: c.Secret.Ciphertext, KeyID: int64(c.Secret.KeyID)}
	return linkError(ctx, p.db.WithContext(ctx).Clauses(clause.OnConflict{
		Columns: []clause.Column{{Name: "singleton"}}, UpdateAll: true,
	}).Create(&row).Error)
}
