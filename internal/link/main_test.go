package link_test

import (
	"flag"
	"os"
	"testing"
)

// TestMain makes the models draw fewer histories than usual: their steps ask a
// real database. -rapid.checks draws more.
func TestMain(m *testing.M) {
	checks := flag.Lookup("rapid.checks")
	if err := checks.Value.Set("50"); err != nil {
		panic(err)
	}
	flag.Parse()
	os.Exit(m.Run())
}
