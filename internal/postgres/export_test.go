package postgres

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

// Lanes is how many check-outs do not wait.
const Lanes = lanes
