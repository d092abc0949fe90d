//go:build !linux

package pgcluster

import "syscall"

// endWithParent does nothing where the kernel offers nothing: a server whose
// parent was killed lives until the next start ends it.
func endWithParent(*syscall.SysProcAttr) {}
