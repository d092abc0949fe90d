package main

import (
	"net/http"
	"strings"
	"testing"
)

func TestSetUpInABrowser(t *testing.T) {
	t.Parallel()
	s := serving(t)
	if _, err := s.db.Pool.Exec(t.Context(), "DELETE FROM users"); err != nil {
		t.Fatal(err)
	}
	v := s.stranger()
	v.get("/link").wantRedirect("/setup")
	settings := []string{"DATABASE_URL=" + s.db.URL}
	made := garminlink(t, "", settings, "setup-token")
	if made.code != exitOK || !made.says("/setup") {
		t.Fatalf("setup-token: exit code %d: %s", made.code, made.stderr)
	}
	token := strings.TrimSuffix(made.stdout, "\n")
	v.post("/setup", "token", token, "email", "admin@example.com", "password", ourPassword).wantRedirect("/link")
	v.get("/support/tokens").want(http.StatusOK)
	s.stranger().get("/").want(http.StatusOK)

	again := garminlink(t, "", settings, "setup-token")
	if again.code != exitFailure || again.stdout != "" || !again.says("user create --role admin") {
		t.Errorf("setup-token of one that is set up: exit code %d: %s", again.code, again.stderr)
	}
}
