package garmin

import "time"

// SetTimeout shortens the time that a call may take.
func (c *Client) SetTimeout(d time.Duration) { c.timeout = d }
