package socket

import (
	"context"
	"fmt"
	"time"

	"github.com/telemodem/telemodem/at"
)

// activate sets the packet switched data profile and brings it up: UBX-13002752,
// +UPSD and +UPSDA. One that is up already stays as it is. A failed activation
// is cured by a deactivation, once.
func (d ublox) activate(ctx context.Context) error {
	if d.cfg.Profile < 0 || d.cfg.Profile > 6 {
		return fmt.Errorf("%w: packet switched data profile %d; there are 0 to 6", at.ErrInvalid, d.cfg.Profile)
	}
	if active, err := d.profileActive(ctx); err != nil || active {
		return err
	}
	if err := d.setProfile(ctx); err != nil {
		return err
	}
	_, err := d.run(ctx, ubloxActivate, "+UPSDA=%d,3", d.cfg.Profile)
	if err != nil && refused(err) {
		if err := d.stop(ctx); err != nil {
			return err
		}
		_, err = d.run(ctx, ubloxActivate, "+UPSDA=%d,3", d.cfg.Profile)
	}
	if err != nil {
		return err
	}
	return d.waitProfile(ctx)
}

// setProfile writes access point and credentials; the user may be a secret too.
func (d ublox) setProfile(ctx context.Context) error {
	apn, user, password, err := d.credentials()
	if err != nil {
		return err
	}
	if _, err := d.run(ctx, ubloxAnswer, "+UPSD=%d,1,%s", d.cfg.Profile, apn); err != nil {
		return err
	}
	if d.cfg.User != "" {
		for i, value := range []string{user, password} {
			cmd := at.Command{Text: fmt.Sprintf("+UPSD=%d,%d,%s", d.cfg.Profile, 2+i, value), Sensitive: true, Timeout: ubloxAnswer}
			if _, err := d.c.Command(ctx, cmd); err != nil {
				return err
			}
		}
		if err := d.authenticate(ctx); err != nil {
			return err
		}
	}
	// An address of the network's choice.
	return d.quiet(ctx, ubloxAnswer, `+UPSD=%d,7,"0.0.0.0"`, d.cfg.Profile)
}

// authenticate lets the modem choose PAP or CHAP, and where it cannot, as some
// SARA-G3, takes CHAP.
func (d ublox) authenticate(ctx context.Context) error {
	_, err := d.run(ctx, ubloxAnswer, "+UPSD=%d,6,3", d.cfg.Profile)
	if err != nil && refused(err) {
		_, err = d.run(ctx, ubloxAnswer, "+UPSD=%d,6,2", d.cfg.Profile)
	}
	return err
}

// Looks at a profile that is to come up: some firmware answers +UPSDA before.
const (
	profileLooks = 10
	profilePause = 2 * time.Second
)

// waitProfile waits until the profile is up.
func (d ublox) waitProfile(ctx context.Context) error {
	for range profileLooks {
		if active, err := d.profileActive(ctx); err != nil || active {
			return err
		}
		select {
		case <-time.After(profilePause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return fmt.Errorf("%w: profile %d is not active after +UPSDA", ErrContextLost, d.cfg.Profile)
}

// profileActive reads the state of the profile: +UPSND with 8.
func (d ublox) profileActive(ctx context.Context) (bool, error) {
	res, err := d.run(ctx, ubloxAnswer, "+UPSND=%d,8", d.cfg.Profile)
	if err != nil {
		return false, ignoreRefusal(err)
	}
	for _, info := range res.Info {
		if n, ok := numbers(info.Text, "+UPSND"); ok && len(n) > 2 {
			return n[2] == 1, nil
		}
	}
	return false, nil
}
