package garmintest

import "net/http"

// profile answers socialProfile with the members of the recorded one that say who and where; the dozens of sport
// settings beside them are left out.
func (s *Server) profile(w http.ResponseWriter, a ask) {
	s.mu.Lock()
	defer s.mu.Unlock()
	acc := s.bearer(a)
	if acc == nil {
		writeUnauthorized(w)
		return
	}
	w.Header().Set("Cache-Control", "no-cache, no-store, private")
	writeJSON(w, http.StatusOK, map[string]any{
		"id":                    acc.ProfileID + 562043,
		"profileId":             acc.ProfileID,
		"garminGUID":            acc.GUID,
		"displayName":           acc.DisplayName,
		"fullName":              acc.FullName,
		"userName":              acc.DisplayName,
		"profileImageUrlLarge":  nil,
		"profileImageUrlMedium": nil,
		"profileImageUrlSmall":  nil,
		"location":              nil,
		"profileVisibility":     "private",
		"favoriteActivityTypes": []string{},
		"runningTrainingSpeed":  0.0,
		"showAge":               false,
		"userRoles":             []string{"SCOPE_CONNECT_READ", "SCOPE_CONNECT_WRITE", "ROLE_CONNECTUSER"},
		"nameApproved":          true,
		"userProfileFullName":   acc.FullName,
		"userLevel":             3,
		"userPoint":             117,
		"levelUpdateDate":       "2020-12-12T15:20:38.0",
		"userPro":               false,
	})
}

func writeUnauthorized(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token", error_description="Token is not active"`)
	w.WriteHeader(http.StatusUnauthorized)
}
