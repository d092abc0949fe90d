package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

const (
	streamUsers    = 125
	streamsPerUser = 8
	streamsInAll   = streamUsers * streamsPerUser
	idleTime       = 40 * time.Second // two beats of each stream
	changeRounds   = 20
)

// BenchmarkOpenStreams is a thousand open pages on one replica: what they cost
// while nothing happens, how soon all hear of a change of theirs, and how soon
// the replica ends with all of them open.
func BenchmarkOpenStreams(b *testing.B) {
	db := pgtest.New(b)
	replica := serveAlone(b, db.URL, benchKeyset(b))
	before := replica.resident(b)
	pages := openPages(b, db, replica.addr)
	open := replica.resident(b)
	b.ReportMetric((open-before)/streamsInAll*1000, "kB/stream")
	began := replica.busy(b)
	time.Sleep(idleTime) // what is measured is that nothing happens
	b.ReportMetric(100*(replica.busy(b)-began).Seconds()/idleTime.Seconds(), "idle-%cpu")

	began = replica.busy(b)
	late := pages.changes(b, db)
	b.ReportMetric(float64((replica.busy(b)-began).Microseconds())/changeRounds/streamsInAll, "us-cpu/told")
	b.ReportMetric(late[len(late)/2].Seconds()*1000, "told-p50-ms")
	b.ReportMetric(late[len(late)*99/100].Seconds()*1000, "told-p99-ms")

	stopped := time.Now()
	if err := replica.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		b.Fatal(err)
	}
	pages.reading.Wait()
	if err := replica.cmd.Wait(); err != nil {
		b.Errorf("the replica ends with %v", err)
	}
	b.ReportMetric(time.Since(stopped).Seconds()*1000, "shutdown-ms")
	if pages.broken > 0 {
		b.Errorf("%d streams were cut off", pages.broken)
	}
}

// aloneReplica is a replica in a process of its own, whose addresses of visitors are
// what they say.
type aloneReplica struct {
	cmd  *exec.Cmd
	addr string
}

// serveAlone starts the program as it is shipped, without what tests weigh, and
// ends it with the benchmark.
func serveAlone(b *testing.B, database, keyset string) aloneReplica {
	b.Helper()
	binary := b.TempDir() + "/garminlink"
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", binary, ".").CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	cmd := exec.Command(binary, "serve", "--no-worker")
	cmd.Env = []string{prefix + "DATABASE_URL=" + database, prefix + "KEYSET=" + keyset,
		prefix + "BASE_URL=http://localhost", prefix + "ADDR=127.0.0.1:0", prefix + "LOG_FORMAT=json",
		prefix + "TRUSTED_PROXIES=127.0.0.0/8", prefix + "TOKEN_REQUESTS_PER_MINUTE=1000000"}
	said := newTranscript()
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	addr, _ := (&program{cmd: cmd, log: said}).await(b, "serving")["addr"].(string)
	return aloneReplica{cmd, addr}
}

// resident is what it has in memory now, in megabytes of 10^6 bytes.
func (r aloneReplica) resident(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", r.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(status))[1])
	if err != nil {
		b.Fatal(err)
	}
	return float64(pages*os.Getpagesize()) / 1e6
}

// busy is the time for which processors have worked for it, by the kernel's
// hundredths of a second.
func (r aloneReplica) busy(b *testing.B) time.Duration {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", r.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	fields, ticks := strings.Fields(after), 0
	for _, f := range fields[11:13] { // utime and stime, see proc(5)
		n, err := strconv.Atoi(f)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// openedPages are the streams of many users.
type openedPages struct {
	users   []uuid.UUID
	told    chan time.Time
	reading sync.WaitGroup

	mu     sync.Mutex
	broken int
}

func openPages(b *testing.B, db *pgtest.DB, addr string) *openedPages {
	b.Helper()
	accounts := account.New(postgres.NewAccounts(db.DB), passwordCost)
	p := &openedPages{told: make(chan time.Time, streamsInAll)}
	for i := range streamUsers {
		email := fmt.Sprintf("bench-%d@example.com", i)
		user, err := accounts.Create(context.Background(), email, benchPassword, account.RoleUser)
		if err != nil {
			b.Fatal(err)
		}
		p.users = append(p.users, user.ID)
		client := signedIn(b, addr, email, fmt.Sprintf("10.0.%d.1", i))
		for range streamsPerUser {
			response, err := client.Get("http://" + addr + "/link/changes")
			if err != nil || response.StatusCode != http.StatusOK {
				b.Fatal(response.Status, err)
			}
			p.reading.Go(func() { p.read(response.Body) })
		}
	}
	for range streamsInAll { // each speaks at once
		<-p.told
	}
	return p
}

func (p *openedPages) read(body io.ReadCloser) {
	defer func() { _ = body.Close() }()
	lines := bufio.NewScanner(body)
	for lines.Scan() {
		if lines.Text() == "event: changed" {
			p.told <- time.Now()
		}
	}
	if lines.Err() != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.broken++
	}
}

// changes has all users' links change, again and again, and tells how long it
// took until each page had heard.
func (p *openedPages) changes(b *testing.B, db *pgtest.DB) (late []time.Duration) {
	b.Helper()
	for range changeRounds {
		began := time.Now()
		_, err := db.Pool.Exec(context.Background(),
			"SELECT pg_notify(left(current_schema(), 55) || '_changes', u::text) FROM unnest($1::uuid[]) u", p.users)
		if err != nil {
			b.Fatal(err)
		}
		for range streamsInAll {
			late = append(late, (<-p.told).Sub(began))
		}
	}
	slices.Sort(late)
	return late
}

// signedIn is a browser, in a network of its own.
func signedIn(b *testing.B, addr, email, network string) *http.Client {
	b.Helper()
	jar, _ := cookiejar.New(nil)
	client := &http.Client{Jar: jar, Transport: from(network), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.PostForm("http://"+addr+"/signin", url.Values{"email": {email}, "password": {benchPassword}})
	if err != nil || response.StatusCode != http.StatusSeeOther {
		b.Fatal(response.Status, err)
	}
	_ = response.Body.Close()
	return client
}

// from says where a request comes from, as a proxy does.
type from string

func (f from) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Forwarded-For", string(f))
	return http.DefaultTransport.RoundTrip(r)
}
