package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// BeginLogin implements link.Store. It also removes what is older than two
// days, so that the table needs no other care.
func (p *Links) BeginLogin(ctx context.Context, act link.Act, l link.Login, lost time.Duration, admit func(*link.Record, []link.Login) error) error {
	err := p.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := lockUser(tx, act.User); err != nil {
			return err
		}
		r, err := readRecord(tx, recordQuery, act.User)
		if err != nil {
			return err
		}
		recent, err := tidyLogins(tx, act.User, r.Now, lost)
		if err != nil {
			return err
		}
		if err := admit(&r, recent); err != nil {
			return err
		}
		row := loginOf(act.User, l, r.Now)
		return tx.Create(&row).Error
	})
	return linkError(ctx, err)
}

func tidyLogins(tx *gorm.DB, user uuid.UUID, now time.Time, lost time.Duration) ([]link.Login, error) {
	for _, tidy := range []*gorm.DB{
		tx.Where("user_id = ? AND started_at < ?", user, now.Add(-48*time.Hour)).Delete(&loginRow{}),
		tx.Model(&loginRow{}).
			Where("user_id = ? AND ended_at IS NULL AND started_at < ?", user, now.Add(-lost)).
			Updates(map[string]any{"ended_at": now, "outcome": link.OutcomeLost}),
	} {
		if tidy.Error != nil {
			return nil, tidy.Error
		}
	}
	var rows []loginRow
	err := tx.Where("user_id = ? AND started_at > ?", user, now.Add(-24*time.Hour)).Order("started_at").Find(&rows).Error
	recent := make([]link.Login, len(rows))
	for i := range rows {
		recent[i] = rows[i].login()
	}
	return recent, err
}

// Login implements link.Store.
func (p *Links) Login(ctx context.Context, id uuid.UUID) (link.Login, error) {
	var row loginRow
	err := p.db.WithContext(ctx).Where("id = ?", id).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return link.Login{}, link.ErrNotFound
	}
	return row.login(), linkError(ctx, err)
}

// GarminUser implements link.Store.
func (p *Links) GarminUser(ctx context.Context, guid string) (uuid.UUID, error) {
	var row stateRow
	err := p.db.WithContext(ctx).Select("user_id").Where("garmin_guid = ?", guid).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return uuid.Nil, link.ErrNotFound
	}
	return row.UserID, linkError(ctx, err)
}

// PauseLogin implements link.Store.
func (p *Links) PauseLogin(ctx context.Context, id uuid.UUID, d time.Duration) error {
	return linkError(ctx, p.db.WithContext(ctx).Exec(
		"UPDATE garmin_login_attempts SET paused_until = app_now() + make_interval(secs => ?) WHERE id = ? AND ended_at IS NULL",
		d.Seconds(), id).Error)
}

type installationRow struct {
	Singleton    bool `gorm:"primaryKey"`
	ID           uuid.UUID
	SealingKeyID int64
	MACKey       []byte `gorm:"column:mac_key"`
	MACKeyID     int64  `gorm:"column:mac_key_id"`
}

func (installationRow) TableName() string { return "installation" }

// Installation implements link.Store.
func (p *Links) Installation(ctx context.Context) (link.Installation, error) {
	var row installationRow
	err := p.db.WithContext(ctx).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return link.Installation{}, link.ErrNotFound
	}
	return link.Installation{
		ID: row.ID, SealingKey: uint32(row.SealingKeyID), MACKey: sealed(row.MACKey, row.MACKeyID),
	}, linkError(ctx, err)
}

// Install implements link.Store.
func (p *Links) Install(ctx context.Context, i link.Installation) error {
	row := installationRow{
		Singleton: true, ID: i.ID, SealingKeyID: int64(i.SealingKey),
		MACKey: i.MACKey.Ciphertext, MACKeyID: int64(i.MACKey.KeyID),
	}
	return linkError(ctx, p.db.WithContext(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&row).Error)
}
