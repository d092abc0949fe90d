package postgres

// LinksQuery is for those who look at its plan.
var LinksQuery = linksQuery
