package web

import (
	"net"
	"net/netip"

	"github.com/labstack/echo/v4"
)

// clientAddress finds the address that a request came from. X-Forwarded-For is
// read from its end, as far as each hop is a proxy of ours: what stands before
// that, a client may have written itself.
func clientAddress(proxies []netip.Prefix) echo.IPExtractor {
	if len(proxies) == 0 {
		return echo.ExtractIPDirect()
	}
	trust := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, p := range proxies {
		p = p.Masked()
		trust = append(trust, echo.TrustIPRange(&net.IPNet{
			IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen()),
		}))
	}
	return echo.ExtractIPFromXFFHeader(trust...)
}

// noticeProxy warns, once, of a proxy that nobody told us of: all its users
// count as one client.
func (s *Server) noticeProxy(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if len(s.TrustedProxies) == 0 && c.Request().Header.Get(echo.HeaderXForwardedFor) != "" {
			s.proxy.Do(func() {
				s.Log.Warn("X-Forwarded-For is ignored, as no proxy is trusted (GARMINLINK_TRUSTED_PROXIES): limits count all its users as one")
			})
		}
		return next(c)
	}
}

// translated are the IPv4 addresses as IPv6 ones (RFC 6052), in their last 32
// bits. A server that has IPv6 alone sees all of the old Internet in them.
var translated = netip.MustParsePrefix("64:ff9b::/96")

// networkOf is what counts as one client: an IPv4 address, or the /64 that one
// IPv6 customer has to himself.
func networkOf(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return "unknown"
	}
	if a = a.Unmap().WithZone(""); a.Is4() {
		return a.String()
	}
	if b := a.As16(); translated.Contains(a) {
		return netip.AddrFrom4([4]byte(b[12:])).String()
	}
	p, _ := a.Prefix(64)
	return p.String()
}
