package link_test

import (
	"context"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/google/uuid"
)

func TestUnlinkDoesNotHideWrongPasswords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := credentials("plain")
	c.Password = "wrong"
	for i := range 10 {
		release := w.garmin.Hold(garmintest.OpLogin)
		result := make(chan error, 1)
		go func() {
			_, err := w.links.Start(context.Background(), w.act(), c)
			result <- err
		}()
		w.awaitCalls(garmintest.OpLogin, i+1)
		if err := w.links.Unlink(context.Background(), w.act()); err != nil {
			t.Fatal(err)
		}
		release()
		wantKind(t, <-result, link.WrongPassword)
	}
	_, err := w.links.Start(context.Background(), w.act(), c)
	wantKind(t, err, link.TooManyFailures)
}

func TestCodesAreNotMailedWithoutEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 20 {
		w.start("mfa")
		if _, err := w.links.Cancel(context.Background(), w.act()); err != nil {
			t.Fatal(err)
		}
	}
	_, err := w.links.Start(context.Background(), w.act(), credentials("mfa"))
	wantKind(t, err, link.TooManyFailures)
}

func TestOneAccountsLimitIsNobodyElses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.garmin.Fail(garmintest.OpProfile, garmintest.ClientLimited(429, 0), 1)
	_, err := w.validate()
	wantKind(t, err, link.TokensLimited)
	w.user = w.newUser("other@example.com")
	w.start("mfa")
}

func TestCodesWaitForTheCoolDownToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("mfa")
	mine := w.act()
	w.user = w.newUser("other@example.com")
	w.garmin.Fail(garmintest.OpLogin, garmintest.AddressLimited(time.Hour), 1)
	_, err := w.links.Start(context.Background(), w.act(), credentials("plain"))
	wantKind(t, err, link.RateLimited)
	w.advance(31 * time.Second)
	_, err = w.links.SubmitCode(context.Background(), mine, uuid.Nil, "123456")
	wantKind(t, err, link.RateLimited)
	_, err = w.links.ResendCode(context.Background(), mine, uuid.Nil)
	wantKind(t, err, link.RateLimited)
	if n := w.garmin.Calls(garmintest.OpVerify) + w.garmin.Calls(garmintest.OpResend); n != 0 {
		t.Errorf("Garmin was asked %d times", n)
	}
}
