package notify

import "time"

// Hurry has a service wait for answers no longer than d.
func (s *Service) Hurry(d time.Duration) { s.sender.patience = d }

// Lease is how long a process that died keeps what it had claimed.
const Lease = leaseTime

// Waits are those between attempts.
var Waits = waits
