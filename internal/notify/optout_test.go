package notify_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/notify"
)

func TestOptOutTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	outs := notify.OptOuts{Vault: w.mailer(notify.SMTP{}).Vault}
	user := w.newUser()
	token := outs.Token(user)
	if got, err := outs.User(token); got != user || err != nil || token != outs.Token(user) {
		t.Errorf("User = %v, %v", got, err)
	}
	other := outs.Token(w.newUser())
	elsewhere := newWorld(t)
	foreign := notify.OptOuts{Vault: elsewhere.mailer(notify.SMTP{}).Vault}.Token(user)
	for _, wrong := range []string{"", "x", token[1:], token + "A", token[:22] + other[22:], foreign, strings.ToUpper(token)} {
		if got, err := outs.User(wrong); !errors.Is(err, notify.ErrNotFound) || got != uuid.Nil {
			t.Errorf("User(%q) = %v, %v", wrong, got, err)
		}
	}
}
