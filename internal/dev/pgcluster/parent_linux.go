package pgcluster

import "syscall"

// endWithParent has the kernel stop the server when we are killed. SIGINT is
// a fast, clean shutdown.
func endWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGINT }
