package redislimit_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/garminlink/garminlink/internal/limit/redislimit"
)

func TestAddressTellsOneRedisFromAnother(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"redis://localhost":                     "tcp:localhost:6379/0",
		"redis://me:s3cret@10.0.0.7:7000/3":     "tcp:10.0.0.7:7000/3",
		"rediss://:s3cret@redis.example?db=2":   "tcp:redis.example:6379/2",
		"unix://:s3cret@/run/redis/socket?db=1": "unix:/run/redis/socket/1",
	} {
		var a redislimit.Address
		if err := a.UnmarshalText([]byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if a.IsZero() || a.String() != want {
			t.Errorf("%s became %s, want %s", text, a, want)
		}
	}
}

func TestAddressPrintsNoPassword(t *testing.T) {
	t.Parallel()
	var a redislimit.Address
	if err := a.UnmarshalText([]byte("redis://me:s3cret@localhost")); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("asking", "redis", a)
	in := struct{ At redislimit.Address }{a}
	for _, printed := range []string{fmt.Sprintf("%v %+v %#v %s %q %x", a, a, a, a, a, a), fmt.Sprintf("%v %+v %#v", in, in, &in), log.String()} {
		if strings.Contains(printed, "s3cret") || strings.Contains(printed, fmt.Sprintf("%x", "s3cret")) {
			t.Errorf("printed as %s", printed)
		}
	}
}

func TestFaultyAddressIsNotRepeated(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"s3cret", "http://:s3cret@localhost", "redis://:%s3cret@localhost", "redis://:1/s3cret@localhost",
		"redis://:x?s3cret@localhost", "redis://localhost/s3cret", "unix://s3cret", "redis://localhost?s3cret=1",
		"redis:s3cret@localhost/x/y", "redis://localhost/1?read_timeout=s3cret",
	} {
		var a redislimit.Address
		err := a.UnmarshalText([]byte(text))
		if err == nil {
			t.Errorf("%s is taken for an address", text)
		} else if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
