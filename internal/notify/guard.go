package notify

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
)

// ErrAddressRefused says that an endpoint leads to an address which is not to
// be called. Who may name an endpoint could otherwise reach what only this
// machine can: metadata of a cloud, databases, other programs' admin ports.
var ErrAddressRefused = errors.New("notify: the address is not a public one, and not among those that are allowed")

// reserved are the ranges within the space of public addresses that lead
// elsewhere: IANA's registries of special-purpose addresses, of IPv4 all that
// is not globally reachable, of IPv6 what stands within 2000::/3, and what
// wraps an IPv4 address.
var reserved = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
	"198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
)

// globalUnicast is all of IPv6 that is given out: outside of it are loopback,
// link-local, unique local and multicast addresses, and NAT64's.
var globalUnicast = netip.MustParsePrefix("2000::/3")

func prefixes(texts ...string) []netip.Prefix {
	list := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		list[i] = netip.MustParsePrefix(text)
	}
	return list
}

func within(a netip.Addr, ranges []netip.Prefix) bool {
	return slices.ContainsFunc(ranges, func(p netip.Prefix) bool { return p.Contains(a) })
}

// public reports whether an address belongs to a machine that anybody can
// reach.
func public(a netip.Addr) bool {
	return (a.Is4() || globalUnicast.Contains(a)) && !within(a, reserved)
}

// guard says which addresses may be called.
type guard struct {
	allowed []netip.Prefix
	public  bool
}

func (g guard) lets(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsValid() && a.Zone() == "" && (within(a, g.allowed) || g.public && public(a))
}

// control is for net.Dialer, which calls it with each address that it is about
// to connect to. At that point no later answer of a name server counts any
// more: checking a name before the call would prove nothing.
func (g guard) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrAddressRefused, err)
	}
	if !g.lets(a.Addr()) {
		return fmt.Errorf("%w: %s", ErrAddressRefused, a.Addr())
	}
	return nil
}

// dialer connects to what the guard lets pass, as names are resolved by a
// resolver; nil: the system's.
func (g guard) dialer(names *net.Resolver) *net.Dialer {
	return &net.Dialer{Timeout: attemptTime, Resolver: names, ControlContext: g.control}
}
