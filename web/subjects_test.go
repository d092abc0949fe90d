package web_test

import (
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/garminlink/garminlink/internal/account"
)

func TestTheListIsPagedAndAddressed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.guests(120)
	agent := s.staff(account.RoleSupport)
	for _, sort := range []string{"", "-updated", "updated", "validated", "-validated", "name", "-name"} {
		seen := map[string]bool{}
		pages := 0
		for next := "/support/links?state=active&sort=" + sort; next != ""; pages++ {
			p := agent.get(next).want(http.StatusOK)
			for n := range p.tree().Descendants() {
				if n.Data == "a" && strings.HasPrefix(attr(n, "href"), "/support/users/") {
					seen[attr(n, "href")] = true
				}
			}
			next = p.next()
		}
		if len(seen) != 120 || pages != 3 {
			t.Errorf("sorted by %q, %d are seen on %d pages", sort, len(seen), pages)
		}
	}
	const asked = "/support/links?before=2030-01-01&q=guest&region=garmin.com&sort=name"
	next, err := url.Parse(agent.get(asked).next())
	if err != nil {
		t.Fatal(err)
	}
	if q := next.Query(); q.Get("q") != "guest" || q.Get("before") != "2030-01-01" || q.Get("region") != "garmin.com" || q.Get("sort") != "name" {
		t.Errorf("the next page is %s", next)
	}
	if first := agent.get(next.String()).want(http.StatusOK).href("First page"); first != asked {
		t.Errorf("the first page is %s", first)
	}
}

func (p *page) next() string {
	for n := range p.tree().Descendants() {
		if n.Data == "a" && attr(n, "rel") == "next" {
			return attr(n, "href")
		}
	}
	return ""
}

func TestAddressesThatNoPageGivesAreRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	agent := s.staff(account.RoleSupport)
	for _, q := range []string{
		"sort=size", "sort=id", "state=gone", "state=not_linked", "reason=none", "region=garmin.de", "before=yesterday", "after=1", "q=%00", "q=%ff",
		"after=018bcfe5-6c16-7157-a977-9b98ce9edb98&from=now", "sort=name&after=018bcfe5-6c16-7157-a977-9b98ce9edb98&from=%00",
		"q=" + strings.Repeat("a", 1025),
	} {
		agent.get("/support/links?" + q).want(http.StatusBadRequest)
		agent.get("/support/links.csv?" + q).want(http.StatusBadRequest)
	}
	agent.get("/support/links?q='%3B+DROP+TABLE+users&sort=-name").want(http.StatusOK).wantText("Nobody was found.")
}

func TestTheTableIsSafeForSpreadsheets(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.guests(9)
	names := []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", `a "quoted", name`, "two\nlines", "plain"}
	for i, name := range names {
		s.exec("UPDATE garmin_authentication_states SET garmin_name = $1 WHERE garmin_email = $2", name, fmt.Sprintf("guest-%d@garmin.example", i+1))
	}
	agent := s.staff(account.RoleSupport)
	p := agent.get("/support/links.csv?state=active").want(http.StatusOK)
	if p.Header.Get("Content-Disposition") != `attachment; filename="links.csv"` || p.Header.Get("Content-Type") != "text/csv; charset=utf-8" ||
		p.Header.Get("Cache-Control") != "no-store" || !strings.HasSuffix(p.source, "\r\n") {
		t.Errorf("headers are %v", p.Header)
	}
	rows, err := csv.NewReader(strings.NewReader(p.source)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := slices.Index(rows[0], "garmin_name")
	var got []string
	for _, row := range rows[1:] {
		got = append(got, row[at])
	}
	slices.Sort(got)
	want := []string{"'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\t=1", "'=1", `a "quoted", name`, "two\nlines", "plain"} // bare CRs are no ends of lines
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("names are %q, want %q", got, want)
	}
	agent.get("/support/links.csv?state=reauth_needed").want(http.StatusOK)
}

func TestTheTableIsStreamed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.guests(20_000)
	agent := s.staff(account.RoleSupport)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/support/links.csv", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := agent.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	first := make([]byte, 100)
	if _, err := io.ReadFull(response.Body, first); err != nil {
		t.Fatal(err)
	}
	if response.ContentLength >= 0 {
		t.Error("the length was known before the end")
	}
	s.exec("DELETE FROM users WHERE external_id = 'guest-1'") // which waits for nobody
	rest, err := io.ReadAll(response.Body)
	if lines := strings.Count(string(first)+string(rest), "\r\n"); err != nil || lines < 20_000 || lines > 20_001 {
		t.Errorf("%d lines, %v", lines, err)
	}
}

func TestATableThatWouldLackSomeIsRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.guests(1001)
	agent := s.staff(account.RoleSupport)
	if p := agent.get("/support/links?q=guest").want(http.StatusOK).wantText("More users begin with that"); strings.Contains(p.source, "links.csv") {
		t.Error("a table is offered")
	}
	agent.get("/support/links.csv?q=guest").want(http.StatusUnprocessableEntity).wantText("Too many begin with that")
}
