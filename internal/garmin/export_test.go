package garmin

import "time"

// SetTimeout shortens the time that a call may take.
func (c *Client) SetTimeout(d time.Duration) { c.timeout = d }

// SetLoginTime shortens the time that a Login may take.
func (c *Client) SetLoginTime(d time.Duration) { c.loginTime = d }

// Sleep waits as a Client does whose owner gave no Wait.
var Sleep = sleep
