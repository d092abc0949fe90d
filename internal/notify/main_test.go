package notify_test

import (
	"flag"
	"os"
	"testing"
)

// TestMain makes the property draw fewer histories than usual: their steps ask
// a real database. -rapid.checks draws more.
func TestMain(m *testing.M) {
	if err := flag.Lookup("rapid.checks").Value.Set("25"); err != nil {
		panic(err)
	}
	flag.Parse()
	os.Exit(m.Run())
}
