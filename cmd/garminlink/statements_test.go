package main

import (
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

// The page of jobs is put together here; web counts those of all others.
func TestThePageOfJobsCostsFewStatements(t *testing.T) {
	t.Parallel()
	db, sent := pgtest.New(t).Counted(t)
	accounts := account.New(postgres.NewAccounts(db.DB), passwordCost)
	if _, err := accounts.Create(t.Context(), "bench@example.com", benchPassword, account.RoleAdmin); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	base := "http://" + server.Listener.Addr().String()
	server.Config.Handler = benchSiteOf(t, db, benchKeyset(t), base).pages
	server.Start()
	t.Cleanup(server.Close)
	jar, _ := cookiejar.New(nil)
	client := &http.Client{Jar: jar}
	benchPost(t, client, base+"/signin", url.Values{"email": {"bench@example.com"}, "password": {benchPassword}})
	sent.Take()
	response, err := client.Get(base + "/support/jobs")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if got := sent.Take(); response.StatusCode != http.StatusOK || len(got) > 10 {
		t.Errorf("%s, by %d statements:\n%s", response.Status, len(got), strings.Join(got, "\n"))
	}
}
