package garmin

import (
	"context"
	"net/http"
)

// Profile is who an account belongs to. GUID and ProfileID never change; the names do.
type Profile struct {
	GUID        string
	ProfileID   int64
	DisplayName string
	FullName    string
	UserName    string
}

// Profile asks the API for the account's own profile: the cheapest call that proves a session.
//
// Errors: KindTokenRejected, KindBlocked, KindRateLimited, KindClientLimited, KindUnavailable, KindProtocol. A fresh
// token, too, may be rejected; only a Profile that came back proves one.
func (c *Client) Profile(ctx context.Context, s *Session) (*Profile, error) {
	header := with(appHeaders, map[string]string{
		"Authorization": "Bearer " + s.accessToken(), "Accept": "application/json",
	})
	rep, err := c.do(ctx, call{
		op: opProfile, region: s.region, method: http.MethodGet, url: origin(s.region, "connectapi") + pathProfile,
		header: header,
	})
	if err != nil {
		return nil, err
	}
	return rep.parseProfile()
}

func (r *reply) parseProfile() (*Profile, error) {
	if r.status == http.StatusUnauthorized {
		return nil, r.fail(KindTokenRejected)
	}
	if e := r.refusal(); e != nil {
		return nil, e
	}
	f, _ := parseFields(r.body)
	p := &Profile{
		GUID:        cleanID(f.text("garminGUID")),
		ProfileID:   f.seconds("profileId"),
		DisplayName: oneLine(f.text("displayName")),
		FullName:    oneLine(f.text("fullName")),
		UserName:    oneLine(f.text("userName")),
	}
	if r.status == http.StatusOK && p.GUID != "" {
		return p, nil
	}
	e := r.unknown()
	e.Type = cleanType(f.text("error"))
	return nil, e
}
