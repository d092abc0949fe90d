// Package dev is `garminlink dev`: all that a newcomer needs to see the
// program at work on one machine. It owns the private PostgreSQL server (see
// pgcluster), the simulated Garmin, the keyset and the demo users. It does not
// know how the program is wired: it starts the same function as `serve`.
package dev
