package limit_test

import (
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/limit"
)

func TestIntervalSpreadsTheBurst(t *testing.T) {
	t.Parallel()
	if got := (limit.Rate{Burst: 10, Per: time.Minute}).Interval(); got != 6*time.Second {
		t.Errorf("10 a minute come every %v", got)
	}
}

func TestKeysHidePeopleAndDoNotCollide(t *testing.T) {
	t.Parallel()
	key := limit.Key("sign-in/email", "runner@example.com")
	if strings.Contains(key, "runner") {
		t.Errorf("the key %q shows the address", key)
	}
	if !strings.HasPrefix(key, "sign-in/email/") {
		t.Errorf("the key %q does not start with its scope", key)
	}
	if key != limit.Key("sign-in/email", "runner@example.com") {
		t.Error("the same gives another key")
	}
	for _, other := range []string{limit.Key("sign-in/email", "walker@example.com"), limit.Key("sign-up/email", "runner@example.com")} {
		if other == key {
			t.Errorf("two things share the key %q", key)
		}
	}
}
