package session

import (
	"context"
	"errors"

	"github.com/telemodem/telemodem/at"
)

// errSilentRestart is a modem that has restarted without a word (fault F94): its
// settings are gone, among them that it tells of messages.
var errSilentRestart = errors.New("session: the modem has restarted without saying so: its settings are gone")

// witnesses are settings that setUp makes, and that a restart puts back to 0; the
// first that a modem tells is asked. To notify of registration is off after a
// restart (3GPP TS 27.007 clauses 7.2, 10.1.22, 10.1.20). The level of errors
// (clause 9.1) is 0 on some modems only: by Quectel's manuals it is 1, as here.
var witnesses = []string{"+CREG", "+CEREG", "+CGREG", "+CMEE"}

// setting asks for the first value of a setting; -1 where the modem does not tell
// it. A state of registration alone is none: the engine takes it for a notification.
func setting(ctx context.Context, modem at.Commander, name string) (int, error) {
	resp, err := at.Exec(ctx, modem, name+"?")
	if err != nil {
		if answered(err) {
			err = nil
		}
		return -1, err
	}
	info, ok := resp.Line(name)
	if !ok {
		return -1, nil
	}
	args := info.Args(name)
	value := args.Int()
	if args.Err() != nil {
		return -1, nil
	}
	return value, nil
}

// remember chooses who is asked later whether the settings are still there, now
// that they are made.
func (u *unit) remember(ctx context.Context) error {
	u.witness = ""
	for _, name := range witnesses {
		value, err := setting(ctx, u.modem, name)
		if err != nil {
			return err
		}
		if value > 0 {
			u.witness = name
			return nil
		}
	}
	return nil // it tells none, or keeps none
}

// forgot tells whether the settings are gone.
func (u *unit) forgot(ctx context.Context) (bool, error) {
	if u.witness == "" {
		return false, nil
	}
	value, err := setting(ctx, u.modem, u.witness)
	return value == 0, err
}

// afterSilentRestart ends what the modem has forgotten with its settings, the
// sockets inside it, and makes the settings again. Other connections do not
// outlive a restart.
func (s *Session) afterSilentRestart(ctx context.Context, u *unit) error {
	if err := u.bearer.Disconnect(ctx); err != nil {
		s.log.Warn("session: the end of data before the restart", "err", err)
	}
	return s.setUpAgain(u, errSilentRestart)
}
