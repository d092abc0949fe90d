package garmintest_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain also proves that Close leaves no goroutine behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
