package web_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/notify"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/worker"
	"github.com/garminlink/garminlink/web"
)

// webhooks may call this machine.
func (s *site) webhooks(store *postgres.Webhooks) *notify.Service {
	s.t.Helper()
	return notify.New(notify.Config{
		Store: store, Vault: s.vault(), Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Attempted: func(string) {}, Log: slog.New(slog.DiscardHandler),
	})
}

// control is that of the jobs, as far as the pages are concerned.
type control struct {
	*worker.Control
	links *postgres.Links
}

func (s *site) control() control {
	s.t.Helper()
	jobs, err := worker.NewControl(s.db.Pool)
	if err != nil {
		s.t.Fatal(err)
	}
	return control{jobs, postgres.NewLinks(s.db.DB)}
}

func (c control) Status(ctx context.Context) (status web.JobStatus, err error) {
	if status.PausedAt, err = c.PausedAt(ctx); err == nil {
		status.Due, status.Overdue, err = c.links.Backlog(ctx)
	}
	status.Workers = []web.JobWorker{{Name: "somewhere-1", Jobs: 3, Lead: true}}
	return status, err
}

func TestOnlyAdminsReachWhatIsTheirs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, c := range []struct {
		b      *browser
		status int
	}{{s.browser(), http.StatusSeeOther}, {s.runner(), http.StatusNotFound}, {s.staff(account.RoleSupport), http.StatusForbidden}} {
		for _, p := range []*page{
			c.b.get("/support/staff"), c.b.get("/support/webhooks"), c.b.get("/support/keys"), c.b.get("/support/jobs"),
			c.b.post("/support/staff", "email", email, "role", "admin", "password", password),
			c.b.post("/support/webhooks/resend", "delivery", "018bcfe5-6c16-7157-a977-9b98ce9edb98"),
			c.b.post("/support/jobs/pause", "confirm", "yes"), c.b.post("/support/jobs/resume"),
		} {
			if p.StatusCode != c.status {
				t.Errorf("%s: %d, want %d", p.request, p.StatusCode, c.status)
			}
		}
	}
	if n := s.count("SELECT count(*) FROM users WHERE role = 'admin'"); n != 0 {
		t.Errorf("%d admins were made", n)
	}
}

func TestAdminsChangeRoles(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	runner, admin := s.runner(), s.staff(account.RoleAdmin)
	admin.get("/support/staff").want(http.StatusOK).wantText(staffEmail, "(you)", "admin")
	for _, c := range []struct{ email, role, password, says string }{
		{email, "support", "a guess", "not the one for Garmin"},
		{email, "owner", password, "Choose one of these"},
		{email, "", password, "Choose one of these"},
		{staffEmail, "user", password, "Nobody changes his own role"},
		{"nobody@example.com", "support", password, "Nobody signs in here"},
		{"nobody", "support", password, "Type an address such as"},
	} {
		p := admin.post("/support/staff", "email", c.email, "role", c.role, "password", c.password).want(http.StatusUnprocessableEntity).wantText("Error: ", c.says)
		if p.value("/support/staff", "email") != c.email || p.value("/support/staff", "password") != "" {
			t.Errorf("%+v: the form keeps %q", c, p.value("/support/staff", "email"))
		}
	}
	runner.get("/support").want(http.StatusNotFound)
	admin.post("/support/staff", "email", email, "role", "support", "password", password).wantRedirect("/support/staff")
	admin.get("/support/staff").wantText("The role was changed.", email, "user → support "+staffEmail, staffEmail+" new: admin not from a page")
	runner.get("/support").want(http.StatusOK) // at once
	admin.post("/support/staff", "email", email, "role", "user", "password", password).wantRedirect("/support/staff")
	runner.get("/support").want(http.StatusNotFound)
	if log := s.log.String(); strings.Count(log, "role changed") != 2 {
		t.Errorf("the log says\n%s", log)
	}
}

func TestAdminsSeeAndRepeatWhatWasTold(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	runner, admin := s.runner(), s.staff(account.RoleAdmin)
	admin.get("/support/webhooks").want(http.StatusOK).wantText("Nobody is told of events.")
	var status atomic.Int32
	status.Store(http.StatusInternalServerError)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(status.Load())) }))
	t.Cleanup(receiver.Close)
	hooks := s.webhooks(postgres.NewWebhooks(s.db.DB))
	endpoint, _, err := hooks.Add(t.Context(), receiver.URL+"/secret-path", nil)
	if err != nil {
		t.Fatal(err)
	}
	runner.link("plain").want(http.StatusSeeOther)
	if err := hooks.Spread(t.Context(), s.links(postgres.NewLinks(s.db.DB))); err != nil {
		t.Fatal(err)
	}
	p := admin.get("/support/webhooks").want(http.StatusOK).wantText(receiver.URL, "link.active", "next attempt")
	delivery := p.value("/support/webhooks/resend", "delivery")
	admin.post("/support/webhooks/resend", "delivery", delivery).want(http.StatusUnprocessableEntity).wantText("The receiver did not take it", "500")
	admin.get("/support/webhooks?failed=yes").want(http.StatusOK).wantText("link.active", "Failing since")
	status.Store(http.StatusNoContent)
	admin.post("/support/webhooks/resend", "delivery", delivery).wantRedirect("/support/webhooks")
	admin.get("/support/webhooks").wantText("It was sent again, and taken.", "Delivered", "answered 204")
	for _, id := range []string{"", "nothing", "018bcfe5-6c16-7157-a977-9b98ce9edb98"} {
		admin.post("/support/webhooks/resend", "delivery", id).want(http.StatusConflict).wantText("There is no such delivery")
	}
	if err := hooks.Store.Disable(t.Context(), endpoint.ID, notify.ByOperator); err != nil {
		t.Fatal(err)
	}
	p = admin.post("/support/webhooks/resend", "delivery", delivery).want(http.StatusConflict).wantText("The endpoint is disabled")
	if strings.Contains(p.source, "secret-path") {
		t.Error("the path of an address is shown")
	}
	admin.get(admin.pathOf(email)).wantText("Webhook: link.active", "delivered, 2 attempts")
}

func TestAdminsSeeKeys(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.runner().link("plain").want(http.StatusSeeOther)
	s.staff(account.RoleAdmin).get("/support/keys").want(http.StatusOK).wantText("sessions: 1", strconv.FormatUint(uint64(s.keys.Primary()), 10), "Yes")
}

func TestAdminsPauseJobs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	admin := s.staff(account.RoleAdmin)
	admin.get("/support/jobs").want(http.StatusOK).wantText("Running", "no link", "somewhere-1", "(leads)")
	admin.post("/support/jobs/pause").want(http.StatusUnprocessableEntity)
	admin.post("/support/jobs/pause", "confirm", "yes").wantRedirect("/support/jobs")
	admin.get("/support/jobs").wantText("Checks of links are paused.", "Sessions run out meanwhile")
	admin.post("/support/jobs/resume").wantRedirect("/support/jobs")
	admin.get("/support/jobs").wantText("Checks of links go on.", "Running")
	for path, leads := range map[string]string{"/support/jobs/pause": "/support/jobs", "/support/jobs/resume": "/support/jobs", "/support/webhooks/resend": "/support/webhooks"} {
		admin.get(path).wantRedirect(leads)
	}
}
