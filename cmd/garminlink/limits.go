package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/garminlink/garminlink/internal/limit"
)

// tokenRate is in requests per minute.
type tokenRate int

func (r *tokenRate) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 || n > 1_000_000 {
		return fmt.Errorf("%q is not a number from 1 to 1000000", text)
	}
	*r = tokenRate(n)
	return nil
}

// rate is how often all replicas together answer one service token.
func (r tokenRate) rate() limit.Rate { return limit.Rate{Burst: int(r), Per: time.Minute} }
