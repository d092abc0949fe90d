package link_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/link"
)

func TestOneBrowserBindsAVisit(t *testing.T) {
	t.Parallel()
	v := newHost(t).bound(link.ToLink)
	for name, c := range map[string]struct {
		form string
		held link.Secret
		same bool
	}{
		"the same form again":         {firstForm, "", true},
		"the browser that has it":     {"another form of the same browser", v.browser, true},
		"another browser":             {"the form of another browser", "", false},
		"another browser's own":       {"the form of another browser", v.address, false},
		"a form without a name":       {"", "", false},
		"a form with a name too weak": {"x", "", false},
	} {
		browser, err := v.bind(c.form, c.held)
		if c.same {
			if err != nil || browser != v.browser {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		wantKind(t, err, link.ConnectElsewhere)
	}
}

func TestOfManyBrowsersOneBinds(t *testing.T) {
	t.Parallel()
	v := newHost(t).create(link.ToLink)
	bound := make(chan error)
	for i := range 10 {
		go func() { _, err := v.bind(fmt.Sprintf("the form of browser no. %d", i), ""); bound <- err }()
	}
	won := 0
	for range 10 {
		err := <-bound
		if err == nil {
			won++
		} else if link.KindOf(err) != link.ConnectElsewhere {
			t.Error(err)
		}
	}
	if won != 1 {
		t.Errorf("%d browsers are bound", won)
	}
}

func TestLookingAtAnAddressChangesNothing(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	v := h.create(link.ToLink)
	const row = "SELECT c::text FROM connect_sessions c WHERE id = $1"
	before := one[string](h.world, row, v.id)
	for range 3 {
		c, err := h.links.OpenConnect(context.Background(), v.address)
		if err != nil || c.ID != v.id || c.Application != "Pace" || c.Email != "runner@example.com" || c.ReturnOrigin() != "https://app.example.com" {
			t.Fatalf("opened %+v, %v", c, err)
		}
	}
	if after := one[string](h.world, row, v.id); after != before {
		t.Errorf("before and after:\n%s\n%s", before, after)
	}
}

func TestSecretsOpenNothingElse(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	v, other := h.bound(link.ToLink), h.bound(link.ToLink)
	wrong := []link.Secret{
		"", "x", v.browser, other.browser, link.Secret(strings.Repeat("A", 64)), link.Secret(v.id.String()),
		v.address[:22] + other.address[22:], v.address + "A", v.address[:len(v.address)-1],
	}
	for _, secret := range wrong {
		if _, err := h.links.OpenConnect(context.Background(), secret); err == nil && secret != v.address {
			t.Errorf("the address %s opens", secret.Reveal())
		}
	}
	for _, secret := range []link.Secret{"", "x", v.address, v.browser[:22] + other.browser[22:], v.browser + "A"} {
		_, err := h.links.BoundConnect(context.Background(), secret)
		wantNotFound(t, err)
	}
	if c, err := h.links.BoundConnect(context.Background(), v.browser); err != nil || c.ID != v.id {
		t.Errorf("the browser is bound to %s, %v", c.ID, err)
	}
}

// A backup shows nothing that opens a visit.
func TestSecretsOfVisitsAreNotKept(t *testing.T) {
	t.Parallel()
	v := newHost(t).bound(link.ToLink)
	v.start("plain")
	code := v.back().Get("code")
	rows := one[string](v.world, "SELECT string_agg(c::text, ' ') FROM connect_sessions c")
	for _, secret := range []string{v.address.Reveal(), v.browser.Reveal(), code} {
		if strings.Contains(rows, secret) || strings.Contains(rows, fmt.Sprintf("%x", secret)) {
			t.Errorf("the database has %s", secret)
		}
	}
}

func TestRepeatedRequestMakesOneVisit(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	wanted := h.wanted(link.ToLink)
	wanted.Key, wanted.Request = "key-1", []byte("the request")
	create := func(n link.NewConnect) (string, link.Secret, error) {
		c, address, err := h.links.CreateConnect(context.Background(), h.hostAct(), n)
		return c.ID.String(), address, err
	}
	made := make(chan string)
	for range 8 {
		go func() {
			id, address, err := create(wanted)
			made <- fmt.Sprint(id, address.Reveal(), err)
		}()
	}
	first := <-made
	for range 7 {
		if again := <-made; again != first {
			t.Errorf("made %s and %s", first, again)
		}
	}
	other := wanted
	other.Request = []byte("another request")
	_, _, err := create(other)
	wantKind(t, err, link.KeyReused)
	former := h.user
	h.user = h.newUser("second@example.com")
	_, _, err = create(wanted)
	wantKind(t, err, link.KeyReused)
	h.user = former
	h.advance(24 * time.Hour)
	id, _, err := create(wanted)
	if err != nil || strings.HasPrefix(first, id) {
		t.Errorf("a day later it is still %s, %v", id, err)
	}
	if n := one[int](h.world, "SELECT count(*) FROM connect_sessions"); n != 2 {
		t.Errorf("%d connect sessions, want 2", n)
	}
}
