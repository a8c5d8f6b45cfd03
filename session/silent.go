package session

import (
	"context"
	"errors"

	"github.com/telemodem/telemodem/at"
)

// errSilentRestart is a modem that has restarted without a word (fault F94): its
// settings are gone, among them that it tells of messages.
var errSilentRestart = errors.New("session: the modem has restarted without saying so: its settings are gone")

// errorLevel reads a setting that setUp has made, AT+CMEE=1 (3GPP TS 27.007
// clause 9.1), which a restart puts back to 0. It is -1 where the modem does not
// tell.
func errorLevel(ctx context.Context, modem at.Commander) (int, error) {
	resp, err := at.Exec(ctx, modem, "+CMEE?")
	if err != nil {
		if answered(err) {
			err = nil
		}
		return -1, err
	}
	info, ok := resp.Line("+CMEE")
	if !ok {
		return -1, nil
	}
	args := info.Args("+CMEE")
	level := args.Int()
	if args.Err() != nil {
		return -1, nil
	}
	return level, nil
}

// remember notes what the modem says of its settings now that they are made.
func (u *unit) remember(ctx context.Context) (err error) {
	u.errorLevel, err = errorLevel(ctx, u.modem)
	return err
}

// forgot tells whether the settings are gone.
func (u *unit) forgot(ctx context.Context) (bool, error) {
	if u.errorLevel <= 0 { // it does not tell, or does not keep it
		return false, nil
	}
	level, err := errorLevel(ctx, u.modem)
	return level == 0, err
}
