package postgres

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/garminlink/garminlink/internal/account"
)

// HasUsers implements account.Store.
func (a *Accounts) HasUsers(ctx context.Context) (has bool, err error) {
	err = a.db.WithContext(ctx).Raw("SELECT EXISTS (SELECT FROM users)").Scan(&has).Error
	return has, orDown(ctx, err)
}

// SetUpOpen implements account.Store.
func (a *Accounts) SetUpOpen(ctx context.Context) (open bool, err error) {
	err = a.db.WithContext(ctx).Raw("SELECT closed_at IS NULL FROM set_up").Scan(&open).Error
	return open, orDown(ctx, err)
}

// KeepSetUpToken implements account.Store.
func (a *Accounts) KeepSetUpToken(ctx context.Context, hash []byte, life time.Duration) error {
	kept := a.db.WithContext(ctx).Exec(`
		UPDATE set_up SET token_hash = ?, expires_at = app_now() + make_interval(secs => ?)
		WHERE closed_at IS NULL`, hash, life.Seconds())
	if kept.Error == nil && kept.RowsAffected == 0 {
		return account.ErrSetUpDone
	}
	return orDown(ctx, kept.Error)
}

// CheckSetUpToken implements account.Store.
func (a *Accounts) CheckSetUpToken(ctx context.Context, hash []byte) error {
	return orDown(ctx, checkSetUp(a.db.WithContext(ctx), hash, ""))
}

// SetUp implements account.Store. Who has looked at the row holds it, so that
// the next sees what the trigger of users has made of it.
func (a *Accounts) SetUp(ctx context.Context, token []byte, admin account.User, passwordHash string) error {
	return accountError(ctx, a.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := checkSetUp(tx, token, "FOR UPDATE"); err != nil {
			return err
		}
		return tx.Create(newUserRow(admin, passwordHash)).Error
	}))
}

func checkSetUp(db *gorm.DB, hash []byte, lock string) error {
	var row struct{ Closed, Opens bool }
	err := db.Raw(`
		SELECT closed_at IS NOT NULL AS closed,
			coalesce(token_hash = ? AND expires_at > app_now(), false) AS opens
		FROM set_up `+lock, hash).Take(&row).Error
	switch {
	case err != nil:
		return err
	case row.Closed:
		return account.ErrSetUpDone
	case !row.Opens:
		return account.ErrSetUpToken
	default:
		return nil
	}
}
