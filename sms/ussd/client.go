package ussd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/telemodem/telemodem/at"
)

// Causes that a caller may branch on with errors.Is.
var (
	// ErrInvalid says that a text was refused before anything was written.
	ErrInvalid = errors.New("ussd: invalid text")
	// ErrNoSession says that the network waits for no answer.
	ErrNoSession = errors.New("ussd: no session is open")
	// ErrNoReply says that the network did not reply in time.
	ErrNoReply = errors.New("ussd: no reply from the network")
)

// Config holds what is chosen when a Client is made. A nil *Config is a sound
// choice.
type Config struct {
	// Timeout bounds a request, from the command to the reply. Zero means
	// 110 s, what the slowest known modems need; negative leaves the bound to
	// the context.
	Timeout time.Duration
	// Packed says that the modem takes and gives 7-bit texts as hexadecimal
	// digits of packed septets (Huawei E150 to E173).
	Packed bool
}

// Status is <m> of +CUSD (TS 27.007 clause 7.15).
type Status int

// Status values.
const (
	Finished     Status = iota // no further action is needed
	ActionNeeded               // the network waits for an answer
	Terminated                 // the network has ended the session
	OtherClient                // another client of the modem has replied
	NotSupported               // the network does not know the operation
	TimedOut                   // the network has waited too long
)

var statusNames = [...]string{"finished", "action needed", "terminated by the network", "another client has replied", "not supported", "timed out in the network"}

// String returns the status in words.
func (s Status) String() string {
	if s >= 0 && int(s) < len(statusNames) {
		return statusNames[s]
	}
	return fmt.Sprintf("Status(%d)", int(s))
}

// StatusError is a reply that tells of a failure: from Terminated on.
type StatusError struct{ Status Status }

// Error implements error.
func (e *StatusError) Error() string { return "ussd: " + e.Status.String() }

// Reply is what the network said.
type Reply struct {
	// Text is the text, empty if there was none.
	Text string
	// More is true when the network waits for Answer.
	More bool
	// Status is what the modem told.
	Status Status
	// Err says why a text could not be read; Text is what the modem gave then.
	Err error
}

// Client asks over one modem. Its methods may be called by several goroutines
// at once; one request runs at a time.
type Client struct {
	modem at.Commander
	cfg   Config

	busy    chan struct{} // guards what follows
	session bool          // the network waits for an answer
}

// New returns a Client on a modem, which stays the caller's.
func New(modem at.Commander, cfg *Config) *Client {
	c := &Client{modem: modem, busy: make(chan struct{}, 1)}
	if cfg != nil {
		c.cfg = *cfg
	}
	if c.cfg.Timeout == 0 {
		c.cfg.Timeout = 110 * time.Second
	}
	return c
}

// Request sends a code, such as *100#, and returns the reply. A session that
// was still open is cancelled. The code is at most 20 of 0-9, *, # and +.
func (c *Client) Request(ctx context.Context, code string) (Reply, error) {
	if code == "" || len(code) > 20 || strings.Trim(code, "0123456789*#+") != "" {
		return Reply{}, fmt.Errorf("%w: a code is at most 20 of 0-9, *, # and +", ErrInvalid)
	}
	if err := c.lock(ctx); err != nil {
		return Reply{}, err
	}
	defer c.unlock()
	if c.session {
		if err := c.cancel(ctx); err != nil {
			return Reply{}, err
		}
	}
	return c.ask(ctx, code)
}

// Answer sends what the network waits for and returns its next reply. The text
// is at most 182 characters of the GSM alphabet (TS 23.038 clause 6.1.2.3), or
// 80 of any kind where +CSCS is "UCS2".
func (c *Client) Answer(ctx context.Context, text string) (Reply, error) {
	if err := c.lock(ctx); err != nil {
		return Reply{}, err
	}
	defer c.unlock()
	if !c.session {
		return Reply{}, ErrNoSession
	}
	return c.ask(ctx, text)
}

// Cancel ends a session that waits for an answer. Without one it does nothing.
func (c *Client) Cancel(ctx context.Context) error {
	if err := c.lock(ctx); err != nil {
		return err
	}
	defer c.unlock()
	if !c.session {
		return nil
	}
	return c.cancel(ctx)
}

func (c *Client) cancel(ctx context.Context) error {
	c.session = false
	_, err := c.modem.Command(ctx, at.Command{Text: "+CUSD=2"})
	return err
}

// ask sends a text and waits for the +CUSD that replies to it, which comes
// before or after the OK.
func (c *Client) ask(ctx context.Context, text string) (Reply, error) {
	if c.cfg.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, c.cfg.Timeout, ErrNoReply)
		defer cancel()
	}
	set := charset(ctx, c.modem)
	argument, dcs, err := encode(text, set, c.cfg.Packed)
	if err != nil {
		return Reply{}, err
	}
	replies := make(chan string, 1)
	stop := c.modem.Handle("+CUSD", func(n at.Notification) {
		select {
		case replies <- n.Line:
		default: // a reply is there already; what follows has no question
		}
	})
	defer stop()
	resp, err := c.modem.Command(ctx, at.Command{Text: fmt.Sprintf(`+CUSD=1,"%s",%d`, argument, dcs), Timeout: c.cfg.Timeout})
	if err != nil {
		c.session = false
		return Reply{}, err
	}
	for _, info := range resp.Info {
		if strings.HasPrefix(info.Text, "+CUSD:") {
			return c.take(info.Text, set)
		}
	}
	select {
	case line := <-replies:
		return c.take(line, set)
	case <-ctx.Done():
		c.session = false
		cause := context.Cause(ctx)
		over, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		_ = c.cancel(over) // so that the next request finds no half-open session
		return Reply{}, cause
	}
}

func (c *Client) take(line, set string) (Reply, error) {
	reply := parse(line, set, c.cfg.Packed)
	c.session = reply.More
	if reply.Status >= Terminated {
		return reply, &StatusError{reply.Status}
	}
	return reply, nil
}

func (c *Client) lock(ctx context.Context) error {
	select {
	case c.busy <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (c *Client) unlock() { <-c.busy }

// charset asks for the character set of strings (TS 27.007 clause 5.5).
func charset(ctx context.Context, modem at.Commander) string {
	resp, err := modem.Command(ctx, at.Command{Text: "+CSCS?"})
	if err != nil || len(resp.Info) == 0 {
		return "GSM"
	}
	return strings.Trim(strings.TrimPrefix(resp.Info[0].Text, "+CSCS:"), `" `)
}
