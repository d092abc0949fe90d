package postgres

import (
	"context"
	"errors"
	"time"

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
func (a *Accounts) SetRole(ctx context.Context, c account.RoleChange) (u account.User, err error) {
	err = a.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		err := tx.Exec(`
			SELECT pg_advisory_xact_lock('users'::regclass::oid::bigint),
				set_config('garminlink.by', ?, true), set_config('garminlink.request', ?, true)`, // for the trigger that notes it
			c.By.String(), c.RequestID).Error
		if err != nil {
			return err
		}
		var row userRow
		if err := tx.Where("email = ? AND external_id IS NULL", c.Email).Take(&row).Error; err != nil {
			return err
		}
		if row.Role == string(account.RoleAdmin) && c.Role != account.RoleAdmin {
			var others int64
			err := tx.Model(&userRow{}).Where("role = ? AND id <> ?", row.Role, row.ID).Count(&others).Error
			if err != nil || others == 0 {
				return errors.Join(account.ErrLastAdmin, err)
			}
		}
		row.Role = string(c.Role)
		u = row.user()
		return tx.Model(&userRow{}).Where("id = ?", row.ID).
			Updates(map[string]any{"role": row.Role, "updated_at": gorm.Expr("app_now()")}).Error
	})
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return account.User{}, account.ErrNotFound
	}
	return u, orDown(ctx, err)
}

type roleRecordRow struct {
	CreatedAt        time.Time
	Email            string
	FromRole, ToRole string
	ByEmail          string
	RequestID        string
}

// RoleRecords implements account.Store.
func (a *Accounts) RoleRecords(ctx context.Context, most int) ([]account.RoleRecord, error) {
	var rows []roleRecordRow
	err := a.db.WithContext(ctx).Raw(`
		SELECT r.created_at, r.email, r.from_role, r.to_role, coalesce(u.email, '') AS by_email, r.request_id
		FROM role_changes r LEFT JOIN users u ON u.id = r.by_id ORDER BY r.id DESC LIMIT ?`, most).Scan(&rows).Error
	records := make([]account.RoleRecord, len(rows))
	for i, r := range rows {
		records[i] = account.RoleRecord{
			At: r.CreatedAt, Email: r.Email, From: account.Role(r.FromRole), To: account.Role(r.ToRole), By: r.ByEmail, RequestID: r.RequestID,
		}
	}
	return records, orDown(ctx, err)
}
