package dev

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// Without a wish, the first of these ports that is free is taken.
const (
	firstPort = 8080
	lastPort  = 8099
)

// listen opens a port on this machine alone: demo users have known passwords.
// Port 0 means any.
func listen(port int) (net.Listener, error) {
	if port != 0 {
		return net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	}
	for port = firstPort; port <= lastPort; port++ {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if !errors.Is(err, syscall.EADDRINUSE) {
			return l, err
		}
	}
	return nil, fmt.Errorf("all ports from %d to %d are in use: name one with --port", firstPort, lastPort)
}
