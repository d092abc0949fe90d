package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/garminlink/garminlink/internal/account"
)

// SetNoMail implements account.Store.
func (a *Accounts) SetNoMail(ctx context.Context, user uuid.UUID, no bool) error {
	return a.changeUser(ctx, "UPDATE users SET no_mail = ?, updated_at = app_now() WHERE id = ?", no, user)
}

// SetLanguage implements account.Store.
func (a *Accounts) SetLanguage(ctx context.Context, user uuid.UUID, tag string) error {
	return a.changeUser(ctx, "UPDATE users SET language = ?, updated_at = app_now() WHERE id = ?", tag, user)
}

// changeUser runs a statement on one user.
func (a *Accounts) changeUser(ctx context.Context, statement string, args ...any) error {
	changed := a.db.WithContext(ctx).Exec(statement, args...)
	if changed.Error == nil && changed.RowsAffected == 0 {
		return account.ErrNotFound
	}
	return orDown(ctx, changed.Error)
}

type signInRow struct {
	ID         uuid.UUID
	CreatedAt  time.Time
	LastSeenAt time.Time
}

// SignIns implements account.Store.
func (a *Accounts) SignIns(ctx context.Context, user uuid.UUID, idle time.Duration) ([]account.SignIn, error) {
	var rows []signInRow
	err := a.db.WithContext(ctx).Raw(`
		SELECT id, created_at, last_seen_at FROM sign_ins
		WHERE user_id = ? AND ended_at IS NULL AND expires_at > app_now()
			AND last_seen_at > app_now() - make_interval(secs => ?)
		ORDER BY last_seen_at DESC, id DESC`, user, idle.Seconds()).Scan(&rows).Error
	signIns := make([]account.SignIn, len(rows))
	for i, r := range rows {
		signIns[i] = account.SignIn{ID: r.ID, CreatedAt: r.CreatedAt, SeenAt: r.LastSeenAt}
	}
	return signIns, orDown(ctx, err)
}

// EndOtherSignIns implements account.Store.
func (a *Accounts) EndOtherSignIns(ctx context.Context, user, but uuid.UUID) (ended int, err error) {
	err = a.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := tx.Exec("SELECT FROM users WHERE id = ? FOR NO KEY UPDATE", user).Error; err != nil {
			return err
		}
		done := endOthers(tx, user, but)
		ended = int(done.RowsAffected)
		return done.Error
	})
	return ended, orDown(ctx, err)
}

// ChangeHash implements account.Store. Of two changes at once, the second finds
// another hash once the first has committed.
func (a *Accounts) ChangeHash(ctx context.Context, user uuid.UUID, old, hash string, but uuid.UUID) error {
	return orDown(ctx, a.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		changed := tx.Exec("UPDATE users SET password_hash = ?, updated_at = app_now() WHERE id = ? AND password_hash = ?", hash, user, old)
		if changed.Error == nil && changed.RowsAffected == 0 {
			return account.ErrNotFound
		}
		if changed.Error != nil {
			return changed.Error
		}
		return endOthers(tx, user, but).Error
	}))
}

// endOthers wants the lock of the user's row to be held by a statement before
// it: a sign-in that is being made has waited for that, or is seen.
func endOthers(db *gorm.DB, user, but uuid.UUID) *gorm.DB {
	return db.Exec("UPDATE sign_ins SET ended_at = app_now() WHERE user_id = ? AND id <> ? AND ended_at IS NULL", user, but)
}
