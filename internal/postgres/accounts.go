package postgres

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/garminlink/garminlink/internal/account"
)

// Accounts keeps users, sign-ins and service tokens; it implements account.Store.
type Accounts struct {
	db   *gorm.DB
	uses together // of tokens
}

// NewAccounts returns the accounts in db.
func NewAccounts(db *DB) *Accounts { return &Accounts{db: db.Gorm, uses: newTogether(db.Pool)} }

type userRow struct {
	ID           uuid.UUID `gorm:"primaryKey"`
	ExternalID   *string
	Email        *string
	PasswordHash *string
	Role         string
	Language     string
	Spoken       string
	NoMail       bool
}

func (userRow) TableName() string { return "users" }

func (u *userRow) user() account.User {
	return account.User{
		ID: u.ID, ExternalID: value(u.ExternalID), Email: value(u.Email), Role: account.Role(u.Role),
		Language: u.Language, Spoken: u.Spoken, NoMail: u.NoMail,
	}
}

func newUserRow(u account.User, passwordHash string) *userRow {
	return &userRow{ID: u.ID, Email: &u.Email, PasswordHash: &passwordHash, Role: string(u.Role)}
}

// CreateUser implements account.Store.
func (a *Accounts) CreateUser(ctx context.Context, u account.User, passwordHash string) error {
	return accountError(ctx, a.db.WithContext(ctx).Create(newUserRow(u, passwordHash)).Error)
}

// UserByEmail implements account.Store.
func (a *Accounts) UserByEmail(ctx context.Context, email string) (account.User, string, error) {
	var row userRow
	err := a.db.WithContext(ctx).Where("email = ? AND external_id IS NULL", email).Take(&row).Error
	if err != nil {
		return account.User{}, "", accountError(ctx, err)
	}
	return row.user(), value(row.PasswordHash), nil
}

// UserByRef implements account.Store.
func (a *Accounts) UserByRef(ctx context.Context, ref account.UserRef) (account.User, error) {
	var row userRow
	err := a.db.WithContext(ctx).
		Where("id = ? OR external_id = ?", null(ref.ID()), null(ref.ExternalID())).Take(&row).Error
	if err != nil {
		return account.User{}, accountError(ctx, err)
	}
	return row.user(), nil
}

// ExternalUsers implements account.Store.
func (a *Accounts) ExternalUsers(ctx context.Context, externalIDs []string) (map[string]uuid.UUID, error) {
	var rows []userRow
	err := a.db.WithContext(ctx).Select("id", "external_id").Where("external_id IN ?", externalIDs).Find(&rows).Error
	if err != nil {
		return nil, accountError(ctx, err)
	}
	found := make(map[string]uuid.UUID, len(rows))
	for _, r := range rows {
		found[value(r.ExternalID)] = r.ID
	}
	return found, nil
}

// ReplaceHash implements account.Store.
func (a *Accounts) ReplaceHash(ctx context.Context, user uuid.UUID, old, hash string) error {
	return a.changeUser(ctx, "UPDATE users SET password_hash = ?, updated_at = app_now() WHERE id = ? AND password_hash = ?", hash, user, old)
}

// EnsureExternal implements account.Store. Nothing is written for a user who
// is known as he is.
func (a *Accounts) EnsureExternal(ctx context.Context, u account.User) (account.User, error) {
	var row userRow
	err := a.db.WithContext(ctx).Raw(`
		WITH known AS (
			SELECT id, external_id, email, role FROM users
			WHERE external_id = @external AND (@email = '' OR email = @email)),
		made AS (
			INSERT INTO users (id, external_id, email, role)
			SELECT @id, @external, NULLIF(@email, ''), @role WHERE NOT EXISTS (SELECT FROM known)
			ON CONFLICT (external_id) DO UPDATE
			SET email = COALESCE(excluded.email, users.email), updated_at = app_now()
			RETURNING id, external_id, email, role)
		SELECT * FROM known UNION ALL SELECT * FROM made`,
		map[string]any{"id": u.ID, "external": u.ExternalID, "email": u.Email, "role": string(u.Role)}).Take(&row).Error
	if err != nil {
		return account.User{}, orDown(ctx, err)
	}
	return row.user(), nil
}

// CreateSignIn implements account.Store. It shares the lock of the user's row,
// which those have for themselves who end his sign-ins: see endOthers; he is
// changed before that, or two who share it would wait for each other. What scs
// keeps for browsers that never came back goes too: its own sweeper cannot be
// stopped without a race.
func (a *Accounts) CreateSignIn(ctx context.Context, id, user uuid.UUID, passwordHash, spoken string, life time.Duration) error {
	return orDown(ctx, a.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		err := tx.Exec("UPDATE users SET spoken = @spoken WHERE id = @user AND password_hash = @hash AND spoken <> @spoken",
			sql.Named("spoken", spoken), sql.Named("user", user), sql.Named("hash", passwordHash)).Error
		if err != nil {
			return err
		}
		made := tx.Exec(`
			INSERT INTO sign_ins (id, user_id, expires_at)
			SELECT ?, id, app_now() + ? * interval '1 microsecond' FROM users WHERE id = ? AND password_hash = ? FOR SHARE`,
			id, life.Microseconds(), user, passwordHash)
		if made.Error == nil && made.RowsAffected == 0 {
			return account.ErrNotFound
		}
		if made.Error != nil {
			return made.Error
		}
		err = tx.Exec(`
			DELETE FROM sign_ins WHERE id IN (
				SELECT id FROM sign_ins WHERE user_id = ? AND (ended_at IS NOT NULL OR expires_at < app_now())
				FOR UPDATE SKIP LOCKED)`, user).Error
		if err != nil {
			return err
		}
		return tx.Exec(`
			DELETE FROM sessions WHERE token IN (
				SELECT token FROM sessions WHERE expiry < now() LIMIT 100 FOR UPDATE SKIP LOCKED)`).Error
	}))
}

// Authenticate implements account.Store.
func (a *Accounts) Authenticate(ctx context.Context, id uuid.UUID, idle time.Duration, touch bool) (account.User, error) {
	var row userRow
	err := a.db.WithContext(ctx).Raw(`
		WITH live AS (
			SELECT u.id, u.email, u.role, u.language, u.no_mail, s.last_seen_at
			FROM sign_ins s JOIN users u ON u.id = s.user_id
			WHERE s.id = @id AND s.ended_at IS NULL AND s.expires_at > app_now()
				AND s.last_seen_at > app_now() - @idle * interval '1 microsecond'),
		seen AS (
			UPDATE sign_ins SET last_seen_at = app_now() FROM live
			WHERE sign_ins.id = @id AND @touch AND live.last_seen_at < app_now() - interval '1 minute')
		SELECT id, email, role, language, no_mail FROM live`,
		map[string]any{"id": id, "idle": idle.Microseconds(), "touch": touch}).Take(&row).Error
	if err != nil {
		return account.User{}, accountError(ctx, err)
	}
	return row.user(), nil
}

// EndSignIn implements account.Store.
func (a *Accounts) EndSignIn(ctx context.Context, id uuid.UUID) error {
	return orDown(ctx, a.db.WithContext(ctx).
		Exec("UPDATE sign_ins SET ended_at = app_now() WHERE id = ? AND ended_at IS NULL", id).Error)
}

// accountError names the faults that account tells apart.
func accountError(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, gorm.ErrRecordNotFound):
		return account.ErrNotFound
	case errors.Is(err, gorm.ErrDuplicatedKey):
		return account.ErrEmailTaken // an id is never drawn twice
	default:
		return orDown(ctx, err)
	}
}
