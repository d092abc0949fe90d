package postgres

import "time"

// LinksQuery is for those who look at its plan.
var LinksQuery = linksQuery

// DueDeliveriesQuery is, too.
const DueDeliveriesQuery = dueDeliveriesQuery

// LogQuery is, too.
const LogQuery = logQuery

// WriteEntries ends a change of a link.
var WriteEntries = writeEntries

// Waiting tells how many check-outs wait for a lane.
func (p *Links) Waiting() int {
	p.loans.mu.Lock()
	defer p.loans.mu.Unlock()
	return len(p.loans.waiting)
}

// Crowd is how many check-outs wait for no other's return.
const Crowd = crowd

// Late tells when a batch of check-outs is late.
func (p *Links) Late(after time.Duration) {
	p.loans.mu.Lock()
	defer p.loans.mu.Unlock()
	p.loans.late = after
}
