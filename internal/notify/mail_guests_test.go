package notify_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/notify"
)

func external(c *notify.MailConfig) { c.External = true }

// guest is a user of a host application with a dead link.
func (w *world) guest(email any) uuid.UUID {
	w.t.Helper()
	id := uuid.Must(uuid.NewV7())
	w.exec("INSERT INTO users (id, external_id, email, role) VALUES ($1::uuid, $1::text, $2, 'user')", id, email)
	w.exec(`INSERT INTO garmin_authentication_states (user_id, reason, region, garmin_email, garmin_guid, garmin_name)
		VALUES ($1::uuid, 'grant_refused', 'garmin.com', '', $1::text, 'Mara')`, id)
	return id
}

func TestUsersOfHostsAreToldOnlyIfWeAreAskedTo(t *testing.T) {
	t.Parallel()
	w, box := newWorld(t), new(postbox).start(t)
	silent, told, nameless := w.guest("silent@host.example"), w.guest("told@host.example"), w.guest(nil)
	w.happens(silent, link.LinkReauthNeeded)
	w.mails(w.mailer(box.at(notify.Plain)))
	w.wantNotices("")
	m := w.mailer(box.at(notify.Plain), external)
	w.happens(told, link.LinkReauthNeeded)
	w.happens(nameless, link.LinkReauthNeeded)
	w.mails(m)
	l := box.only()
	_, address, _ := strings.Cut(l.text, "https://link.example/connect/")
	address, _, _ = strings.Cut(address, "\r\n")
	c, err := m.Links.OpenConnect(t.Context(), link.Secret(address))
	if err != nil || c.User != told || c.Purpose != link.ToRelink || c.Status() != link.ConnectOpen || c.ExpiresAt.Sub(c.Now).Round(time.Hour) != 72*time.Hour {
		t.Errorf("the mail leads to %+v, %v", c, err)
	}
	if !strings.Contains(l.html, address) || strings.Contains(one[string](w, "SELECT string_agg(n::text, '') FROM mail_notices n"), address) {
		t.Error("the address is not in both parts, or is kept")
	}
	if stored := one[string](w, "SELECT string_agg(c::text, '') FROM connect_sessions c"); strings.Contains(stored, address) {
		t.Errorf("the address is kept: %s", stored)
	}
	w.wantNotices("sent")
}

func TestAGuestWhoseLinkHasGoneIsNotTold(t *testing.T) {
	t.Parallel()
	w, box := newWorld(t), new(postbox).start(t)
	user := w.guest("gone@host.example")
	w.happens(user, link.LinkReauthNeeded)
	w.exec("DELETE FROM garmin_authentication_states WHERE user_id = $1", user)
	w.mails(w.mailer(box.at(notify.Plain), external))
	w.wantNotices("dropped")
}
