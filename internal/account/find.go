package account

import "context"

// Find returns the user whom a program names. It fails with ErrNotFound.
func (s *Service) Find(ctx context.Context, ref UserRef) (User, error) {
	return s.store.UserByRef(ctx, ref)
}

// FindByEmail returns the user who signs in here with an e-mail address: the
// contact data of external users are not looked at. It fails with ErrNotFound
// and ErrInvalidEmail.
func (s *Service) FindByEmail(ctx context.Context, email string) (User, error) {
	email, err := NormalEmail(email)
	if err != nil {
		return User{}, err
	}
	u, _, err := s.store.UserByEmail(ctx, email)
	return u, err
}
