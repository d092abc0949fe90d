package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// complete is the least that serve needs.
var complete = []string{
	"GARMINLINK_DATABASE_URL=postgres://db.example/x",
	"GARMINLINK_KEYSET={}",
	"GARMINLINK_BASE_URL=https://link.example.org",
}

func TestConfigHasDefaults(t *testing.T) {
	t.Parallel()
	c, err := load[Config](append(complete, "GARMINLINK_SIGNUP="))
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(c.Addr, c.OpsAddr, c.Signup, c.Migrate, c.DatabaseSchema, c.LogLevel, c.LogFormat, c.TrustedProxies)
	if want := fmt.Sprint(":8080", "", "closed", "never", "garminlink", slog.LevelInfo, "text", "[]"); got != want {
		t.Errorf("defaults are %s, want %s", got, want)
	}
}

func TestConfigReadsEverything(t *testing.T) {
	t.Parallel()
	c, err := load[Config](append(complete,
		"GARMINLINK_DATABASE_SCHEMA=links",
		"GARMINLINK_ADDR=127.0.0.1:80",
		"GARMINLINK_OPS_ADDR=[::1]:9090",
		"GARMINLINK_SIGNUP=open",
		"GARMINLINK_LOG_LEVEL=debug",
		"GARMINLINK_LOG_FORMAT=json",
		"GARMINLINK_TRUSTED_PROXIES=10.0.0.0/8,fd00::/8, 192.0.2.7",
		"GARMINLINK_MIGRATE=auto",
		"GARMINLINK_RETURN_URLS=https://app.example.com, http://localhost:8000/back",
	))
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(c.Addr, c.OpsAddr, c.Signup, c.Migrate, c.DatabaseSchema, c.LogLevel, c.LogFormat, c.TrustedProxies)
	if len(c.ReturnURLs) != 2 || c.ReturnURLs[1].Path != "/back" {
		t.Errorf("read %v as return URLs", c.ReturnURLs)
	}
	if want := fmt.Sprint("127.0.0.1:80", "[::1]:9090", "open", "auto", "links", slog.LevelDebug, "json", "[10.0.0.0/8 fd00::/8 192.0.2.7/32]"); got != want {
		t.Errorf("read %s, want %s", got, want)
	}
}

func TestConfigFaultNamesTheVariable(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "missing")
	for _, c := range []struct{ setting, want string }{
		{"DATABASE_URL=", "GARMINLINK_DATABASE_URL is not set: set it"},
		{"KEYSET=", "garminlink keys generate"},
		{"BASE_URL=", "GARMINLINK_BASE_URL is not set"},
		{"BASE_URL=link.example.org", "GARMINLINK_BASE_URL: "},
		{"BASE_URL=ftp://link.example.org", "not of the form https://host"},
		{"BASE_URL=http://link.example.org", "passwords need https"},
		{"BASE_URL=http://localhost.example.org", "passwords need https"},
		{"BASE_URL=https://link.example.org/app", "more than scheme, host and port"},
		{"BASE_URL=https://me:pw@link.example.org", "more than scheme, host and port"},
		{"BASE_URL=https://link.example.org?x=1", "more than scheme, host and port"},
		{"BASE_URL=https://:443", "not of the form https://host"},
		{"DATABASE_SCHEMA=Links; DROP", "GARMINLINK_DATABASE_SCHEMA: "},
		{"DATABASE_SCHEMA=pg_links", "GARMINLINK_DATABASE_SCHEMA: "},
		{"ADDR=8080", "GARMINLINK_ADDR: "},
		{"ADDR=:99999", "GARMINLINK_ADDR: "},
		{"OPS_ADDR=x", "GARMINLINK_OPS_ADDR: "},
		{"SIGNUP=yes", `GARMINLINK_SIGNUP: "yes" is neither open nor closed`},
		{"MIGRATE=true", "GARMINLINK_MIGRATE: "},
		{"TOKEN_REQUESTS_PER_MINUTE=0", "GARMINLINK_TOKEN_REQUESTS_PER_MINUTE: "},
		{"TOKEN_REQUESTS_PER_MINUTE=many", "is not a number from 1 to 1000000"},
		{"REDIS_URL=localhost:6379", "GARMINLINK_REDIS_URL: is not of the form redis://"},
		{"RETURN_URLS=https://app.example.com,app", `GARMINLINK_RETURN_URLS: "app": it is not of the form https://host/path`},
		{"RETURN_URLS=http://app.example.com", "is http: users go back by https"},
		{"LOG_LEVEL=loud", "GARMINLINK_LOG_LEVEL: "},
		{"LOG_FORMAT=xml", "GARMINLINK_LOG_FORMAT: "},
		{"TRUSTED_PROXIES=10.0.0.1, foo,10.0.0.0/33", `GARMINLINK_TRUSTED_PROXIES: neither addresses nor ranges such as 10.0.0.0/8: ["foo" "10.0.0.0/33"]`},
		{"KEYSET_FILE=/keyset", "GARMINLINK_KEYSET and GARMINLINK_KEYSET_FILE are both set"},
		{"DATABASE_URL=\nGARMINLINK_DATABASE_URL_FILE=" + missing, "GARMINLINK_DATABASE_URL_FILE: open " + missing},
	} {
		set := strings.Split("GARMINLINK_"+c.setting, "\n")
		_, err := load[Config](append(complete[:len(complete):len(complete)], set...))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.setting, err, c.want)
			continue
		}
		if _, refused := errors.AsType[refusal](err); !refused {
			t.Errorf("%s: %v is no refusal", c.setting, err)
		}
		if faults := strings.Count(err.Error(), "\n"); faults != 1 {
			t.Errorf("%s: %d faults are told, want 1: %v", c.setting, faults, err)
		}
	}
}

