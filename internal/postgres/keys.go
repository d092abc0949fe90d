package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/google/uuid"
	"gorm.io/gorm"
)

// sealedColumns is where values of one holding stand. Names are columns; those
// of what a holding does not have are empty.
type sealedColumns struct {
	table, data, key     string
	row                  string // of UUIDs, tells rows apart; empty: there is one
	user, id, generation string
	free                 string // a condition: nobody is about to write back what he has read
}

const unleased = "(lease_until IS NULL OR lease_until < app_now())"

var holdings = map[link.Holding]sealedColumns{
	link.HeldSession: {
		table: "garmin_authentication_states", data: "session_data", key: "key_id",
		row: "user_id", user: "user_id", generation: "generation", free: unleased,
	},
	link.HeldPrevious: {
		table: "garmin_authentication_states", data: "previous_session", key: "previous_key_id",
		row: "user_id", user: "user_id", generation: "previous_generation", free: unleased,
	},
	link.HeldCandidate: {
		table: "garmin_candidates", data: "sealed", key: "key_id",
		row: "user_id", user: "user_id", generation: "generation",
		id: "coalesce(CAST(connect_session_id AS text), '')",
	},
	link.HeldChallenge: {
		table: "garmin_challenges", data: "sealed", key: "key_id", row: "user_id", user: "user_id",
		id: "CAST(id AS text) || coalesce('/' || CAST(connect_session_id AS text), '')",
	},
	link.HeldConsumer:      {table: "oauth1_consumer", data: "secret", key: "key_id", id: "consumer_key"},
	link.HeldMACKey:        {table: "installation", data: "mac_key", key: "mac_key_id"},
	link.HeldWebhookSecret: {table: "webhook_endpoints", data: "secret", key: "key_id", row: "id", id: "id"},
	link.HeldFormerWebhookSecret: {
		table: "webhook_endpoints", data: "former_secret", key: "former_key_id", row: "id", id: "id",
	},
}

var keyUsesQuery = func() string {
	var counts []string
	for _, in := range slices.Sorted(maps.Keys(holdings)) {
		c := holdings[in]
		counts = append(counts, fmt.Sprintf(
			"SELECT '%s' AS \"in\", %s AS key, count(*) AS rows FROM %s WHERE %s IS NOT NULL GROUP BY %[2]s", in, c.key, c.table, c.data))
	}
	return strings.Join(counts, "\nUNION ALL\n") + "\nORDER BY key, \"in\""
}()

// KeyUses implements link.Store.
func (p *Links) KeyUses(ctx context.Context) ([]link.KeyUse, error) {
	var uses []link.KeyUse
	err := p.db.WithContext(ctx).Raw(keyUsesQuery).Scan(&uses).Error
	return uses, linkError(ctx, err)
}

func (c sealedColumns) held() string {
	columns := fmt.Sprintf("%s AS row, %s AS user_id, %s AS id, %s AS generation, %s AS sealed, %s AS key_id",
		or(c.row, "CAST(NULL AS uuid)"), or(c.user, "CAST(NULL AS uuid)"), or(c.id, "NULL"), or(c.generation, "NULL"), c.data, c.key)
	query := fmt.Sprintf("SELECT %s FROM %s WHERE %s = @key AND %s IS NOT NULL", columns, c.table, c.key, c.data)
	if c.row == "" {
		return query
	}
	return query + fmt.Sprintf(" AND %s > @after ORDER BY %[1]s LIMIT @most", c.row)
}

func or(column, instead string) string {
	if column == "" {
		return instead
	}
	return column
}

type heldRow struct {
	Row        *uuid.UUID
	UserID     *uuid.UUID
	ID         *string
	Generation *int64
	Sealed     []byte
	KeyID      int64
}

// Held implements link.Store.
func (p *Links) Held(ctx context.Context, in link.Holding, key uint32, after uuid.UUID, most int) ([]link.Held, error) {
	var rows []heldRow
	err := p.db.WithContext(ctx).Raw(holdings[in].held(),
		map[string]any{"key": int64(key), "after": after, "most": most}).Scan(&rows).Error
	held := make([]link.Held, len(rows))
	for i, r := range rows {
		held[i] = link.Held{
			Sealed: sealed(r.Sealed, r.KeyID), In: in,
			Row: value(r.Row), User: value(r.UserID), ID: value(r.ID), Generation: value(r.Generation),
		}
	}
	return held, linkError(ctx, err)
}

func (c sealedColumns) reseal() string {
	same := []string{c.key + " = @key", c.data + " = @old"}
	for column, value := range map[string]string{c.user: "@user", c.generation: "@generation", c.id: "@id"} {
		if column != "" {
			same = append(same, column+" = "+value)
		}
	}
	if c.free != "" {
		same = append(same, c.free)
	}
	return fmt.Sprintf("UPDATE %s SET %s = @fresh, %s = @new WHERE ", c.table, c.data, c.key) + strings.Join(same, " AND ")
}

// Reseal implements link.Store. It holds the user's lock: an Update writes
// whole rows as it has read them, the former ciphertext among them.
func (p *Links) Reseal(ctx context.Context, old link.Held, fresh link.Sealed) (done bool, err error) {
	err = p.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if old.User != uuid.Nil {
			if err := lockUser(tx, old.User); err != nil {
				return err
			}
		}
		written := tx.Exec(holdings[old.In].reseal(), map[string]any{
			"key": int64(old.KeyID), "old": old.Ciphertext, "new": int64(fresh.KeyID), "fresh": fresh.Ciphertext,
			"user": old.User, "id": old.ID, "generation": old.Generation,
		})
		done = written.RowsAffected == 1
		return written.Error
	})
	if errors.Is(err, link.ErrNotFound) {
		return false, nil // the user was deleted meanwhile, and so was this
	}
	return done, linkError(ctx, err)
}
