package web_test

import (
	"os"
	"testing"
	"time"

	"github.com/garminlink/garminlink/web"
)

// beat is how long a stream is silent at most.
const beat = 200 * time.Millisecond

func TestMain(m *testing.M) {
	web.SetBeat(beat)
	os.Exit(m.Run())
}
