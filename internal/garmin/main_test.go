package garmin_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain also proves that no call leaves a goroutine behind, and so no body open.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
