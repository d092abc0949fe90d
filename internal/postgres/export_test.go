package postgres

// LinksQuery is for those who look at its plan.
var LinksQuery = linksQuery

// DueDeliveriesQuery is, too.
const DueDeliveriesQuery = dueDeliveriesQuery

// LogQuery is, too.
const LogQuery = logQuery

// WriteEntries ends a change of a link.
var WriteEntries = writeEntries