func TestConfigTellsAllFaultsAtOnce(t *testing.T) {
	t.Parallel()
	_, err := load[Config]([]string{"GARMINLINK_SIGNUP=yes", "GARMINLINK_LOG_FORMAT=xml"})
	for _, name := range []string{"DATABASE_URL", "KEYSET", "BASE_URL", "SIGNUP", "LOG_FORMAT"} {
		if err == nil || !strings.Contains(err.Error(), "\n  GARMINLINK_"+name) {
			t.Errorf("%s is not named in: %v", name, err)
		}
	}
}

func TestBaseURLMayBeHTTPOnLoopback(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"http://localhost:8080", "http://127.0.0.1", "http://[::1]:8080/"} {
		var o origin
		if err := o.UnmarshalText([]byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		} else if want := strings.TrimSuffix(text, "/"); o.String() != want {
			t.Errorf("%s became %s", text, o)
		}
	}
}

func TestSecretsComeAsFiles(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "url")
	if err := os.WriteFile(name, []byte("postgres://from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := load[Database]([]string{"GARMINLINK_DATABASE_URL_FILE=" + name})
	if err != nil {
		t.Fatal(err)
	}
	if string(c.DatabaseURL) != "postgres://from-file" {
		t.Errorf("read %q", string(c.DatabaseURL))
	}
}

func TestConfigPrintsNoSecret(t *testing.T) {
	t.Parallel()
	c, err := load[Config](append(complete, "GARMINLINK_REDIS_URL=redis://:db.example@localhost"))
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("started", "url", c.DatabaseURL)
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %s %x", c, c, c, c.DatabaseURL, c.DatabaseURL), logged.String()} {
		if strings.Contains(text, "db.example") || strings.Contains(text, "64622e") {
			t.Errorf("printed as %s", text)
		}
	}
}

func TestUnknownVariablesAreFound(t *testing.T) {
	t.Parallel()
	got, err := unknown(append(complete, "GARMINLINK_SINGUP=open", "GARMINLINK_KEYSET_FILE=x", "GARMINLINK_ADDR_FILE=x", "GARMINLINK_TEST_MAIN=1", "GARMINLINK_TOKEN=glt_x", "HOME=/"))
	if err != nil || fmt.Sprint(got) != "[GARMINLINK_ADDR_FILE GARMINLINK_SINGUP]" {
		t.Errorf("unknown() = %v, %v", got, err)
	}
}
