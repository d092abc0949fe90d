package postgres

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"github.com/garminlink/garminlink/internal/account"
)

// Staff implements account.Store.
func (a *Accounts) Staff(ctx context.Context) ([]account.User, error) {
	var rows []userRow
	err := a.db.WithContext(ctx).Where("role <> 'user'").Order("role, email").Find(&rows).Error
	users := make([]account.User, len(rows))
	for i := range rows {
		users[i] = rows[i].user()
	}
	return users, orDown(ctx, err)
}

// SetRole implements account.Store. Changes of roles wait for each other, so that
// two admins cannot end one another.
func (a *Accounts) SetRole(ctx context.Context, email string, r account.Role) (u account.User, err error) {
	err = a.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := tx.Exec("SELECT pg_advisory_xact_lock('users'::regclass::oid::bigint)").Error; err != nil {
			return err
		}
		var row userRow
		if err := tx.Where("email = ? AND external_id IS NULL", email).Take(&row).Error; err != nil {
			return err
		}
		if row.Role == string(account.RoleAdmin) && r != account.RoleAdmin {
			var others int64
			err := tx.Model(&userRow{}).Where("role = ? AND id <> ?", row.Role, row.ID).Count(&others).Error
			if err != nil || others == 0 {
				return errors.Join(account.ErrLastAdmin, err)
			}
		}
		row.Role = string(r)
		u = row.user()
		return tx.Model(&userRow{}).Where("id = ?", row.ID).
			Updates(map[string]any{"role": row.Role, "updated_at": gorm.Expr("app_now()")}).Error
	})
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return account.User{}, account.ErrNotFound
	}
	return u, orDown(ctx, err)
}
