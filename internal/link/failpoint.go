//go:build !chaos

package link

// failpoint is where a crash is put to the test; see failpoint_chaos.go.
func failpoint(string) {}
