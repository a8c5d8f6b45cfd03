package session

import (
	"context"
	"fmt"
	"io"

	"github.com/telemodem/telemodem/at"
)

// hasNoticeLine tells whether notifications come on a line of their own.
func (c *Config) hasNoticeLine() bool {
	return c.NotificationPort != "" || c.OpenNotifications != nil
}

// gather has the notifications of all lines and channels that the modem may send
// them on (fault F25): that for commands, that for data while it carries none,
// and the line for notifications alone.
func (s *Session) gather(ctx context.Context, u *unit) error {
	var others []at.Commander
	if u.data != u.modem {
		others = append(others, u.data)
	}
	if s.cfg.hasNoticeLine() {
		line, err := s.openNotices(ctx)
		if err != nil {
			return &openError{fmt.Errorf("session: the line for notifications: %w", err)}
		}
		config := s.engineConfig(u.profile)
		u.notices = at.New(line, &config)
		others = append(others, u.notices)
	}
	u.commands = at.Gather(u.modem, others...)
	return nil
}

func (s *Session) openNotices(ctx context.Context) (io.ReadWriteCloser, error) {
	if s.cfg.OpenNotifications != nil {
		return s.cfg.OpenNotifications(ctx)
	}
	return s.noticeLine.open(ctx)
}

// noticesGone is closed when the line for notifications has ended; nil without
// one.
func (u *unit) noticesGone() <-chan struct{} {
	if u.notices == nil {
		return nil
	}
	return u.notices.Done()
}
