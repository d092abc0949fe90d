package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/garminlink/garminlink/internal/link"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Note implements link.Store. The record is partitioned by day: whoever finds
// no partition for his line makes those of the next days, and drops the oldest.
func (p *Links) Note(ctx context.Context, a link.Activity) error {
	insert := func() error {
		return p.db.WithContext(ctx).Exec(`
			INSERT INTO link_activity (user_id, request_id, what, flow, region, op, outcome, status, type, took)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, make_interval(secs => ?))`,
			a.User, a.RequestID, a.What, a.Flow, a.Region, a.Op, a.Outcome, a.Status, a.Type, a.Took.Seconds()).Error
	}
	err := insert()
	if errors.Is(err, gorm.ErrCheckConstraintViolated) {
		if err = p.db.WithContext(ctx).Exec("SELECT turn_link_activity()").Error; err == nil {
			err = insert()
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
	err := p.db.WithContext(ctx).Select("*, app_now() AS now").Take(&row).Error
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
