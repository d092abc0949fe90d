package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"gorm.io/gorm"

	"github.com/garminlink/garminlink/internal/account"
)

type tokenRow struct {
	ID         uuid.UUID
	Name       string
	Prefix     string
	Scopes     string // with spaces between: database/sql knows no arrays
	CreatedBy  *string
	CreatedAt  time.Time
	ExpiresAt  *time.Time
	RevokedAt  *time.Time
	LastUsedAt *time.Time
}

func (r *tokenRow) token() account.Token {
	t := account.Token{
		ID: r.ID, Name: r.Name, Prefix: r.Prefix, CreatedBy: value(r.CreatedBy), CreatedAt: r.CreatedAt.UTC(),
		ExpiresAt: value(r.ExpiresAt).UTC(), RevokedAt: value(r.RevokedAt).UTC(), LastUsedAt: value(r.LastUsedAt).UTC(),
	}
	t.Scopes = scopesOf(strings.Fields(r.Scopes))
	return t
}

// scopesOf takes scopes as they are: one of a newer release is of no use to
// this one, and no fault.
func scopesOf(names []string) []account.Scope {
	scopes := make([]account.Scope, len(names))
	for i, name := range names {
		scopes[i] = account.Scope(name)
	}
	return scopes
}

// selectTokens reads from service_tokens, or from rows of it by another name.
const selectTokens = `
	SELECT t.id, t.name, t.prefix, array_to_string(t.scopes, ' ') AS scopes, u.email AS created_by,
		t.created_at, t.expires_at, t.revoked_at, t.last_used_at
	FROM %s t LEFT JOIN users u ON u.id = t.created_by `

// CreateToken implements account.Store.
func (a *Accounts) CreateToken(ctx context.Context, n account.NewToken, prefix string, hash []byte) (account.Token, error) {
	var scopes []string
	for _, s := range n.Scopes {
		scopes = append(scopes, string(s))
	}
	var row tokenRow
	err := a.db.WithContext(ctx).Raw(`
		WITH made AS (
			INSERT INTO service_tokens (id, name, prefix, hash, scopes, created_by, expires_at)
			SELECT @id, @name, @prefix, @hash, string_to_array(@scopes, ' '), @by, @expires
			WHERE CAST(@expires AS timestamptz) IS NULL OR @expires > app_now()
			ON CONFLICT (id) DO NOTHING RETURNING *)`+fmt.Sprintf(selectTokens, "made"),
		map[string]any{
			"id": n.ID, "name": n.Name, "prefix": prefix, "hash": hash, "scopes": strings.Join(scopes, " "),
			"by": null(n.By), "expires": null(n.ExpiresAt),
		}).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return account.Token{}, a.whyNoToken(ctx, n.ID)
	}
	if err != nil {
		return account.Token{}, orDown(ctx, err)
	}
	return row.token(), nil
}

func (a *Accounts) whyNoToken(ctx context.Context, id uuid.UUID) error {
	var exists bool
	err := a.db.WithContext(ctx).Raw("SELECT EXISTS (SELECT FROM service_tokens WHERE id = ?)", id).Scan(&exists).Error
	switch {
	case err != nil:
		return orDown(ctx, err)
	case exists:
		return account.ErrTokenExists
	default:
		return account.ErrTokenExpiry
	}
}

// Tokens implements account.Store.
func (a *Accounts) Tokens(ctx context.Context) ([]account.Token, error) {
	var rows []tokenRow
	if err := a.db.WithContext(ctx).Raw(fmt.Sprintf(selectTokens, "service_tokens") + "ORDER BY t.created_at DESC, t.id DESC").Scan(&rows).Error; err != nil {
		return nil, orDown(ctx, err)
	}
	all := make([]account.Token, len(rows))
	for i := range rows {
		all[i] = rows[i].token()
	}
	return all, nil
}

// RevokeToken implements account.Store.
func (a *Accounts) RevokeToken(ctx context.Context, id uuid.UUID) error {
	revoked := a.db.WithContext(ctx).
		Exec("UPDATE service_tokens SET revoked_at = COALESCE(revoked_at, app_now()) WHERE id = ?", id)
	if revoked.Error == nil && revoked.RowsAffected == 0 {
		return account.ErrTokenNotFound
	}
	return orDown(ctx, revoked.Error)
}

// authorizeQuery finds the user by one of two ids; a null one matches nobody.
const authorizeQuery = `
	WITH used AS (
		UPDATE service_tokens SET last_used_at = app_now()
		WHERE id = (
			SELECT id FROM service_tokens
			WHERE hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > app_now())
				AND (last_used_at IS NULL OR last_used_at <= app_now() - interval '1 minute')
			FOR NO KEY UPDATE SKIP LOCKED))
	SELECT id, array_to_string(scopes, ' '),
		(SELECT id FROM users WHERE id = $2 UNION ALL SELECT id FROM users WHERE external_id = $3)
	FROM service_tokens
	WHERE hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > app_now())`

// Authorize implements account.Store.
func (a *Accounts) Authorize(ctx context.Context, hash []byte, ref account.UserRef) (account.Grant, error) {
	var (
		token, user pgtype.UUID
		scopes      string
	)
	err := a.uses.row(ctx, authorizeQuery, []any{hash, idOf(ref.ID()), null(ref.ExternalID())}, &token, &scopes, &user)
	if errors.Is(err, pgx.ErrNoRows) {
		return account.Grant{}, account.ErrTokenUnknown
	}
	if err != nil {
		return account.Grant{}, orDown(ctx, err)
	}
	g := account.Grant{Token: token.Bytes, Scopes: scopesOf(strings.Fields(scopes)), User: user.Bytes}
	if !user.Valid && ref != (account.UserRef{}) {
		return g, account.ErrNotFound
	}
	return g, nil
}
