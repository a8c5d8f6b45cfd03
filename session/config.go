package session

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/gprs"
	"github.com/telemodem/telemodem/gprs/socket"
	"github.com/telemodem/telemodem/session/profile"
	"github.com/telemodem/telemodem/sms"
)

// Config holds what is chosen when a session is opened. Port or Open is
// needed; everything else may be zero.
type Config struct {
	// Name is what the modem is called in a Bank, in metrics and in the log.
	// Empty means Port there.
	Name string
	// Port names the line to the modem: "/dev/ttyUSB2", "COM5",
	// "serial:///dev/ttyS1?baud=460800&flow=rtscts", "tcp://host:port",
	// "unix:///path" (see package at/port).
	Port string
	// Open gives the line in place of Port. It is called again after the line
	// was lost; the session closes what it gave.
	Open func(ctx context.Context) (io.ReadWriteCloser, error)
	// NotificationPort names a second line on which the modem sends what it says
	// by itself, such as that a message has come: many USB sticks and modules
	// use another port for that than the one that takes commands, or several.
	// What comes on more than one counts once. Nothing is written to it, and the
	// session starts again when it is lost. Empty: all comes on the one line.
	NotificationPort string
	// OpenNotifications gives that line in place of NotificationPort, as Open
	// gives the other.
	OpenNotifications func(ctx context.Context) (io.ReadWriteCloser, error)

	// Profile is what is special about the modem. Nil finds it by what the
	// modem says of itself.
	Profile *profile.Profile
	// PIN opens the SIM. It is entered once for each start of the modem and
	// never when only the last try is left. Empty: the SIM asks for none.
	PIN string
	// NoMultiplexer keeps the line in plain AT also where the modem could
	// multiplex (3GPP TS 27.010): then a data call has the line for itself.
	NoMultiplexer bool
	// SMS is how messages are handled; give it a Store (sms.OpenStore) so that
	// what was received survives a crash. Its Quirks are the profile's.
	SMS sms.Config
	// Context is the packet data context for data calls; the zero value asks
	// for the network's own access point.
	Context gprs.Context
	// Sockets has data go through the TCP and UDP sockets inside the modem, in
	// the dialect of its profile, in place of a data call with TCP/IP in this
	// process: commands and messages go on beside them, and the line is not
	// multiplexed. Context, APN, User and Password are those of Context where
	// they are not set. Nil makes data calls. A profile without a dialect is
	// errors.ErrUnsupported when data is asked for.
	Sockets *socket.Config

	// Power cuts the modem's power and gives it back: a relay, the power key on
	// a pin, a port of a USB hub that can be switched. It is for modems that
	// hang beyond what a command cures; the line is closed before and opened
	// behind it. It returns when the power is back; ctx ends after a minute, or
	// with the session, and then it is to return soon. One that has not returned
	// 10 s later is left to itself: it is not called again before it returns,
	// and Session.Close says ErrPowerRunning. Nil: there is no way to do it.
	Power func(ctx context.Context) error
	// Budgets bound how often the rungs of recovery are climbed that load the
	// network or stop the modem.
	Budgets Budgets
	// Ledger keeps what was spent of the budgets over restarts of the process;
	// each session needs one of its own. Nil keeps it in memory.
	Ledger Ledger

	// KeepTrying has Open bring back a modem that does not start, as a session
	// does later, until its ctx ends, instead of ending with the first error:
	// for machines where nobody reads that. What only a human can cure, such as
	// a wrong PIN, ends Open even so.
	KeepTrying bool

	// StartTimeout bounds the way from an open line to a modem that is set up.
	// Zero means 90 s (a SIM7600 takes up to 60 s to say PB DONE).
	StartTimeout time.Duration
	// CheckInterval is the pause between two looks at the modem's health.
	// Zero means 60 s; negative means none, so that only what the modem tells
	// or a failing command shows trouble.
	CheckInterval time.Duration

	// Logger gets what the session does. Nil logs nothing.
	Logger *slog.Logger
	// TraceLogger gets the bytes of both directions at level Debug. Nil: none.
	TraceLogger *slog.Logger
	// Trace records the bytes of both directions. Nil: none.
	Trace *at.Recorder
}

var errNoLine = errors.New("session: neither Config.Port nor Config.Open names a line to the modem")

func (c *Config) name() string {
	if c.Name == "" {
		return c.Port
	}
	return c.Name
}

func (c *Config) startTimeout() time.Duration  { return otherwise(c.StartTimeout, 90*time.Second) }
func (c *Config) checkInterval() time.Duration { return otherwise(c.CheckInterval, time.Minute) }

func otherwise[T ~int | ~int64](d, def T) T {
	if d == 0 {
		return def
	}
	return d
}
