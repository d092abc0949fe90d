package postgres

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/google/uuid"
	"gorm.io/gorm"
)

type replicaRow struct {
	ID           uuid.UUID
	Host         string
	Version      string
	KeyIDs       keyIDs
	SealingKeyID int64
	StartedAt    time.Time
	SeenAt       time.Time
}

func (r replicaRow) replica() link.Replica {
	return link.Replica{
		ID: r.ID, Host: r.Host, Version: r.Version, Keys: r.KeyIDs, SealingKey: uint32(r.SealingKeyID),
		StartedAt: r.StartedAt, SeenAt: r.SeenAt,
	}
}

// keyIDs is a bigint[] as text: database/sql knows no arrays.
type keyIDs []uint32

func (k keyIDs) Value() (driver.Value, error) {
	list, err := json.Marshal([]uint32(k))
	return "{" + strings.Trim(string(list), "[]") + "}", err
}

func (k *keyIDs) Scan(value any) error {
	text, ok := value.(string)
	if !ok {
		return fmt.Errorf("a bigint[] came as %T", value)
	}
	return json.Unmarshal([]byte("["+strings.Trim(text, "{}")+"]"), k)
}

// Beat implements link.Store. Beats share the lock of the installation's row,
// and a Promote has it for itself: so either it sees the replica, or the
// replica sees the promoted key.
func (p *Links) Beat(ctx context.Context, r link.Replica, life time.Duration) (sealing uint32, err error) {
	err = p.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := tx.Raw("SELECT sealing_key_id FROM installation FOR SHARE").Scan(&sealing).Error; err != nil {
			return err
		}
		seen := tx.Exec(`
			INSERT INTO replicas (id, host, version, key_ids, sealing_key_id) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE
			SET key_ids = excluded.key_ids, sealing_key_id = excluded.sealing_key_id, seen_at = app_now()`,
			r.ID, r.Host, r.Version, keyIDs(r.Keys), int64(r.SealingKey))
		if seen.Error != nil {
			return seen.Error
		}
		return tx.Exec(`
			DELETE FROM replicas WHERE id IN (
				SELECT id FROM replicas WHERE seen_at < app_now() - make_interval(secs => ?) FOR UPDATE SKIP LOCKED)`,
			life.Seconds()).Error
	})
	return sealing, linkError(ctx, err)
}

// Leave implements link.Store.
func (p *Links) Leave(ctx context.Context, replica uuid.UUID) error {
	return linkError(ctx, p.db.WithContext(ctx).Exec("DELETE FROM replicas WHERE id = ?", replica).Error)
}

const aliveQuery = `
	SELECT id, host, version, key_ids, sealing_key_id, started_at, seen_at
	FROM replicas WHERE seen_at >= app_now() - make_interval(secs => ?)`

// Replicas implements link.Store.
func (p *Links) Replicas(ctx context.Context, life time.Duration) ([]link.Replica, error) {
	all, err := readReplicas(p.db.WithContext(ctx).Raw(aliveQuery+" ORDER BY started_at, id", life.Seconds()))
	return all, linkError(ctx, err)
}

// Promote implements link.Store.
func (p *Links) Promote(ctx context.Context, key uint32, life time.Duration) (lacking []link.Replica, err error) {
	err = p.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := tx.Exec("SELECT FROM installation FOR UPDATE").Error; err != nil {
			return err
		}
		lacking, err = readReplicas(tx.Raw(aliveQuery+" AND CAST(? AS bigint) <> ALL (key_ids) ORDER BY started_at, id",
			life.Seconds(), int64(key)))
		if err != nil || len(lacking) > 0 {
			return err
		}
		return tx.Exec("UPDATE installation SET sealing_key_id = ?", int64(key)).Error
	})
	return lacking, linkError(ctx, err)
}

func readReplicas(query *gorm.DB) ([]link.Replica, error) {
	var rows []replicaRow
	err := query.Scan(&rows).Error
	all := make([]link.Replica, len(rows))
	for i, r := range rows {
		all[i] = r.replica()
	}
	return all, err
}
