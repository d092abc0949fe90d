package web

import "time"

// SetBeat has streams speak more often, before any is opened.
func SetBeat(d time.Duration) { beatTime = d }
